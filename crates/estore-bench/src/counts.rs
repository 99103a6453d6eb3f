//! What the shop says it has sold, counted twice more: over its own lists, and by SQL.

use std::collections::{HashMap, HashSet};

use indicatif::ProgressBar;
use reqwest::StatusCode;
use serde_json::Value;

use crate::accounts::Accounts;
use crate::api::{Api, Call};
use crate::catalogue::put_in;
use crate::database::{connect, numbers};
use crate::export;
use crate::failure::Failure;
use crate::retail::Product;
use crate::shop::Shop;

/// What stands in the shop; `None` where this way of counting does not see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    pub(crate) products: Option<u64>,
    pub(crate) checkouts: u64,
    pub(crate) orders: u64,
    pub(crate) pence: u64,
    pub(crate) units: u64,
    /// Units that can still be sold.
    pub(crate) left: Option<u64>,
}

/// Counts paid orders over `GET /v1/orders` as staff, page by page.
pub(crate) async fn by_lists(
    api: &Api,
    accounts: &Accounts,
    admin: usize,
    progress: &ProgressBar,
) -> Result<Counted, Failure> {
    let (mut counted, mut checkouts, mut ids) = (Counted::default(), HashSet::new(), HashSet::new());
    let mut cursor: Option<String> = None;
    loop {
        let path = match &cursor {
            None => "/v1/orders?limit=100".to_owned(),
            Some(cursor) => format!("/v1/orders?limit=100&cursor={cursor}"),
        };
        let token = accounts.token(admin).await?;
        let page = api.ask(Call::get(&path).by(&token)).await?.expect(StatusCode::OK, "GET /v1/orders")?;
        let rows = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        for order in rows {
            if !ids.insert(order["id"].as_i64()) {
                return Err(Failure::new(format!("GET /v1/orders shows an order twice: {order}")));
            }
            if order["status"] != "paid" {
                continue;
            }
            counted.orders += 1;
            counted.pence += whole(order, "total_amount")?;
            counted.units += whole(order, "quantity")?;
            checkouts.insert(order["checkout_id"].to_string());
        }
        progress.inc(rows.len() as u64);
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            counted.checkouts = checkouts.len() as u64;
            return Ok(counted);
        }
    }
}

/// Counts in the databases themselves.
pub(crate) async fn by_sql(shop: &Shop) -> Result<Counted, Failure> {
    let payments = connect(shop, "payments").await?;
    let [orders, pence, units, checkouts] = numbers(
        &payments,
        "SELECT count(*), coalesce(sum(total_amount), 0)::bigint, coalesce(sum(quantity), 0)::bigint,
                count(DISTINCT checkout_id)
         FROM orders WHERE status = 'paid'",
    )
    .await?;
    let inventory = connect(shop, "inventory").await?;
    let sql = "SELECT count(*), coalesce(sum(quantity), 0)::bigint FROM products";
    let [products, left] = numbers(&inventory, sql).await?;
    Ok(Counted {
        products: Some(products.try_into()?),
        checkouts: checkouts.try_into()?,
        orders: orders.try_into()?,
        pence: pence.try_into()?,
        units: units.try_into()?,
        left: Some(left.try_into()?),
    })
}

/// Stock by the export: products and units left; fails at the first product whose rest is not put in − sold.
pub(crate) async fn stock(api: &Api, token: &str, products: &[Product]) -> Result<(u64, u64), Failure> {
    let exported = export::products(api, token).await?;
    let ours: HashMap<&str, &Product> = products.iter().map(|product| (product.sku.as_str(), product)).collect();
    let mut left = 0;
    for (sku, stocked) in &exported {
        let wanted = ours.get(sku.as_str()).map_or(0, |product| put_in(product) - product.sold);
        if stocked.quantity != wanted {
            let text = format!("{sku} has {} units left, and put in less sold is {wanted}", stocked.quantity);
            return Err(Failure::new(text));
        }
        left += u64::try_from(stocked.quantity)?;
    }
    Ok((exported.len() as u64, left))
}

/// A field that is a whole number from 0.
pub(crate) fn whole(value: &Value, field: &str) -> Result<u64, Failure> {
    value[field].as_u64().ok_or_else(|| Failure::new(format!("no whole number {field} in {value}")))
}
