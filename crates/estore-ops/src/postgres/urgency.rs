//! How urgent the server's processes are beside ours.
//!
//! Each process of PostgreSQL begins a session of the system's. Where Linux shares processor time among sessions first
//! (autogroups, sched(7)), all of EStore counts as much as one connection of its database, and waits for many of them just
//! when there is most to refuse: an overloaded shop took over a second to say so.

use std::fs;

/// Of a session whose processes are less urgent than ours; 0 is ordinary, 19 the least urgent.
const NICENESS: &str = "5";

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
