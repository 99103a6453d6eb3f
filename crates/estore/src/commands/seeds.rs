//! Rows for the proof that migrations go up, down and up again.

use estore_ops::migrate::Seed;
use estore_ops::roles::Service;

const USERS: &[Seed] = &[
    Seed { version: 202_611_222_030, sql: include_str!("../../seeds/users_accounts.sql") },
    Seed { version: 202_611_222_031, sql: include_str!("../../seeds/users_sessions.sql") },
];
const INVENTORY: &[Seed] = &[
    Seed { version: 202_611_222_000, sql: include_str!("../../seeds/inventory_catalogue.sql") },
    Seed { version: 202_611_222_010, sql: include_str!("../../seeds/inventory_stock.sql") },
];
const PAYMENTS: &[Seed] = &[
    Seed { version: 202_611_220_900, sql: include_str!("../../seeds/payments_orders.sql") },
    Seed { version: 202_611_220_910, sql: include_str!("../../seeds/payments_ledger.sql") },
];

/// The rows of a service's scratch database, each set put in after the migration it names.
pub fn of(service: Service) -> &'static [Seed] {
    match service {
        Service::Users => USERS,
        Service::Inventory => INVENTORY,
        Service::Payments => PAYMENTS,
    }
}
