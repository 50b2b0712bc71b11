//! As much HTTP/1.1 as the providers' clients speak: requests with a Content-Length, answers with one.
//!
//! It shares no code with the clients under test: a form that they encode wrongly is not decoded by
//! the same mistake.

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

const LONGEST_HEAD: usize = 16 * 1024;
const LONGEST_BODY: usize = 64 * 1024;

/// A request as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `POST`
    pub method: String,
    /// What the first line asks for, path and query, still percent-encoded.
    pub target: String,
    /// The headers in their order, names as they were written.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Request {
    /// The path, still percent-encoded.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&self.target, |(path, _)| path)
    }

    /// The query, still percent-encoded; empty without one.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The decoded segments of the path; `None` when one of them is no text.
    pub(super) fn segments(&self) -> Option<Vec<String>> {
        let segments = self.path().split('/').skip(1);
        segments.map(|segment| decode(segment, false)).collect()
    }

    /// The first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the body is said to be of this type, whatever its parameters.
    pub(super) fn is_of_type(&self, content_type: &str) -> bool {
        let essence = self.header("content-type").unwrap_or_default();
        let essence = essence.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case(content_type)
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The decoded fields of the form, in their order.
    pub fn form(&self) -> Vec<(String, String)> {
        decode_form(&self.body).unwrap_or_else(|| panic!("no form in {self:?}"))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Whether the client wants no further answer on this connection.
    pub(super) fn is_last(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// The fields of an `application/x-www-form-urlencoded` text; `None` when it is none.
pub(super) fn decode_form(form: &[u8]) -> Option<Vec<(String, String)>> {
    let form = std::str::from_utf8(form).ok()?;
    form.split('&')
        .filter(|field| !field.is_empty())
        .map(|field| {
            let (name, value) = field.split_once('=')?;
            Some((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

/// Percent-decodes; strictly, because a client that encodes carelessly is to be found out.
fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus_is_space => b' ',
            byte if byte.is_ascii_graphic() => byte,
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok()
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    status: u16,
    content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type,
            body: body.into(),
        }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    /// The page of a gateway in front of the provider.
    pub(super) fn html(status: u16) -> Self {
        let page = format!("<html><head><title>{status}</title></head><body>nginx</body></html>");
        Self::new(status, "text/html", page)
    }

    /// It whole, as it goes over the wire.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!(
            "HTTP/1.1 {} \r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            self.status,
            self.content_type,
            self.body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// It without the second half of its body, of which its head still tells.
    pub(super) fn truncated(&self) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes.truncate(bytes.len() - self.body.len().div_ceil(2));
        bytes
    }
}

/// What came on a connection.
pub(super) enum Incoming {
    Request(Request),
    /// Not what this server reads; the connection is of no use any more.
    Unreadable(Response),
    /// The client is gone.
    Nothing,
}

/// Reads one request. `buffer` is kept between the requests of one connection.
pub(super) async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Incoming {
    let end_of_head = loop {
        if let Some(position) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break position;
        }
        if buffer.len() > LONGEST_HEAD {
            return Incoming::Unreadable(Response::html(431));
        }
        if !matches!(stream.read_buf(buffer).await, Ok(1..)) {
            return Incoming::Nothing;
        }
    };
    let Some(mut request) = parse_head(&buffer[..end_of_head]) else {
        return Incoming::Unreadable(Response::html(400));
    };
    if request.header("transfer-encoding").is_some() {
        return Incoming::Unreadable(Response::html(411));
    }
    let length = match request.header("content-length").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(length)) if length <= LONGEST_BODY => length,
        Some(_) => return Incoming::Unreadable(Response::html(413)),
    };
    let end = end_of_head + 4 + length;
    while buffer.len() < end {
        if !matches!(stream.read_buf(buffer).await, Ok(1..)) {
            return Incoming::Nothing;
        }
    }
    let rest = buffer.split_off(end);
    request.body = buffer.split_off(end_of_head + 4);
    *buffer = rest;
    Incoming::Request(request)
}

fn parse_head(head: &[u8]) -> Option<Request> {
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let mut line = lines.next()?.split(' ');
    let (method, target) = (line.next()?, line.next()?);
    if line.next()? != "HTTP/1.1" || line.next().is_some() {
        return None;
    }
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    });
    Some(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.collect::<Option<_>>()?,
        body: Vec::new(),
    })
}
