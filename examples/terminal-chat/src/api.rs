//! The routes, and the tokens: a token that has run out is renewed on the way.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::Failure;

pub(crate) struct Api {
    http: Client,
    base: String,
    access: String,
    refresh: String,
}

impl Api {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            http: Client::new(),
            base: base.to_owned(),
            access: String::new(),
            refresh: String::new(),
        }
    }

    pub(crate) fn access(&self) -> &str {
        &self.access
    }

    /// `http://host/api` gives `ws://host/api/chat/`.
    pub(crate) fn socket_url(&self) -> String {
        format!("{}/chat/", self.base.replacen("http", "ws", 1))
    }

    /// The status of asking for a code.
    pub(crate) async fn send_code(&self, number: &str) -> Result<u16, Failure> {
        let body = json!({ "mobile_number": number });
        let (status, _) = self.call(Method::POST, "/otp/send/", Some(&body)).await?;
        Ok(status.as_u16())
    }

    /// Whether the code was right.
    pub(crate) async fn log_in(&mut self, number: &str, code: &str) -> Result<bool, Failure> {
        let body = json!({ "mobile_number": number, "code": code });
        let (status, pair) = self
            .call(Method::POST, "/authenticate/", Some(&body))
            .await?;
        self.keep(&pair);
        Ok(status.is_success())
    }

    /// Exchanges the refresh token; false when that is refused, and so the login is over.
    pub(crate) async fn renew(&mut self) -> Result<bool, Failure> {
        let body = json!({ "refresh": self.refresh });
        let (status, pair) = self
            .call(Method::POST, "/token/refresh/", Some(&body))
            .await?;
        self.keep(&pair);
        Ok(status != StatusCode::UNAUTHORIZED)
    }

    fn keep(&mut self, pair: &Value) {
        if let (Some(access), Some(refresh)) = (pair["access"].as_str(), pair["refresh"].as_str()) {
            access.clone_into(&mut self.access);
            refresh.clone_into(&mut self.refresh);
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Value, Failure> {
        match self.authorised(Method::GET, path, None).await? {
            (200, body) => Ok(body),
            (status, _) => Err(format!("{path} answered {status}").into()),
        }
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Result<(u16, Value), Failure> {
        self.authorised(Method::POST, path, Some(body)).await
    }

    async fn authorised(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), Failure> {
        let mut answer = self.call(method.clone(), path, body).await?;
        if answer.0 == StatusCode::UNAUTHORIZED && self.renew().await? {
            answer = self.call(method, path, body).await?;
        }
        Ok((answer.0.as_u16(), answer.1))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), Failure> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.access.is_empty() {
            request = request.bearer_auth(&self.access);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.json().await.unwrap_or_default()))
    }
}
