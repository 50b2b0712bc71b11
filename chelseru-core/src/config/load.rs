//! Reading settings from files and the environment.
