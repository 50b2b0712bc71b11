//! Where chelseru keeps the files of chats: a folder beside the application, or any S3-compatible object
//! store (feature `s3`).
//!
//! ```
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! # let folder = std::env::temp_dir().join(format!("chelseru-files-doc-{}", std::process::id()));
//! use bytes::Bytes;
//! use chelseru_core::chat::BlobStore;
//! use chelseru_files::Files;
//!
//! let files = Files::in_folder(&folder)?;
//! files.put("0123456789abcdef0123456789abcdef", Bytes::from_static(b"a picture")).await?;
//! # assert!(files.get("0123456789abcdef0123456789abcdef").await?.is_some());
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

#[cfg(feature = "s3")]
mod s3;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chelseru_core::chat::{BlobError, BlobStore};
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};

#[cfg(feature = "s3")]
pub use crate::s3::S3;

/// A place for files. Clones share it.
#[derive(Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    /// What `Debug` shows.
    kind: &'static str,
}

/// The place cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder cannot be made or is none.
    #[error("{folder}: {source}")]
    Folder {
        /// Its path.
        folder: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The object store's settings cannot be used.
    #[error("the object store: {0}")]
    Settings(String),
}

impl Files {
    /// In a folder, which is made if there is none, for its owner alone.
    ///
    /// A file is written beside its place and moved there when it is whole.
    ///
    /// # Errors
    ///
    /// [`OpenError::Folder`].
    pub fn in_folder(folder: impl AsRef<Path>) -> Result<Self, OpenError> {
        let folder = folder.as_ref();
        let refuse = |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Folder {
            folder: folder.display().to_string(),
            source,
        };
        make_private(folder).map_err(|error| refuse(error.into()))?;
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(|error| refuse(error.into()))?
            .with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            kind: "folder",
        })
    }

    /// Below a prefix of an object store of the application's own making.
    pub fn in_store(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        Self {
            store: Arc::new(PrefixStore::new(store, prefix)),
            kind: "object store",
        }
    }
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The path of a key. Keys are ours, but a path is never made of what is not one.
fn path(key: &str) -> Result<object_store::path::Path, BlobError> {
    if key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        // A folder with a million entries is slow to look at.
        Ok(format!("{}/{key}", &key[..2]).into())
    } else {
        Err(BlobError("this is not a key of a file".into()))
    }
}

#[async_trait]
impl BlobStore for Files {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), BlobError> {
        let path = path(key)?;
        let put = self.store.put(&path, bytes.into()).await;
        put.map(drop).map_err(failed)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        match self.store.get(&path(key)?).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        match self.store.delete(&path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: object_store::Error) -> BlobError {
    BlobError(Box::new(error))
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Files({})", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use bytes::Bytes;
    use chelseru_core::chat::BlobStore;
    use object_store::memory::InMemory;

    use super::Files;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const BYTES: Bytes = Bytes::from_static(b"\0\xffbytes");

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("chelseru-files-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    pub(crate) async fn keeps_gives_and_removes(files: &Files, bytes: Bytes) {
        assert_eq!(files.get(KEY).await.unwrap(), None);
        files.put(KEY, bytes.clone()).await.unwrap();
        assert_eq!(files.get(KEY).await.unwrap(), Some(bytes));
        files.delete(KEY).await.unwrap();
        assert_eq!(files.get(KEY).await.unwrap(), None);
        files.delete(KEY).await.unwrap();
    }

    #[tokio::test]
    async fn a_folder_keeps_gives_and_removes_bytes() {
        let folder = Folder::new("folder");
        keeps_gives_and_removes(&Files::in_folder(&folder.0).unwrap(), BYTES).await;
    }

    #[tokio::test]
    async fn an_object_store_keeps_gives_and_removes_bytes_below_its_prefix() {
        let files = Files::in_store(Arc::new(InMemory::new()), "chat/files");
        keeps_gives_and_removes(&files, BYTES).await;
    }

    #[tokio::test]
    async fn what_was_put_is_there_after_a_restart() {
        let folder = Folder::new("restart");
        let files = Files::in_folder(&folder.0).unwrap();
        files.put(KEY, Bytes::from_static(b"x")).await.unwrap();
        drop(files);
        let files = Files::in_folder(&folder.0).unwrap();
        assert!(files.get(KEY).await.unwrap().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = Folder::new("private");
        Files::in_folder(&folder.0).unwrap();
        let mode = std::fs::metadata(&folder.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[tokio::test]
    async fn what_is_no_key_reaches_no_path() {
        let folder = Folder::new("paths");
        let files = Files::in_folder(&folder.0).unwrap();
        for key in [
            "",
            "../../../etc/passwd",
            "0123456789abcdef0123456789abcde/",
        ] {
            assert!(files.get(key).await.is_err(), "{key}");
            assert!(files.put(key, Bytes::new()).await.is_err(), "{key}");
            assert!(files.delete(key).await.is_err(), "{key}");
        }
    }
}
