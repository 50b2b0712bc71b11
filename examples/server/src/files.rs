//! Where the files of chats are kept.

use std::error::Error;
use std::path::PathBuf;

use chelseru_core::Config;
use chelseru_files::Files;

/// What is made beside the database when the settings name no place.
const DEFAULT_FOLDER: &str = "chelseru-files";

/// The place that the settings name, else a folder beside the database.
pub(crate) fn open(config: &Config) -> Result<Files, Box<dyn Error>> {
    let files = &config.chat.files;
    if !files.s3_bucket.is_empty() {
        return in_bucket(config);
    }
    if !files.folder.is_empty() {
        let opened = Files::in_folder(&files.folder);
        return opened.map_err(|error| format!("CHAT.FILES.FOLDER: {error}").into());
    }
    Ok(Files::in_folder(beside_database(config))?)
}

fn beside_database(config: &Config) -> PathBuf {
    let file = config.database.url.expose().strip_prefix("sqlite://");
    let folder = file.and_then(|file| PathBuf::from(file).parent().map(PathBuf::from));
    folder.unwrap_or_default().join(DEFAULT_FOLDER)
}

#[cfg(feature = "s3")]
fn in_bucket(config: &Config) -> Result<Files, Box<dyn Error>> {
    let files = &config.chat.files;
    Ok(Files::in_s3(&chelseru_files::S3 {
        bucket: files.s3_bucket.clone(),
        prefix: files.s3_prefix.clone(),
        endpoint: files.s3_endpoint.clone(),
        region: files.s3_region.clone(),
        access_key_id: files.s3_access_key_id.clone(),
        secret_access_key: files.s3_secret_access_key.clone(),
    })?)
}

#[cfg(not(feature = "s3"))]
fn in_bucket(_: &Config) -> Result<Files, Box<dyn Error>> {
    Err(
        "CHAT.FILES.S3_BUCKET: this server was built without object stores; build it with \
         `--features s3`"
            .into(),
    )
}
