//! What came back.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A whole response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The request that it answers, for messages of failed tests.
    pub request: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Answer {
    pub(crate) async fn read(request: String, response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.text().await.unwrap_or_else(|error| {
            panic!("{request}: the body of the {status} did not come: {error}")
        });
        Self {
            request,
            status,
            headers,
            body,
        }
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// One field of the JSON object in the body.
    #[track_caller]
    pub fn field(&self, name: &str) -> Value {
        self.json()
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .clone()
    }

    /// Asserts the status.
    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Asserts status and body, the body as JSON.
    #[track_caller]
    pub fn assert_json(&self, status: u16, body: &Value) -> &Self {
        self.assert_status(status);
        assert_eq!(&self.json(), body, "{}", self.request);
        self
    }

    /// Asserts status and body, the body byte for byte.
    #[track_caller]
    pub fn assert_text(&self, status: u16, body: &str) -> &Self {
        self.assert_status(status);
        assert_eq!(self.body, body, "{}", self.request);
        self
    }

    /// Asserts a header.
    #[track_caller]
    pub fn assert_header(&self, name: &str, value: &str) -> &Self {
        assert_eq!(self.header(name), Some(value), "{name} in {self:?}");
        self
    }

    /// Asserts that exactly these fields are named as faulty, each with a list of messages.
    #[track_caller]
    pub fn assert_faulty_fields(&self, fields: &[&str]) -> &Self {
        self.assert_status(400);
        let body = self.json();
        let object = body
            .as_object()
            .unwrap_or_else(|| panic!("no object in {self:?}"));
        let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
        let mut expected = fields.to_vec();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{self:?}");
        for messages in object.values() {
            let texts = messages
                .as_array()
                .filter(|texts| !texts.is_empty() && texts.iter().all(Value::is_string));
            assert!(texts.is_some(), "no list of texts in {self:?}");
        }
        self
    }
}
