//! S3-compatible object stores.

use std::sync::Arc;

use chelseru_core::Secret;
use object_store::aws::AmazonS3Builder;

use crate::{Files, OpenError};

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
            .with_secret_access_key(s3.secret_access_key.expose());
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
