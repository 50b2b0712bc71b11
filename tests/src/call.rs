//! A request that is being put together.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::Answer;

/// A request to a [`TestServer`](crate::TestServer). Awaiting it sends it.
#[derive(Debug)]
#[must_use]
pub struct Call {
    name: String,
    is_documented: bool,
    builder: RequestBuilder,
}

impl Call {
    pub(crate) fn new(
        client: &reqwest::Client,
        base_url: &str,
        method: Method,
        path: &str,
    ) -> Self {
        Self {
            name: format!("{method} {path}"),
            is_documented: path.starts_with("/api/"),
            builder: client.request(method, format!("{base_url}{path}")),
        }
    }

    /// With an access token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// With a header; its value may be any bytes that HTTP allows.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::try_from(name).expect("a header's name");
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header's value");
        self.builder = self.builder.header(name, value);
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a form as its body.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.builder = self.builder.form(fields);
        self
    }

    /// With any body.
    pub fn body(mut self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.name = format!("{} ({content_type})", self.name);
        let content_type =
            HeaderValue::from_bytes(content_type.as_bytes()).expect("a content type");
        self.builder = self.builder.header(CONTENT_TYPE, content_type).body(body);
        self
    }

    /// With a body whose type is not said.
    pub fn bare_body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.builder = self.builder.body(body);
        self
    }

    /// Sends it and takes any answer: a file, say, which is not JSON.
    pub async fn any_answer(mut self) -> Answer {
        self.is_documented = false;
        self.send().await
    }

    async fn send(self) -> Answer {
        let name = self.name;
        let response = self
            .builder
            .send()
            .await
            .unwrap_or_else(|error| panic!("{name} was not answered: {error:?}"));
        let answer = Answer::read(name, response).await;
        if self.is_documented {
            check_what_every_answer_owes(&answer);
        }
        answer
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Every answer of a documented route is JSON that no cache keeps, or has no body at all.
fn check_what_every_answer_owes(answer: &Answer) {
    if answer.status == 204 {
        answer.assert_text(204, "");
    } else {
        answer
            .assert_header("content-type", "application/json")
            .assert_header("cache-control", "no-store");
        answer.json();
    }
}
