use std::collections::HashMap;

use estore_api::inventory::{HoldLine, HoldOutcome, HoldRequest, Shortage};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Earlier, Shelf, allocate};

fn shelf(quantity: i32) -> Shelf {
    Shelf { price: 100, quantity, is_active: true }
}

fn request(checkout: u128, lines: &[(i32, i32)]) -> HoldRequest {
    let lines = lines.iter().map(|(product_id, quantity)| HoldLine { product_id: *product_id, quantity: *quantity });
    HoldRequest { checkout_id: Uuid::from_u128(checkout), lines: lines.collect(), server: None }
}

fn is_held(outcome: &HoldOutcome) -> bool {
    matches!(outcome, HoldOutcome::Held { .. })
}

#[test]
fn a_refused_checkout_takes_nothing_from_those_behind_it() {
    let mut shelves = HashMap::from([(1, shelf(1)), (2, shelf(0))]);
    let requests = [request(1, &[(1, 1), (2, 1)]), request(2, &[(1, 1)])];
    let allocation = allocate(&mut shelves, &HashMap::new(), &requests);
    assert!(!is_held(&allocation.outcomes[0]) && is_held(&allocation.outcomes[1]));
    let HoldOutcome::Refused { lines } = &allocation.outcomes[0] else { panic!("must be refused") };
    assert_eq!(
        lines.iter().map(|line| (line.product_id, line.reason)).collect::<Vec<_>>(),
        [(2, Shortage::OutOfStock)]
    );
}

#[test]
fn two_lines_of_one_product_are_one() {
    let mut shelves = HashMap::from([(1, shelf(3))]);
    let requests = [request(1, &[(1, 2), (1, 2)]), request(2, &[(1, 1), (1, 2)])];
    let allocation = allocate(&mut shelves, &HashMap::new(), &requests);
    assert!(!is_held(&allocation.outcomes[0]));
    assert_eq!(allocation.granted.len(), 1);
    assert_eq!(allocation.granted[0].1.quantity, 3);
}

#[test]
fn repeats_get_the_first_answer_and_ended_checkouts_are_over() {
    let mut shelves = HashMap::from([(1, shelf(10))]);
    let earlier = HashMap::from([(Uuid::from_u128(9), Earlier::Over)]);
    let requests = [request(1, &[(1, 2)]), request(1, &[(1, 2)]), request(9, &[(1, 1)])];
    let allocation = allocate(&mut shelves, &earlier, &requests);
    assert_eq!(allocation.outcomes[0], allocation.outcomes[1]);
    assert_eq!((allocation.granted.len(), shelves[&1].quantity), (1, 8));
    assert_eq!(allocation.outcomes[2], HoldOutcome::Over);
}

#[test]
fn quantities_below_one_and_beyond_the_column_are_refused() {
    for quantity in [0, -1, i32::MIN] {
        let mut shelves = HashMap::from([(1, shelf(5)), (2, shelf(5))]);
        let requests = [request(1, &[(1, quantity)]), request(2, &[(1, 4), (2, quantity)])];
        let allocation = allocate(&mut shelves, &HashMap::new(), &requests);
        assert!(allocation.granted.is_empty());
        assert_eq!((shelves[&1].quantity, shelves[&2].quantity), (5, 5));
    }
    let mut shelves = HashMap::from([(1, shelf(i32::MAX))]);
    let allocation = allocate(&mut shelves, &HashMap::new(), &[request(1, &[(1, i32::MAX), (1, i32::MAX)])]);
    assert!(allocation.granted.is_empty());
}

fn requests() -> impl Strategy<Value = Vec<HoldRequest>> {
    let line = (0..6_i32, -1..5_i32).prop_map(|(product_id, quantity)| HoldLine { product_id, quantity });
    let request = (0..20_u128, prop::collection::vec(line, 0..4)).prop_map(|(checkout, lines)| HoldRequest {
        checkout_id: Uuid::from_u128(checkout),
        lines,
        server: None,
    });
    prop::collection::vec(request, 0..40)
}

fn shelves() -> impl Strategy<Value = HashMap<i32, Shelf>> {
    let shelf = (0..12_i32, any::<bool>()).prop_map(|(quantity, is_active)| Shelf { price: 7, quantity, is_active });
    prop::collection::hash_map(0..5_i32, shelf, 0..6)
}

proptest! {
    #[test]
    fn stock_is_shared_out_whole_in_order_and_never_twice(before in shelves(), requests in requests()) {
        let mut after = before.clone();
        let allocation = allocate(&mut after, &HashMap::new(), &requests);
        prop_assert_eq!(allocation.outcomes.len(), requests.len());
        let mut taken: HashMap<i32, i32> = HashMap::new();
        for (_, line) in &allocation.granted {
            prop_assert!(before[&line.product_id].is_active && line.quantity > 0);
            *taken.entry(line.product_id).or_default() += line.quantity;
        }
        for (id, shelf) in &after {
            prop_assert!(shelf.quantity >= 0);
            prop_assert_eq!(before[id].quantity - taken.get(id).copied().unwrap_or(0), shelf.quantity);
        }
        // Whoever was refused could not have been served by what is left: nobody waits beside free stock.
        for (request, outcome) in requests.iter().zip(&allocation.outcomes) {
            if let HoldOutcome::Refused { .. } = outcome {
                let mut left = after.clone();
                let again = HoldRequest { checkout_id: Uuid::from_u128(99), ..request.clone() };
                let retried = allocate(&mut left, &HashMap::new(), &[again]);
                prop_assert!(retried.granted.is_empty());
            }
        }
    }
}
