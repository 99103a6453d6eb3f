//! The section `[rate_limits]`: how often one may change something.

use std::collections::BTreeMap;

use axum::http::Method;
use estore_kit::edge::{Kind, RateLimits};
use serde::Deserialize;

/// Where nobody is logged in yet, or an account is taken hold of by a letter.
const LOG_INS: &[&str] = &["/v1/tokens", "/v1/users/verify", "/v1/password-resets", "/verify-email", "/reset-password"];
/// Whose refresh token is good was logged in; the token cannot be guessed.
const REFRESH: &str = "/v1/tokens/refresh";
/// Services show tokens of their own, and the gateway signs.
const FREE: &[&str] = &["/internal", "/v1/stripe/webhook"];

/// The section `[rate_limits]`. Requests a minute; 0 is any number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimitsConfig {
    /// Changes of one account.
    pub account_writes: u32,
    /// Changes of one address by nobody in particular.
    pub address_writes: u32,
    /// Log-ins, registrations and the like of one address.
    pub log_ins: u32,
    /// Routes with a limit of their own: `"POST /v1/checkouts" = 600`.
    pub routes: BTreeMap<String, u32>,
}

impl Default for RateLimitsConfig {
    fn default() -> Self {
        Self { account_writes: 100, address_writes: 20, log_ins: 20, routes: BTreeMap::new() }
    }
}

impl RateLimitsConfig {
    /// The limits.
    ///
    /// # Errors
    /// The route at fault, the rule and the mend.
    pub fn limits(&self) -> Result<RateLimits, String> {
        let routes = self.routes.iter().map(|(route, quota)| {
            let (method, path) = read(route).ok_or_else(|| {
                format!("rate_limits.routes: {route:?} is no change; write it as \"POST /v1/orders/{{id}}/refunds\"")
            })?;
            Ok((method, path, *quota))
        });
        Ok(RateLimits {
            account_writes: self.account_writes,
            address_writes: self.address_writes,
            log_ins: self.log_ins,
            routes: routes.collect::<Result<_, String>>()?,
            kind_of,
        })
    }
}

fn read(route: &str) -> Option<(Method, String)> {
    let (method, path) = route.split_once(' ')?;
    let method = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].into_iter().find(|verb| verb == method)?;
    path.starts_with('/').then(|| (method, path.to_owned()))
}

fn kind_of(method: &Method, path: &str) -> Kind {
    let is_under = |roots: &[&str]| {
        roots.iter().any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    if is_under(FREE) {
        Kind::Free
    } else if *method == Method::POST && path != REFRESH && (path == "/v1/users" || is_under(LOG_INS)) {
        Kind::LogIn
    } else {
        Kind::Write
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use estore_kit::edge::Kind;

    use super::{RateLimitsConfig, kind_of};

    #[test]
    fn routes_are_of_their_kind() {
        for (method, path, kind) in [
            (Method::POST, "/v1/users", Kind::LogIn),
            (Method::POST, "/v1/tokens/refresh", Kind::Write),
            (Method::POST, "/v1/tokens", Kind::LogIn),
            (Method::POST, "/v1/users/verify/resend", Kind::LogIn),
            (Method::POST, "/v1/tokens/passkey/begin", Kind::LogIn),
            (Method::POST, "/v1/tokens/passkey", Kind::LogIn),
            (Method::POST, "/v1/users/me/passkeys/begin", Kind::Write),
            (Method::POST, "/reset-password", Kind::LogIn),
            (Method::DELETE, "/v1/tokens", Kind::Write),
            (Method::PATCH, "/v1/users/{id}", Kind::Write),
            (Method::POST, "/v1/orders", Kind::Write),
            (Method::POST, "/internal/v1/holds", Kind::Free),
            (Method::POST, "/v1/stripe/webhook", Kind::Free),
        ] {
            assert_eq!(kind_of(&method, path), kind, "{method} {path}");
        }
    }

    #[test]
    fn a_route_is_a_method_and_a_path() {
        let of =
            |route: &str| RateLimitsConfig { routes: [(route.to_owned(), 7)].into(), ..Default::default() }.limits();
        assert_eq!(of("POST /v1/orders").unwrap().routes, [(Method::POST, "/v1/orders".to_owned(), 7)]);
        for wrong in ["", "/v1/orders", "GET /v1/orders", "post /v1/orders", "POST v1/orders"] {
            assert!(of(wrong).unwrap_err().starts_with("rate_limits.routes: "), "{wrong}");
        }
    }
}
