//! Rows for the proof that migrations go up, down and up again.

use estore_ops::migrate::Seed;
use estore_ops::roles::Service;

const USERS: &[Seed] = &[
    Seed { version: 202_611_222_030, sql: include_str!("../../seeds/users_accounts.sql") },
    Seed { version: 202_611_222_031, sql: include_str!("../../seeds/users_sessions.sql") },
    Seed { version: 202_611_222_130, sql: include_str!("../../seeds/users_events.sql") },
    Seed { version: 202_611_230_116, sql: include_str!("../../seeds/users_ended_sessions.sql") },
    Seed { version: 202_611_261_000, sql: include_str!("../../seeds/users_passkeys.sql") },
];
const INVENTORY: &[Seed] = &[
    Seed { version: 202_611_222_000, sql: include_str!("../../seeds/inventory_catalogue.sql") },
    Seed { version: 202_611_222_010, sql: include_str!("../../seeds/inventory_stock.sql") },
    Seed { version: 202_611_222_130, sql: include_str!("../../seeds/inventory_events.sql") },
];
const PAYMENTS: &[Seed] = &[
    Seed { version: 202_611_220_900, sql: include_str!("../../seeds/payments_orders.sql") },
    Seed { version: 202_611_220_910, sql: include_str!("../../seeds/payments_ledger.sql") },
    Seed { version: 202_611_222_110, sql: include_str!("../../seeds/payments_stripe.sql") },
    Seed { version: 202_611_222_120, sql: include_str!("../../seeds/payments_webhooks.sql") },
    Seed { version: 202_611_222_150, sql: include_str!("../../seeds/payments_invoices.sql") },
    Seed { version: 202_611_222_160, sql: include_str!("../../seeds/payments_notices.sql") },
    Seed { version: 202_611_230_100, sql: include_str!("../../seeds/payments_undo.sql") },
    Seed { version: 202_611_230_110, sql: include_str!("../../seeds/payments_endpoints.sql") },
    Seed { version: 202_611_230_120, sql: include_str!("../../seeds/payments_disputes.sql") },
];

/// The rows of a service's scratch database, each set put in after the migration it names.
pub fn of(service: Service) -> &'static [Seed] {
    match service {
        Service::Users => USERS,
        Service::Inventory => INVENTORY,
        Service::Payments => PAYMENTS,
    }
}
