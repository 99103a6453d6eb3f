//! The catalogue as the shop exports it.

use std::collections::HashMap;

use serde::Deserialize;

use crate::api::Api;
use crate::failure::Failure;

/// A product in the shop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stocked {
    pub(crate) id: i64,
    /// Units that can still be sold.
    pub(crate) quantity: i64,
}

#[derive(Debug, Deserialize)]
struct Row {
    id: i64,
    sku: String,
    quantity: i64,
}

/// All products of the shop by SKU.
pub(crate) async fn products(api: &Api, token: &str) -> Result<HashMap<String, Stocked>, Failure> {
    let bytes = api.get_bytes("/v1/products/export", token).await?;
    let mut products = HashMap::new();
    for row in csv::Reader::from_reader(bytes.as_slice()).deserialize() {
        let Row { id, sku, quantity } = row.map_err(|error| Failure::from(error).while_doing("reading the export"))?;
        products.insert(sku, Stocked { id, quantity });
    }
    Ok(products)
}
