//! Puts a fetched set into a server.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use tokio_postgres::Config;

use super::error::BackupError;
use super::files::Fetched;
use super::keys::Identity;
use super::manifest::{Manifest, StoredFile};
use super::pipeline::{Broken, copy, reader};
use super::program::{self, Running};
use super::progress::{BackupEvent, BackupProgress};
use crate::connection::{Connection, quote_identifier};
use crate::postgres::{Binaries, ClusterOptions, PrivateCluster};
use crate::roles::{Service, create_database};

/// Where a set goes.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// The programs to do it with.
    pub(crate) binaries: &'a Binaries,
    /// How the administrator connects to the server's maintenance database.
    pub(crate) administrator: Config,
    /// What opens the files.
    pub(crate) identity: Option<&'a Identity>,
}

impl Place<'_> {
    /// How the administrator connects to a database.
    pub(crate) fn in_database(&self, name: &str) -> Config {
        let mut config = self.administrator.clone();
        config.dbname(name);
        config
    }

    /// Makes the roles. That one is there already is no fault; any other complaint is.
    pub(crate) async fn restore_globals(&self, fetched: &Fetched, manifest: &Manifest) -> Result<(), BackupError> {
        for file in manifest.files.iter().filter(|file| file.database.is_none()) {
            let mut command = program::command(self.binaries, "psql", &self.administrator);
            command.args(["--no-psqlrc", "--quiet", "--no-password", "--file=-"]);
            let said = self.feed(command, "psql", &fetched.path(file), &file.name).await?;
            let complaint = said.lines().find(|line| line.contains("ERROR:") && !line.ends_with("already exists"));
            if let Some(complaint) = complaint {
                return Err(BackupError::Program { program: "psql".to_owned(), said: complaint.to_owned() });
            }
        }
        Ok(())
    }

    /// Makes a database of that name and fills it; the server then knows its statistics too.
    pub(crate) async fn restore_database(
        &self,
        fetched: &Fetched,
        (file, service): (&StoredFile, Service),
        name: &str,
        progress: BackupProgress<'_>,
    ) -> Result<(), BackupError> {
        progress(BackupEvent::FileStarted { name, bytes_expected: None });
        let administrator = self.connect(&self.administrator).await?;
        create_database(&administrator, name, service, None).await?;
        let mut command = program::command(self.binaries, "pg_restore", &self.in_database(name));
        command.args(["--format=custom", "--exit-on-error", "--no-password", "--dbname", name]);
        self.feed(command, "pg_restore", &fetched.path(file), &file.name).await?;
        let restored = self.connect(&self.in_database(name)).await?;
        restored.batch_execute("ANALYZE").await.map_err(BackupError::database(name, "gather its statistics"))?;
        progress(BackupEvent::FileFinished { name });
        Ok(())
    }

    /// Removes a database that was only half restored.
    pub(crate) async fn drop_database(&self, name: &str) -> Result<(), BackupError> {
        let administrator = self.connect(&self.administrator).await?;
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote_identifier(name));
        administrator.batch_execute(&sql).await.map_err(BackupError::database(name, "remove what was half restored"))
    }

    pub(crate) async fn connect(&self, config: &Config) -> Result<Connection, BackupError> {
        let database = config.get_dbname().unwrap_or("postgres").to_owned();
        Connection::open(config).await.map_err(BackupError::database(&database, "connect"))
    }

    /// Runs a program on a stored file's contents; answers what it complained of.
    async fn feed(
        &self,
        mut command: tokio::process::Command,
        program: &str,
        path: &Path,
        name: &str,
    ) -> Result<String, BackupError> {
        command.stdin(Stdio::piped());
        let mut running: Running = program::start(command, program)?;
        let stdin = running.child.stdin.take().and_then(|stdin| stdin.into_owned_fd().ok());
        let stdin = File::from(stdin.ok_or_else(|| BackupError::Internal("the program takes no input".to_owned()))?);
        let plain = open(path, self.identity).map_err(|reason| BackupError::damaged(name, reason))?;
        let copied = tokio::task::spawn_blocking(move || copy(plain, stdin)).await?;
        if let Err(Broken::Input(reason)) = copied {
            running.kill().await;
            return Err(BackupError::damaged(name, reason));
        }
        running.finish().await
    }
}

/// Removes a folder that a killed process left, and first the server that it left running in `data_dir` there.
pub(crate) async fn remove_left_over(folder: &Path, data_dir: &Path) -> Result<(), BackupError> {
    if !folder.exists() {
        return Ok(());
    }
    if data_dir.join("postgres/data/PG_VERSION").exists() {
        // Starting it is what ends an orphan; it is refused while somebody is at work there.
        let cluster = Box::pin(PrivateCluster::start(data_dir, ClusterOptions::for_tests())).await?;
        cluster.stop().await?;
    }
    std::fs::remove_dir_all(folder).map_err(BackupError::file("remove", folder))
}

fn open(path: &Path, identity: Option<&Identity>) -> Result<Box<dyn Read + Send>, String> {
    reader(path, identity)
}
