//! S3-compatible object stores.

use std::sync::Arc;
use std::time::Duration;

use chelseru_core::Secret;
use object_store::aws::AmazonS3Builder;
use object_store::{ClientOptions, RetryConfig};

use crate::{Files, OpenError};

/// How long a connection may take, one call, and all tries of it together.
const CONNECT_TIME: Duration = Duration::from_secs(5);
const CALL_TIME: Duration = Duration::from_secs(30);
const RETRY_TIME: Duration = Duration::from_secs(15);

/// How an S3-compatible object store is reached.
#[derive(Clone, Debug, Default)]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// Below which prefix of it; may be empty.
    pub prefix: String,
    /// Where the store is, as in `https://s3.example`; empty for AWS itself.
    pub endpoint: String,
    /// The region; `us-east-1` when empty.
    pub region: String,
    /// Who asks.
    pub access_key_id: String,
    /// That one's secret.
    pub secret_access_key: Secret,
}

impl Files {
    /// In a bucket of an S3-compatible object store. Nothing is asked of it yet.
    ///
    /// Plain HTTP is for loopback: the requests are signed, but the files go in clear.
    ///
    /// # Errors
    ///
    /// [`OpenError::Settings`].
    pub fn in_s3(s3: &S3) -> Result<Self, OpenError> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&s3.bucket)
            .with_region(if s3.region.is_empty() {
                "us-east-1"
            } else {
                &s3.region
            })
            .with_access_key_id(&s3.access_key_id)
            .with_secret_access_key(s3.secret_access_key.expose())
            .with_client_options(
                ClientOptions::new()
                    .with_connect_timeout(CONNECT_TIME)
                    .with_timeout(CALL_TIME),
            )
            // A client waits: whoever asked asks again.
            .with_retry(RetryConfig {
                max_retries: 3,
                retry_timeout: RETRY_TIME,
                ..RetryConfig::default()
            });
        if !s3.endpoint.is_empty() {
            builder = builder
                .with_endpoint(&s3.endpoint)
                .with_allow_http(s3.endpoint.starts_with("http://"));
        }
        let store = builder
            .build()
            // What it says names a setting, never its value's secret part: the keys are not in it.
            .map_err(|error| OpenError::Settings(error.to_string()))?;
        Ok(Self::in_store(Arc::new(store), &s3.prefix))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chelseru_core::Secret;
    use chelseru_core::chat::BlobStore;

    use super::S3;
    use crate::Files;
    use crate::tests::keeps_gives_and_removes;

    const KEY: &str = "fedcba9876543210fedcba9876543210";

    fn s3(endpoint: String) -> S3 {
        S3 {
            bucket: "chelseru".to_owned(),
            prefix: "chat/files".to_owned(),
            endpoint,
            region: String::new(),
            access_key_id: "id".to_owned(),
            secret_access_key: Secret::new("the bucket's secret"),
        }
    }

    #[tokio::test]
    #[ignore = "needs an S3-compatible store with a bucket chelseru: set CHELSERU_TEST_S3_ENDPOINT"]
    async fn a_bucket_keeps_gives_and_removes_bytes() {
        let endpoint = std::env::var("CHELSERU_TEST_S3_ENDPOINT").expect("where the store is");
        let files = Files::in_s3(&s3(endpoint)).unwrap();
        keeps_gives_and_removes(&files, Bytes::from(vec![0xff; 3_000_000])).await;
    }

    #[tokio::test]
    async fn no_error_and_nothing_shown_has_a_secret() {
        // Nobody listens there.
        let files = Files::in_s3(&s3("http://127.0.0.1:1".to_owned())).unwrap();
        let error = files.get(KEY).await.unwrap_err();
        for shown in [
            format!("{error:?}"),
            format!("{files:?}"),
            format!("{:?}", s3(String::new())),
        ] {
            assert!(!shown.contains("the bucket's secret"), "{shown}");
        }
    }
}
