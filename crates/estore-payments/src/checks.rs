//! The promises of `estore_payments`, as queries that answer each offending row.

use estore_kit::check::Check;

/// The checks of `estore verify` on `estore_payments`.
pub const CHECKS: &[Check] = &[];
