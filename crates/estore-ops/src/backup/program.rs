//! PostgreSQL's own programs, connected as the driver would be.

use std::path::Path;
use std::process::Stdio;

use estore_kit::db;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode};

use super::error::BackupError;
use crate::postgres::Binaries;

/// What is kept of a program's complaints, in bytes.
const SAID_BYTES_MAX: usize = 4096;
/// Where libpq finds the authorities that our own driver trusts too.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A program that runs, and what it complains of.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) child: Child,
    name: String,
    said: JoinHandle<String>,
}

/// A command that reaches the database of `config`, by the environment: arguments are seen by everybody.
pub(crate) fn command(binaries: &Binaries, name: &str, config: &Config) -> Command {
    let mut command = Command::new(binaries.program(name));
    for (variable, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(variable);
    }
    command.env("LC_ALL", "C").env("PGCONNECT_TIMEOUT", "30").env("PGAPPNAME", "estore backup");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let host = config.get_hosts().first();
    match host {
        Some(Host::Tcp(host)) => command.env("PGHOST", host),
        Some(Host::Unix(folder)) => command.env("PGHOST", folder),
        None => command.env("PGHOST", "localhost"),
    };
    if let Some(port) = config.get_ports().first() {
        command.env("PGPORT", port.to_string());
    }
    if let Some(user) = config.get_user() {
        command.env("PGUSER", user);
    }
    if let Some(password) = config.get_password() {
        command.env("PGPASSWORD", String::from_utf8_lossy(password).as_ref());
    }
    if let Some(database) = config.get_dbname() {
        command.env("PGDATABASE", database);
    }
    if matches!(host, Some(Host::Tcp(_)) | None) && config.get_ssl_mode() != SslMode::Disable {
        // As our driver: no connection without a certificate that is checked.
        command.env("PGSSLMODE", "verify-full");
        let named = db::authority_file().map(|file| file.as_os_str().to_owned());
        let given = || ["PGSSLROOTCERT", "SSL_CERT_FILE"].iter().find_map(std::env::var_os);
        let authorities = named.or_else(given).unwrap_or_else(|| AUTHORITIES.into());
        command.env("PGSSLROOTCERT", authorities);
        if config.get_channel_binding() == ChannelBinding::Require {
            command.env("PGCHANNELBINDING", "require");
        }
    }
    command
}

/// Starts a program.
pub(crate) fn start(mut command: Command, name: &str) -> Result<Running, BackupError> {
    let path = Path::new(command.as_std().get_program()).to_owned();
    let mut child = command.spawn().map_err(BackupError::file("run", &path))?;
    let said = tokio::spawn(last_words(child.stderr.take()));
    Ok(Running { child, name: name.to_owned(), said })
}

/// Runs a program to its end; what it printed tells why it failed.
pub(crate) async fn run(mut command: Command, name: &str) -> Result<(), BackupError> {
    let path = Path::new(command.as_std().get_program()).to_owned();
    command.stdout(Stdio::piped());
    let answer = command.output().await.map_err(BackupError::file("run", &path))?;
    if answer.status.success() {
        return Ok(());
    }
    let mut said = [answer.stdout, answer.stderr].concat();
    said.truncate(SAID_BYTES_MAX);
    Err(BackupError::Program { program: name.to_owned(), said: String::from_utf8_lossy(&said).trim().to_owned() })
}

impl Running {
    /// Waits for its end; what it complained of is answered even where it ended well.
    pub(crate) async fn finish(mut self) -> Result<String, BackupError> {
        let well = self.child.wait().await.is_ok_and(|status| status.success());
        let said = self.said.await.unwrap_or_default();
        if well { Ok(said) } else { Err(BackupError::Program { program: self.name, said }) }
    }

    /// Ends it now.
    pub(crate) async fn kill(mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::debug!(%error, program = self.name, "it had ended already");
        }
    }
}

async fn last_words(stderr: Option<ChildStderr>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let (mut kept, mut piece) = (Vec::new(), vec![0; SAID_BYTES_MAX]);
    while let Ok(read) = stderr.read(&mut piece).await {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&piece[..read]);
        let surplus = kept.len().saturating_sub(SAID_BYTES_MAX);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}
