//! Services prove themselves to each other by short-lived signed tokens that name who calls whom.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::auth::bearer;
use crate::problem::Problem;

/// How long a service token is good for, in seconds; one that says it is for longer is refused.
const TOKEN_SECONDS: u64 = 60;
/// How far two machines' clocks may be apart, in seconds.
const CLOCK_LEEWAY_SECONDS: u64 = 5;
/// The shortest secret taken, in bytes.
pub const SECRET_BYTES_MIN: usize = 32;

#[derive(Debug, Serialize, Deserialize)]
struct ServiceClaims {
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
}

/// The secret that the services share, ready to sign and to verify (HMAC-SHA-256, compared in constant time).
#[derive(Clone)]
pub struct ServiceSecret {
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl std::fmt::Debug for ServiceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceSecret(…)")
    }
}

/// A secret shorter than [`SECRET_BYTES_MIN`].
#[derive(Debug, thiserror::Error)]
#[error("the service secret must have at least {SECRET_BYTES_MIN} bytes")]
pub struct SecretTooShort;

impl ServiceSecret {
    /// From the configured secret.
    pub fn new(secret: &[u8]) -> Result<Self, SecretTooShort> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(SecretTooShort);
        }
        Ok(Self { signing: EncodingKey::from_secret(secret), verifying: DecodingKey::from_secret(secret) })
    }

    /// A token from the service `issuer` for the service `audience`, good for 60 seconds.
    pub fn token(&self, issuer: &str, audience: &str) -> Result<String, Problem> {
        let iat = now()?;
        let (iss, aud) = (issuer.to_owned(), audience.to_owned());
        self.sign(&ServiceClaims { iss, aud, iat, exp: iat + TOKEN_SECONDS })
    }

    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, Problem> {
        encode(&Header::new(Algorithm::HS256), claims, &self.signing).map_err(Problem::internal)
    }

    /// Which of `callers` the token is of, if it is for this audience.
    pub(crate) fn verify(&self, token: &str, audience: &str, callers: &[&str]) -> Option<String> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[audience]);
        rules.set_issuer(callers);
        rules.set_required_spec_claims(&["exp", "aud", "iss"]);
        rules.leeway = CLOCK_LEEWAY_SECONDS;
        let claims = decode::<ServiceClaims>(token, &self.verifying, &rules).ok()?.claims;
        let is_short = claims.exp.checked_sub(claims.iat)? <= TOKEN_SECONDS;
        let is_made = claims.iat <= now().ok()? + CLOCK_LEEWAY_SECONDS;
        (is_short && is_made).then_some(claims.iss)
    }
}

fn now() -> Result<u64, Problem> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).map_err(Problem::internal)?.as_secs())
}

/// What a router needs to know callers that are services: put it on the router as an `Extension`.
#[derive(Debug, Clone)]
pub struct ServiceDoor {
    /// The shared secret.
    pub secret: ServiceSecret,
    /// The name of the service behind this router.
    pub audience: &'static str,
    /// The names of the services that may call it.
    pub callers: &'static [&'static str],
}

/// A caller that is one of our services; the text is its name.
#[derive(Debug, Clone)]
pub struct ServiceCaller(pub String);

impl<S: Send + Sync> FromRequestParts<S> for ServiceCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let door = parts
            .extensions
            .get::<Arc<ServiceDoor>>()
            .ok_or_else(|| Problem::internal("no service door on this router"))?;
        bearer(&parts.headers)
            .and_then(|token| door.secret.verify(token, door.audience, door.callers))
            .map(Self)
            .ok_or_else(|| Problem::unauthorized("service_token_invalid", "This route is for EStore's own services."))
    }
}

#[cfg(test)]
mod tests {
    use super::{ServiceClaims, ServiceSecret, TOKEN_SECONDS, now};

    const CALLERS: &[&str] = &["payments"];

    #[test]
    fn a_token_is_good_for_its_audience_caller_and_secret_only() {
        let secret = ServiceSecret::new(&[7; 32]).unwrap();
        let token = secret.token("payments", "inventory").unwrap();
        assert_eq!(secret.verify(&token, "inventory", CALLERS).as_deref(), Some("payments"));
        assert_eq!(secret.verify(&token, "users", CALLERS), None);
        assert_eq!(secret.verify(&token, "inventory", &["users"]), None);
        assert_eq!(ServiceSecret::new(&[8; 32]).unwrap().verify(&token, "inventory", CALLERS), None);
        assert!(ServiceSecret::new(b"short").is_err());
    }

    #[test]
    fn a_token_is_good_for_a_short_time_only() {
        let secret = ServiceSecret::new(&[7; 32]).unwrap();
        let now = now().unwrap();
        let good = |iat: u64, exp: u64| {
            let (iss, aud) = ("payments".to_owned(), "inventory".to_owned());
            let token = secret.sign(&ServiceClaims { iss, aud, iat, exp }).unwrap();
            secret.verify(&token, "inventory", CALLERS).is_some()
        };
        assert!(good(now, now + TOKEN_SECONDS));
        assert!(!good(now - 70, now - 10), "it has expired");
        assert!(!good(now, now + TOKEN_SECONDS + 1), "it would be good for longer than any of ours");
        assert!(!good(now + 30, now + 60), "it is not made yet");
        assert!(!good(now + 60, now), "it ends before it begins");
    }
}
