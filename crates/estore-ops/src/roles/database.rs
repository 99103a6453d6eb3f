//! One database's privileges and extensions; the same for the real one, a scratch one and a test's.

use tokio_postgres::{Client, Config};

use super::{BACKUP, MONITOR, READER, RolesError, STAFF, Service};
use crate::connection::{Connection, quote_identifier};

/// Makes a database owned by the service's owner role, empty or as a copy of `template`.
///
/// # Errors
/// [`RolesError::Refused`].
pub async fn create_database(
    administrator: &Client,
    name: &str,
    service: Service,
    template: Option<&str>,
) -> Result<(), RolesError> {
    let from = match template {
        Some(template) => format!("TEMPLATE {}", quote_identifier(template)),
        None => "ENCODING 'UTF8' TEMPLATE template0".to_owned(),
    };
    let sql = format!("CREATE DATABASE {} OWNER {} {from}", quote_identifier(name), service.owner());
    administrator.batch_execute(&sql).await.map_err(RolesError::at(format!("make the database {name}")))?;
    // A copy does not inherit these.
    grant_database(administrator, name, service).await
}

/// Ends every session of a database and removes it; no error when it is not there.
///
/// # Errors
/// [`RolesError::Refused`].
pub async fn drop_database(administrator: &Client, name: &str) -> Result<(), RolesError> {
    let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote_identifier(name));
    administrator.batch_execute(&sql).await.map_err(RolesError::at(format!("remove the database {name}")))
}

/// Lets only this database's roles, and those that look after all, connect to it.
///
/// # Errors
/// [`RolesError::Refused`].
pub async fn grant_database(administrator: &Client, name: &str, service: Service) -> Result<(), RolesError> {
    let (database, writer, app) = (quote_identifier(name), service.writer(), service.app());
    let sql = format!(
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC; \
         GRANT CONNECT ON DATABASE {database} TO {writer}, {app}, {READER}, {MONITOR}, {BACKUP}"
    );
    administrator.batch_execute(&sql).await.map_err(RolesError::at(format!("close the database {name}")))
}

/// Makes the privileges inside a database right and installs the extensions its service needs.
///
/// # Errors
/// [`RolesError::Refused`].
pub async fn prepare_database(administrator: &Config, name: &str, service: Service) -> Result<(), RolesError> {
    let mut config = administrator.clone();
    config.dbname(name);
    let connection =
        Connection::open(&config).await.map_err(RolesError::at(format!("connect to the database {name}")))?;
    let failed = || RolesError::at(format!("prepare the database {name}"));
    let sql = "SELECT has_schema_privilege($1, 'public', 'USAGE') \
               AND NOT has_schema_privilege('public', 'public', 'USAGE')";
    let prepared = connection.query_one(sql, &[&service.writer()]).await.map_err(failed())?;
    if !prepared.get::<_, bool>(0) {
        grant_database(&connection, name, service).await?;
        connection.batch_execute(&privileges(service)).await.map_err(failed())?;
    }
    let mut extensions = String::new();
    for extension in service.extensions() {
        extensions.push_str(&format!("CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA public;"));
    }
    extensions.push_str(STATISTICS);
    connection.batch_execute(&extensions).await.map_err(RolesError::at(format!("install the extensions of {name}")))?;
    connection.batch_execute(&sequences(service)).await.map_err(failed())
}

/// Lets the monitor see how many numbers are left; databases of earlier versions too.
fn sequences(service: Service) -> String {
    let owner = service.owner();
    format!(
        "DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_default_acl, aclexplode(defaclacl) granted
                           WHERE defaclrole = '{owner}'::regrole AND defaclobjtype = 'S'
                             AND granted.grantee = '{MONITOR}'::regrole) THEN
                ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT SELECT ON SEQUENCES TO {MONITOR};
                GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {MONITOR};
            END IF;
        END $$"
    )
}

/// Statement statistics where the server has loaded them; a server of one's own may not have, or
/// may not let us see or install them.
const STATISTICS: &str = "SET client_min_messages = warning;
DO $$ BEGIN
    IF current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'
        AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements') THEN
        CREATE EXTENSION pg_stat_statements SCHEMA public;
    END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN NULL;
END $$;";

/// What the migrations begin with; `close_rows` of each service passes the application's rights on to the writer. A
/// database of a time before there was one has all of this but the first lines already.
fn privileges(service: Service) -> String {
    let (owner, writer, app) = (service.owner(), service.writer(), service.app());
    format!(
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;
         GRANT USAGE ON SCHEMA public TO {writer}, {app}, {STAFF}, {READER}, {MONITOR}, {BACKUP};
         GRANT USAGE, CREATE ON SCHEMA public TO {owner};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
             GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {app}, {READER};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT SELECT ON TABLES TO {READER};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT SELECT ON SEQUENCES TO {READER};"
    )
}
