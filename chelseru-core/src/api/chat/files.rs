//! Files of messages: uploads as `multipart/form-data`, which the package's clients send, and what a link
//! leads to.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use multer::{Constraints, Multipart, SizeLimit};
use serde::Serialize;
use serde_json::Value;

use super::pages::Query;
use crate::api::fields::whole;
use crate::api::{Request, Response};
use crate::chat::{AttachmentId, ChatMessage, RoomId};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::service::{Chelseru, CurrentUser, FileLink};
use crate::store::Attachment;
use crate::user::UserId;

type Answer = Result<Response, Response>;

/// What an upload's fields beside the file may be long.
const MAX_FIELD_BYTES: u64 = 8 * 1024;

/// A file for one reader.
#[derive(Serialize)]
struct FileJson<'a> {
    id: AttachmentId,
    file: String,
    file_url: String,
    chatroom: RoomId,
    name: &'a str,
    content_type: &'a str,
    bytes: u64,
    text: Option<String>,
    created_at: Timestamp,
}

impl<'a> FileJson<'a> {
    fn new(
        file: &'a Attachment,
        text: Option<String>,
        chelseru: &Chelseru,
        request: &Request<'_>,
        reader: UserId,
    ) -> Self {
        let url = url(chelseru, request, file.id, reader);
        Self {
            id: file.id,
            file: url.clone(),
            file_url: url,
            chatroom: file.room,
            name: &file.name,
            content_type: &file.content_type,
            bytes: file.bytes,
            text,
            created_at: file.created_at,
        }
    }
}

/// The link to the file of a message, where it has one.
pub(super) fn url_of(
    message: &ChatMessage,
    chelseru: &Chelseru,
    request: &Request<'_>,
    reader: UserId,
) -> Option<String> {
    let id = message.attachment?;
    Some(url(chelseru, request, id, reader))
}

fn url(chelseru: &Chelseru, request: &Request<'_>, id: AttachmentId, reader: UserId) -> String {
    let link = chelseru.file_link(id, reader);
    format!(
        "{}/chat/files/{}/content/?reader={}&expires={}&signature={}",
        request.mount,
        id.0,
        reader.0,
        link.expires_at.as_secs(),
        chelseru.sign_link(link)
    )
}

/// `file`, `chatroom` and perhaps `text`, as the package takes them.
pub(in crate::api) async fn upload(chelseru: &Chelseru, request: &Request<'_>) -> Answer {
    let user = chelseru.identify(request).await?;
    let parts = Parts::read(request, chelseru.config().chat.files.max_bytes).await?;
    let missing = |field| Response::field_error(field, "This field is required.");
    let (name, bytes) = parts.file.ok_or_else(|| missing("file"))?;
    let room = parts.room.ok_or_else(|| missing("chatroom"))?;
    let room = whole(&Value::String(room), i64::MIN)
        .map_err(|problem| Response::field_error("chatroom", &problem))?;
    let file = chelseru
        .upload_file(&user, RoomId(room), &name, bytes)
        .await?;
    let json = FileJson::new(&file, parts.text, chelseru, request, user.id);
    Ok(Response::json(201, &json))
}

pub(super) async fn describe(
    chelseru: &Chelseru,
    user: &CurrentUser,
    request: &Request<'_>,
    id: AttachmentId,
) -> Answer {
    let found = chelseru.store().find_attachment(id, user.id).await;
    let file = found.map_err(Error::from)?.ok_or(Error::NotFound)?;
    let json = FileJson::new(&file, None, chelseru, request, user.id);
    Ok(Response::ok(&json))
}

/// The bytes, to whoever has a good link: browsers fetch pictures without a token.
pub(super) async fn content(
    chelseru: &Chelseru,
    request: &Request<'_>,
    id: AttachmentId,
) -> Answer {
    let query = Query::parse(request)?;
    let (Some(reader), Some(expires), Some(signature)) = (
        query.whole("reader", 1)?,
        query.whole("expires", 0)?,
        query.get("signature"),
    ) else {
        return Err(Error::NotFound.into());
    };
    let link = FileLink {
        id,
        reader: UserId(reader),
        expires_at: Timestamp::from_secs(expires),
    };
    let (file, bytes) = chelseru.open_file(link, signature).await?;
    let max_age = chelseru.config().chat.files.link_lifetime;
    Ok(Response::file(&file, bytes, max_age))
}

/// The fields of an upload.
#[derive(Default)]
struct Parts {
    file: Option<(String, Bytes)>,
    room: Option<String>,
    text: Option<String>,
}

impl Parts {
    async fn read(request: &Request<'_>, max_bytes: usize) -> Result<Self, Response> {
        let content_type = request.content_type.unwrap_or_default();
        let boundary = multer::parse_boundary(content_type)
            .map_err(|_| crate::api::fields::unsupported_media_type(content_type))?;
        let limits = SizeLimit::new()
            .for_field("file", max_bytes as u64)
            .per_field(MAX_FIELD_BYTES);
        let body = Ok::<_, Infallible>(Bytes::copy_from_slice(request.body));
        let mut fields = Multipart::with_constraints(
            stream::iter([body]),
            boundary,
            Constraints::new().size_limit(limits),
        );
        let mut parts = Self::default();
        while let Some(field) = fields.next_field().await.map_err(|error| refuse(&error))? {
            match field.name() {
                Some("file") => {
                    let name = field.file_name().unwrap_or_default().to_owned();
                    let bytes = field.bytes().await.map_err(|error| refuse(&error))?;
                    parts.file = Some((name, bytes));
                }
                Some("chatroom" | "chat_room") => {
                    let text = field.text().await.map_err(|error| refuse(&error))?;
                    parts.room = Some(text);
                }
                Some("text") => {
                    let text = field.text().await.map_err(|error| refuse(&error))?;
                    parts.text = Some(text).filter(|text| !text.is_empty());
                }
                _ => {}
            }
        }
        Ok(parts)
    }
}

fn refuse(error: &multer::Error) -> Response {
    match error {
        multer::Error::FieldSizeExceeded { field_name, limit } => {
            let field = field_name.as_deref().unwrap_or("file");
            let problem = format!("This field has more than {limit} bytes.");
            Response::field_error(field, &problem)
        }
        _ => Response::detail(400, "Multipart form parse error - the body cannot be read."),
    }
}
