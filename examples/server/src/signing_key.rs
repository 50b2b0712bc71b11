//! The signing key of a server that was given none: made once, kept in a file beside the database.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use chelseru_core::config::JwtConfig;
use chelseru_core::{Config, ConfigError, Secret};

use crate::database;

const KEY: &str = "AUTH.JWT.SIGNING_KEY";

/// Where the key comes from.
pub(crate) enum SigningKey {
    /// From the settings.
    Configured,
    /// From this file.
    File(PathBuf),
}

impl SigningKey {
    /// Leaves the settings with a key.
    ///
    /// Without one in them it is read from the file, or made and written there, so that tokens
    /// outlive a restart. Of several processes that start at once the first one's key is used by
    /// all.
    pub(crate) fn find_or_make(config: &mut Config) -> Result<Self, ConfigError> {
        Self::find(config, |path| read(path)?.map_or_else(|| make(path), Ok))
    }

    /// The same for a look at the settings: nothing is written. Also whether the key is there already;
    /// else the settings have one that the server would not have.
    pub(crate) fn look(config: &mut Config) -> Result<(Self, bool), ConfigError> {
        let mut is_there = true;
        let found = Self::find(config, |path| {
            let key = read(path)?;
            is_there = key.is_some();
            Ok(key.unwrap_or_else(new_key))
        })?;
        Ok((found, is_there))
    }

    fn find(
        config: &mut Config,
        key_in: impl FnOnce(&Path) -> std::io::Result<String>,
    ) -> Result<Self, ConfigError> {
        if !config.auth.jwt.signing_key.is_empty() {
            return Ok(Self::Configured);
        }
        if !config.auth.jwt.algorithm.is_symmetric() {
            return Err(ConfigError::about(
                KEY,
                "is missing; a private key is never made up",
            ));
        }
        let path = path_beside(config.database.url.expose());
        let key = key_in(&path).map_err(|error| {
            let file = path.display();
            ConfigError::about(
                KEY,
                format!("is missing, and the key file {file} cannot be used: {error}"),
            )
        })?;
        config.auth.jwt.signing_key = Secret::new(key);
        config.validate()?;
        Ok(Self::File(path))
    }
}

/// Settings with a key for this process alone, whatever they had: for work that signs nothing, and
/// that is to leave no file behind.
pub(crate) fn for_nothing(config: &mut Config) {
    config.auth.jwt = JwtConfig::default();
    config.auth.jwt.signing_key = Secret::new(new_key());
}

/// `chelseru.db.key` for SQLite at `chelseru.db`; `chelseru.key` here for a database elsewhere.
fn path_beside(database_url: &str) -> PathBuf {
    match database::file_of(database_url) {
        Some(file) => {
            let mut name = file.into_os_string();
            name.push(".key");
            name.into()
        }
        None => PathBuf::from("chelseru.key"),
    }
}

/// The key in a file, if the file is there.
fn read(path: &Path) -> std::io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(key) => Ok(Some(key.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Written aside and linked into place: the file is whole from the moment that it is there, and the
/// second of two processes finds the first one's.
fn make(path: &Path) -> std::io::Result<String> {
    let key = new_key();
    let aside = path.with_extension(format!("key.{:016x}", rand::random::<u64>()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&aside)?;
    writeln!(file, "{key}")?;
    file.sync_all()?;
    let linked = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::read_to_string(path).map(|key| key.trim().to_owned())
        }
        Err(error) => Err(error),
    }
}

/// 256 random bits, as hexadecimal digits.
fn new_key() -> String {
    format!(
        "{:032x}{:032x}",
        rand::random::<u128>(),
        rand::random::<u128>()
    )
}
