//! Where the bytes of uploaded files are kept: a folder, an object store, or what an application has.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

/// Why bytes could not be kept, given or removed. Nothing is said to users but that it failed.
#[derive(Debug, thiserror::Error)]
#[error("the place for files failed")]
pub struct BlobError(#[source] pub Box<dyn Error + Send + Sync>);

/// A place for the bytes of files, each under a key of its own.
///
/// Keys are 32 hexadecimal digits, random, and never used twice. Nobody but the service asks: who may
/// see a file is decided before.
#[async_trait]
pub trait BlobStore: Send + Sync + fmt::Debug {
    /// Keeps the bytes: when this has answered, a restart does not lose them.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), BlobError>;

    /// The bytes; `None` when there are none under this key.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError>;

    /// Removes the bytes. Removing what is not there is no error.
    async fn delete(&self, key: &str) -> Result<(), BlobError>;
}
