//! The books of two databases side by side.

use std::cmp::Ordering;

use tokio_postgres::{Error, Row, Transaction};
use uuid::Uuid;

use super::{Finding, Rows};

/// How old a hold without a checkout may be before it counts as forgotten, in seconds.
const ORPHAN_SECONDS_MAX: i64 = 120;

/// One checkout or hold with its lines.
#[derive(Debug)]
struct Entry {
    id: Uuid,
    status: String,
    /// Payments: inventory must still be told.
    untold: bool,
    /// Inventory: seconds since the hold was made.
    age: i64,
    /// Product and quantity, in product order.
    lines: Vec<(i32, i32)>,
}

/// Gathers a checkout's rows, which follow each other, into entries.
struct Entries {
    rows: Rows,
    next: Option<Row>,
    side: Side,
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Payments,
    Inventory,
}

impl Entries {
    async fn of(snapshot: &Transaction<'_>, side: Side) -> Result<Self, Error> {
        let sql = match side {
            Side::Payments => include_str!("../../queries/verify_checkouts.sql"),
            Side::Inventory => include_str!("../../queries/verify_holds.sql"),
        };
        let mut rows = Rows::of(snapshot, sql).await?;
        let next = rows.next().await?;
        Ok(Self { rows, next, side })
    }

    async fn next(&mut self) -> Result<Option<Entry>, Error> {
        let Some(first) = self.next.take() else { return Ok(None) };
        let (untold, age) = match self.side {
            Side::Payments => (first.get("untold"), 0),
            Side::Inventory => (false, first.get("age")),
        };
        let mut entry = Entry { id: first.get("id"), status: first.get("status"), untold, age, lines: Vec::new() };
        let mut row = Some(first);
        while let Some(current) = row {
            if current.get::<_, Uuid>("id") != entry.id {
                self.next = Some(current);
                break;
            }
            if let Some(product) = current.get("product_id") {
                entry.lines.push((product, current.get("quantity")));
            }
            row = self.rows.next().await?;
        }
        Ok(Some(entry))
    }
}

/// Promises 2 and 4: a paid checkout's stock is sold, a dead one's is given back, and no stock is held for nobody.
pub async fn holds_match_checkouts(payments: &Transaction<'_>, inventory: &Transaction<'_>) -> Result<Finding, Error> {
    let mut finding = Finding::new(4, "books", "holds_match_checkouts");
    let mut checkouts = Entries::of(payments, Side::Payments).await?;
    let mut holds = Entries::of(inventory, Side::Inventory).await?;
    let (mut checkout, mut hold) = (checkouts.next().await?, holds.next().await?);
    loop {
        let order = match (&checkout, &hold) {
            (None, None) => return Ok(finding),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(checkout), Some(hold)) => checkout.id.cmp(&hold.id),
        };
        let (left, right) = (order.is_le(), order.is_ge());
        let this = if left { checkout.take() } else { None };
        let that = if right { hold.take() } else { None };
        judge(&mut finding, this.as_ref(), that.as_ref());
        if left {
            checkout = checkouts.next().await?;
        }
        if right {
            hold = holds.next().await?;
        }
    }
}

fn judge(finding: &mut Finding, checkout: Option<&Entry>, hold: Option<&Entry>) {
    let held = hold.map(|hold| hold.status.as_str());
    match (checkout, held) {
        (Some(checkout), held) => {
            let fits = match (checkout.status.as_str(), held) {
                ("paid", Some("sold")) | ("failed", Some("released") | None) => true,
                ("paid" | "failed", Some("held")) if checkout.untold => {
                    finding.in_flight += 1;
                    true
                }
                ("pending", Some(_)) => {
                    finding.in_flight += 1;
                    true
                }
                _ => false,
            };
            if !fits {
                let held = held.unwrap_or("missing");
                finding.note(format!("checkout {} is {}, its hold is {held}", checkout.id, checkout.status));
            } else if checkout.status == "paid" && hold.is_some_and(|hold| hold.lines != checkout.lines) {
                finding.note(format!("checkout {} was sold other lines than it holds", checkout.id));
            }
        }
        (None, Some("held")) => {
            let hold = hold.map_or((Uuid::nil(), 0), |hold| (hold.id, hold.age));
            if hold.1 > ORPHAN_SECONDS_MAX {
                finding.note(format!("hold {} is {} s old and has no checkout", hold.0, hold.1));
            } else {
                finding.in_flight += 1;
            }
        }
        // Sold after the books of payments were opened, unless it is old.
        (None, Some("sold")) => match hold {
            Some(hold) if hold.age > ORPHAN_SECONDS_MAX => {
                finding.note(format!("hold {} is sold and has no checkout", hold.id));
            }
            _ => finding.in_flight += 1,
        },
        (None, _) => {}
    }
}

/// Promises 1 and 5: the units of each cancelled order went back once, and no others did.
pub async fn restocks_match_cancels(payments: &Transaction<'_>, inventory: &Transaction<'_>) -> Result<Finding, Error> {
    let mut finding = Finding::new(1, "books", "restocks_match_cancels");
    let mut cancelled = Rows::of(payments, include_str!("../../queries/verify_cancelled.sql")).await?;
    let mut restocked = Rows::of(inventory, include_str!("../../queries/verify_restocked.sql")).await?;
    let (mut cancel, mut restock) = (cancelled.next().await?, restocked.next().await?);
    let key = |row: &Row| row.get::<_, i32>("id");
    loop {
        let order = match (&cancel, &restock) {
            (None, None) => return Ok(finding),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(cancel), Some(restock)) => key(cancel).cmp(&key(restock)),
        };
        match (order, &cancel, &restock) {
            (Ordering::Less, Some(cancel), _) if cancel.get("untold") => finding.in_flight += 1,
            (Ordering::Less, Some(cancel), _) => {
                finding.note(format!("order {} is cancelled, its units did not go back", key(cancel)));
            }
            // Cancelled after the books of payments were opened.
            (Ordering::Greater, _, Some(restock)) if restock.get::<_, i64>("age") <= ORPHAN_SECONDS_MAX => {
                finding.in_flight += 1;
            }
            (Ordering::Greater, _, Some(restock)) => {
                finding.note(format!("the units of order {} went back, and it is not cancelled", key(restock)));
            }
            (Ordering::Equal, Some(cancel), Some(restock)) => {
                let units = |row: &Row| (row.get::<_, i32>("product_id"), row.get::<_, i32>("quantity"));
                if units(cancel) != units(restock) {
                    finding.note(format!("order {} was cancelled and restocked with other units", key(cancel)));
                }
            }
            _ => {}
        }
        if order.is_le() {
            cancel = cancelled.next().await?;
        }
        if order.is_ge() {
            restock = restocked.next().await?;
        }
    }
}

/// Promise 8: whoever is erased in one service is erased in the others. `payments` was opened after `users`.
pub async fn erasures_are_heard(users: &Transaction<'_>, payments: &Transaction<'_>) -> Result<Finding, Error> {
    let mut finding = Finding::new(8, "books", "erasures_are_heard");
    let mut erased = Rows::of(users, include_str!("../../queries/verify_erased_users.sql")).await?;
    let mut heard = Rows::of(payments, include_str!("../../queries/verify_erased_customers.sql")).await?;
    let key = |row: &Row| row.get::<_, i32>("id");
    let mut here = heard.next().await?;
    while let Some(user) = erased.next().await? {
        while here.as_ref().is_some_and(|here| key(here) < key(&user)) {
            here = heard.next().await?;
        }
        if here.as_ref().is_some_and(|here| key(here) == key(&user)) {
            continue;
        }
        if user.get("untold") {
            finding.in_flight += 1;
        } else {
            finding.note(format!("user {} is erased, and payments never heard of it", key(&user)));
        }
    }
    Ok(finding)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Entry, Finding, ORPHAN_SECONDS_MAX, judge};

    fn entry(status: &str, quantity: i32, untold: bool, age: i64) -> Entry {
        Entry { id: Uuid::nil(), status: status.to_owned(), untold, age, lines: vec![(1, quantity)] }
    }

    /// (broken, in flight) of a checkout (state, inventory still to be told) and a hold (state, units, age).
    fn judged(checkout: Option<(&str, bool)>, hold: Option<(&str, i32, i64)>) -> (u64, u64) {
        let mut finding = Finding::default();
        let checkout = checkout.map(|(status, untold)| entry(status, 1, untold, 0));
        let hold = hold.map(|(state, quantity, age)| entry(state, quantity, false, age));
        judge(&mut finding, checkout.as_ref(), hold.as_ref());
        (finding.broken, finding.in_flight)
    }

    #[test]
    fn a_checkout_and_its_hold_end_together() {
        let (kept, in_flight, broken) = ((0, 0), (0, 1), (1, 0));
        let (fresh, old) = (ORPHAN_SECONDS_MAX, ORPHAN_SECONDS_MAX + 1);
        for (checkout, hold, wanted) in [
            (Some(("paid", false)), Some(("sold", 1, old)), kept),
            (Some(("paid", false)), Some(("sold", 2, old)), broken),
            (Some(("paid", false)), Some(("held", 1, old)), broken),
            (Some(("paid", true)), Some(("held", 1, old)), in_flight),
            (Some(("paid", true)), Some(("released", 1, old)), broken),
            (Some(("paid", true)), None, broken),
            (Some(("failed", false)), Some(("released", 1, old)), kept),
            (Some(("failed", false)), None, kept),
            (Some(("failed", false)), Some(("sold", 1, old)), broken),
            (Some(("failed", false)), Some(("held", 1, old)), broken),
            (Some(("failed", true)), Some(("held", 1, old)), in_flight),
            (Some(("pending", false)), Some(("held", 1, old)), in_flight),
            (Some(("pending", false)), None, broken),
            (None, Some(("held", 1, fresh)), in_flight),
            (None, Some(("held", 1, old)), broken),
            (None, Some(("sold", 1, fresh)), in_flight),
            (None, Some(("sold", 1, old)), broken),
            (None, Some(("released", 1, old)), kept),
        ] {
            assert_eq!(judged(checkout, hold), wanted, "{checkout:?} {hold:?}");
        }
    }
}
