//! Restored databases take the place of the live ones.

use tokio_postgres::Config;

use super::error::BackupError;
use crate::connection::{Connection, quote_identifier, quote_literal};
use crate::roles::Service;

/// A live database.
#[derive(Debug, Clone)]
pub struct Live {
    /// Whose it is.
    pub service: Service,
    /// Its name on its server.
    pub database: String,
    /// How the server's administrator connects to its maintenance database.
    pub administrator: Config,
}

/// What a database is called until it takes the live one's place.
#[must_use]
pub fn restored_name(database: &str) -> String {
    format!("{database}_restored")
}

pub(crate) async fn exists(administrator: &Connection, name: &str) -> Result<bool, BackupError> {
    let row = administrator.query_one("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", &[&name]).await;
    Ok(row.map_err(BackupError::database(name, "look for it"))?.get(0))
}

/// Puts restored databases in the place of the live ones, which are kept under the names answered. On one
/// server it is all of them or none.
///
/// # Errors
/// [`BackupError::InTheWay`] when there is nothing to put in place.
pub async fn switch(live: &[Live]) -> Result<Vec<String>, BackupError> {
    let mut servers: Vec<(&Config, Vec<String>)> = Vec::new();
    for database in live {
        match servers.iter_mut().find(|(server, _)| *server == &database.administrator) {
            Some((_, names)) => names.push(database.database.clone()),
            None => servers.push((&database.administrator, vec![database.database.clone()])),
        }
    }
    let mut kept = Vec::new();
    for (config, names) in servers {
        let administrator = Connection::open(config).await.map_err(BackupError::database("postgres", "connect"))?;
        kept.extend(switch_all(&administrator, &names).await?);
    }
    Ok(kept)
}

pub(crate) async fn switch_all(administrator: &Connection, live: &[String]) -> Result<Vec<String>, BackupError> {
    for database in live {
        let restored = restored_name(database);
        if !exists(administrator, &restored).await? {
            return Err(BackupError::InTheWay {
                what: format!("there is no database {restored} to put in the place of {database}"),
                mend: "Restore it first: estore backup restore --beside".to_owned(),
            });
        }
    }
    let failed = || BackupError::database("the server", "put the restored databases in place");
    let row = administrator.query_one("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD_HH24MISS')", &[]).await;
    let moment: String = row.map_err(failed())?.get(0);
    let mut kept = Vec::new();
    let (mut close, mut rename, mut open) = (String::new(), String::from("BEGIN;"), String::new());
    for database in live {
        let (old, new) = (format!("{database}_replaced_{moment}"), restored_name(database));
        let quoted = quote_identifier;
        if exists(administrator, database).await? {
            close.push_str(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false;", quoted(database)));
            rename.push_str(&format!("ALTER DATABASE {} RENAME TO {};", quoted(database), quoted(&old)));
            open.push_str(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true;", quoted(&old)));
            kept.push(old);
        }
        rename.push_str(&format!("ALTER DATABASE {} RENAME TO {};", quoted(&new), quoted(database)));
    }
    rename.push_str("COMMIT");
    administrator.batch_execute(&close).await.map_err(failed())?;
    let names: Vec<String> =
        live.iter().flat_map(|name| [name.clone(), restored_name(name)]).map(|name| quote_literal(&name)).collect();
    let end = format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname IN ({}) AND pid <> pg_backend_pid()",
        names.join(", ")
    );
    let mut renamed = administrator.batch_execute(&end).await;
    if renamed.is_ok() {
        renamed = administrator.batch_execute(&rename).await;
    }
    if let Err(error) = renamed {
        let again: String = live
            .iter()
            .map(|name| format!("ALTER DATABASE {} ALLOW_CONNECTIONS true;", quote_identifier(name)))
            .collect();
        administrator.batch_execute(&format!("ROLLBACK; {again}")).await.map_err(failed())?;
        return Err(failed()(error));
    }
    administrator.batch_execute(&open).await.map_err(failed())?;
    Ok(kept)
}
