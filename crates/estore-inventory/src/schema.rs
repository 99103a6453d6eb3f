//! The schema's steps, and the promises as SQL.

use estore_kit::audit::{KEEP_AUDIT_LOG, SEAL_AUDIT_LOG, SHAPE_PARTITIONS};
use estore_kit::check::{AUDIT_IS_WRITTEN, Check, ROLES_ARE_NARROW, ROWS_ARE_CLOSED};
use estore_kit::migration::Migration;

/// The steps of the schema, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 202611222000,
        name: "create_catalogue",
        up: include_str!("../migrations/202611222000_create_catalogue/up.sql"),
        down: include_str!("../migrations/202611222000_create_catalogue/down.sql"),
    },
    Migration {
        version: 202611222010,
        name: "create_stock",
        up: include_str!("../migrations/202611222010_create_stock/up.sql"),
        down: include_str!("../migrations/202611222010_create_stock/down.sql"),
    },
    Migration {
        version: 202611222020,
        name: "create_import",
        up: include_str!("../migrations/202611222020_create_import/up.sql"),
        down: include_str!("../migrations/202611222020_create_import/down.sql"),
    },
    Migration {
        version: 202611222130,
        name: "create_event_outbox",
        up: include_str!("../migrations/202611222130_create_event_outbox/up.sql"),
        down: include_str!("../migrations/202611222130_create_event_outbox/down.sql"),
    },
    Migration {
        version: 202611230115,
        name: "announce_catalogue_edits",
        up: include_str!("../migrations/202611230115_announce_catalogue_edits/up.sql"),
        down: include_str!("../migrations/202611230115_announce_catalogue_edits/down.sql"),
    },
    Migration {
        version: 202611230120,
        name: "siblings_differ",
        up: include_str!("../migrations/202611230120_siblings_differ/up.sql"),
        down: include_str!("../migrations/202611230120_siblings_differ/down.sql"),
    },
    Migration {
        version: 202611260030,
        name: "announce_new_products",
        up: include_str!("../migrations/202611260030_announce_new_products/up.sql"),
        down: include_str!("../migrations/202611260030_announce_new_products/down.sql"),
    },
    Migration {
        version: 202611260035,
        name: "close_rows",
        up: include_str!("../migrations/202611260035_close_rows/up.sql"),
        down: include_str!("../migrations/202611260035_close_rows/down.sql"),
    },
    SHAPE_PARTITIONS,
    KEEP_AUDIT_LOG,
    Migration {
        version: 202611260335,
        name: "audit_catalogue",
        up: include_str!("../migrations/202611260335_audit_catalogue/up.sql"),
        down: include_str!("../migrations/202611260335_audit_catalogue/down.sql"),
    },
    SEAL_AUDIT_LOG,
    Migration {
        version: 202611260345,
        name: "seal_movements_by_id",
        up: include_str!("../migrations/202611260345_seal_movements_by_id/up.sql"),
        down: include_str!("../migrations/202611260345_seal_movements_by_id/down.sql"),
    },
    Migration {
        version: 202611260410,
        name: "audit_removed_products",
        up: include_str!("../migrations/202611260410_audit_removed_products/up.sql"),
        down: include_str!("../migrations/202611260410_audit_removed_products/down.sql"),
    },
    Migration {
        version: 202611270200,
        name: "find_movements_by_id",
        up: include_str!("../migrations/202611270200_find_movements_by_id/up.sql"),
        down: include_str!("../migrations/202611270200_find_movements_by_id/down.sql"),
    },
    Migration {
        version: 202611270205,
        name: "drop_movements_age",
        up: include_str!("../migrations/202611270205_drop_movements_age/up.sql"),
        down: include_str!("../migrations/202611270205_drop_movements_age/down.sql"),
    },
];

/// The promises of the inventory; each query answers the rows that break one.
pub const CHECKS: &[Check] = &[
    ROWS_ARE_CLOSED,
    ROLES_ARE_NARROW,
    AUDIT_IS_WRITTEN,
    Check { promise: 1, name: "quantity_not_negative", sql: include_str!("../checks/quantity_not_negative.sql") },
    Check {
        promise: 1,
        name: "movements_sum_to_quantity",
        sql: include_str!("../checks/movements_sum_to_quantity.sql"),
    },
    Check { promise: 1, name: "movements_have_products", sql: include_str!("../checks/movements_have_products.sql") },
    Check { promise: 1, name: "restocks_within_sales", sql: include_str!("../checks/restocks_within_sales.sql") },
    Check { promise: 2, name: "holds_move_their_lines", sql: include_str!("../checks/holds_move_their_lines.sql") },
    Check { promise: 2, name: "holds_have_lines", sql: include_str!("../checks/holds_have_lines.sql") },
    Check { promise: 2, name: "categories_are_a_tree", sql: include_str!("../checks/categories_are_a_tree.sql") },
];
