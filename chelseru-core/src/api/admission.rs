//! How much of a body is read, and who may send a large one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::routes::Route;
use super::{Request, Response};
use crate::service::Chelseru;
use crate::user::UserId;

/// How long an ordinary body may take. It fits in a packet or two; a client that trickles one keeps a
/// connection from others.
const TIME: Duration = Duration::from_secs(30);

/// How long a file may take: ten megabytes over a bad mobile link.
const FILE_TIME: Duration = Duration::from_secs(300);

/// What the other fields of an upload, and its boundaries, add to the file.
const BESIDE_FILE: usize = 64 * 1024;

/// Files that are uploaded at once: each is held in memory.
const FILES_AT_ONCE: usize = 32;

/// The same for one user.
const FILES_OF_USER: usize = 2;

/// The right to send a body. Keep it until the request is answered.
#[derive(Debug)]
pub struct Admission {
    /// How long the body may be.
    pub max_bytes: usize,
    /// How long it may take.
    pub time: Duration,
    _upload: Option<Upload>,
}

/// The uploads of now, by user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uploads(Arc<Mutex<HashMap<UserId, usize>>>);

#[derive(Debug)]
struct Upload {
    user: UserId,
    uploads: Uploads,
}

impl Uploads {
    fn begin(&self, user: UserId) -> Option<Upload> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.values().sum::<usize>() >= FILES_AT_ONCE {
            return None;
        }
        let of_user = running.entry(user).or_default();
        if *of_user >= FILES_OF_USER {
            return None;
        }
        *of_user += 1;
        Some(Upload {
            user,
            uploads: self.clone(),
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let mut running = self
            .uploads
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(of_user) = running.get_mut(&self.user) {
            *of_user -= 1;
            if *of_user == 0 {
                running.remove(&self.user);
            }
        }
    }
}

impl Chelseru {
    /// How much of the request's body the adapter may read, before it reads any. A file is read only from
    /// a user who may upload one.
    ///
    /// # Errors
    ///
    /// The response that refuses the request.
    pub async fn admit_body(&self, request: &Request<'_>) -> Result<Admission, Response> {
        let config = self.config();
        let is_upload = Route::find(request.path) == Some(Route::FileUpload);
        if !(is_upload && request.method == "POST") {
            return Ok(Admission {
                max_bytes: config.server.max_body_bytes,
                time: TIME,
                _upload: None,
            });
        }
        let user = self.identify(request).await?.id;
        let upload = self.uploads().begin(user).ok_or_else(|| {
            Response::detail(503, "Too many files are being uploaded. Try again.")
                .with_header("retry-after", "5")
        })?;
        Ok(Admission {
            max_bytes: config.chat.files.max_bytes.saturating_add(BESIDE_FILE),
            time: FILE_TIME,
            _upload: Some(upload),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES_AT_ONCE, FILES_OF_USER, Uploads};
    use crate::user::UserId;

    #[test]
    fn one_user_takes_no_more_than_a_few_places_and_gives_them_back() {
        let uploads = Uploads::default();
        let mut kept: Vec<_> = (0..FILES_OF_USER)
            .filter_map(|_| uploads.begin(UserId(1)))
            .collect();
        assert_eq!(kept.len(), FILES_OF_USER);
        assert!(uploads.begin(UserId(1)).is_none());
        assert!(uploads.begin(UserId(2)).is_some());
        kept.pop();
        assert!(uploads.begin(UserId(1)).is_some());
    }

    #[test]
    fn all_users_together_take_no_more_than_there_is() {
        let uploads = Uploads::default();
        let kept: Vec<_> = (0..)
            .map(UserId)
            .map_while(|user| uploads.begin(user))
            .collect();
        assert_eq!(kept.len(), FILES_AT_ONCE);
        drop(kept);
        assert!(uploads.0.lock().unwrap().is_empty());
    }
}
