//! The use cases, one a file: its error enum, then what it does, top to bottom.

pub(crate) mod change_category;
pub(crate) mod change_product;
pub(crate) mod change_stock;
pub(crate) mod create_category;
pub(crate) mod create_product;
pub(crate) mod deactivate_product;
pub(crate) mod delete_category;
pub(crate) mod export_products;
pub(crate) mod find_product;
pub(crate) mod hold_stock;
pub(crate) mod import_products;
pub(crate) mod list_categories;
pub(crate) mod list_low_stock;
pub(crate) mod list_movements;
pub(crate) mod list_open_holds;
pub(crate) mod list_products;
pub(crate) mod release_stock;
pub(crate) mod restock;
pub(crate) mod sell_stock;
