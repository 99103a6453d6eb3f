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
/// A card's holder, in characters.
pub(crate) const HOLDER_CHARACTERS_MAX: usize = 100;
/// Each part of a billing address, in characters.
pub(crate) const ADDRESS_CHARACTERS_MAX: usize = 200;
/// How far ahead a card may expire, in years.
pub(crate) const EXPIRY_YEARS_AHEAD_MAX: i16 = 20;

/// Checkouts under way at a time; more are sent away at once. The database is through with so many within a second or
/// two; a gateway that takes its time lets the last of them wait longer.
pub(crate) const CHECKOUTS_UNDER_WAY_MAX: usize = 1_024;
/// The first step, where checkouts gather: 5 ms apart. Each statement has a cost of its own that a larger batch pays once;
/// whoever was in one batch here comes to the next steps together, so that these need not wait for company.
pub(crate) const GATHERING: BatchLimits = BatchLimits { apart: Duration::from_millis(5), ..STEP };
/// Steps that write to the database: one flush at a time, and whoever comes meanwhile is in the next one. With two at a time a
/// shop of 64 buyers sells a sixth less.
pub(crate) const STEP: BatchLimits = BatchLimits::at_once(4_096, 256, 1);
/// Holds and settlements: the same, but one that waits for a row that somebody else has locked keeps the next from going on
/// for this long only.
pub(crate) const STEP_THAT_WAITS: BatchLimits =
    BatchLimits { workers: 2, alone_for: Duration::from_millis(50), ..STEP };
/// Charges at Stripe: each alone, so that a slow bank delays nobody else, and so many at a time.
pub(crate) const STRIPE: BatchLimits = BatchLimits::at_once(4_096, 1, 64);
/// How often two steps of a checkout are taken because the database may have fallen between them. A connection that is new
/// to a busy pool looks like that, too.
pub(crate) const CARRY_TRIES: u32 = 10;
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
/// How far apart the relay's rounds begin, so that a busy shop tells of many orders at a time.
pub(crate) const RELAY_PAUSE: Duration = Duration::from_millis(50);
/// Cards that the gateway is told to forget at a time.
pub(crate) const FORGET_AT_A_TIME_MAX: i64 = 16;
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

/// Characters of a webhook endpoint's URL, as the column has it.
pub(crate) const ENDPOINT_URL_CHARACTERS_MAX: usize = 2_048;
/// Characters of a webhook endpoint's description, as the column has it.
pub(crate) const ENDPOINT_DESCRIPTION_CHARACTERS_MAX: usize = 255;
/// Active webhook endpoints.
pub(crate) const ENDPOINTS_MAX: i64 = 100;
/// Deliveries under way to one endpoint at a time, of each process.
pub(crate) const DELIVERIES_AT_A_TIME_MAX: i64 = 8;
/// How long a receiver may take to let us connect.
pub(crate) const WEBHOOK_CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// How long a delivery may take from its first byte to the answer's last.
pub(crate) const WEBHOOK_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read; more of it does not matter.
pub(crate) const WEBHOOK_ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Idle connections kept to one receiver.
pub(crate) const WEBHOOK_IDLE_CONNECTIONS_MAX: usize = 2;
/// After how many seconds a delivery of a process that died is taken up by another: longer than any attempt.
pub(crate) const WEBHOOK_CLAIM_SECONDS: f64 = 30.0;
/// The longest pause that a receiver gets by its `Retry-After`, in seconds.
pub(crate) const WEBHOOK_RETRY_AFTER_SECONDS_MAX: i64 = 6 * 3_600;
/// How long an endpoint's old secret signs beside its new one, in hours.
pub(crate) const OLD_SECRET_HOURS: i32 = 24;
/// Secrets of an endpoint that sign at a time.
pub(crate) const SECRETS_AT_A_TIME_MAX: i32 = 4;
/// Characters kept of why an attempt failed, as the column has it.
pub(crate) const WEBHOOK_ERROR_CHARACTERS_MAX: usize = 500;
/// Failed attempts before a delivery is dead, at most.
pub(crate) const WEBHOOK_RETRIES_MAX: usize = 50;
/// How often due deliveries are looked for that no one told of.
pub(crate) const DELIVER_EVERY: Duration = Duration::from_secs(1);
/// How long finished deliveries gather before the next are taken.
pub(crate) const DELIVER_PAUSE: Duration = Duration::from_millis(5);
/// Writes of how attempts ended.
pub(crate) const ATTEMPTS_ENDED: BatchLimits = BatchLimits::at_once(4_096, 256, 1);
/// How often a write of how attempts ended is tried before they are left to be made again.
pub(crate) const ATTEMPTS_ENDED_TRIES: u32 = 5;
/// How long delivered deliveries can be looked at, in days.
pub(crate) const DELIVERED_KEPT_DAYS: u64 = 30;
/// How long dead deliveries can be looked at and replayed, in days.
pub(crate) const DEAD_KEPT_DAYS: u64 = 90;
/// How long Stripe's events are known again, in days.
pub(crate) const STRIPE_EVENTS_KEPT_DAYS: u64 = 30;
/// Rows of each kind that are looked at to tell what waits.
pub(crate) const BACKLOG_ROWS_MAX: i64 = 100_000;
/// Deliveries that one replay sends again.
pub(crate) const REPLAY_ROWS_MAX: i64 = 10_000;
/// For how long after a customer was erased what requests wrote meanwhile is looked for.
pub(crate) const ERASED_AGAIN: Duration = Duration::from_secs(3_600);
/// How many orders and payment methods an export holds of each.
pub(crate) const EXPORTED_ROWS_MAX: i64 = 10_000;
