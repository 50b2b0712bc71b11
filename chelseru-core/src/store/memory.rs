//! A store in memory: the reference for the conformance suite, and good for tests and demonstrations.

/// Keeps everything in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {}
