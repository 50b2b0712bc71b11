//! Tokens that the service did not make.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chelseru_tests::SIGNING_KEY;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Value, json};

/// When the clock of a test starts.
pub(crate) const START: i64 = 1_767_225_600;

/// A token with these claims, signed with the service's key: what a Django service that shares it makes.
pub(crate) fn sign(claims: &Value) -> String {
    sign_as(Algorithm::HS256, SIGNING_KEY, claims)
}

/// A token with these claims, signed in any way.
pub(crate) fn sign_as(algorithm: Algorithm, key: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(key.as_bytes());
    encode(&Header::new(algorithm), claims, &key).unwrap()
}

/// A part of a token: what is in it may be no JSON and no text.
pub(crate) fn part(content: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(content)
}

/// A token of any two parts, signed with HMAC-SHA256 as with this secret, whatever its header says.
pub(crate) fn raw(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, secret: &[u8]) -> String {
    let message = format!("{}.{}", part(header), part(payload));
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
    format!("{message}.{}", signature.unwrap())
}

/// The claims that simplejwt writes: no session of ours.
pub(crate) fn claims(token_type: &str, user_id: &Value) -> Value {
    json!({
        "token_type": token_type,
        "exp": START + 300,
        "iat": START,
        "jti": "0123456789abcdef0123456789abcdef",
        "user_id": user_id,
    })
}

/// What a token of the service says.
pub(crate) fn read(token: &str) -> Value {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(SIGNING_KEY.as_bytes());
    decode(token, &key, &validation).unwrap().claims
}

/// The claims with another value for one of them; `None` removes it.
pub(crate) fn with(claims: &Value, name: &str, value: Option<Value>) -> Value {
    let mut changed = claims.clone();
    let object = changed.as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
    changed
}
