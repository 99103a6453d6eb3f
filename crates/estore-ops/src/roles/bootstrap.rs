//! Makes the roles and databases, as administrator; running it again changes nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, Config};

use super::{BACKUP, MONITOR, READER, RoleOptions, STAFF, Service, all, create_database, prepare_database};
use crate::connection::{Connection, quote_identifier, quote_literal};

/// Two starts at once take turns under this advisory lock of the administration database.
const LOCK_KEY: i64 = 0x4553_544f_524f_4c45;
const LOCK_WAIT: Duration = Duration::from_secs(60);
const LOCK_STEP: Duration = Duration::from_millis(50);

/// Why the roles and databases are not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    /// The server refused a step.
    #[error("{step}: {}", described(source))]
    Refused {
        /// What was being done.
        step: String,
        /// The refusal.
        source: tokio_postgres::Error,
    },
    /// Another process has been preparing the server for too long.
    #[error("another process has been preparing this server's roles for {0} s; end it and try again")]
    Busy(u64),
    /// A password was given for a role that is not ours.
    #[error("a password is given for the role {0}, which is none of EStore's")]
    UnknownRole(String),
}

impl RolesError {
    pub(crate) fn at(step: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Self {
        let step = step.into();
        move |source| Self::Refused { step, source }
    }
}

fn described(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |db| format!("{} ({})", db.message(), db.code().code()))
}

/// Makes every role, the server's databases, their privileges and extensions. `administrator` connects
/// to the administration database (`postgres`); it needs CREATEROLE and CREATEDB.
///
/// # Errors
/// [`RolesError`] naming the step; whatever was done stays and the next run goes on from there.
pub async fn bootstrap(administrator: &Config, options: &RoleOptions) -> Result<(), RolesError> {
    if let Some(unknown) = options.passwords.keys().find(|name| !all().any(|role| role == **name)) {
        return Err(RolesError::UnknownRole(unknown.clone()));
    }
    let connection = Connection::open(administrator).await.map_err(RolesError::at("connect as administrator"))?;
    lock(&connection).await?;
    connection.batch_execute(&role_statements(options)).await.map_err(RolesError::at("make the roles"))?;
    if options.server_is_ours {
        close_other_databases(&connection).await?;
    }
    let present = connection
        .query("SELECT datname::text FROM pg_database", &[])
        .await
        .map_err(RolesError::at("list the databases"))?;
    let present: Vec<String> = present.iter().map(|row| row.get(0)).collect();
    let services = if options.services.is_empty() { &Service::ALL[..] } else { &options.services };
    for &service in services {
        if !present.iter().any(|name| name == service.database()) {
            create_database(&connection, service.database(), service, None).await?;
        }
        prepare_database(administrator, service.database(), service).await?;
    }
    Ok(())
}

async fn lock(client: &Client) -> Result<(), RolesError> {
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        let row = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK_KEY])
            .await
            .map_err(RolesError::at("take the lock"))?;
        if row.get(0) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(RolesError::Busy(LOCK_WAIT.as_secs()));
        }
        sleep(LOCK_STEP).await;
    }
}

/// One text, so that the usual start costs one round trip.
fn role_statements(options: &RoleOptions) -> String {
    let mut sql = String::new();
    for role in all() {
        let attributes = attributes(&role, options);
        let (name, text) = (quote_identifier(&role), quote_literal(&role));
        sql.push_str(&format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text}) THEN \
             CREATE ROLE {name} {attributes}; END IF; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;\n"
        ));
        if let Some(password) = options.passwords.get(&role) {
            // Hashed here, so that neither the network nor the server's log sees the password.
            let verifier = postgres_protocol::password::scram_sha_256(password.reveal().as_bytes());
            sql.push_str(&format!("ALTER ROLE {name} LOGIN PASSWORD {};\n", quote_literal(&verifier)));
        }
    }
    for service in Service::ALL {
        // Whoever administers becomes an owner by SET ROLE; a superuser may anyway.
        sql.push_str(&format!(
            "DO $$ BEGIN IF NOT pg_has_role(current_user, '{owner}', 'MEMBER') THEN \
             EXECUTE format('GRANT {owner} TO %I', current_user); END IF; END $$;\n",
            owner = service.owner()
        ));
        // The application has staff's rights only while it says that it is staff.
        sql.push_str(&format!(
            "DO $$ BEGIN IF (SELECT rolinherit FROM pg_roles WHERE rolname = '{app}') THEN \
             ALTER ROLE {app} NOINHERIT; END IF; \
             IF NOT pg_has_role('{app}', '{STAFF}', 'MEMBER') THEN GRANT {STAFF} TO {app}; END IF; END $$;\n",
            app = service.app()
        ));
    }
    sql.push_str(&format!(
        "DO $$ BEGIN IF NOT pg_has_role('{MONITOR}', 'pg_monitor', 'MEMBER') THEN GRANT pg_monitor TO {MONITOR}; END IF; \
         IF NOT pg_has_role('{BACKUP}', 'pg_read_all_data', 'MEMBER') THEN GRANT pg_read_all_data TO {BACKUP}; END IF; \
         END $$;\n"
    ));
    sql
}

fn attributes(role: &str, options: &RoleOptions) -> &'static str {
    let owner = Service::ALL.iter().any(|service| service.owner() == role);
    match role {
        BACKUP => "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS",
        STAFF => "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
        READER | MONITOR => "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
        _ if owner && !options.passwords.contains_key(role) => {
            "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
        }
        _ => "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
    }
}

async fn close_other_databases(client: &Client) -> Result<(), RolesError> {
    let sql = format!(
        "DO $$ BEGIN IF has_database_privilege('{READER}', 'postgres', 'CONNECT') THEN \
         REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC; \
         GRANT CONNECT ON DATABASE postgres TO {MONITOR}, {BACKUP}; END IF; END $$"
    );
    client.batch_execute(&sql).await.map_err(RolesError::at("close the server's other databases"))
}
