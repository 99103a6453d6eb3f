//! API keys as people see them.

use estore_kit::auth::Permission;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::secret::Secret;

/// What a key may do: the permission of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
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
}

impl Scope {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Catalogue => Permission::Catalogue,
            Self::Orders => Permission::Orders,
            Self::Refunds => Permission::Refunds,
            Self::Users => Permission::Users,
            Self::Operations => Permission::Operations,
        }
        .word()
    }
}

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    /// Its id.
    pub(crate) id: Uuid,
    /// Who made it, and in whose name it acts.
    pub(crate) user_id: i32,
    /// What it is for.
    pub(crate) name: String,
    /// What it begins with.
    #[schema(example = "estore_key_3q2-7w")]
    pub(crate) hint: String,
    /// What it may do, as far as its maker may.
    pub(crate) scopes: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) created_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) expires_at: Timestamp,
    /// When it was last used, to within a minute or so.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub(crate) last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub(crate) revoked_at: Option<Timestamp>,
}

/// A new API key with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKeyWithSecret {
    /// The key.
    #[serde(flatten)]
    pub(crate) key: ApiKey,
    /// For the header `Authorization: Bearer …`; it is not shown again.
    #[schema(value_type = String)]
    pub(crate) secret: Secret,
}
