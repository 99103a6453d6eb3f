//! An InventoryService in memory that fails when told to.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use estore_api::inventory::{
    HeldLine, HoldOutcome, HoldRequest, InventoryApi, OpenHold, OpenHoldsQuery, RestockLine, ShortLine, Shortage,
};
use estore_api::neighbour::CallError;
use jiff::Timestamp;
use uuid::Uuid;

use super::fall::Fall;

/// A neighbour in memory.
#[derive(Default)]
pub(super) struct Stock {
    pub(super) state: Mutex<StockState>,
    /// Holds are made, but the answer is lost.
    pub(super) loses_answers: AtomicBool,
    /// Nothing is done.
    pub(super) is_away: AtomicBool,
    /// Holds that were asked for.
    pub(super) asked: AtomicUsize,
    pub(super) fall: Fall,
}

#[derive(Default)]
pub(super) struct StockState {
    pub(super) products: HashMap<i32, (i32, i32)>,
    pub(super) holds: HashMap<Uuid, (&'static str, Vec<HeldLine>)>,
    pub(super) restocked: HashSet<i32>,
}

impl Stock {
    fn check(&self) -> Result<(), CallError> {
        let away = self.is_away.load(SeqCst);
        if away { Err(CallError { service: "inventory", cause: "away".into() }) } else { Ok(()) }
    }

    /// Units that can still be sold.
    pub(super) fn left(&self, product: i32) -> i32 {
        self.state.lock().unwrap().products[&product].1
    }

    /// How many holds are in this state.
    pub(super) fn holds(&self, state: &str) -> usize {
        self.state.lock().unwrap().holds.values().filter(|hold| hold.0 == state).count()
    }
}

impl StockState {
    fn hold(&mut self, request: &HoldRequest) -> HoldOutcome {
        if let Some((state, lines)) = self.holds.get(&request.checkout_id) {
            return if *state == "open" { HoldOutcome::Held { lines: lines.clone() } } else { HoldOutcome::Over };
        }
        let short = |line: &estore_api::inventory::HoldLine| {
            let (reason, available) = match self.products.get(&line.product_id) {
                None => (Shortage::UnknownProduct, 0),
                Some((_, left)) if *left < line.quantity => (Shortage::OutOfStock, *left),
                Some(_) => return None,
            };
            Some(ShortLine { product_id: line.product_id, requested: line.quantity, available, reason })
        };
        let short: Vec<_> = request.lines.iter().filter_map(short).collect();
        if !short.is_empty() {
            return HoldOutcome::Refused { lines: short };
        }
        let mut lines = Vec::new();
        for line in &request.lines {
            let product = self.products.get_mut(&line.product_id).unwrap();
            product.1 -= line.quantity;
            lines.push(HeldLine { product_id: line.product_id, quantity: line.quantity, unit_price: product.0 });
        }
        self.holds.insert(request.checkout_id, ("open", lines.clone()));
        HoldOutcome::Held { lines }
    }

    fn end(&mut self, checkout: Uuid, state: &'static str) {
        let hold = self.holds.entry(checkout).or_insert((state, Vec::new()));
        if hold.0 == "open" {
            hold.0 = state;
            if state == "released" {
                for line in &hold.1 {
                    self.products.get_mut(&line.product_id).unwrap().1 += line.quantity;
                }
            }
        }
    }
}

#[async_trait]
impl InventoryApi for Stock {
    async fn hold(&self, holds: Vec<HoldRequest>) -> Result<Vec<HoldOutcome>, CallError> {
        self.check()?;
        self.asked.fetch_add(holds.len(), SeqCst);
        let outcomes = holds.iter().map(|hold| self.state.lock().unwrap().hold(hold)).collect();
        self.fall.happen().await;
        if self.loses_answers.load(SeqCst) {
            return Err(CallError { service: "inventory", cause: "the answer was lost".into() });
        }
        Ok(outcomes)
    }

    async fn release(&self, checkouts: Vec<Uuid>) -> Result<(), CallError> {
        self.check()?;
        checkouts.into_iter().for_each(|id| self.state.lock().unwrap().end(id, "released"));
        Ok(())
    }

    async fn sell(&self, checkouts: Vec<Uuid>) -> Result<(), CallError> {
        self.check()?;
        checkouts.into_iter().for_each(|id| self.state.lock().unwrap().end(id, "sold"));
        Ok(())
    }

    async fn restock(&self, lines: Vec<RestockLine>) -> Result<(), CallError> {
        self.check()?;
        let mut state = self.state.lock().unwrap();
        for line in lines {
            state.end(line.checkout_id, "sold");
            if state.restocked.insert(line.order_id) {
                state.products.get_mut(&line.product_id).unwrap().1 += line.quantity;
            }
        }
        Ok(())
    }

    async fn open_holds(&self, query: OpenHoldsQuery) -> Result<Vec<OpenHold>, CallError> {
        self.check()?;
        let state = self.state.lock().unwrap();
        let mut open: Vec<Uuid> = state.holds.iter().filter(|(_, hold)| hold.0 == "open").map(|(id, _)| *id).collect();
        open.retain(|id| query.after.is_none_or(|after| *id > after));
        open.sort_unstable();
        Ok(open.into_iter().map(|checkout_id| OpenHold { checkout_id, created_at: Timestamp::UNIX_EPOCH }).collect())
    }
}
