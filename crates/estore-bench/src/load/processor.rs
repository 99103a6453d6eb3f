//! Processor time of estore, of its PostgreSQL and of this program, apart, from `/proc`.

use std::fs;

use crate::failure::Failure;
use crate::shop::Shop;

/// Milliseconds in a tick of `/proc/<pid>/stat`: a hundred ticks a second on every Linux.
const TICK_MS: u64 = 10;

/// Processor time used so far, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) estore_ms: u64,
    /// The server and all its processes, those that have ended included.
    pub(crate) postgres_ms: u64,
    pub(crate) own_ms: u64,
}

impl Used {
    /// What has been used until now.
    pub(crate) fn now(shop: &Shop) -> Result<Self, Failure> {
        let mut used = Self { own_ms: Process::read(std::process::id())?.own_ms, ..Self::default() };
        for pid in shop.pids() {
            used.estore_ms += Process::read(pid)?.own_ms;
        }
        if let Some(server) = shop.postgres_pid() {
            let process = Process::read(server)?;
            used.postgres_ms = process.own_ms + process.ended_children_ms;
            for pid in all_pids()? {
                // A process that ends meanwhile is counted by its parent the next time.
                let Ok(process) = Process::read(pid) else { continue };
                if process.parent == server {
                    used.postgres_ms += process.own_ms;
                }
            }
        }
        Ok(used)
    }

    /// What has been used since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            estore_ms: self.estore_ms.saturating_sub(earlier.estore_ms),
            postgres_ms: self.postgres_ms.saturating_sub(earlier.postgres_ms),
            own_ms: self.own_ms.saturating_sub(earlier.own_ms),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    parent: u32,
    own_ms: u64,
    ended_children_ms: u64,
}

impl Process {
    fn read(pid: u32) -> Result<Self, Failure> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Self::parse(&stat).ok_or_else(|| Failure::new(format!("/proc/{pid}/stat cannot be read")))
    }

    /// The fields after the name, which may hold spaces and brackets itself.
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own_ms: (ticks(11)? + ticks(12)?) * TICK_MS,
            ended_children_ms: (ticks(13)? + ticks(14)?) * TICK_MS,
        })
    }
}

fn all_pids() -> Result<Vec<u32>, Failure> {
    let names = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::Process;

    #[test]
    fn a_name_with_brackets_is_skipped() {
        let stat = "12 (a) b (c) S 7 1 1 0 -1 4194560 1 2 3 4 50 60 70 80 20 0 1 0 5 6 7";
        let process = Process { parent: 7, own_ms: 1_100, ended_children_ms: 1_500 };
        assert_eq!(Process::parse(stat), Some(process));
    }
}
