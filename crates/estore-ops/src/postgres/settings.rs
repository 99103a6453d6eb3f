//! The server's settings as we write them at each start.

use std::fs;

use super::account::{Account, own_name};
use super::cluster::ClusterOptions;
use super::discover::Binaries;
use super::layout::Layout;
use super::log_files;
use crate::roles;

const MIB: u64 = 1024 * 1024;
/// Where the server's log is sent, beside our settings; without it nothing is archived.
pub(crate) const ARCHIVE_CONF: &str = "archive.conf";

/// Our settings, included last but for `custom.conf`, which is the operator's. Values of rows and
/// parameters stay out of the log: they hold addresses and password hashes. That is why it is not
/// PostgreSQL's JSON log, which tells an error's values however terse it is set, and why `auto_explain`
/// is loaded but silent: plans hold the values they were made for. Statements that are typed, such as
/// `ALTER ROLE … PASSWORD`, stay out of `pg_stat_statements`.
pub(crate) fn estore_conf(layout: &Layout, binaries: &Binaries, options: &ClusterOptions) -> String {
    let memory_mib = memory_bytes() / MIB;
    let shared_mib = if options.durable { (memory_mib / 8).clamp(128, 1024) } else { 128 };
    let cache_mib = (memory_mib / 2).max(256);
    let preload: Vec<&str> =
        ["pg_stat_statements", "auto_explain"].into_iter().filter(|library| binaries.has_library(library)).collect();
    let mut text = format!(
        "# Written anew at every start. Your own settings go into custom.conf beside this file.
listen_addresses = ''
port = 5432
unix_socket_directories = {socket}
unix_socket_permissions = 0700
max_connections = {connections}
shared_preload_libraries = '{preload}'
shared_buffers = {shared_mib}MB
effective_cache_size = {cache_mib}MB
work_mem = 8MB
maintenance_work_mem = 128MB
random_page_cost = 1.1
jit = off
max_wal_size = 2GB
min_wal_size = 1GB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
track_io_timing = on
password_encryption = 'scram-sha-256'
timezone = 'UTC'
logging_collector = on
log_directory = {log}
log_filename = 'postgresql-%Y%m%d-%H%M%S.log'
log_rotation_age = 1d
log_rotation_size = {log_kib}kB
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %e %q%u@%d/%a '
log_lock_waits = on
log_min_duration_statement = 1000
log_temp_files = 16MB
log_checkpoints = on
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
lc_messages = 'C'
pg_stat_statements.track_utility = off
auto_explain.log_min_duration = -1
",
        socket = quoted(&layout.address.socket_dir().to_string_lossy()),
        log = quoted(&layout.log.to_string_lossy()),
        connections = options.connections_max,
        preload = preload.join(", "),
        log_kib = log_files::FILE_BYTES_MAX / 1024,
    );
    if options.durable {
        text.push_str("fsync = on\nfull_page_writes = on\nsynchronous_commit = on\n");
    } else {
        text.push_str("fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n");
    }
    // Written by `estore backup pitr setup`.
    text.push_str(&format!("include_if_exists = '{ARCHIVE_CONF}'\n"));
    text
}

/// Nobody connects but over the socket, as whom the kernel says they are.
pub(crate) const HBA: &str = "# Written anew at every start.
local all all peer map=estore
local replication all peer map=estore
";

/// Root, our own user and the server's user may be the administrator and each role of ours.
pub(crate) fn ident(account: &Account) -> String {
    let mut people = vec!["root".to_owned()];
    people.extend(own_name());
    people.extend(account.name.clone());
    people.sort();
    people.dedup();
    let mut text = "# Written anew at every start.\n".to_owned();
    let names: Vec<String> = [roles::ADMINISTRATOR.to_owned()].into_iter().chain(roles::all()).collect();
    for person in &people {
        for role in &names {
            text.push_str(&format!("estore \"{person}\" {role}\n"));
        }
    }
    text
}

/// What this machine, or this container, may use.
fn memory_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .map_or(1024 * MIB, |kib| kib * 1024);
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    container.map_or(machine, |limit: u64| limit.min(machine))
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
