//! How an order is placed: take the key → hold → write → charge → settle. Read it from top to bottom.
//!
//! Each step meets those of concurrent checkouts in a batch. A crash after any of them is finished or undone by
//! `resume_checkouts` and `sweep_orphans`; the hold becomes a sale, or is released, by `relay_outbox`.

use std::sync::Arc;
use std::time::Instant;

use estore_api::inventory::{HeldLine, HoldOutcome, HoldRequest, ShortLine};
use estore_kit::batcher::BatchError;
use estore_kit::crash;
use estore_kit::db::{Server, Uncarried};
use estore_kit::problem::Problem;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use crate::answer::Answer;
use crate::checkout::{Checkout, Draft, Placement, TooLarge, price};
use crate::gateway::Sale;
use crate::limits::CARRY_TRIES;
use crate::payment_method::{StoredMethod, Unusable, usable};
use crate::personal::metadata_of;
use crate::service::{Shop, now};
use crate::steps::StepError;
use crate::store::checkouts::Written;
use crate::store::keys::{self, FinishedKey, Take, Taken};
use crate::store::settlements::End;

mod charging;
mod refusal;
mod settling;
pub(crate) mod waiting;

pub(crate) use charging::end_of;
use charging::{Charged, charge};
pub(crate) use settling::{settle, settlement};

/// Why a checkout was not paid; `refusal` says it to the buyer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// The same request is being worked on.
    #[error("a request with this key is under way")]
    InProgress,
    /// The key was used for another request.
    #[error("the key was used for another request")]
    KeyReused,
    /// The payment method cannot be paid with.
    #[error("{0}")]
    Method(#[from] Unusable),
    /// Some lines cannot be had; where each stands in the body, and why.
    #[error("some lines cannot be had")]
    Short(Vec<(String, ShortLine)>),
    /// Some lines cost more than an order can say; where each stands in the body.
    #[error("some lines cost too much")]
    TooLarge(Vec<String>),
    /// The card was refused, or the buyer did not come in time; nothing was taken.
    #[error("not charged: {0}")]
    NotCharged(&'static str),
    /// The charge was surely not made and nobody refused it: the same key buys anew once the stock is back.
    #[error("the charge was cut off")]
    CutOff,
    /// The gateway does not say whether it took the money.
    #[error("the outcome of the charge is not known")]
    OutcomeUnknown,
    /// The step before this one did not wait for the disk, and the database may have fallen since: it is done again.
    #[error("the database restarted meanwhile")]
    Uncarried,
    /// A part of the shop is away.
    #[error(transparent)]
    Step(#[from] StepError),
}

/// Places a checkout; the answer is stored under its key unless it is one to try again (5xx, 409 while running).
pub(crate) async fn place_checkout(shop: Arc<Shop>, mut placement: Placement) -> Answer {
    let Ok(_place) = shop.places.try_acquire() else {
        return Problem::from(BatchError::Overloaded).into();
    };
    let id = Uuid::now_v7();
    // 1. The key: one request of many equal ones goes on, the others learn its answer.
    let method = match take_key(&shop, &placement, id).await {
        Ok(Begun::Fresh(method)) => method,
        Ok(Begun::Answered(answer)) => return answer,
        Err(error) => return Problem::from(error).into(),
    };
    // What names people is sealed before it is written anywhere.
    if let Err(error) = shop.fields.seal_leaves(&mut placement.metadata, metadata_of(id)) {
        return undo(&shop, &placement, id, StepError::Failed(error.to_string()).into()).await;
    }
    // 2. and 3. The stock is held and the checkout written, or all of it is undone.
    let written = until_carried(|| hold_and_write(&shop, &placement, id, method.clone())).await;
    let (checkout, card) = match written {
        Ok(written) => written,
        Err(error) => return undo(&shop, &placement, id, error).await,
    };
    // 4. and 5. From here on the checkout is finished, by us or by the resumer.
    match until_carried(|| charge_and_settle(&shop, &placement, checkout.clone(), card.clone())).await {
        Ok(answer) => answer,
        Err(error) => Problem::from(error).into(),
    }
}

/// Takes two steps, and takes both again where the first may be forgotten by the time that the second was to carry it.
async fn until_carried<T, R>(steps: impl Fn() -> R) -> Result<T, PlaceError>
where
    R: Future<Output = Result<T, PlaceError>>,
{
    for _ in 0..CARRY_TRIES {
        match steps().await {
            Err(PlaceError::Uncarried) => {}
            ended => return ended,
        }
    }
    Err(StepError::Unavailable(PlaceError::Uncarried.to_string()).into())
}

enum Begun {
    Fresh(Option<StoredMethod>),
    Answered(Answer),
}

async fn take_key(shop: &Shop, placement: &Placement, id: Uuid) -> Result<Begun, PlaceError> {
    let wish = Take {
        user_id: placement.user_id,
        key: placement.key.clone(),
        request_hash: placement.request_hash,
        resource_id: id,
        payment_method_id: Some(placement.payment_method_id),
    };
    crash::point("before_take_key");
    let taken = shop.steps.take.submit(wish).await.map_err(StepError::from)??;
    crash::point("after_take_key");
    match taken {
        Taken::Mine(method) => Ok(Begun::Fresh(method)),
        Taken::Finished(answer) => Ok(Begun::Answered(answer)),
        Taken::Running => waiting::answer_again(shop, placement).await.map(Begun::Answered),
        Taken::Reused => Err(PlaceError::KeyReused),
    }
}

async fn hold_and_write(
    shop: &Shop,
    placement: &Placement,
    id: Uuid,
    method: Option<StoredMethod>,
) -> Result<(Checkout, String), PlaceError> {
    let today = now().to_zoned(TimeZone::UTC).date();
    let gateway_token = usable(method, placement.user_id, shop.gateway.name(), today)?;
    let server = shop.server.get();
    let uncarried = server.clone().map(Uncarried::on);
    let held = hold(shop, placement, id, server).await?;
    let (lines, total_amount) = price(&held).map_err(|TooLarge(products)| {
        PlaceError::TooLarge(products.iter().map(|product| pointer(placement, *product)).collect())
    })?;
    // Each line by itself: it may have to go back alone.
    if !lines.iter().all(|line| shop.gateway.can_move(&shop.config.currency, i64::from(line.total_amount))) {
        return Err(PlaceError::NotCharged("amount_not_possible"));
    }
    let draft = Draft {
        id,
        user_id: placement.user_id,
        key: placement.key.clone(),
        operation: placement.operation,
        lines,
        total_amount,
        payment_method_id: placement.payment_method_id,
        gateway_token: gateway_token.clone(),
        metadata: Value::Object(placement.metadata.clone()),
        created_at: now(),
        held: uncarried,
    };
    crash::point("before_write");
    let written = shop.steps.write.submit(draft.clone()).await.map_err(StepError::from)??;
    crash::point("after_write");
    match written {
        Written::Orders(orders) => Ok((draft.written(&orders, &shop.config.currency), gateway_token)),
        // The key was taken from us because we were too slow, and nothing was written.
        Written::KeyGone => Err(PlaceError::InProgress),
        Written::HoldUncarried => Err(PlaceError::Uncarried),
    }
}

async fn hold(
    shop: &Shop,
    placement: &Placement,
    id: Uuid,
    server: Option<Server>,
) -> Result<Vec<HeldLine>, PlaceError> {
    let request = HoldRequest { checkout_id: id, lines: placement.lines.clone(), server };
    crash::point("before_hold");
    let outcome = shop.steps.hold.submit(request).await.map_err(StepError::from)??;
    crash::point("after_hold");
    match outcome {
        HoldOutcome::Held { lines } => Ok(lines),
        HoldOutcome::Refused { lines } => {
            let named = |line: ShortLine| (pointer(placement, line.product_id), line);
            Err(PlaceError::Short(lines.into_iter().map(named).collect()))
        }
        // Another process took us for dead and released the hold.
        HoldOutcome::Over => Err(PlaceError::InProgress),
    }
}

/// Undoes what was done before the write, and ends the key: with the answer where it is final, else by freeing it once
/// the stock is back. Freed before, a retry could be refused the last unit, which it holds itself.
async fn undo(shop: &Shop, placement: &Placement, id: Uuid, error: PlaceError) -> Answer {
    tracing::debug!(checkout = %id, %error, "undoing a checkout");
    let is_over = match &error {
        PlaceError::Step(_) => {
            // Where this fails too, the sweep of orphans finds the key and the hold.
            keys::fence(&shop.db, placement.user_id, &placement.key, id).await.unwrap_or_default()
        }
        _ => true,
    };
    if is_over && !matches!(error, PlaceError::Method(_) | PlaceError::Short(_)) {
        let is_back = release(shop, id).await;
        if is_back && matches!(error, PlaceError::Step(_)) {
            drop(keys::free(&shop.db, &[id]).await);
        }
    }
    let is_final = matches!(
        error,
        PlaceError::Method(_) | PlaceError::Short(_) | PlaceError::TooLarge(_) | PlaceError::NotCharged(_)
    );
    let answer = Answer::from(Problem::from(error));
    if is_final { finish(shop, placement, id, answer).await } else { answer }
}

async fn release(shop: &Shop, id: Uuid) -> bool {
    let released = shop.inventory.release(vec![id]).await;
    if let Err(error) = &released {
        tracing::warn!(checkout = %id, %error, "a hold is not released yet; the sweep of orphans will do it");
    }
    released.is_ok()
}

async fn finish(shop: &Shop, placement: &Placement, id: Uuid, answer: Answer) -> Answer {
    let finished =
        FinishedKey { user_id: placement.user_id, key: placement.key.clone(), resource_id: id, answer: answer.clone() };
    crash::point("before_finish");
    let stored = shop.steps.finish.submit(finished).await.map_err(StepError::from).and_then(|stored| stored);
    crash::point("after_finish");
    match stored {
        Ok(true) => answer,
        Ok(false) => Problem::from(PlaceError::InProgress).into(),
        Err(error) => Problem::from(error).into(),
    }
}

async fn charge_and_settle(
    shop: &Shop,
    placement: &Placement,
    checkout: Checkout,
    token: String,
) -> Result<Answer, PlaceError> {
    let (key, amount, currency) = (checkout.id, checkout.total_amount, checkout.currency.clone());
    crash::point("before_charge");
    let asked = Instant::now();
    let charged = charge(shop, Sale { key, token, amount, currency }).await?;
    crash::point("after_charge");
    match charged {
        Charged::Ended(end) => {
            let is_cut_off = end == End::NotMade;
            let mut settlement = settlement(placement.operation, checkout, end).frees_key_if_not_made();
            settlement.charged = shop.gateway.is_carried().then_some(asked);
            let settled = settle(shop, settlement).await?;
            // None: the key is to be free, or the resumer was quicker and its answer is the one.
            let stored = match settled {
                Some(answer) => Some(answer),
                None => {
                    keys::answer(&shop.db, placement.user_id, &placement.key, key).await.map_err(StepError::from)?
                }
            };
            stored.ok_or(if is_cut_off { PlaceError::CutOff } else { PlaceError::InProgress })
        }
        Charged::NeedsBuyer(action) => waiting::wait_for_buyer(shop, key, action).await,
        Charged::Authorised => waiting::wait_for_staff(shop, placement, checkout).await,
    }
}

/// Where a product stands in the body.
fn pointer(placement: &Placement, product_id: i32) -> String {
    let found = placement.pointers.iter().find(|(product, _)| *product == product_id);
    found.map(|(_, pointer)| pointer.clone()).unwrap_or_default()
}
