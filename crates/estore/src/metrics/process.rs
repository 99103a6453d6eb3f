//! What the system says of this process, by the names that Prometheus's own libraries use.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use estore_kit::metrics::{Family, Page};

use crate::findings::Space;

const MEMORY: Family = Family::gauge("process_resident_memory_bytes", "Memory in use.");
const CPU: Family = Family::counter("process_cpu_seconds_total", "Processor time used.");
const STARTED: Family = Family::gauge("process_start_time_seconds", "When the process started, in Unix time.");
const FILES: Family = Family::gauge("process_open_fds", "Open files and connections.");
const FILES_MAX: Family = Family::gauge("process_max_fds", "How many may be open.");
const DISK_FREE: Family = Family::gauge("estore_disk_free_bytes", "Free space under the data directory.");
const DISK_SIZE: Family = Family::gauge("estore_disk_size_bytes", "Size of the disk that it is on.");
/// Ticks of a second in `/proc`, on every Linux.
const TICKS: u64 = 100;

/// This process.
#[derive(Debug)]
pub(super) struct Process {
    started: u64,
    data_dir: PathBuf,
}

impl Process {
    /// As it starts, on this data directory.
    pub(super) fn now(data_dir: &Path) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default();
        Self { started, data_dir: data_dir.to_owned() }
    }

    /// Shows what `/proc` tells; what it does not tell is left out.
    pub(super) fn show(&self, page: &mut Page) {
        page.sample(&STARTED, &[], self.started);
        if let Some(kib) = number_after("/proc/self/status", "VmRSS:") {
            page.sample(&MEMORY, &[], kib * 1024);
        }
        if let Ok(space) = Space::under(&self.data_dir) {
            page.sample(&DISK_FREE, &[], space.free);
            page.sample(&DISK_SIZE, &[], space.all);
        }
        if let Some(ticks) = cpu_ticks() {
            page.sample(&CPU, &[], format!("{}.{:02}", ticks / TICKS, ticks % TICKS));
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            page.sample(&FILES, &[], files.count());
        }
        if let Some(files) = number_after("/proc/self/limits", "Max open files") {
            page.sample(&FILES_MAX, &[], files);
        }
    }
}

/// The number that follows `name` at the start of a line.
fn number_after(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn cpu_ticks() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, which may hold blanks, ends with the last bracket; user and system time are the 12th
    // and 13th after it.
    let (_, rest) = text.rsplit_once(')')?;
    let mut times = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Some(times.next()?.ok()? + times.next()?.ok()?)
}

#[cfg(test)]
mod tests {
    use super::Process;
    use estore_kit::metrics::Page;

    #[test]
    fn everything_is_told_here() {
        let mut page = Page::default();
        Process::now(std::path::Path::new("/tmp")).show(&mut page);
        let text = page.to_string();
        for name in ["resident_memory_bytes", "cpu_seconds_total", "start_time_seconds", "open_fds", "max_fds"] {
            assert!(text.lines().any(|line| line.starts_with(&format!("process_{name} "))), "no {name} in\n{text}");
        }
    }
}
