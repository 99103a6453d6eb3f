//! Lists holds whose checkouts may have died.

use estore_api::inventory::{OpenHold, OpenHoldsQuery};
use estore_kit::db::{Db, DbError};

use crate::limits::OPEN_HOLDS_MAX;
use crate::store::holds;

/// A page of open holds in checkout order; a limit out of range is brought into it.
pub(crate) async fn list_open_holds(db: &Db, query: OpenHoldsQuery) -> Result<Vec<OpenHold>, DbError> {
    let query = OpenHoldsQuery { limit: query.limit.clamp(1, OPEN_HOLDS_MAX), ..query };
    holds::list_open(db, &query).await
}
