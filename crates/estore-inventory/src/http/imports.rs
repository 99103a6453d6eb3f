//! Product files over HTTP: streamed in and out, whatever their size.

use std::io;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use estore_kit::auth::MayManageCatalogue;
use estore_kit::extract::too_large;
use estore_kit::problem::{FieldError, Problem};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio_util::io::StreamReader;

use super::problems::{AdminRead, Import};
use crate::Inventory;
use crate::import::{ImportError, ImportReport, RowFault};
use crate::operations::export_products::export_products as export;

/// Imports products from CSV, all or nothing, up to 256 MiB.
///
/// Our own layout has the columns `id, sku, name, description, price, quantity, category, image_url, min_stock_level,
/// is_active, metadata`, of which `name` and `price` are needed; `price` is an amount such as `12.50`, `category` a
/// path such as `Garden > Tools` that is made where it is missing, `metadata` a JSON object. Shopify's product files
/// of 2019 to 2025 are read as they are: each variant becomes a product that shares `metadata.handle`.
///
/// A row is about the product with its `id`; else about the one imported with the same SKU, else the same handle and
/// options, else the same name; else it makes a new product. So the same file twice changes nothing. Where the file
/// has a quantity, the stock is set to it.
#[utoipa::path(
    post, path = "/v1/products/import", tag = "catalogue", security(("bearer" = [])),
    request_body(content = String, content_type = "text/csv", description = "The file: UTF-8, comma separated."),
    responses((status = 200, description = "What was done.", body = ImportReport), Import)
)]
pub(crate) async fn import_products(
    State(inventory): State<Inventory>,
    _caller: MayManageCatalogue,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    require_csv(&request)?;
    let pieces = request.into_body().into_data_stream().map_err(io::Error::other);
    let report = inventory.import_products(StreamReader::new(pieces), |_rows| {}).await?;
    Ok(axum::Json(report))
}

/// Exports all products as CSV in our own layout; importing it back changes nothing.
#[utoipa::path(
    get, path = "/v1/products/export", tag = "catalogue", security(("bearer" = [])),
    responses((status = 200, description = "The file.", body = String, content_type = "text/csv"), AdminRead)
)]
pub(crate) async fn export_products(
    State(inventory): State<Inventory>,
    _caller: MayManageCatalogue,
) -> Result<impl IntoResponse, Problem> {
    let pieces = export(&inventory.db).await?;
    let pieces = stream::unfold(pieces, |mut pieces| async { Some((pieces.recv().await?, pieces)) });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"products.csv\""),
    ];
    Ok((headers, Body::from_stream(pieces.boxed())))
}

fn require_csv(request: &Request) -> Result<(), Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Send the file with the header Content-Type: text/csv.",
    ))
}

impl From<&RowFault> for FieldError {
    fn from(fault: &RowFault) -> Self {
        let place = if fault.column.is_empty() { String::new() } else { format!(", column {}", fault.column) };
        Self { pointer: format!("line {}{place}", fault.line), code: fault.rule.into(), detail: fault.detail.clone() }
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Refused { faults, total } => {
                let detail = format!(
                    "Nothing was imported: the file breaks rules in {total} places, {} of which `errors` names.",
                    faults.len()
                );
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "import_refused", detail)
                    .with_errors(faults.iter().map(FieldError::from).collect())
            }
            ImportError::Empty => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "empty_file", "The file is empty."),
            ImportError::Db(error) if error.is_constraint("idx_products_import_key") => {
                let detail =
                    "A product of the file was made by another request meanwhile. Nothing was imported; do it again.";
                Self::conflict("import_overtaken", detail).retry_after(1)
            }
            ImportError::Busy => {
                Self::conflict("import_running", "Another import is running. Wait until it has ended.").retry_after(10)
            }
            ImportError::TooLarge => too_large(),
            ImportError::Unreadable(error) => Self::bad_request("unreadable_body", error.to_string()),
            ImportError::Db(error) => error.into(),
        }
    }
}
