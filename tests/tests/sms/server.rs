//! A server on a loopback socket that records one request after the other and answers each, well or
//! badly.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What the server does once it has read a request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    /// Whether the connection is left open afterwards, in silence.
    stays_open: bool,
}

impl Answer {
    /// These bytes, and then the end of the connection.
    pub(crate) fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            stays_open: false,
        }
    }

    /// A whole HTTP response.
    pub(crate) fn http(status: &str, headers: &str, body: &str) -> Self {
        Self::bytes(format!(
            "HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// A JSON response.
    pub(crate) fn json(status: &str, body: &str) -> Self {
        Self::http(
            status,
            "Content-Type: application/json; charset=utf-8",
            body,
        )
    }

    /// A SOAP response.
    pub(crate) fn xml(status: &str, body: &str) -> Self {
        Self::http(status, "Content-Type: text/xml; charset=utf-8", body)
    }

    /// The page of a gateway in front of the provider.
    pub(crate) fn html(status: &str) -> Self {
        let page = "<html><h1>Nginx</h1></html>";
        Self::http(status, "Content-Type: text/html", page)
    }

    /// A JSON response of which only a half arrives.
    pub(crate) fn cut(body: &str) -> Self {
        let mut answer = Self::json("200 OK", body);
        answer.bytes.truncate(answer.bytes.len() - body.len() / 2);
        answer
    }

    /// The end of the connection, without a word.
    pub(crate) fn close() -> Self {
        Self::bytes([])
    }

    /// Nothing, ever.
    pub(crate) fn silence() -> Self {
        Self::close().and_stays_open()
    }

    pub(crate) fn and_stays_open(mut self) -> Self {
        self.stays_open = true;
        self
    }
}

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `POST /path HTTP/1.1`
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The decoded fields of the form, in their order.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        serde_urlencoded::from_str(&self.body).expect("the body is a form")
    }

    /// The one field of the form with this name.
    pub(crate) fn field(&self, name: &str) -> String {
        let mut values = self.form().into_iter().filter(|(known, _)| known == name);
        let (_, value) = values.next().expect("the form has the field");
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }
}

/// Lives as long as the test holds it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    requests: mpsc::UnboundedReceiver<Request>,
    task: JoinHandle<()>,
}

impl Server {
    /// Gives every request the same answer.
    pub(crate) async fn that_answers(answer: Answer) -> Self {
        Self::that_answers_in_turn(vec![answer]).await
    }

    /// Gives the first request the first answer and so on, and begins again after the last.
    pub(crate) async fn that_answers_in_turn(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            // Connections that stay open are answered once; dropping them ends them.
            let mut open = Vec::new();
            let mut answers = answers.iter().cycle();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Some(request) = read(&mut stream).await else {
                    continue;
                };
                let _ = sender.send(request);
                let answer = answers.next().unwrap();
                let _ = stream.write_all(&answer.bytes).await;
                if answer.stays_open {
                    open.push(stream);
                }
            }
        });
        Self {
            url,
            requests,
            task,
        }
    }

    /// Every request that has come since the last time this was asked.
    pub(crate) fn requests(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }

    /// The one request that has come.
    pub(crate) fn request(&mut self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request with its whole body; `None` when the client sent something else.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end_of_head = loop {
        if let Some(position) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break position;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end_of_head].to_vec()).ok()?;
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length: usize = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, length)| length.parse())
        .ok()?;
    let mut body = bytes[end_of_head + 4..].to_vec();
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(body).ok()?;
    Some(Request {
        line,
        headers,
        body,
    })
}
