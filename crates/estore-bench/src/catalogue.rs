//! The year's products, put into the shop by its product import with enough stock for every invoice.

use crate::api::Api;
use crate::export;
use crate::failure::Failure;
use crate::retail::Product;

/// Units put in beyond what is sold, so that what is left can be told from nothing.
const SPARE_UNITS: i64 = 10;

/// The header of the product import.
const COLUMNS: [&str; 10] = [
    "sku",
    "name",
    "description",
    "price",
    "quantity",
    "category",
    "image_url",
    "min_stock_level",
    "is_active",
    "metadata",
];

/// One row of an import.
#[derive(Debug)]
pub(crate) struct CatalogueRow<'a> {
    pub(crate) sku: &'a str,
    pub(crate) product: &'a Product,
    pub(crate) quantity: i64,
}

/// How many units of a product are put in.
pub(crate) fn put_in(product: &Product) -> i64 {
    product.sold + SPARE_UNITS
}

/// The products' ids, in the order of `products`. What an earlier, unfinished run has put in is not put in again.
pub(crate) async fn stock_up(api: &Api, token: &str, products: &[Product]) -> Result<Vec<i64>, Failure> {
    let present = export::products(api, token).await?;
    let missing: Vec<&Product> = products.iter().filter(|product| !present.contains_key(&product.sku)).collect();
    let rows = missing.iter().map(|product| CatalogueRow { sku: &product.sku, product, quantity: put_in(product) });
    if !missing.is_empty() {
        api.post_csv("/v1/products/import", token, csv(rows)?).await?;
    }
    let present = export::products(api, token).await?;
    let id = |product: &Product| present.get(&product.sku).map(|stocked| stocked.id);
    let lost = |product: &Product| Failure::new(format!("{} was imported and is not in the export", product.sku));
    products.iter().map(|product| id(product).ok_or_else(|| lost(product))).collect()
}

/// The rows as a file of our own columns.
pub(crate) fn csv<'a>(rows: impl Iterator<Item = CatalogueRow<'a>>) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for CatalogueRow { sku, product, quantity } in rows {
        let description = format!("{} ({})", product.name, product.stock_code);
        let price = format!("{}.{:02}", product.price / 100, product.price % 100);
        let quantity = quantity.to_string();
        let metadata = serde_json::json!({"stock_code": product.stock_code}).to_string();
        let fields = [sku, &product.name, &description, &price, &quantity, "", "", "0", "true", &metadata];
        writer.write_record(fields)?;
    }
    writer.into_inner().map_err(|error| Failure::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{CatalogueRow, csv};
    use crate::retail::Product;

    #[test]
    fn a_row_is_quoted_and_its_price_has_pence() {
        let product =
            Product { sku: "1A@5".into(), stock_code: "1A".into(), name: "LAMP, \"RED\"".into(), price: 5, sold: 2 };
        let bytes = csv(std::iter::once(CatalogueRow { sku: &product.sku, product: &product, quantity: 12 })).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let expected = r#"1A@5,"LAMP, ""RED""","LAMP, ""RED"" (1A)",0.05,12,,,0,true,"{""stock_code"":""1A""}""#;
        assert_eq!(text.lines().nth(1), Some(expected));
    }
}
