//! Every bound of PaymentService.

use std::time::Duration;

use estore_kit::batcher::BatchLimits;

/// Lines of one checkout.
pub(crate) const CHECKOUT_LINES_MAX: usize = 2_000;
/// Metadata of a checkout, in bytes of JSON.
pub(crate) const METADATA_BYTES_MAX: usize = 16 * 1024;
/// An idempotency key, in characters.
pub(crate) const KEY_CHARACTERS_MAX: usize = 255;
/// A reason or note, in characters.
pub(crate) const NOTE_CHARACTERS_MAX: usize = 500;
/// How far ahead a card may expire, in years.
pub(crate) const EXPIRY_YEARS_AHEAD_MAX: i16 = 20;

/// Steps that write to the database: two flushes at a time, so that one can gather while the other commits.
pub(crate) const STEP: BatchLimits = BatchLimits { queue_max: 4_096, batch_max: 256, workers: 2 };
/// Charges at Stripe: each alone, so that a slow bank delays nobody else, and so many at a time.
pub(crate) const STRIPE: BatchLimits = BatchLimits { queue_max: 4_096, batch_max: 1, workers: 64 };
/// How often and how far apart a step after the write is tried when its queue is full.
pub(crate) const PATIENCE_TRIES: u32 = 100;
/// See [`PATIENCE_TRIES`].
pub(crate) const PATIENCE_PAUSE: Duration = Duration::from_millis(50);
/// How often the gateway is asked what became of a charge while the buyer waits, and how far apart.
pub(crate) const CLOSE_TRIES: u32 = 3;
/// See [`CLOSE_TRIES`].
pub(crate) const CLOSE_PAUSE: Duration = Duration::from_millis(200);

/// How often the resumer looks for work.
pub(crate) const RESUME_EVERY: Duration = Duration::from_secs(2);
/// How often the resumer looks for holds and keys that nobody will use.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// How often the relay looks for events that no one told it of.
pub(crate) const RELAY_EVERY: Duration = Duration::from_secs(1);
/// How often old keys are purged and partitions made.
pub(crate) const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(3_600);
/// Rows that a job takes at a time.
pub(crate) const JOB_ROWS_MAX: i64 = 500;
/// The longest pause between two attempts of the resumer at one checkout or refund, in seconds.
pub(crate) const RESUME_PAUSE_SECONDS_MAX: f64 = 300.0;
/// After how many attempts staff are told.
pub(crate) const ATTEMPTS_BEFORE_ATTENTION: i32 = 5;
/// How long the relay's lease lasts, in seconds: how long the next process waits for one that was killed. A round may
/// outlast it: what two relays tell at once is the same, and said twice does no harm.
pub(crate) const LEASE_SECONDS: f64 = 10.0;
/// How many months of partitions are made ahead.
pub(crate) const PARTITION_MONTHS_AHEAD: i32 = 3;
