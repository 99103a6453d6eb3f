//! Gives money of an order back: reserve it → ask the gateway → book it. `resume_refunds` finishes what a crash leaves.

use std::sync::Arc;

use axum::http::StatusCode;
use estore_kit::crash;
use estore_kit::db::DbError;
use estore_kit::problem::Problem;
use uuid::Uuid;

use crate::answer::Answer;
use crate::gateway::{GatewayRefund, RefundOutcome};
use crate::operations::place_checkout::PlaceError;
use crate::order::OrderStatus;
use crate::refund::{PendingRefund, Refund, RefundKind};
use crate::service::{Shop, now};
use crate::steps::StepError;
use crate::store::keys::{self, FinishedKey, Take, Taken};
use crate::store::{orders, refunds};

/// What staff ask for, checked.
#[derive(Debug, Clone)]
pub(crate) struct RefundRequest {
    pub(crate) order_id: i32,
    /// Cents; all that is left when `None`.
    pub(crate) amount: Option<i32>,
    pub(crate) reason: String,
    pub(crate) actor_id: i32,
    pub(crate) key: String,
    pub(crate) request_hash: [u8; 32],
}

/// Why money was not given back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefundError {
    /// There is no such order.
    #[error("no such order")]
    NoOrder,
    /// An order in this state has no money to give back.
    #[error("not refundable while {}", .0.word())]
    NotRefundable(OrderStatus),
    /// More than is left of the captured amount, in cents.
    #[error("only {left} cents are left")]
    TooMuch { left: i32 },
    /// Another gateway than the configured one has the money.
    #[error("the money is with the gateway {0}")]
    OtherGateway(String),
    /// The gateway refused.
    #[error("the gateway refused: {0}")]
    Refused(String),
    /// The gateway does not say.
    #[error("the outcome of the refund is not known")]
    OutcomeUnknown,
    /// The key is taken, or was taken from us.
    #[error(transparent)]
    Key(#[from] PlaceError),
    /// A part of the shop is away.
    #[error(transparent)]
    Step(#[from] StepError),
}

impl From<DbError> for RefundError {
    fn from(error: DbError) -> Self {
        // The CHECK says no where the conditional update should have.
        if error.is_constraint("orders_refunded_within_captured") {
            Self::TooMuch { left: 0 }
        } else {
            Self::Step(error.into())
        }
    }
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::NoOrder => Self::not_found("order"),
            RefundError::NotRefundable(status) => Self::conflict(
                "not_refundable",
                format!("An order that is {} has no money to give back.", status.word()),
            ),
            RefundError::TooMuch { left } => Self::conflict(
                "refund_exceeds_captured",
                format!("Only {left} cents are left of what was captured and not yet refunded."),
            ),
            RefundError::OtherGateway(name) => Self::conflict(
                "other_gateway",
                format!("Its charge is with the gateway `{name}`. Configure that one again to pay it back."),
            ),
            RefundError::Refused(_) => Self::new(
                StatusCode::PAYMENT_REQUIRED,
                "refund_refused",
                "The payment gateway refused the refund; nothing was paid out.",
            ),
            RefundError::OutcomeUnknown => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "refund_outcome_unknown",
                "The payment gateway did not say whether the refund was made. It is asked again until it does; \
                 repeat the request with the same key to learn the outcome.",
            )
            .retry_after(2),
            RefundError::Key(error) => error.into(),
            RefundError::Step(error) => error.into(),
        }
    }
}

/// Refunds; the answer is stored under the key unless it is one to try again.
pub(crate) async fn refund_order(shop: Arc<Shop>, asked: RefundRequest) -> Answer {
    let id = Uuid::now_v7();
    match take_key(&shop, &asked, id).await {
        Ok(None) => {}
        Ok(Some(answer)) => return answer,
        Err(error) => return Problem::from(error).into(),
    }
    let pending = match reserve(&shop, &asked, id).await {
        Ok(pending) => pending,
        Err(error) => return end_key(&shop, &asked, id, error).await,
    };
    match pay_out(&shop, &pending).await {
        Ok(answer) => answer,
        Err(error) => Problem::from(error).into(),
    }
}

async fn take_key(shop: &Shop, asked: &RefundRequest, id: Uuid) -> Result<Option<Answer>, RefundError> {
    let wish = Take {
        user_id: asked.actor_id,
        key: asked.key.clone(),
        request_hash: asked.request_hash,
        resource_id: id,
        payment_method_id: None,
    };
    match shop.steps.take.submit(wish).await.map_err(StepError::from)?? {
        Taken::Mine(_) => Ok(None),
        Taken::Finished(answer) => Ok(Some(answer)),
        Taken::Running => Err(PlaceError::InProgress.into()),
        Taken::Reused => Err(PlaceError::KeyReused.into()),
    }
}

/// Reserves the money and writes the intent, in one transaction that the key fences.
async fn reserve(shop: &Shop, asked: &RefundRequest, id: Uuid) -> Result<PendingRefund, RefundError> {
    let mut client = shop.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    let mine = keys::lock_running(&transaction, &[asked.actor_id], &[&asked.key], &[id]).await?;
    if mine.is_empty() {
        return Err(PlaceError::InProgress.into());
    }
    let locked = orders::lock(&transaction, asked.order_id).await?.ok_or(RefundError::NoOrder)?;
    let (order, captured, gateway) = (locked.order, locked.captured, locked.gateway);
    if gateway != shop.gateway.name() {
        return Err(RefundError::OtherGateway(gateway));
    }
    if !order.status.may_become(OrderStatus::Refunded) {
        return Err(RefundError::NotRefundable(order.status));
    }
    let left = captured - order.refunded_amount;
    let amount = asked.amount.unwrap_or(left);
    let at = now();
    if amount < 1 || !refunds::reserve(&transaction, order.id, amount, at).await? {
        return Err(RefundError::TooMuch { left });
    }
    let refund = Refund {
        id,
        order_id: order.id,
        amount,
        currency: order.currency,
        reason: asked.reason.clone(),
        status: "pending",
        created_at: at,
    };
    let pending = PendingRefund {
        refund,
        checkout_id: order.checkout_id,
        user_id: order.user_id,
        gateway,
        kind: RefundKind::Refund,
        requested_by: asked.actor_id,
        key: Some(asked.key.clone()),
    };
    refunds::insert(&transaction, &pending, shop.config.resume_after_seconds).await?;
    crash::point("before_reserve");
    transaction.commit().await.map_err(DbError::from)?;
    crash::point("after_reserve");
    Ok(pending)
}

async fn end_key(shop: &Shop, asked: &RefundRequest, id: Uuid, error: RefundError) -> Answer {
    if let RefundError::Step(_) = &error {
        // Where this fails too, the resumer or the sweep of orphans comes by.
        if keys::fence(&shop.db, asked.actor_id, &asked.key, id).await.is_ok() {
            drop(keys::free(&shop.db, &[id]).await);
        }
    }
    let may_retry = matches!(error, RefundError::Step(_) | RefundError::Key(_));
    let answer = Answer::from(Problem::from(error));
    if may_retry {
        return answer;
    }
    let finished =
        FinishedKey { user_id: asked.actor_id, key: asked.key.clone(), resource_id: id, answer: answer.clone() };
    match keys::finish(&shop.db, &[finished]).await {
        Ok(_) => answer,
        Err(error) => Problem::from(error).into(),
    }
}

/// Asks the gateway for a pending refund and books what it says.
pub(crate) async fn pay_out(shop: &Shop, pending: &PendingRefund) -> Result<Answer, RefundError> {
    if pending.gateway != shop.gateway.name() {
        return Err(RefundError::OtherGateway(pending.gateway.clone()));
    }
    crash::point("before_pay_out");
    let outcomes = shop.gateway.refund(vec![gateway_refund(pending)]).await;
    crash::point("after_pay_out");
    let silent = || RefundOutcome::Unknown { cause: "no outcome".to_owned() };
    book(shop, pending, outcomes.into_iter().next().unwrap_or_else(silent)).await
}

/// The refund as the gateway is asked for it.
pub(crate) fn gateway_refund(pending: &PendingRefund) -> GatewayRefund {
    GatewayRefund {
        key: pending.refund.id,
        sale: pending.checkout_id,
        amount: i64::from(pending.refund.amount),
        currency: pending.refund.currency.clone(),
    }
}

/// Books what became of a refund, once, with the answer of its key.
pub(crate) async fn book(shop: &Shop, pending: &PendingRefund, outcome: RefundOutcome) -> Result<Answer, RefundError> {
    let mut client = shop.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    let refund = &pending.refund;
    orders::lock(&transaction, refund.order_id).await?.ok_or(RefundError::NoOrder)?;
    if !refunds::lock_pending(&transaction, refund.id).await? {
        drop(transaction);
        let Some(key) = &pending.key else { return Ok(Answer::json(StatusCode::OK, refund)) };
        let stored = keys::answer(&shop.db, pending.requested_by, key, refund.id).await?;
        return stored.ok_or_else(|| PlaceError::InProgress.into());
    }
    let at = now();
    let answer = match outcome {
        RefundOutcome::PaidOut { reference } => {
            refunds::succeed(&transaction, refund, &reference, at).await?;
            Answer::json(StatusCode::CREATED, &Refund { status: "succeeded", ..refund.clone() })
        }
        RefundOutcome::Refused { cause } => {
            refunds::fail(&transaction, refund, &cause, at).await?;
            Problem::from(RefundError::Refused(cause)).into()
        }
        RefundOutcome::Unknown { cause } => {
            tracing::warn!(refund = %refund.id, cause, "the gateway does not say what became of a refund");
            return Err(RefundError::OutcomeUnknown);
        }
    };
    if let Some(key) = &pending.key {
        let (user_id, resource_id) = (pending.requested_by, refund.id);
        let finished = FinishedKey { user_id, key: key.clone(), resource_id, answer: answer.clone() };
        keys::finish_on(&transaction, &[finished]).await?;
    }
    crash::point("before_book");
    transaction.commit().await.map_err(DbError::from)?;
    crash::point("after_book");
    Ok(answer)
}
