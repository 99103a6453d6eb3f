//! `/v1/disputes`.

use axum::Json as JsonBody;
use axum::extract::State;
use estore_kit::auth::{MayRefund, Permission};
use estore_kit::extract::Query;
use estore_kit::paging::{self, List};
use estore_kit::problem::Problem;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::documented::Listing;
use crate::dispute::{Dispute, DisputeState};
use crate::service::Payments;
use crate::store::disputes;

/// Which disputes to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisputesQuery {
    /// How many to answer, 1 to 100 (20 when left out).
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<DisputeState>,
}

/// Disputed charges, newest first. They are answered at the gateway; the orders' histories tell how they stand.
#[utoipa::path(
    get, path = "/v1/disputes", tag = "orders", security(("bearer" = [])),
    params(DisputesQuery),
    responses((status = 200, body = List<Dispute>), Listing)
)]
pub(super) async fn list_disputes(
    State(payments): State<Payments>,
    MayRefund(caller): MayRefund,
    Query(query): Query<DisputesQuery>,
) -> Result<JsonBody<List<Dispute>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let before: Option<Uuid> = paging::decode(query.cursor.as_deref())?;
    let rows = disputes::list(
        &payments.shop.db.seen_by(caller.viewer(&[Permission::Refunds])),
        before,
        query.state,
        limit as i64 + 1,
    )
    .await?;
    Ok(JsonBody(paging::page(rows, limit, |dispute| dispute.id)))
}
