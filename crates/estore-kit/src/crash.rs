//! Crash points: where a test has this process die. Without the feature `crash-points` they are nothing.
//!
//! `ESTORE_TEST_CRASH_AT=after_write` kills the process by SIGKILL when it first passes the point of that name,
//! `ESTORE_TEST_CRASH_AT=after_write:3` when it passes it for the third time.

/// A moment between two effects, by its name.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub fn point(_name: &'static str) {}

#[cfg(feature = "crash-points")]
pub use armed::point;

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use nix::sys::signal::{Signal, raise};

    /// Where the process dies, and how many passages are left until then.
    static ARMED: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let armed = std::env::var("ESTORE_TEST_CRASH_AT").ok()?;
        let (name, passage) = armed.split_once(':').unwrap_or((&armed, "1"));
        Some((name.to_owned(), AtomicU32::new(passage.parse().unwrap_or(1))))
    });

    /// A moment between two effects, by its name.
    pub fn point(name: &'static str) {
        let Some((armed, left)) = &*ARMED else { return };
        if armed == name && left.fetch_sub(1, Ordering::Relaxed) == 1 {
            raise(Signal::SIGKILL).expect("a process may kill itself");
            // Nothing may happen between the signal and the death.
            loop {
                std::thread::park();
            }
        }
    }
}
