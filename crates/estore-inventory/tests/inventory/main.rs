//! InventoryService on a real PostgreSQL, through its router and its trait.

mod audit;
mod catalogue;
mod categories;
mod checks;
mod events;
mod holds;
mod hot_plans;
mod identity;
mod imports;
mod index;
mod neighbours;
mod openapi;
mod plans;
mod products;
mod schema;
mod search;
mod shop;
mod statements;
mod stock;
mod stock_shown;
