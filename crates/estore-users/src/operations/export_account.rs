//! What the shop holds about a person, to take away.

use estore_api::customers::Purchases;
use estore_kit::auth::Caller;
use estore_kit::db::Viewer;
use estore_kit::problem::Problem;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::operations::change_profile::ChangeProfileError;
use crate::passkey::Passkey;
use crate::service::Service;
use crate::store::sessions::Session;
use crate::store::users::{Kept, see_all_of_user};
use crate::user::User;

/// Everything but secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountExport {
    /// The account.
    pub(crate) user: User,
    /// Its sessions, newest first, at most 1,000.
    pub(crate) sessions: Vec<Session>,
    /// Its passkeys.
    pub(crate) passkeys: Vec<Passkey>,
    /// Its payment methods, as `GET /v1/payment-methods` shows them.
    #[schema(value_type = Vec<Object>)]
    pub(crate) payment_methods: Vec<Value>,
    /// Its orders, newest first, at most 10,000, as `GET /v1/orders` shows them.
    #[schema(value_type = Vec<Object>)]
    pub(crate) orders: Vec<Value>,
    /// Whether there are older orders, which `GET /v1/orders` lists.
    pub(crate) has_more_orders: bool,
}

/// The whole export, or none.
pub(crate) async fn export_account(service: &Service, caller: &Caller) -> Result<AccountExport, Problem> {
    let view = service.db.seen_by(Viewer::Customer(caller.user_id));
    let found = see_all_of_user(&view, caller.user_id).await?.filter(|kept| kept.user.is_active);
    let Kept { user, sessions, passkeys } = found.ok_or(ChangeProfileError::Gone)?;
    let customers = service.customers.get().ok_or_else(|| Problem::internal("nobody is known who has purchases"))?;
    let Purchases { payment_methods, orders, has_more_orders } = customers.purchases(caller.user_id).await?;
    Ok(AccountExport { user, sessions, passkeys, payment_methods, orders, has_more_orders })
}
