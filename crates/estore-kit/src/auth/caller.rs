//! What an access token says, and who asks by it.

use serde::{Deserialize, Serialize};

use super::{Permission, Permissions};
use crate::db::Viewer;
use crate::problem::Problem;

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Always [`super::ISSUER`].
    pub iss: String,
    /// Always [`super::ISSUER`].
    pub aud: String,
    /// The user's id as text.
    pub sub: String,
    /// The session (refresh family) it belongs to.
    pub sid: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When the user last proved who they are, in seconds since 1970; at no time where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// Whether the address has been verified.
    pub verified: bool,
    /// The account's roles, such as `staff` and `admin`; none for customers.
    pub roles: Vec<String>,
    /// What the roles may do; by the roles where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user's id.
    pub user_id: i32,
    /// The session of the token.
    pub session_id: String,
    /// When the user last proved who they are, in seconds since 1970; 0 for never.
    pub authenticated_at: i64,
    /// Whether the address has been verified.
    pub verified: bool,
    /// What it may do beyond a customer's own affairs.
    pub permissions: Permissions,
    /// Grants roles and makes API keys, and may do everything else.
    pub is_admin: bool,
    /// Whether it is a program with an API key, not a person who is logged in.
    pub is_key: bool,
}

impl Caller {
    /// Whether it has the permission.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.hold(permission)
    }

    /// Whether what is this user's is its own. An API key has nothing of its own, not even what is its maker's.
    #[must_use]
    pub fn is_user(&self, user_id: i32) -> bool {
        !self.is_key && self.user_id == user_id
    }

    /// Whether it may see everybody's orders.
    #[must_use]
    pub fn sees_orders(&self) -> bool {
        Permission::THAT_SHOW_ORDERS.iter().any(|permission| self.may(*permission))
    }

    /// For whom the database answers, where any of these permissions shows everybody's rows.
    #[must_use]
    pub fn viewer(&self, any_of: &[Permission]) -> Viewer {
        match any_of.iter().find(|permission| self.may(**permission)) {
            None => Viewer::Customer(self.user_id),
            Some(Permission::Users) => Viewer::Admin(self.user_id),
            Some(_) => Viewer::Staff(self.user_id),
        }
    }
}

/// What came of looking at a request's token before the route was reached.
#[derive(Debug, Clone)]
pub(crate) struct Looked(pub(crate) Result<Caller, Problem>);

/// Whom a token speaks for; nothing where its subject is no user.
pub(super) fn caller(claims: Claims) -> Option<Caller> {
    let is_admin = claims.roles.iter().any(|role| role == "admin");
    let permissions = match &claims.permissions {
        Some(words) => Permissions::of_words(words.iter().map(String::as_str)),
        None => Permissions::of_roles(claims.roles.iter().map(String::as_str)),
    };
    Some(Caller {
        user_id: claims.sub.parse().ok()?,
        session_id: claims.sid,
        authenticated_at: claims.auth_time.unwrap_or(0),
        verified: claims.verified,
        permissions,
        is_admin,
        is_key: false,
    })
}
