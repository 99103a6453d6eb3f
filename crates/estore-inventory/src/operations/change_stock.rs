//! Changes a product's stock by hand: a delivery, a count, a loss.

use estore_kit::db::{Db, DbError};
use estore_kit::problem::{FieldError, Problem};

use crate::limits::STOCK_UNITS_MAX;
use crate::stock::{StockChange, StockLevel};
use crate::store::stock;

/// Why stock cannot be changed so.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeStockError {
    #[error("a field breaks a rule")]
    Invalid(Vec<FieldError>),
    #[error("there is no such product")]
    NotFound,
    #[error("only {available} units are there")]
    OutOfStock { available: i32 },
    #[error("more units than a product may have")]
    TooMany { before: i32 },
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Changes it by a difference or to a number, as a movement by `actor`.
pub(crate) async fn change_stock(
    db: &Db,
    product_id: i32,
    change: &StockChange,
    actor: i32,
) -> Result<StockLevel, ChangeStockError> {
    let broken = change.broken_rules();
    if !broken.is_empty() {
        return Err(ChangeStockError::Invalid(broken));
    }
    let moved = stock::change(db, product_id, change, actor).await?.ok_or(ChangeStockError::NotFound)?;
    if moved.after < 0 {
        return Err(ChangeStockError::OutOfStock { available: moved.before });
    }
    let too_many = || ChangeStockError::TooMany { before: moved.before };
    if moved.after > i64::from(STOCK_UNITS_MAX.max(moved.before)) {
        return Err(too_many());
    }
    let quantity = i32::try_from(moved.after).map_err(|_beyond| too_many())?;
    Ok(StockLevel { product_id, quantity, movement: moved.movement })
}

impl From<ChangeStockError> for Problem {
    fn from(error: ChangeStockError) -> Self {
        match error {
            ChangeStockError::Invalid(errors) => Self::invalid(errors),
            ChangeStockError::NotFound => Self::not_found("product"),
            ChangeStockError::OutOfStock { available } => Self::conflict(
                "out_of_stock",
                format!("Only {available} units can be taken; the others are sold or held."),
            ),
            ChangeStockError::TooMany { before } => Self::invalid(vec![FieldError {
                pointer: "/delta".into(),
                code: "out_of_range".into(),
                detail: format!("must leave at most {STOCK_UNITS_MAX} units; there are {before}"),
            }]),
            ChangeStockError::Db(error) => error.into(),
        }
    }
}
