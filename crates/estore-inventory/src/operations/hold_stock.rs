//! Holds the stock of many checkouts in one transaction: lock and read, share out, write.

use std::collections::{BTreeSet, HashMap};

use estore_api::inventory::{HoldOutcome, HoldRequest};
use estore_kit::crash;
use estore_kit::db::{Db, DbError, Pipelined, Server, leave_to_later};
use uuid::Uuid;

use crate::hold::{Allocation, Earlier, Shelf, allocate};
use crate::limits::{HOLD_ATTEMPTS_MAX, HOLD_BATCH_LINES_MAX};
use crate::store::holds::{self, Granted};

/// Why a batch of holds has no outcome; none of its checkouts that had no hold before has one now.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum HoldStockError {
    #[error("other processes kept writing the same holds")]
    Contended,
    #[error("{0}")]
    Db(String),
}

/// One outcome a request, in their order; a request that fails fails with the transaction it is in, no further.
pub(crate) async fn hold_stock(db: &Db, requests: Vec<HoldRequest>) -> Vec<Result<HoldOutcome, HoldStockError>> {
    let mut outcomes = Vec::with_capacity(requests.len());
    for group in groups(&requests) {
        match hold_group(db, group).await {
            Ok(held) => outcomes.extend(held.into_iter().map(Ok)),
            Err(error) => outcomes.extend(group.iter().map(|_| Err(error.clone()))),
        }
    }
    outcomes
}

/// Cuts a batch where a transaction would write too many lines.
fn groups(requests: &[HoldRequest]) -> Vec<&[HoldRequest]> {
    let (mut groups, mut start, mut lines) = (Vec::new(), 0, 0);
    for (at, request) in requests.iter().enumerate() {
        lines += request.lines.len();
        if lines > HOLD_BATCH_LINES_MAX && at > start {
            groups.push(&requests[start..at]);
            (start, lines) = (at, request.lines.len());
        }
    }
    groups.push(&requests[start..]);
    groups
}

async fn hold_group(db: &Db, requests: &[HoldRequest]) -> Result<Vec<HoldOutcome>, HoldStockError> {
    for _ in 0..HOLD_ATTEMPTS_MAX {
        match try_hold(db, requests).await {
            Ok(outcomes) => return Ok(outcomes),
            // Another process wrote one of these holds between our look and our write: look again.
            Err(error) if error.is_constraint("holds_pkey") => {}
            Err(error) => return Err(HoldStockError::Db(error.to_string())),
        }
    }
    Err(HoldStockError::Contended)
}

/// The server whose later commits carry these holds, where all name the same.
fn carrier(requests: &[HoldRequest]) -> Option<&Server> {
    let server = requests.first()?.server.as_ref()?;
    requests.iter().all(|request| request.server.as_ref() == Some(server)).then_some(server)
}

async fn try_hold(db: &Db, requests: &[HoldRequest]) -> Result<Vec<HoldOutcome>, DbError> {
    let checkouts: Vec<Uuid> = requests.iter().map(|request| request.checkout_id).collect();
    let products: BTreeSet<i32> =
        requests.iter().flat_map(|request| &request.lines).map(|line| line.product_id).collect();
    let products: Vec<i32> = products.into_iter().collect();
    let transaction = Pipelined::on(db.client().await?);
    let (earlier, mut shelves): (HashMap<Uuid, Earlier>, HashMap<i32, Shelf>) = transaction
        .begin_with(async |client| {
            let quick = async {
                match carrier(requests) {
                    Some(server) => leave_to_later(client, server).await,
                    None => Ok(()),
                }
            };
            let ((), earlier, shelves) =
                tokio::try_join!(quick, holds::find(client, &checkouts), holds::lock_stock(client, &products))?;
            Ok((earlier, shelves))
        })
        .await?;
    let Allocation { outcomes, granted } = allocate(&mut shelves, &earlier, requests);
    if granted.is_empty() {
        transaction.commit_with([]).await?;
        return Ok(outcomes);
    }
    crash::point("hold_before_commit");
    Granted::of(&granted).insert_and_commit(transaction).await?;
    crash::point("hold_after_commit");
    Ok(outcomes)
}
