//! Holds: who gets what of the stock. Pure rules; the rows of the products are locked meanwhile.

use std::collections::{BTreeMap, HashMap};

use estore_api::inventory::{HeldLine, HoldLine, HoldOutcome, HoldRequest, ShortLine, Shortage};
use uuid::Uuid;

use crate::limits::HOLD_LINES_MAX;

/// What is known of a product while its row is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shelf {
    pub(crate) price: i32,
    pub(crate) quantity: i32,
    pub(crate) is_active: bool,
}

/// A hold that exists already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Earlier {
    Held(Vec<HeldLine>),
    Over,
}

/// The outcomes of a batch, in its order, and the lines that are to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Allocation {
    pub(crate) outcomes: Vec<HoldOutcome>,
    pub(crate) granted: Vec<(Uuid, HeldLine)>,
}

/// Shares the stock out in the order of arrival. A checkout gets all its lines or none; a refused one takes
/// nothing from those behind it. `shelves` is left with what remains.
pub(crate) fn allocate(
    shelves: &mut HashMap<i32, Shelf>,
    earlier: &HashMap<Uuid, Earlier>,
    requests: &[HoldRequest],
) -> Allocation {
    let mut allocation = Allocation::default();
    let mut granted_now: HashMap<Uuid, Vec<HeldLine>> = HashMap::new();
    for request in requests {
        let known = granted_now.get(&request.checkout_id).map(|lines| Earlier::Held(lines.clone()));
        let outcome = match known.or_else(|| earlier.get(&request.checkout_id).cloned()) {
            Some(Earlier::Held(lines)) => HoldOutcome::Held { lines },
            Some(Earlier::Over) => HoldOutcome::Over,
            None => take(shelves, &request.lines),
        };
        if let HoldOutcome::Held { lines } = &outcome
            && !earlier.contains_key(&request.checkout_id)
            && granted_now.insert(request.checkout_id, lines.clone()).is_none()
        {
            allocation.granted.extend(lines.iter().map(|line| (request.checkout_id, line.clone())));
        }
        allocation.outcomes.push(outcome);
    }
    allocation
}

fn take(shelves: &mut HashMap<i32, Shelf>, lines: &[HoldLine]) -> HoldOutcome {
    let wanted = merged(lines);
    let is_sound = !lines.is_empty() && lines.len() <= HOLD_LINES_MAX && lines.iter().all(|line| line.quantity > 0);
    let short: Vec<ShortLine> = wanted.iter().filter_map(|(id, units)| shortage(shelves, *id, *units)).collect();
    if !is_sound || !short.is_empty() {
        return HoldOutcome::Refused { lines: short };
    }
    let mut held = Vec::with_capacity(wanted.len());
    for (product_id, units) in wanted {
        if let Some(shelf) = shelves.get_mut(&product_id) {
            let quantity = saturated(units);
            shelf.quantity -= quantity;
            held.push(HeldLine { product_id, quantity, unit_price: shelf.price });
        }
    }
    HoldOutcome::Held { lines: held }
}

/// Units wanted by product: two lines of one product are one.
fn merged(lines: &[HoldLine]) -> BTreeMap<i32, i64> {
    let mut wanted = BTreeMap::new();
    for line in lines {
        *wanted.entry(line.product_id).or_insert(0_i64) += i64::from(line.quantity);
    }
    wanted
}

fn shortage(shelves: &HashMap<i32, Shelf>, product_id: i32, units: i64) -> Option<ShortLine> {
    let (available, reason) = match shelves.get(&product_id) {
        None => (0, Shortage::UnknownProduct),
        Some(shelf) if !shelf.is_active => (0, Shortage::Inactive),
        Some(shelf) if units < 1 || i64::from(shelf.quantity) < units => (shelf.quantity, Shortage::OutOfStock),
        Some(_) => return None,
    };
    Some(ShortLine { product_id, requested: saturated(units), available, reason })
}

fn saturated(units: i64) -> i32 {
    i32::try_from(units).unwrap_or(if units < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
mod tests;
