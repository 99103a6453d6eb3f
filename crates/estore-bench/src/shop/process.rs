//! Processes that this program started: their settings, their end and their memory.

use std::fs;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::failure::Failure;

/// How long a stop may take before the process is killed.
const STOP_TIME_MAX: Duration = Duration::from_secs(60);

/// All buyers of a load come from one address, and an administrator fills the shop.
pub(super) const NO_LIMITS: [(&str, &str); 4] = [
    ("ESTORE_EDGE__CONNECTIONS_PER_ADDRESS_MAX", "10000"),
    ("ESTORE_RATE_LIMITS__ACCOUNT_WRITES", "0"),
    ("ESTORE_RATE_LIMITS__ADDRESS_WRITES", "0"),
    ("ESTORE_RATE_LIMITS__LOG_INS", "0"),
];

/// SIGTERM, patience, and SIGKILL when patience ends.
pub(crate) fn terminate(mut child: Child) -> Result<ExitStatus, Failure> {
    kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM)?;
    let began = Instant::now();
    while began.elapsed() < STOP_TIME_MAX {
        if let Some(ended) = child.try_wait()? {
            return Ok(ended);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Err(Failure::new("estore did not stop in time and was killed"))
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| Failure::new(format!("process {pid} does not tell its memory")))
}

/// SIGKILL, and a moment for it to be gone.
pub(crate) fn kill_now(pid: i32) {
    let _dead = kill(Pid::from_raw(pid), Signal::SIGKILL);
    std::thread::sleep(Duration::from_millis(300));
}
