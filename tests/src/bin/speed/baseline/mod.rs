//! The same work by hand: bare handlers over one connection to SQLite, each statement run where the
//! handler stands. No policy, no limits, no checks beyond what the answer needs.

mod database;
mod prepared;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::error::{ErrorInternalServerError, ErrorUnauthorized};
use actix_web::http::header::{AUTHORIZATION, USER_AGENT};
use actix_web::web::{self, Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use self::database::{Database, NewSession};
use crate::Result;
use crate::serve::{Front, code_lines};

const SECRET: &[u8] = b"a signing key of at least 32 bytes";
const CODE_SECONDS: i64 = 240;
const ACCESS_SECONDS: i64 = 300;
const REFRESH_SECONDS: i64 = 86_400;

type Answer = actix_web::Result<HttpResponse>;

pub(crate) fn serve(database: &str, synchronous: &str) -> Result<()> {
    let file = database
        .strip_prefix("sqlite://")
        .ok_or("the baseline has SQLite alone")?;
    let state = Data::new(Baseline {
        database: Mutex::new(Database::open(file, synchronous)?),
        codes: Mutex::default(),
        hasher: Hmac::new_from_slice(SECRET)?,
        signing_key: EncodingKey::from_secret(SECRET),
        verifying_key: DecodingKey::from_secret(SECRET),
    });
    // The same cryptography as chelseru has; an error means that it is there already.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    actix_web::rt::System::new().block_on(Front::HttpServer.serve(move |routes| {
        routes
            .app_data(state)
            .route("/api/otp/send/", web::post().to(send_code))
            .route("/api/authenticate/", web::post().to(authenticate))
            .route("/api/sessions/", web::get().to(sessions))
            .route("/codes", web::get().to(codes));
    }))
}

struct Baseline {
    database: Mutex<Database>,
    /// What an SMS provider would be given.
    codes: Mutex<Vec<(String, String)>>,
    hasher: Hmac<Sha256>,
    signing_key: EncodingKey,
    verifying_key: DecodingKey,
}

#[derive(Deserialize)]
struct SendCode {
    mobile_number: String,
}

#[derive(Deserialize)]
struct Login {
    mobile_number: String,
    code: String,
}

#[derive(Serialize)]
struct Tokens {
    access: String,
    refresh: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    token_type: String,
    exp: i64,
    iat: i64,
    jti: String,
    user_id: i64,
    sid: i64,
}

async fn send_code(state: Data<Baseline>, body: Json<SendCode>) -> Answer {
    let number = body.into_inner().mobile_number;
    let code = format!("{:08}", rand::rng().random_range(0..100_000_000));
    let hash = state.hash(&number, &code);
    let now = now();
    lock(&state.database)
        .keep_code(&number, &hash, now, now + CODE_SECONDS)
        .map_err(ErrorInternalServerError)?;
    lock(&state.codes).push((number, code));
    Ok(HttpResponse::Ok()
        .json(serde_json::json!({ "details": "The OTP code was sent correctly." })))
}

async fn authenticate(state: Data<Baseline>, request: HttpRequest, body: Json<Login>) -> Answer {
    let now = now();
    let hash = state.hash(&body.mobile_number, &body.code);
    let keys = [random_key(), random_key()];
    let headers = request.headers();
    let peer = request.peer_addr().map(|peer| peer.ip().to_string());
    let session = NewSession {
        session_key: &keys[1],
        user_agent: headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default(),
        ip_address: peer.as_deref().unwrap_or_default(),
        created_at: now,
        expires_at: now + REFRESH_SECONDS,
    };
    let (user_id, sid) = lock(&state.database)
        .log_in(&body.mobile_number, &hash, &session)
        .map_err(ErrorInternalServerError)?
        .ok_or_else(|| ErrorUnauthorized("wrong code"))?;
    let [access, refresh] = keys;
    let sign = |token_type: &str, jti: String, seconds| {
        let claims = Claims {
            token_type: token_type.to_owned(),
            exp: now + seconds,
            iat: now,
            jti,
            user_id,
            sid,
        };
        jsonwebtoken::encode(&Header::default(), &claims, &state.signing_key)
            .map_err(ErrorInternalServerError)
    };
    Ok(HttpResponse::Ok().json(Tokens {
        access: sign("access", access, ACCESS_SECONDS)?,
        refresh: sign("refresh", refresh, REFRESH_SECONDS)?,
    }))
}

async fn sessions(state: Data<Baseline>, request: HttpRequest) -> Answer {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = header
        .and_then(|header| header.strip_prefix("Bearer "))
        .ok_or_else(|| ErrorUnauthorized("no token"))?;
    let claims =
        jsonwebtoken::decode::<Claims>(token, &state.verifying_key, &Validation::default())
            .map_err(ErrorUnauthorized)?
            .claims;
    let sessions = lock(&state.database)
        .sessions(claims.user_id, now())
        .map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().json(sessions))
}

async fn codes(state: Data<Baseline>) -> String {
    let codes = lock(&state.codes);
    code_lines(
        codes
            .iter()
            .map(|(number, code)| (number.as_str(), code.as_str())),
    )
}

impl Baseline {
    fn hash(&self, number: &str, code: &str) -> Vec<u8> {
        let hasher = self.hasher.clone().chain_update(number).chain_update(code);
        hasher.finalize().into_bytes().to_vec()
    }
}

/// 128 random bits.
fn random_key() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

fn now() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    elapsed.as_secs().try_into().unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
