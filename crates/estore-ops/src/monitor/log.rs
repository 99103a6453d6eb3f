//! The server's own log, read line by line: slow statements, errors, failed log-ins, waits for locks.

mod event;
mod summary;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use super::statement::Names;
use super::unseen::Unseen;
use event::Reader;
pub use summary::{ErrorCount, FailedLogin, LogReport, Plan, SlowStatement};

/// Bytes of a line that are read; the rest of a longer one is passed over.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of log that are read, the newest files first.
const READ_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Reads what the log in a folder says from a moment on: files that end in `.log`, as the private PostgreSQL writes them,
/// or in `.json`, PostgreSQL's own JSON.
///
/// # Errors
/// [`Unseen`]: the folder or a file in it cannot be read.
pub fn read_log(folder: &Path, from: Timestamp, names: &Names) -> Result<LogReport, Unseen> {
    let failed = |error: io::Error| {
        let mend = "run as root or as the user that PostgreSQL runs as";
        Unseen::new(format!("{}: {error}", folder.display()), mend)
    };
    let mut report = LogReport::new(folder, from);
    for (path, _) in files(folder, from).map_err(failed)? {
        let file = File::open(&path).map_err(failed)?;
        report.files += 1;
        let mut reader = Reader::default();
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        while next_line(&mut lines, &mut line).map_err(failed)? {
            report.bytes += line.len() as u64;
            if let Some(event) = reader.take(&String::from_utf8_lossy(&line)) {
                report.add(event, names);
            }
        }
        if let Some(event) = reader.last() {
            report.add(event, names);
        }
        report.unreadable_lines += reader.unreadable;
    }
    report.sort();
    Ok(report)
}

/// The files that may say something of the time, in their order, as many as may be read.
fn files(folder: &Path, from: Timestamp) -> io::Result<Vec<(PathBuf, SystemTime)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let Ok(metadata) = entry.metadata() else { continue };
        let ours = path.extension().is_some_and(|extension| extension == "log" || extension == "json");
        let modified = metadata.modified()?;
        if ours && metadata.is_file() && modified >= SystemTime::from(from) {
            files.push((path, modified, metadata.len()));
        }
    }
    files.sort_by(|one, other| (other.1, &other.0).cmp(&(one.1, &one.0)));
    let mut left = READ_BYTES_MAX;
    let mut taken: Vec<(PathBuf, SystemTime)> = files
        .into_iter()
        .map_while(|(path, modified, length)| {
            left = left.checked_sub(length)?;
            Some((path, modified))
        })
        .collect();
    taken.reverse();
    Ok(taken)
}

/// The next line without its end; `false` where there is none.
fn next_line(lines: &mut BufReader<File>, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    if lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else {
        lines.skip_until(b'\n')?;
    }
    Ok(true)
}
