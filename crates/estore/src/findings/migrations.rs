//! Whether the schema is the one that this program knows.

use estore_ops::migrate::{Database, MigrateOptions, Migrator};
use estore_ops::roles::Service;

use super::Finding;
use crate::databases::{Databases, migrations};

/// Read as the service itself, which changes nothing.
pub async fn of(databases: &Databases, service: Service) -> Finding {
    const MEND: &str = "estore db migrate up";
    let writer = match databases.logins(service) {
        Ok(logins) => logins.writer,
        Err(error) => return Finding::wrong("migrations", error.to_string(), MEND),
    };
    let database = Database { owner: service.writer().to_owned(), ..Database::of(service, writer) };
    let standings = match Migrator::new(migrations(service), MigrateOptions::default()) {
        Ok(migrator) => migrator.status(&database).await,
        Err(error) => Err(error),
    };
    match standings {
        Err(error) => Finding::wrong("migrations", error.to_string(), MEND),
        Ok(standings) => {
            let pending = standings.iter().filter(|standing| standing.entry.is_none()).count();
            let unknown = standings.iter().filter(|standing| !standing.known).count();
            match (pending, unknown) {
                (0, 0) => Finding::ok("migrations", "all applied"),
                (0, _) => Finding::warning(
                    "migrations",
                    format!("{unknown} are newer than this program"),
                    "run the program that applied them",
                ),
                _ => Finding::wrong("migrations", format!("{pending} are pending"), MEND),
            }
        }
    }
}
