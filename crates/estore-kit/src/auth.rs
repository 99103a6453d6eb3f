//! Access tokens and API keys: what they say, how they are verified, and the extractors that demand a permission.

mod api_key;
mod caller;
#[cfg(test)]
mod instructions;
mod permission;
mod permitted;
mod revocations;
mod unknown_keys;
mod verified;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

use self::api_key::API_KEY_SECONDS;
pub use self::api_key::{API_KEY_PREFIX, ApiKey, ApiKeys};
pub(crate) use self::caller::Looked;
use self::caller::caller;
pub use self::caller::{Caller, Claims};
pub use self::permission::{Permission, Permissions};
pub use self::permitted::{
    Admin, CallerOrKey, MayHandleOrders, MayManageCatalogue, MayManageUsers, MayOperate, MayRefund,
};
pub use self::revocations::{ENDED_SESSIONS_MAX, EndedSession, EndedSessions, EndedSessionsQuery, Revocations};
use self::unknown_keys::UnknownKeys;
use self::verified::{Hash, Verified, hash_of};
use crate::problem::Problem;
use crate::service_client::ServiceClient;

/// The issuer and audience of access tokens.
pub const ISSUER: &str = "estore";
/// How long between two looks at the published keys for an unknown key id, in seconds.
const KEYS_REFRESH_SECONDS_MIN: u64 = 5;
/// How far clocks may differ, in seconds.
const CLOCK_LEEWAY_SECONDS: u32 = 5;
/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 4_096;

/// Where verification keys come from.
#[derive(Debug, Clone)]
enum KeySource {
    /// This process signs: the set is given.
    Given,
    /// Another process signs: `GET` of its published set.
    Published { url: String, client: ServiceClient },
}

/// Verifies access tokens and API keys without a call per request, and each token's signature once.
pub struct Verifier {
    keys: RwLock<HashMap<String, DecodingKey>>,
    source: KeySource,
    last_fetch: Mutex<Option<Instant>>,
    verified: Verified,
    unknown_keys: UnknownKeys,
    revocations: Arc<Revocations>,
    api_keys: Option<Arc<dyn ApiKeys>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Verifies against a set held in this process.
    #[must_use]
    pub fn given(set: &JwkSet) -> Self {
        Self::new(keys_of(set), KeySource::Given)
    }

    /// Verifies against the set published at `url`, read when a key id is unknown.
    #[must_use]
    pub fn published(url: String, client: ServiceClient) -> Self {
        Self::new(HashMap::new(), KeySource::Published { url, client })
    }

    fn new(keys: HashMap<String, DecodingKey>, source: KeySource) -> Self {
        Self {
            keys: RwLock::new(keys),
            source,
            last_fetch: Mutex::new(None),
            verified: Verified::default(),
            unknown_keys: UnknownKeys::default(),
            revocations: Arc::default(),
            api_keys: None,
        }
    }

    /// The same, refusing the tokens of the sessions on this list.
    #[must_use]
    pub fn heeding(self, revocations: Arc<Revocations>) -> Self {
        Self { revocations, ..self }
    }

    /// The same, taking the API keys that these know.
    #[must_use]
    pub fn taking(self, api_keys: Arc<dyn ApiKeys>) -> Self {
        Self { api_keys: Some(api_keys), ..self }
    }

    /// Who the token or API key speaks for, or 401 saying why not.
    pub async fn verify(&self, token: &str) -> Result<Caller, Problem> {
        self.verify_from(token, None).await
    }

    /// The same for whoever is at this address, where it is known: 429 where too many unknown API keys came from there.
    pub(crate) async fn verify_from(&self, token: &str, client: Option<IpAddr>) -> Result<Caller, Problem> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(invalid());
        }
        let (hash, now) = (hash_of(token), now_seconds());
        let caller = match self.verified.find(&hash, now) {
            Some(known) => known,
            None => {
                let (caller, good_until) = match token.starts_with(API_KEY_PREFIX) {
                    true => self.find_key(&hash, now, client).await?,
                    false => self.read_token(token).await?,
                };
                let caller = Arc::new(caller);
                self.verified.keep(hash, Arc::clone(&caller), good_until);
                caller
            }
        };
        if self.revocations.is_revoked(&caller.session_id) {
            return Err(ended(&caller));
        }
        Ok(Caller::clone(&caller))
    }

    /// Who an access token speaks for, and until when.
    async fn read_token(&self, token: &str) -> Result<(Caller, i64), Problem> {
        let claims = self.check(token).await?;
        let good_until = claims.exp.saturating_add(CLOCK_LEEWAY_SECONDS.into());
        Ok((caller(claims).ok_or_else(invalid)?, good_until))
    }

    /// Who an API key speaks for, and until when that need not be asked again.
    async fn find_key(&self, hash: &Hash, now: i64, client: Option<IpAddr>) -> Result<(Caller, i64), Problem> {
        let known = self.api_keys.as_ref().ok_or_else(bad_key)?;
        if self.unknown_keys.hold(hash, now) {
            return Err(bad_key());
        }
        // Programs whose key was good do not wait for what others at their address make up.
        let client = client.filter(|_| !self.verified.knew(hash));
        if let Some(wait) = client.and_then(|client| self.unknown_keys.take(client)) {
            return Err(too_many_keys(wait));
        }
        let found = known.find(&hex::encode(hash)).await;
        if matches!(found, Ok(None)) {
            self.unknown_keys.keep(*hash, now);
        } else if let Some(client) = client {
            self.unknown_keys.give_back(client);
        }
        let key = found?.ok_or_else(bad_key)?;
        let good_until = now.saturating_add(key.seconds_left.min(API_KEY_SECONDS));
        Ok((key.caller(), good_until))
    }

    /// What the token says, if it is signed by a known key and has not expired.
    async fn check(&self, token: &str) -> Result<Claims, Problem> {
        let header = decode_header(token).map_err(|_malformed| invalid())?;
        let kid = header.kid.filter(|_| header.alg == Algorithm::EdDSA).ok_or_else(invalid)?;
        let key = self.key(&kid).await?.ok_or_else(invalid)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&[ISSUER]);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        rules.leeway = CLOCK_LEEWAY_SECONDS.into();
        let claims = decode::<Claims>(token, &key, &rules).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => {
                Problem::unauthorized("token_expired", "The access token has expired. Refresh it or log in again.")
            }
            _ => invalid(),
        })?;
        Ok(claims.claims)
    }

    async fn key(&self, kid: &str) -> Result<Option<DecodingKey>, Problem> {
        if let Some(key) = self.known(kid) {
            return Ok(Some(key));
        }
        let KeySource::Published { url, client } = &self.source else { return Ok(None) };
        let mut last = self.last_fetch.lock().await;
        if let Some(key) = self.known(kid) {
            return Ok(Some(key));
        }
        if last.is_some_and(|at| at.elapsed() < Duration::from_secs(KEYS_REFRESH_SECONDS_MIN)) {
            return Ok(None);
        }
        let away = |error: reqwest::Error| {
            tracing::warn!(%error, url, "cannot read the published keys");
            Problem::unavailable("Tokens cannot be verified at the moment. Try again shortly.")
        };
        let answer = client.now().get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(away)?;
        let set: JwkSet = answer.json().await.map_err(away)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys_of(&set);
        *last = Some(Instant::now());
        Ok(self.known(kid))
    }

    fn known(&self, kid: &str) -> Option<DecodingKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }
}

fn invalid() -> Problem {
    Problem::unauthorized("invalid_token", "The access token is not valid. Log in again.")
}

fn bad_key() -> Problem {
    Problem::unauthorized("api_key_invalid", "The API key is unknown, has ended or was revoked. Ask for a new one.")
}

fn too_many_keys(wait: Duration) -> Problem {
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    let detail = format!(
        "More than {} API keys that nobody knows came from this address within a minute; no other one is looked up for \
         {seconds} seconds.",
        unknown_keys::LOOK_UPS_MAX
    );
    Problem::new(axum::http::StatusCode::TOO_MANY_REQUESTS, "api_keys_delayed", detail).retry_after(seconds)
}

fn ended(caller: &Caller) -> Problem {
    if caller.is_key {
        return bad_key();
    }
    Problem::unauthorized("session_ended", "The session of this token has ended. Log in again.")
}

fn now_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn keys_of(set: &JwkSet) -> HashMap<String, DecodingKey> {
    let keys = set.keys.iter();
    keys.filter_map(|jwk| Some((jwk.common.key_id.clone()?, DecodingKey::from_jwk(jwk).ok()?))).collect()
}

/// The token of `Authorization: Bearer …`, if there is one.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whether a request shows this secret as its bearer token; the time it takes tells nothing but the length.
pub fn shows(parts: &Parts, secret: &str) -> bool {
    bearer(&parts.headers).is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(secret.as_bytes())))
}
