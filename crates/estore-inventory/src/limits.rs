//! Every bound of InventoryService, unit and qualifier last.

use std::time::Duration;

/// How deep categories nest, in levels; the schema's trigger holds the same number.
pub(crate) const CATEGORY_LEVELS_MAX: usize = 8;
/// Characters of a name, as the columns have it.
pub(crate) const NAME_CHARACTERS_MAX: usize = 255;
/// Characters of a description.
pub(crate) const DESCRIPTION_CHARACTERS_MAX: usize = 65_535;
/// Characters of an image's address, as the column has it.
pub(crate) const IMAGE_URL_CHARACTERS_MAX: usize = 255;
/// Bytes of a product's metadata as compact JSON.
pub(crate) const METADATA_BYTES_MAX: usize = 16 * 1024;
/// Bytes of the metadata that a list may be filtered by.
pub(crate) const METADATA_FILTER_BYTES_MAX: usize = 2 * 1024;
/// Characters of a search.
pub(crate) const SEARCH_CHARACTERS_MAX: usize = 200;
/// Units of a product that may be put on the shelf. What comes back of sales may lift it above: the column holds more
/// than twice as many.
pub(crate) const STOCK_UNITS_MAX: i32 = 1_000_000_000;
/// Characters of a stock change's reason, as the column has it.
pub(crate) const REASON_CHARACTERS_MAX: usize = 255;

/// Lines of one hold.
pub(crate) const HOLD_LINES_MAX: usize = 2_000;
/// Holds that may wait for a batch.
pub(crate) const HOLDS_WAITING_MAX: usize = 8_192;
/// Holds that one batch takes.
pub(crate) const HOLD_BATCH_MAX: usize = 256;
/// Lines that one transaction of holds writes, unless a single hold has more.
pub(crate) const HOLD_BATCH_LINES_MAX: usize = 10_000;
/// How often a batch starts anew because another process wrote one of its holds first.
pub(crate) const HOLD_ATTEMPTS_MAX: usize = 4;
/// Rows of a batch call of a neighbour.
pub(crate) const CALL_ROWS_MAX: usize = 10_000;
/// Open holds that one call lists.
pub(crate) const OPEN_HOLDS_MAX: u32 = 1_000;
/// Bytes of an internal call's body.
pub(crate) const INTERNAL_BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of an imported file.
pub(crate) const IMPORT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Seconds that a sender may let an import wait for its next bytes.
pub(crate) const IMPORT_WAIT_SECONDS_MAX: u64 = 60;
/// Bytes of one record of an imported file.
pub(crate) const IMPORT_RECORD_BYTES_MAX: usize = 1024 * 1024;
/// Columns of an imported file.
pub(crate) const IMPORT_COLUMNS_MAX: usize = 512;
/// Bad rows that a refused import names one by one; the rest is counted.
pub(crate) const IMPORT_ERRORS_MAX: usize = 1_000;
/// Different category paths in one imported file.
pub(crate) const IMPORT_CATEGORIES_MAX: usize = 20_000;
/// Rows of one item (its variants and images), which must be kept together.
pub(crate) const IMPORT_ITEM_ROWS_MAX: usize = 4_096;
/// Bytes of what an import knows a product by; the unique index takes no more.
pub(crate) const IMPORT_KEY_BYTES_MAX: usize = 1_024;

/// Reads of products, one each, that may wait for a batch.
pub(crate) const READS_WAITING_MAX: usize = 8_192;
/// Products that one batch of reads takes.
pub(crate) const READ_BATCH_MAX: usize = 256;
/// Batches of reads at a time.
pub(crate) const READ_WORKERS: usize = 2;

/// How often the stock that shoppers look at is read anew.
pub(crate) const STOCK_READ_EVERY: Duration = Duration::from_millis(300);
/// Reads of stock within which each product is read whether it is known to have moved or not.
pub(crate) const STOCK_REREAD_BEATS: u64 = 32;
/// So many products in memory are all read each time; of more, those that moved.
pub(crate) const FOLLOWED_PRODUCTS_MIN: usize = 256;
/// How old stock from memory may be when it is shown.
pub(crate) const STOCK_AGE_MAX: Duration = Duration::from_millis(950);
/// Reads of stock for which a product stays in memory that nobody asks for.
pub(crate) const IDLE_BEATS_MAX: u64 = 33;
/// The same where memory is short.
pub(crate) const IDLE_BEATS_SHORT_MAX: u64 = 6;
/// Memory of a product in memory beside its bytes, about.
pub(crate) const ENTRY_OVERHEAD_BYTES: usize = 320;
/// Bytes of the shortest answer that is worth compressing.
pub(crate) const GZIP_BYTES_MIN: usize = 1_024;
/// Bytes of the longest answer that is compressed.
pub(crate) const GZIP_BYTES_MAX: usize = 256 * 1024;
/// Rows of each kind that are looked at to tell what waits.
pub(crate) const BACKLOG_ROWS_MAX: i64 = 100_000;

/// Lexemes that may stand in for a misspelt one.
pub(crate) const ALIKE_MAX: usize = 4;
/// Lexemes of a search whose spelling is looked into.
pub(crate) const CORRECTIONS_MAX: usize = 8;
/// Categories that are counted beside a list.
pub(crate) const FACETS_MAX: usize = 100;
/// Searches whose meaning is kept.
pub(crate) const QUERIES_KEPT_MAX: usize = 4_096;
/// Bytes of the longest search whose meaning is kept.
pub(crate) const QUERY_KEPT_BYTES_MAX: usize = 64;
/// Edits that the search index may have heard of and not read while it answers.
pub(crate) const EDITS_BEHIND_MAX: usize = 1_000;
/// Products that the search index reads at a time.
pub(crate) const INDEX_READ_ROWS: usize = 500;
/// How long the search index waits before it reads again what it could not.
pub(crate) const INDEX_RETRY_PAUSE: Duration = Duration::from_millis(250);
