//! Reads of the catalogue as a load, on the shop and on a bare server that answers the same bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::bare::Bare;
use super::buying::Dice;
use super::client::{Answer, Connection};
use super::run::{self, Asking, Pace, Verdict};
use crate::failure::Failure;
use crate::shop::Shop;

/// One answer in so many is read as a whole; of the others the beginning is compared.
const READ_EVERY: u64 = 64;
/// How often the shop and the bare server are measured in turn.
const ROUNDS: u32 = 2;

/// What may be read, and how its answer must begin.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    request: Vec<u8>,
    beginning: Vec<u8>,
    /// Rows of a list; none for a single product.
    rows: Option<usize>,
}

impl Page {
    /// A product.
    pub(crate) fn product(id: i64) -> Self {
        let beginning = format!("{{\"id\":{id},").into_bytes();
        Self { request: request(&format!("/v1/products/{id}")), beginning, rows: None }
    }

    /// The first 20 products of a category.
    pub(crate) fn category(id: i64) -> Self {
        let path = format!("/v1/products?category_id={id}&limit=20");
        Self { request: request(&path), beginning: b"{\"data\":[{\"id\":".to_vec(), rows: Some(20) }
    }
}

fn request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: shop\r\nAccept: application/json\r\n\r\n").into_bytes()
}

/// Answers a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) shop: u64,
    pub(crate) bare: u64,
}

/// One connection's reader.
#[derive(Debug)]
struct Reading {
    pages: Arc<[Page]>,
    dice: Dice,
    current: usize,
    count: u64,
}

#[derive(Debug, Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    data: Vec<&'a serde_json::value::RawValue>,
}

impl Asking for Reading {
    fn write(&mut self, request: &mut Vec<u8>) {
        self.current = self.dice.below(self.pages.len());
        request.extend_from_slice(&self.pages[self.current].request);
    }

    fn check(&mut self, answer: Answer<'_>) -> Result<Verdict, Failure> {
        let page = &self.pages[self.current];
        self.count += 1;
        let begins = answer.status == 200 && answer.body.starts_with(&page.beginning);
        let is_read = !self.count.is_multiple_of(READ_EVERY)
            || match page.rows {
                None => serde_json::from_slice::<serde_json::Value>(answer.body).is_ok(),
                Some(rows) => serde_json::from_slice::<List>(answer.body).is_ok_and(|list| list.data.len() == rows),
            };
        if begins && is_read {
            return Ok(Verdict::Right);
        }
        let text = String::from_utf8_lossy(answer.body);
        Err(Failure::new(format!("a read was answered {}: {text}", answer.status)))
    }
}

/// Measures the shop and the bare server in turn, with the same client and as many connections.
pub(crate) async fn measure(
    shop: &Shop,
    address: SocketAddr,
    pages: Vec<Page>,
    connections: usize,
    time: Duration,
) -> Result<Rates, Failure> {
    let first = pages.first().ok_or_else(|| Failure::new("nothing to read"))?.clone();
    let mut connection = Connection::to(address);
    let bare = Bare::start(shop, connection.call(&first.request).await?).await?;
    let (pages, only): (Arc<[Page]>, Arc<[Page]>) = (pages.into(), vec![first].into());
    let time = time / ROUNDS;
    let mut rates = Rates { shop: 0, bare: 0 };
    for _ in 0..ROUNDS {
        rates.shop += rate(address, &pages, connections, time).await?;
        rates.bare += rate(bare.address, &only, connections, time).await?;
    }
    Ok(Rates { shop: rates.shop / u64::from(ROUNDS), bare: rates.bare / u64::from(ROUNDS) })
}

async fn rate(address: SocketAddr, pages: &Arc<[Page]>, connections: usize, time: Duration) -> Result<u64, Failure> {
    let reader = |number| Reading { pages: pages.clone(), dice: Dice(number), current: 0, count: 0 };
    let readers = (0..connections as u64).map(reader).collect();
    let (_, readers) = run::run(address, readers, Pace { time: time / 4, rate: None }).await?;
    let (tally, _) = run::run(address, readers, Pace { time, rate: None }).await?;
    Ok(tally.per_second())
}
