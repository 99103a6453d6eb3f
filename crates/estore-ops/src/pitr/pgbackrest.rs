//! pgBackRest, driven: its settings, its commands, its answers.

mod answer;
mod configuration;
mod reach;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use async_trait::async_trait;
use tokio::process::Command;

use super::archiver::{Archiver, Base, Kind, Reach};
use super::error::PitrError;
use super::mark::Mark;
use super::moment::Moment;
use crate::postgres::account::Account;
use answer::Info;
use configuration::server_settings;
pub(crate) use configuration::{ARCHIVE_SECONDS_MAX, Configuration, INCLUDED, STANZA, repository_of};

/// The program's name.
const PROGRAM: &str = "pgbackrest";
/// The marks, beside what pgBackRest keeps in the repository.
const MARKS: &str = "estore-marks.json";
/// What is kept of its complaints, in bytes.
const SAID_BYTES_MAX: usize = 4096;

/// pgBackRest for one server, with the settings in a folder.
#[derive(Debug, Clone)]
pub struct PgBackRest {
    program: PathBuf,
    home: PathBuf,
    repository: PathBuf,
    account: Account,
}

impl PgBackRest {
    /// With the settings that [`Configuration`] has written into `home`.
    pub(crate) fn new(home: &Path, repository: PathBuf, account: Account) -> Result<Self, PitrError> {
        Ok(Self { program: find()?, home: home.to_owned(), repository, account })
    }

    /// Where everything is kept.
    #[must_use]
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// A command of its, as the user that the server runs as.
    fn command(&self, name: &str) -> Command {
        let mut command = self.account.command(&self.program);
        for (variable, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PGBACKREST_")) {
            command.env_remove(variable);
        }
        command.args(configuration::arguments(&self.home)).arg(name);
        let mut command = Command::from(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    async fn run(&self, mut command: Command, action: &'static str) -> Result<Vec<u8>, PitrError> {
        let answer = command.output().await.map_err(PitrError::file("run", &self.program))?;
        if answer.status.success() {
            return Ok(answer.stdout);
        }
        let said = String::from_utf8_lossy(&answer.stderr);
        let from = said.floor_char_boundary(said.len().saturating_sub(SAID_BYTES_MAX));
        Err(PitrError::Archiver { action, said: said[from..].trim().to_owned() })
    }

    async fn info(&self) -> Result<Info, PitrError> {
        let mut command = self.command("info");
        command.arg("--output=json");
        Info::read(&self.run(command, "tell what it keeps").await?)
    }

    fn marks_file(&self) -> PathBuf {
        self.repository.join(MARKS)
    }
}

#[async_trait]
impl Archiver for PgBackRest {
    fn server_settings(&self) -> String {
        server_settings(&self.program, &self.home)
    }

    async fn prepare(&self) -> Result<(), PitrError> {
        self.run(self.command("stanza-create"), "make its repository ready").await.map(drop)
    }

    async fn check(&self) -> Result<(), PitrError> {
        self.run(self.command("check"), "see what the server sends arrive").await.map(drop)
    }

    async fn create(&self, kind: Kind) -> Result<(), PitrError> {
        let mut command = self.command("backup");
        command.arg(match kind {
            Kind::Full => "--type=full",
            Kind::Differential => "--type=diff",
        });
        self.run(command, "take a base backup").await.map(drop)
    }

    async fn bases(&self) -> Result<Vec<Base>, PitrError> {
        self.info().await?.bases()
    }

    async fn reach(&self) -> Result<Option<Reach>, PitrError> {
        reach::of(self).await
    }

    async fn bring(&self, base: &Base, moment: &Moment, data: &Path) -> Result<(), PitrError> {
        let mut command = self.command("restore");
        command.arg(format!("--pg1-path={}", data.display())).arg(format!("--set={}", base.label));
        // Nobody is let in before the moment is reached, whatever bounds the server had on connections.
        command.args(["--archive-mode=off", "--recovery-option=hot_standby=off"]);
        let target = match moment {
            Moment::Latest => None,
            Moment::Time(time) => Some(("time", time.strftime("%Y-%m-%d %H:%M:%S.%6f+00").to_string())),
            Moment::Lsn(lsn) => Some(("lsn", lsn.to_string())),
            Moment::Mark(name) => Some(("name", name.clone())),
        };
        if let Some((kind, target)) = target {
            command.arg(format!("--type={kind}")).arg(format!("--target={target}")).arg("--target-action=promote");
        }
        self.run(command, "bring the base backup back").await.map(drop)
    }

    fn marks(&self) -> Result<Vec<Mark>, PitrError> {
        let path = self.marks_file();
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.map_err(PitrError::file("read", &path))?,
        };
        serde_json::from_slice(&text).map_err(|error| PitrError::Answer(format!("{}: {error}", path.display())))
    }

    fn remember(&self, mark: &Mark) -> Result<(), PitrError> {
        let mut marks = self.marks()?;
        marks.push(mark.clone());
        let text = serde_json::to_vec_pretty(&marks).map_err(|error| PitrError::Answer(error.to_string()))?;
        configuration::write_private(&self.repository, MARKS, &text, &self.account)
    }
}

/// The program on this machine.
fn find() -> Result<PathBuf, PitrError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/bin")]);
    folders.map(|folder| folder.join(PROGRAM)).find(|program| program.is_file()).ok_or(PitrError::NotInstalled)
}
