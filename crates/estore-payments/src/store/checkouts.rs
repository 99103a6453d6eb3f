//! Checkouts with their orders and charges.

use std::collections::HashMap;
use std::sync::Arc;

use deadpool_postgres::Client;
use estore_kit::crash;
use estore_kit::db::{self, Db, DbError, LastServer, Server, View};
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::orders;
use crate::checkout::{Checkout, CheckoutStatus, Draft, Operation};
use crate::limits::{ATTEMPTS_BEFORE_ATTENTION, RESUME_PAUSE_SECONDS_MAX};
use crate::order::Order;
use crate::steps::ids;

const WRITE: &str = include_str!("../../queries/write_checkouts.sql");
const CLAIM_PENDING: &str = include_str!("../../queries/claim_pending_checkouts.sql");
const READ: &str = include_str!("../../queries/read_checkout.sql");

/// Checkouts with their lines and states after `$1` (a checkout), at most `$2` checkouts, in id order: for the
/// comparison with InventoryService on a connection and snapshot of one's own.
pub const CHECKOUT_LINES: &str = include_str!("../../queries/list_checkout_lines.sql");

/// What all checkouts of this process have in common.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Three letters of ISO 4217.
    pub(crate) currency: String,
    /// Who charges.
    pub(crate) gateway: &'static str,
    /// After how many seconds another process may take a checkout over.
    pub(crate) resume_after_seconds: f64,
    /// Where checkouts are written.
    pub(crate) server: Arc<LastServer>,
}

/// The order ids of a checkout's products.
pub(crate) type OrderIds = HashMap<i32, i32>;

/// What became of a draft.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    /// It is written, with these orders.
    Orders(OrderIds),
    /// Its key is no longer its own.
    KeyGone,
    /// Its hold may be forgotten by now: it is to be asked for again.
    HoldUncarried,
}

/// Writes drafts with the intent to charge them. The commit carries their holds, too.
pub(crate) async fn write(db: &Db, drafts: &[(Draft, Terms)]) -> Result<Vec<Written>, DbError> {
    let client = db.client().await?;
    let connected = db::connected_since(&client);
    let may_carry = |draft: &&Draft| draft.held.as_ref().is_none_or(|held| held.is_after(connected));
    let asked: Vec<&Draft> = drafts.iter().map(|(draft, _)| draft).filter(may_carry).collect();
    let answered = match drafts.first() {
        Some((_, terms)) if !asked.is_empty() => write_asked(&client, &asked, terms).await?,
        _ => Vec::new(),
    };
    let mut mine: HashMap<Uuid, OrderIds> = HashMap::with_capacity(asked.len());
    for row in &answered {
        let Some(checkout) = row.get("checkout_id") else { continue };
        let orders = mine.entry(checkout).or_default();
        if let (Some(product), Some(order)) = (row.get("product_id"), row.get("id")) {
            orders.insert(product, order);
        }
    }
    let became = |draft: &Draft| match mine.remove(&draft.id) {
        Some(orders) if !orders.is_empty() => Written::Orders(orders),
        None if may_carry(&draft) => Written::KeyGone,
        _ => Written::HoldUncarried,
    };
    Ok(drafts.iter().map(|(draft, _)| draft).map(became).collect())
}

/// Writes those whose key is still their own and whose hold this server carries; answers their orders, if any.
async fn write_asked(client: &Client, drafts: &[&Draft], terms: &Terms) -> Result<Vec<Row>, DbError> {
    let order_metadata: Vec<Value> = drafts.iter().map(|draft| draft.order_metadata()).collect();
    let (checkouts, lines) = (CheckoutColumns::of(drafts), LineColumns::of(drafts, &order_metadata));
    let Terms { currency, gateway, resume_after_seconds, server } = terms;
    let write: [&(dyn ToSql + Sync); 19] = [
        &checkouts.ids,
        &checkouts.users,
        &checkouts.keys,
        &checkouts.operations,
        &checkouts.totals,
        &checkouts.methods,
        &checkouts.tokens,
        &checkouts.metadata,
        &checkouts.times,
        &checkouts.held_on,
        &lines.checkouts,
        &lines.products,
        &lines.quantities,
        &lines.prices,
        &lines.totals,
        &lines.metadata,
        currency,
        gateway,
        resume_after_seconds,
    ];
    crash::point("write_before_commit");
    let answered = db::rows(client, WRITE, &write).await?;
    if let Some(row) = answered.first() {
        server.note(&Server::told(row.get("server")));
    }
    Ok(answered)
}

/// Drafts, column by column.
struct CheckoutColumns<'a> {
    ids: Vec<Uuid>,
    users: Vec<i32>,
    keys: Vec<&'a str>,
    operations: Vec<&'static str>,
    totals: Vec<i64>,
    methods: Vec<i32>,
    tokens: Vec<&'a str>,
    metadata: Vec<&'a Value>,
    times: Vec<Timestamp>,
    held_on: Vec<Option<&'a str>>,
}

impl<'a> CheckoutColumns<'a> {
    fn of(drafts: &[&'a Draft]) -> Self {
        Self {
            ids: ids(drafts, |draft| draft.id),
            users: drafts.iter().map(|draft| draft.user_id).collect(),
            keys: drafts.iter().map(|draft| draft.key.as_str()).collect(),
            operations: drafts.iter().map(|draft| draft.operation.word()).collect(),
            totals: drafts.iter().map(|draft| draft.total_amount.0).collect(),
            methods: drafts.iter().map(|draft| draft.payment_method_id).collect(),
            tokens: drafts.iter().map(|draft| draft.gateway_token.as_str()).collect(),
            metadata: drafts.iter().map(|draft| &draft.metadata).collect(),
            times: drafts.iter().map(|draft| draft.created_at).collect(),
            held_on: drafts.iter().map(|draft| Some(draft.held.as_ref()?.server().as_str())).collect(),
        }
    }
}

/// The lines of drafts, column by column.
struct LineColumns<'a> {
    checkouts: Vec<Uuid>,
    products: Vec<i32>,
    quantities: Vec<i32>,
    prices: Vec<i32>,
    totals: Vec<i32>,
    metadata: Vec<&'a Value>,
}

impl<'a> LineColumns<'a> {
    /// `metadata` has one value for each draft.
    fn of(drafts: &[&Draft], metadata: &'a [Value]) -> Self {
        let lines: Vec<_> =
            drafts.iter().flat_map(|draft| draft.lines.iter().map(move |line| (draft.id, line))).collect();
        let of_lines = |(draft, metadata): (&&Draft, &'a Value)| vec![metadata; draft.lines.len()];
        Self {
            checkouts: lines.iter().map(|(checkout, _)| *checkout).collect(),
            products: lines.iter().map(|(_, line)| line.product_id).collect(),
            quantities: lines.iter().map(|(_, line)| line.quantity).collect(),
            prices: lines.iter().map(|(_, line)| line.unit_price).collect(),
            totals: lines.iter().map(|(_, line)| line.total_amount).collect(),
            metadata: drafts.iter().zip(metadata).flat_map(of_lines).collect(),
        }
    }
}

/// A pending checkout in the resumer's hands.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) checkout: Checkout,
    pub(crate) operation: Operation,
    pub(crate) gateway: String,
    pub(crate) attempts: i16,
    /// Whether it waits for a person.
    pub(crate) waits: bool,
    /// Whether its buyer was answered that it is placed, and staff take the money.
    pub(crate) is_answered: bool,
}

/// Claims up to `rows_max` pending checkouts that are due; with `alone_since`, also those written before it.
pub(crate) async fn claim_pending(
    db: &Db,
    alone_since: Option<Timestamp>,
    rows_max: i64,
) -> Result<Vec<Pending>, DbError> {
    let client = db.client().await?;
    let (alone, since) = (alone_since.is_some(), alone_since.unwrap_or(Timestamp::UNIX_EPOCH));
    let claim: [&(dyn ToSql + Sync); 5] =
        [&alone, &since, &rows_max, &RESUME_PAUSE_SECONDS_MAX, &ATTEMPTS_BEFORE_ATTENTION];
    let rows = db::rows(&client, CLAIM_PENDING, &claim).await?;
    let claimed: Vec<Uuid> = rows.iter().map(|row| row.get("id")).collect();
    let mut orders = orders::of_checkouts(&client, &claimed).await?;
    let pending = |row: &Row| pending(row, orders.remove(&row.get("id")).unwrap_or_default());
    Ok(rows.iter().map(pending).collect())
}

/// A pending checkout of a row and its orders.
pub(super) fn pending(row: &Row, orders: Vec<Order>) -> Pending {
    let waits_for: Option<&str> = row.get("waits_for");
    Pending {
        operation: Operation::of(row.get("operation")),
        gateway: row.get("gateway"),
        attempts: row.get("attempts"),
        waits: waits_for.is_some(),
        is_answered: waits_for == Some("staff"),
        checkout: Checkout {
            id: row.get("id"),
            status: CheckoutStatus::Pending,
            total_amount: row.get("total_amount"),
            currency: row.get("currency"),
            payment_method_id: row.get("payment_method_id"),
            orders,
            created_at: row.get("created_at"),
            needs_attention_since: None,
            metadata: row.get("metadata"),
        },
    }
}

/// One checkout with its orders, where the viewer may see it: a foreign one is as if it did not exist.
pub(crate) async fn seen(view: &View, id: Uuid) -> Result<Option<Checkout>, DbError> {
    let ids: &[Uuid] = &[id];
    let [found, lines] = view.all([(READ, &[&id]), (orders::OF_CHECKOUTS, &[&ids])]).await?;
    let mut orders = orders::by_checkout(&lines)?;
    Ok(found.first().map(|row| checkout(row, orders.remove(&id).unwrap_or_default())))
}

/// A checkout of a row and its orders.
pub(super) fn checkout(row: &Row, orders: Vec<Order>) -> Checkout {
    Checkout {
        id: row.get("id"),
        status: CheckoutStatus::of(row.get("status")),
        total_amount: row.get("total_amount"),
        currency: row.get("currency"),
        payment_method_id: row.get("payment_method_id"),
        orders,
        created_at: row.get("created_at"),
        needs_attention_since: row.get("needs_attention_since"),
        metadata: row.get("metadata"),
    }
}

/// One line of a checkout, for the comparison with InventoryService.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutLine {
    /// The checkout.
    pub checkout_id: Uuid,
    /// `pending`, `paid` or `failed`.
    pub checkout_status: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// The order that the line is.
    pub order_id: i32,
    /// The product.
    pub product_id: i32,
    /// Units.
    pub quantity: i32,
    /// The order's state.
    pub order_status: String,
    /// Whether something about the checkout is still to be told to InventoryService: not wrong, but under way.
    pub is_in_flight: bool,
}

/// The lines of at most `checkouts_max` checkouts after `after`, in checkout order; empty at the end.
pub async fn checkout_lines(db: &Db, after: Uuid, checkouts_max: i64) -> Result<Vec<CheckoutLine>, DbError> {
    let rows = db.rows(CHECKOUT_LINES, &[&after, &checkouts_max]).await?;
    let line = |row: &Row| CheckoutLine {
        checkout_id: row.get("checkout_id"),
        checkout_status: row.get("checkout_status"),
        created_at: row.get("created_at"),
        order_id: row.get("order_id"),
        product_id: row.get("product_id"),
        quantity: row.get("quantity"),
        order_status: row.get("order_status"),
        is_in_flight: row.get("is_in_flight"),
    };
    Ok(rows.iter().map(line).collect())
}
