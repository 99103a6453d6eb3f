//! Every invoice as one checkout, in file order, several at a time.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use indicatif::ProgressBar;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::accounts::Accounts;
use crate::api::{Answer, Api, Call};
use crate::counts::whole;
use crate::failure::Failure;
use crate::retail::{Invoice, Year};

/// How often a refused token is replaced for one checkout.
const LOG_INS_PER_CHECKOUT_MAX: usize = 5;
/// How many customers log in ahead of their first invoice at a time.
const LOG_INS_AT_ONCE: usize = 3;
/// How many failures are told in words.
const FAILURES_TOLD_MAX: usize = 10;

/// The checkouts to be made and the means.
#[derive(Debug)]
pub(crate) struct Buying {
    pub(crate) year: Year,
    /// The products' ids in the shop, in the order of the year's products.
    pub(crate) product_ids: Vec<i64>,
    pub(crate) api: Arc<Api>,
    pub(crate) accounts: Arc<Accounts>,
}

/// What one pass over the invoices was answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pass {
    pub(crate) source_lines: u64,
    pub(crate) orders: u64,
    pub(crate) pence: u64,
    pub(crate) units: u64,
    /// How many answers were stored ones.
    pub(crate) replayed: u64,
    /// The checkouts' ids by invoice; `None` where it failed.
    pub(crate) ids: Vec<Option<String>>,
    /// The first failures, in words.
    pub(crate) failures: Vec<String>,
}

struct Placed {
    id: String,
    replayed: bool,
    orders: u64,
    pence: u64,
    units: u64,
}

/// Places every invoice; `done` follows how many are finished.
pub(crate) async fn place_all(
    buying: &Arc<Buying>,
    concurrency: usize,
    progress: &ProgressBar,
    done: &watch::Sender<u64>,
) -> Pass {
    let ahead = tokio::spawn(log_in_ahead(buying.clone()));
    let invoices = buying.year.invoices.len();
    let mut pass = Pass { ids: vec![None; invoices], ..Pass::default() };
    let mut answers = stream::iter(0..invoices)
        .map(|index| {
            let buying = buying.clone();
            async move { (index, tokio::spawn(async move { place(&buying, index).await }).await) }
        })
        .buffer_unordered(concurrency);
    while let Some((index, answer)) = answers.next().await {
        let invoice = &buying.year.invoices[index];
        match answer.map_err(Failure::from).flatten() {
            Ok(placed) => pass.take(index, invoice, placed),
            Err(failure) => pass.fail(invoice, &failure, progress),
        }
        progress.inc(1);
        done.send_modify(|finished| *finished += 1);
    }
    ahead.abort();
    pass
}

impl Pass {
    fn take(&mut self, index: usize, invoice: &Invoice, placed: Placed) {
        self.source_lines += invoice.source_lines;
        self.orders += placed.orders;
        self.pence += placed.pence;
        self.units += placed.units;
        self.replayed += u64::from(placed.replayed);
        self.ids[index] = Some(placed.id);
    }

    fn fail(&mut self, invoice: &Invoice, failure: &Failure, progress: &ProgressBar) {
        if self.failures.len() < FAILURES_TOLD_MAX {
            let text = format!("invoice {}: {failure}", invoice.number);
            progress.suspend(|| eprintln!("{text}"));
            self.failures.push(text);
        }
    }

    /// How many checkouts there are.
    pub(crate) fn checkouts(&self) -> u64 {
        self.ids.iter().flatten().count() as u64
    }
}

/// Opens sessions in the order in which they will be needed: hashing is slow on purpose, and can go on beside ordering.
async fn log_in_ahead(buying: Arc<Buying>) {
    stream::iter(0..buying.year.customers.len())
        .for_each_concurrent(LOG_INS_AT_ONCE, |customer| {
            let buying = buying.clone();
            async move {
                let _told_when_it_orders = buying.accounts.payer(customer).await;
            }
        })
        .await;
}

async fn place(buying: &Buying, index: usize) -> Result<Placed, Failure> {
    let invoice = &buying.year.invoices[index];
    let answer = ask(buying, invoice, &format!("invoice-{}", invoice.number)).await?;
    let replayed = answer.replayed;
    let checkout = answer.expect(StatusCode::CREATED, "POST /v1/checkouts")?;
    let placed = buying.check(invoice, &checkout)?;
    Ok(Placed { replayed, ..placed })
}

/// Sends an invoice under this key, with a new token where the old one is refused.
async fn ask(buying: &Buying, invoice: &Invoice, key: &str) -> Result<Answer, Failure> {
    for _ in 0..LOG_INS_PER_CHECKOUT_MAX {
        let (token, card) = buying.accounts.payer(invoice.customer).await?;
        let body = buying.body(invoice, card);
        let answer = buying.api.ask(Call::post("/v1/checkouts", &body).by(&token).once(key)).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        buying.accounts.forget(invoice.customer, &token).await;
    }
    Err(Failure::new("every new token was refused"))
}

impl Buying {
    fn body(&self, invoice: &Invoice, card: i64) -> Value {
        let line =
            |product: usize, quantity: i64| json!({"product_id": self.product_ids[product], "quantity": quantity});
        let lines: Vec<Value> = invoice.lines.iter().map(|bought| line(bought.product, bought.quantity)).collect();
        json!({"lines": lines, "payment_method_id": card, "metadata": {"invoice": invoice.number}})
    }

    /// What was sold by this answer, if it is the invoice to the penny and paid.
    fn check(&self, invoice: &Invoice, checkout: &Value) -> Result<Placed, Failure> {
        let wrong = |what: String| Failure::new(format!("{what}, in the answer {checkout:.600}"));
        if checkout["status"] != "paid" {
            return Err(wrong(format!("status is {}", checkout["status"])));
        }
        let orders = checkout["orders"].as_array().map(Vec::as_slice).unwrap_or_default();
        let (mut pence, mut units) = (0, 0);
        for order in orders {
            pence += whole(order, "total_amount")?;
            units += whole(order, "quantity")?;
        }
        let price = |product: usize| self.year.products[product].price;
        let wanted: i64 = invoice.lines.iter().map(|line| line.quantity * price(line.product)).sum();
        if orders.len() != invoice.lines.len() || i128::from(pence) != i128::from(wanted) {
            let (found, lines) = (orders.len(), invoice.lines.len());
            return Err(wrong(format!("{found} orders of {pence} pence instead of {lines} of {wanted}")));
        }
        if whole(checkout, "total_amount")? != pence {
            return Err(wrong(format!("the total is not the sum of the orders, {pence}")));
        }
        let id = checkout["id"].as_str().map_or_else(|| checkout["id"].to_string(), str::to_owned);
        Ok(Placed { id, replayed: false, orders: orders.len() as u64, pence, units })
    }
}
