//! What the services of this process tell of themselves.

use estore_kit::db::DbError;
use estore_kit::metrics::{Family, Page};
use estore_ops::monitor::lookout::LOOK_TIME_MAX;
use estore_ops::roles::Service;
use tokio::time::timeout;

use super::Services;

const BACKLOG_READ: Family =
    Family::gauge("estore_backlog_read", "Whether what waits in a service could be read in time.");

const LIMITED: Family =
    Family::counter("estore_requests_limited_total", "Requests refused because there were too many, by limit.");

impl Services {
    /// Shows what this process has counted.
    pub fn show_figures(&self, page: &mut Page) {
        for (limit, count) in self.limited.values() {
            page.sample(&LIMITED, &[("limit", limit)], count);
        }
        if let Some(users) = &self.users {
            users.show_figures(page);
        }
        if let Some(inventory) = &self.inventory {
            inventory.show_figures(page);
        }
        if let Some(payments) = &self.payments {
            payments.show_figures(page);
        }
    }

    /// Shows what waits in each service's database.
    pub async fn show_backlogs(&self, page: &mut Page) {
        let users = async {
            let mut page = Page::default();
            if let Some(users) = &self.users {
                let read = read(users.show_backlog(&mut page)).await;
                note(&mut page, Service::Users, read);
            }
            page
        };
        let inventory = async {
            let mut page = Page::default();
            if let Some(inventory) = &self.inventory {
                let read = read(inventory.show_backlog(&mut page)).await;
                note(&mut page, Service::Inventory, read);
            }
            page
        };
        let payments = async {
            let mut page = Page::default();
            if let Some(payments) = &self.payments {
                let read = read(payments.show_backlog(&mut page)).await;
                note(&mut page, Service::Payments, read);
            }
            page
        };
        let (users, inventory, payments) = tokio::join!(users, inventory, payments);
        [users, inventory, payments].iter().for_each(|part| page.merge(part));
    }
}

/// Whether it could be read in time.
async fn read(look: impl Future<Output = Result<(), DbError>>) -> bool {
    matches!(timeout(LOOK_TIME_MAX, look).await, Ok(Ok(())))
}

fn note(page: &mut Page, service: Service, read: bool) {
    page.sample(&BACKLOG_READ, &[("service", service.name())], u8::from(read));
}
