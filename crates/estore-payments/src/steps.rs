//! The steps of a checkout, each a batcher: concurrent checkouts share one statement and one commit a step.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use estore_api::inventory::{HoldOutcome, HoldRequest, InventoryApi};
use estore_api::neighbour::CallError;
use estore_kit::batcher::{BatchError, Batcher};
use estore_kit::db::{Db, DbError};
use estore_kit::metrics::Page;
use estore_kit::problem::Problem;
use uuid::Uuid;

use crate::checkout::Draft;
use crate::figures::Figures;
use crate::gateway::{Gateway, Sale, SaleOutcome};
use crate::limits::{GATHERING, STEP, STEP_THAT_WAITS};
use crate::store::checkouts::{self, Written};
use crate::store::keys::{self, FinishedKey, Take, Taken};
use crate::store::settlements::{self, Settled, Settlement};

/// Why a step did not work. It may have been done or not.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StepError {
    /// Trying again is right.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of ours.
    #[error("{0}")]
    Failed(String),
}

impl From<DbError> for StepError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(cause) => Self::Unavailable(cause),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<BatchError> for StepError {
    fn from(error: BatchError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<CallError> for StepError {
    fn from(error: CallError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<StepError> for Problem {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Unavailable(cause) => DbError::Unavailable(cause).into(),
            StepError::Failed(cause) => Self::internal(cause),
        }
    }
}

pub(crate) type Outcomes<O> = Vec<Result<O, StepError>>;

/// The batchers of the steps, in the order that a checkout goes through them.
pub(crate) struct Steps {
    pub(crate) take: Batcher<Take, Result<Taken, StepError>>,
    pub(crate) hold: Batcher<HoldRequest, Result<HoldOutcome, StepError>>,
    pub(crate) write: Batcher<Draft, Result<Written, StepError>>,
    pub(crate) charge: Batcher<Sale, SaleOutcome>,
    pub(crate) settle: Batcher<Settlement, Result<Settled, StepError>>,
    /// Ends a request that came to no checkout.
    pub(crate) finish: Batcher<FinishedKey, Result<bool, StepError>>,
}

impl Steps {
    pub(crate) fn start(
        db: &Db,
        terms: checkouts::Terms,
        inventory: &Arc<dyn InventoryApi>,
        gateway: &Arc<dyn Gateway>,
        figures: &Arc<Figures>,
    ) -> Self {
        let (holder, charger) = (Arc::clone(inventory), Arc::clone(gateway));
        let (written, settled) = (Arc::clone(figures), Arc::clone(figures));
        let (take_db, write_db, settle_db, finish_db) = (db.clone(), db.clone(), db.clone(), db.clone());
        Self {
            take: Batcher::start(GATHERING, move |items: Vec<Take>| {
                let db = take_db.clone();
                async move { each(&db, &items, |db, items| Box::pin(keys::take(db, items))).await }
            }),
            hold: Batcher::start(STEP_THAT_WAITS, move |holds: Vec<HoldRequest>| hold(Arc::clone(&holder), holds)),
            write: Batcher::start(STEP, move |items: Vec<Draft>| {
                let (db, terms, figures) = (write_db.clone(), terms.clone(), Arc::clone(&written));
                async move {
                    let items: Vec<_> = items.into_iter().map(|item| (item, terms.clone())).collect();
                    let outcomes = each(&db, &items, |db, items| Box::pin(checkouts::write(db, items))).await;
                    figures.written(&outcomes);
                    outcomes
                }
            }),
            charge: Batcher::start(gateway.batches(), move |sales: Vec<Sale>| {
                let gateway = Arc::clone(&charger);
                async move { gateway.sale(sales).await }
            }),
            settle: Batcher::start(STEP_THAT_WAITS, move |items: Vec<Settlement>| {
                let (db, figures) = (settle_db.clone(), Arc::clone(&settled));
                async move {
                    let outcomes = each(&db, &items, |db, items| Box::pin(settlements::settle(db, items))).await;
                    figures.settled(&items, &outcomes);
                    outcomes
                }
            }),
            finish: Batcher::start(STEP, move |items: Vec<FinishedKey>| {
                let db = finish_db.clone();
                async move { each(&db, &items, |db, items| Box::pin(keys::finish(db, items))).await }
            }),
        }
    }
}

impl Steps {
    /// Shows how each step does.
    pub(crate) fn show(&self, page: &mut Page) {
        let steps = [
            ("take_key", self.take.figures()),
            ("hold", self.hold.figures()),
            ("write", self.write.figures()),
            ("charge", self.charge.figures()),
            ("settle", self.settle.figures()),
            ("finish", self.finish.figures()),
        ];
        for (step, figures) in steps {
            figures.show(page, "payments", step);
        }
    }
}

async fn hold(inventory: Arc<dyn InventoryApi>, holds: Vec<HoldRequest>) -> Outcomes<HoldOutcome> {
    let count = holds.len();
    match inventory.hold(holds).await {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error.into()); count],
    }
}

type Flush<T, O> = for<'a> fn(&'a Db, &'a [T]) -> Pin<Box<dyn Future<Output = Result<Vec<O>, DbError>> + Send + 'a>>;

/// Flushes a batch; where one bad row fails it, each row goes alone, so that its neighbours do not fail with it.
async fn each<T, O>(db: &Db, items: &[T], flush: Flush<T, O>) -> Outcomes<O> {
    match flush(db, items).await {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(DbError::Unavailable(cause)) => items.iter().map(|_| Err(StepError::Unavailable(cause.clone()))).collect(),
        Err(error) if items.len() == 1 => vec![Err(error.into())],
        Err(error) => {
            tracing::warn!(%error, items = items.len(), "a batch failed; its rows go one by one");
            let mut outcomes = Vec::with_capacity(items.len());
            for item in items {
                let outcome = flush(db, std::slice::from_ref(item)).await.map_err(StepError::from);
                outcomes.push(outcome.and_then(|one| {
                    one.into_iter().next().ok_or_else(|| StepError::Failed("no outcome for a row".to_owned()))
                }));
            }
            outcomes
        }
    }
}

/// The ids of checkouts, for statements that take them as an array.
pub(crate) fn ids<T>(items: &[T], id: impl Fn(&T) -> Uuid) -> Vec<Uuid> {
    items.iter().map(id).collect()
}
