//! How urgent the server's processes are beside ours.
//!
//! Each process of PostgreSQL begins a session of the system's. Where Linux shares processor time among sessions first
//! (autogroups, sched(7)), all of EStore counts as much as one connection of its database, and waits for many of them just
//! when there is most to refuse: an overloaded shop took over a second to say so.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::Client;

/// Of a session whose processes are less urgent than ours; 0 is ordinary, 19 the least urgent.
const NICENESS: &str = "5";
/// Of a session that works beside all others.
const NICENESS_BESIDE: &str = "10";
/// How often the kernel lets us change it unless we are root.
const CHANGE_EVERY: Duration = Duration::from_millis(110);
/// How often it is tried to set it back; the changes of others count too.
const RESTORE_TRIES: u32 = 10;

/// Makes each session of this server's processes less urgent, unless somebody has set how urgent it is. Does nothing where
/// the system has no such groups.
pub(crate) fn lower(server: u32) {
    let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
    for child in children.split_ascii_whitespace() {
        let group = format!("/proc/{child}/autogroup");
        let is_ordinary = fs::read_to_string(&group).is_ok_and(|text| text.trim_end().ends_with(" nice 0"));
        // Unless we are root, the kernel takes one change in a tenth of a second: the others are next time's.
        if is_ordinary && fs::write(&group, NICENESS).is_err() {
            return;
        }
    }
}

/// Runs `work` on this session with the session less urgent than others, where its server is on this machine and we may say
/// so: for what takes long and nobody waits for. Before others could wait for it again, it is as urgent as it was.
pub(crate) async fn beside<T>(client: &Client, work: impl Future<Output = T>) -> T {
    let group = own_group(client).await;
    let before = group.as_deref().and_then(niceness);
    let (Some(group), Some(before)) = (group, before) else { return work.await };
    drop(fs::write(&group, NICENESS_BESIDE));
    let done = work.await;
    for _ in 0..RESTORE_TRIES {
        if fs::write(&group, before.to_string()).is_ok() {
            break;
        }
        sleep(CHANGE_EVERY).await;
    }
    done
}

/// Makes this session less urgent than others for good, where its server is on this machine and we may say so: for one that
/// does what nobody waits for, and nothing else.
pub(crate) async fn stay_beside(client: &Client) {
    if let Some(group) = own_group(client).await.filter(|group| niceness(group).is_some()) {
        // Where the kernel does not take it now, the next time is soon enough.
        drop(fs::write(&group, NICENESS_BESIDE));
    }
}

/// Where the system keeps how urgent this session's server process is.
async fn own_group(client: &Client) -> Option<PathBuf> {
    // By a socket of this machine, the process is one of this machine's; in a container it may go by another number.
    let row = client.query_opt("SELECT pg_backend_pid() WHERE inet_server_addr() IS NULL", &[]).await.ok()??;
    let process = PathBuf::from(format!("/proc/{}", row.get::<_, i32>(0)));
    let title = fs::read(process.join("cmdline")).ok()?;
    title.starts_with(b"postgres").then(|| process.join("autogroup"))
}

/// How urgent the processes of a group are.
fn niceness(group: &Path) -> Option<i32> {
    fs::read_to_string(group).ok()?.trim_end().rsplit_once(" nice ")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::{Child, Command};
    use std::time::{Duration, Instant};

    use estore_testkit::cluster::TestCluster;

    use super::{CHANGE_EVERY, NICENESS, NICENESS_BESIDE, beside, lower, niceness, own_group, stay_beside};
    use crate::connection::Connection;

    /// How long something may take on a busy machine.
    const NEVER: Duration = Duration::from_secs(60);

    /// Does it until it is so.
    fn until(mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < NEVER, "it is never so");
            std::thread::sleep(CHANGE_EVERY);
        }
    }

    /// A server with a process in each of two sessions, which are the groups; nothing where the system has none.
    fn server() -> Option<(Child, [PathBuf; 2])> {
        let is_on = std::fs::read_to_string("/proc/sys/kernel/sched_autogroup_enabled");
        let of = |process: &str| std::fs::read_to_string(format!("/proc/{process}/autogroup")).ok();
        let ours = of("self").filter(|_| is_on.is_ok_and(|on| on.starts_with('1')))?;
        let server = Command::new("sh").args(["-c", "setsid sleep 120 & setsid sleep 120 & wait"]).spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", server.id());
        let mut groups = Vec::new();
        until(|| {
            let text = std::fs::read_to_string(&children).unwrap_or_default();
            groups = text.split_ascii_whitespace().map(str::to_owned).collect();
            groups.len() == 2 && groups.iter().all(|child| of(child).is_some_and(|group| group != ours))
        });
        let groups: Vec<_> = groups.iter().map(|child| PathBuf::from(format!("/proc/{child}/autogroup"))).collect();
        Some((server, groups.try_into().ok()?))
    }

    #[test]
    fn sessions_are_less_urgent_unless_somebody_has_said_how_urgent() {
        let Some((mut server, [ordinary, set])) = server() else {
            eprintln!("This system does not share time among sessions: nothing is looked at, and nothing is lowered.");
            return;
        };
        until(|| std::fs::write(&set, "7").is_ok());
        assert_eq!((niceness(&ordinary), niceness(&set)), (Some(0), Some(7)));
        until(|| {
            lower(server.id());
            niceness(&ordinary).is_some_and(|now| now.to_string() == NICENESS)
        });
        assert_eq!(niceness(&set), Some(7));
        for group in [ordinary, set] {
            let process = group.parent().unwrap().file_name().unwrap().to_owned();
            assert!(Command::new("kill").arg(process).status().unwrap().success());
        }
        server.wait().unwrap();
    }

    #[tokio::test]
    async fn a_session_is_less_urgent_for_its_work_and_no_longer() {
        let session = Connection::open(&TestCluster::shared().await.admin_config()).await.unwrap();
        let group = own_group(&session).await.unwrap();
        // Linux without such groups has nothing to share by.
        if niceness(&group).is_none() {
            return;
        }
        // As somebody may have set it.
        until(|| std::fs::write(&group, "3").is_ok());
        let before = 3;
        let during = beside(&session, async { niceness(&group).unwrap() }).await;
        assert_eq!((during.to_string().as_str(), niceness(&group)), (NICENESS_BESIDE, Some(before)));
        let begun = Instant::now();
        while niceness(&group).is_some_and(|now| now.to_string() != NICENESS_BESIDE) {
            stay_beside(&session).await;
            assert!(begun.elapsed() < NEVER, "it never stays so");
        }
    }
}
