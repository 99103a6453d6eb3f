//! Rows for the proof that migrations go up, down and up again.

use estore_ops::migrate::Seed;
use estore_ops::roles::Service;

/// The rows of a service's scratch database, each set put in after the migration it names.
pub fn of(service: Service) -> &'static [Seed] {
    match service {
        Service::Users => &[],
        Service::Inventory => &[],
        Service::Payments => &[],
    }
}
