//! API keys: what programs of the shop show in place of an access token.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Caller, Permissions};
use crate::problem::Problem;

/// What every key begins with.
pub const API_KEY_PREFIX: &str = "estore_key_";
/// How long a process takes a key for good before it asks again, in seconds: its end is heard of sooner. Less than the
/// time for which an end is remembered.
pub(super) const API_KEY_SECONDS: i64 = 60;

/// A key that is good, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id; its end is announced under it as that of a session.
    pub id: String,
    /// Who made it, and in whose name it acts.
    pub user_id: i32,
    /// The words of what it may do, and its maker still may.
    pub scopes: Vec<String>,
    /// How long it is still good for, in seconds.
    pub seconds_left: i64,
}

impl ApiKey {
    pub(super) fn caller(self) -> Caller {
        Caller {
            user_id: self.user_id,
            session_id: self.id,
            authenticated_at: 0,
            verified: true,
            permissions: Permissions::of_words(self.scopes.iter().map(String::as_str)),
            is_admin: false,
            is_key: true,
        }
    }
}

/// Who knows keys: UserService, in this process or another.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// The key with this SHA-256 in hexadecimal digits, if it is good.
    ///
    /// # Errors
    /// 503 when whoever knows is away.
    async fn find(&self, hash: &str) -> Result<Option<ApiKey>, Problem>;
}
