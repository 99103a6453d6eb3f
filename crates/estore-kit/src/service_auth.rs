//! Services prove themselves to each other by short-lived signed tokens naming their audience.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::auth::bearer;
use crate::problem::Problem;

/// How long a service token is good for, in seconds.
const TOKEN_SECONDS: u64 = 60;
/// The shortest secret taken, in bytes.
pub const SECRET_BYTES_MIN: usize = 32;

#[derive(Debug, Serialize, Deserialize)]
struct ServiceClaims {
    iss: String,
    aud: String,
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
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(Problem::internal)?.as_secs();
        let claims = ServiceClaims { iss: issuer.to_owned(), aud: audience.to_owned(), exp: now + TOKEN_SECONDS };
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(Problem::internal)
    }

    fn verify(&self, token: &str, audience: &str) -> Option<String> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[audience]);
        rules.set_required_spec_claims(&["exp", "aud"]);
        decode::<ServiceClaims>(token, &self.verifying, &rules).ok().map(|data| data.claims.iss)
    }
}

/// What a router needs to know callers that are services: put it on the router as an `Extension`.
#[derive(Debug, Clone)]
pub struct ServiceDoor {
    /// The shared secret.
    pub secret: ServiceSecret,
    /// The name of the service behind this router.
    pub audience: &'static str,
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
        bearer(parts)
            .and_then(|token| door.secret.verify(token, door.audience))
            .map(Self)
            .ok_or_else(|| Problem::unauthorized("service_token_invalid", "This route is for EStore's own services."))
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceSecret;

    #[test]
    fn a_token_is_good_for_its_audience_and_secret_only() {
        let secret = ServiceSecret::new(&[7; 32]).unwrap();
        let token = secret.token("payments", "inventory").unwrap();
        assert_eq!(secret.verify(&token, "inventory").as_deref(), Some("payments"));
        assert_eq!(secret.verify(&token, "users"), None);
        assert_eq!(ServiceSecret::new(&[8; 32]).unwrap().verify(&token, "inventory"), None);
        assert!(ServiceSecret::new(b"short").is_err());
    }
}
