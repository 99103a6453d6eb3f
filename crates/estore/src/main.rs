//! The `estore` binary.

use std::process::ExitCode;

/// Password hashing takes and frees 19 MiB at a time, on many threads; the system's allocator keeps such blocks for
/// each thread for good (360 MiB after thirty log-ins), this one gives them back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    estore::main()
}
