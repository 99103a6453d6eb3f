//! Which operating-system user the server runs as: PostgreSQL refuses root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, User, getegid, geteuid};

use super::error::ClusterError;

/// The user the server runs as.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: Option<String>,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Whether we are root and become this user for the server.
    pub(crate) switched: bool,
}

impl Account {
    /// Ourselves; for root the owner of an existing cluster, else `postgres`, `estore` or `nobody`.
    pub(crate) fn choose(cluster: &Path) -> Result<Self, ClusterError> {
        if !geteuid().is_root() {
            let (uid, gid) = (geteuid(), getegid());
            let name = user_by_id(uid).map(|user| user.name);
            return Ok(Self { name, uid: uid.as_raw(), gid: gid.as_raw(), switched: false });
        }
        let owner = fs::metadata(cluster).ok().map(|folder| folder.uid()).filter(|uid| *uid != 0);
        owner
            .and_then(|uid| user_by_id(Uid::from_raw(uid)))
            .or_else(|| ["postgres", "estore", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten()))
            .map(|user| Self { name: Some(user.name), uid: user.uid.as_raw(), gid: user.gid.as_raw(), switched: true })
            .ok_or_else(|| {
                ClusterError::Initialise(
                    "PostgreSQL refuses to run as root and there is no user `postgres`; \
                     make one: useradd --system postgres"
                        .to_owned(),
                )
            })
    }

    /// A command that runs as this user, away from our terminal's signals and settings.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for name in ["PGDATA", "PGPORT", "PGHOST", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGSERVICE", "PGTZ"] {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").current_dir("/").process_group(0);
        if self.switched {
            // The standard library drops root's supplementary groups with this.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Whether this user may pass through a folder.
    pub(crate) fn may_pass(&self, folder: &fs::Metadata) -> bool {
        let mode = folder.mode();
        if folder.uid() == self.uid {
            mode & 0o100 != 0
        } else if folder.gid() == self.gid {
            mode & 0o010 != 0
        } else {
            mode & 0o001 != 0
        }
    }

    pub(crate) fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.uid.to_string())
    }
}

/// Our own user's name, when it has one.
pub(crate) fn own_name() -> Option<String> {
    user_by_id(geteuid()).map(|user| user.name)
}

fn user_by_id(uid: Uid) -> Option<User> {
    User::from_uid(uid).ok().flatten()
}
