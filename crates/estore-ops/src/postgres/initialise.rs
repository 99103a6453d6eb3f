//! Makes a cluster once; a cut attempt is never taken for one.

use std::fs;
use std::process::Command;

use super::account::Account;
use super::cluster::ClusterOptions;
use super::discover::Binaries;
use super::error::ClusterError;
use super::layout::{Layout, UNFINISHED};
use crate::roles::ADMINISTRATOR;

/// Runs `initdb` beside the place of the cluster and renames the finished folder into it.
pub(crate) fn initialise(
    layout: &Layout,
    account: &Account,
    binaries: &Binaries,
    options: &ClusterOptions,
) -> Result<(), ClusterError> {
    let mut refusal = String::new();
    for locale in ["C.UTF-8", "C"] {
        clear(layout)?;
        layout.give(account, &layout.unfinished)?;
        let answer = initdb(layout, account, binaries)
            .args(locale_arguments(binaries.major, locale))
            .args(if options.durable { &[][..] } else { &["--no-sync"] })
            .output()
            .map_err(|error| ClusterError::file("run", &binaries.program("initdb"), error))?;
        if answer.status.success() {
            return finish(layout);
        }
        refusal = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
        if !refusal.contains("locale") {
            break;
        }
    }
    Err(ClusterError::Initialise(refusal))
}

fn initdb(layout: &Layout, account: &Account, binaries: &Binaries) -> Command {
    let mut command = account.command(&binaries.program("initdb"));
    command.arg("--pgdata").arg(&layout.unfinished);
    command.args(["--username", ADMINISTRATOR, "--encoding=UTF8", "--data-checksums", "--no-instructions"]);
    command.args(["--auth-local=peer", "--auth-host=scram-sha-256"]);
    command
}

fn locale_arguments(major: u32, locale: &str) -> Vec<String> {
    let mut arguments = vec![format!("--locale={locale}"), "--lc-messages=C".to_owned()];
    if major >= 17 && locale == "C.UTF-8" {
        // Its order does not change with the system's libraries, so indexes stay right.
        arguments.push("--locale-provider=builtin".to_owned());
        arguments.push("--builtin-locale=C.UTF-8".to_owned());
    }
    arguments
}

fn finish(layout: &Layout) -> Result<(), ClusterError> {
    let conf = layout.unfinished.join("postgresql.conf");
    let failed = |error| ClusterError::file("write", &conf, error);
    let mut text = fs::read_to_string(&conf).map_err(failed)?;
    text.push_str("\ninclude 'estore.conf'\ninclude_if_exists 'custom.conf'\n");
    layout.write(&layout.unfinished, "postgresql.conf", &text)?;
    fs::rename(&layout.unfinished, &layout.data).map_err(|error| ClusterError::file("make", &layout.data, error))?;
    let home = fs::File::open(&layout.home).and_then(|folder| folder.sync_all());
    home.map_err(|error| ClusterError::file("make", &layout.home, error))
}

/// Removes what cut attempts left.
fn clear(layout: &Layout) -> Result<(), ClusterError> {
    for entry in fs::read_dir(&layout.home).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if !name.to_str().is_some_and(|name| name.starts_with(UNFINISHED)) {
            continue;
        }
        if let Err(error) = fs::remove_dir_all(&path)
            && path == layout.unfinished
        {
            return Err(ClusterError::file("remove", &path, error));
        }
    }
    Ok(())
}
