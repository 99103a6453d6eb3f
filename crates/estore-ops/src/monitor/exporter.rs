//! Figures of servers and databases for Prometheus, by the names that postgres_exporter gives them where it has them.

mod collector;
mod database;
mod server;

use estore_kit::metrics::{Family, Page};

use self::collector::Collector;
use super::lookout::Lookout;

const UP: Family = Family::gauge("pg_up", "Whether the database answers.");
const COLLECTED: Family =
    Family::gauge("pg_scrape_collector_success", "Whether the figures of this kind could be read.");

/// Shows figures of a server under the name `server`: whether it answers, and if so all the rest.
pub async fn show_server(lookout: &Lookout, page: &mut Page, server: &str) {
    let labels = [("server", server)];
    let up = show(lookout, page, server::COLLECTORS, &labels).await;
    page.sample(&UP, &labels, u8::from(up));
}

/// Shows figures of what is in a database; answers whether it does at all.
pub async fn show_database(lookout: &Lookout, page: &mut Page, server: &str, database: &str) -> bool {
    let labels = [("server", server), ("datname", database)];
    show(lookout, page, database::COLLECTORS, &labels).await
}

/// Answers whether the database does. Figures that could be read are shown; each kind tells whether it could.
async fn show(lookout: &Lookout, page: &mut Page, collectors: &[Collector], labels: &[(&str, &str)]) -> bool {
    let mut seen = Vec::new();
    let looked = lookout
        .look(async |connection| {
            for collector in collectors {
                let rows = connection.query_typed(collector.sql, &[]).await;
                if connection.is_closed() {
                    return rows.map(drop);
                }
                seen.push((collector, rows));
            }
            Ok(())
        })
        .await;
    if let Err(error) = &looked {
        tracing::debug!(%error, "a database tells nothing");
        // What was read before it fell silent would look like the whole.
        return false;
    }
    for (collector, rows) in seen {
        let labels_of_kind: Vec<_> = labels.iter().copied().chain([("collector", collector.name)]).collect();
        page.sample(&COLLECTED, &labels_of_kind, u8::from(rows.is_ok()));
        match rows {
            Ok(rows) => collector.show(page, &rows, labels),
            Err(error) => tracing::debug!(%error, collector = collector.name, "figures that cannot be read"),
        }
    }
    true
}
