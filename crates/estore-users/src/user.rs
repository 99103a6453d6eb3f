//! An account as it is seen from outside, and what it may do.

use estore_kit::auth::Permissions;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

const ADMIN: &str = "admin";
const VERSION_BYTES: usize = 12;

/// What an account may be beside a customer. All but `staff` and `admin` give the one permission of their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Handles orders: the permissions `orders` and `refunds`.
    Staff,
    /// Products, categories, stock and imports.
    Catalogue,
    /// Everybody's orders.
    Orders,
    /// Giving money back, and disputes.
    Refunds,
    /// Customers' accounts.
    Users,
    /// Webhooks.
    Operations,
    /// Everything, and who may do what.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Staff, Self::Catalogue, Self::Orders, Self::Refunds, Self::Users, Self::Operations, Self::Admin];

    /// The word in the database and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Catalogue => "catalogue",
            Self::Orders => "orders",
            Self::Refunds => "refunds",
            Self::Users => "users",
            Self::Operations => "operations",
            Self::Admin => ADMIN,
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// The words of roles as they are stored, where administrators have a column of their own.
pub(crate) fn stored_words(roles: &[Role]) -> Vec<&'static str> {
    roles.iter().filter(|role| **role != Role::Admin).map(|role| role.word()).collect()
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct User {
    /// The account's number.
    pub(crate) id: i32,
    /// The address, in lower case.
    #[schema(format = "email", example = "ada@example.com")]
    pub(crate) email: String,
    /// Whether it may log in.
    pub(crate) is_active: bool,
    /// Whether the address has been proved.
    pub(crate) is_verified: bool,
    /// Whether it is an administrator.
    pub(crate) is_admin: bool,
    /// Its roles, none for a customer.
    pub(crate) roles: Vec<String>,
    /// The address it changes to as soon as that is proved.
    pub(crate) pending_email: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub(crate) updated_at: Option<Timestamp>,
}

impl User {
    /// The entity tag of this state of the account.
    pub(crate) fn etag(&self) -> String {
        let state = serde_json::to_vec(self).unwrap_or_default();
        let digest = hex::encode(Sha256::digest(state));
        format!("\"{}\"", &digest[..VERSION_BYTES * 2])
    }
}

/// What an access token says of a user.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) id: i32,
    pub(crate) is_verified: bool,
    pub(crate) is_admin: bool,
    pub(crate) roles: Vec<String>,
}

impl Standing {
    pub(crate) fn all_roles(&self) -> Vec<String> {
        with_admin(self.roles.clone(), self.is_admin)
    }

    pub(crate) fn permissions(&self) -> Permissions {
        Permissions::of_roles(self.all_roles().iter().map(String::as_str))
    }
}

/// The stored roles and the administrator's column as one list.
pub(crate) fn with_admin(mut roles: Vec<String>, is_admin: bool) -> Vec<String> {
    if is_admin {
        roles.push(ADMIN.to_owned());
    }
    roles
}

/// Whether an `If-Match` header allows a change of the state with this tag.
pub(crate) fn if_match_allows(header: Option<&str>, etag: &str) -> bool {
    header.is_none_or(|header| {
        header.split(',').map(str::trim).any(|tag| tag == "*" || tag == etag || tag.strip_prefix("W/") == Some(etag))
    })
}

#[cfg(test)]
mod tests {
    use super::if_match_allows;

    #[test]
    fn only_the_state_that_was_seen_may_be_changed() {
        assert!(if_match_allows(None, "\"a\""));
        assert!(if_match_allows(Some("*"), "\"a\""));
        assert!(if_match_allows(Some("\"b\", \"a\""), "\"a\""));
        assert!(if_match_allows(Some("W/\"a\""), "\"a\""));
        assert!(!if_match_allows(Some("\"b\""), "\"a\""));
    }
}
