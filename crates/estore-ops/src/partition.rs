//! The table of orders as partitions by id, and as one table again: online, in short locks, to be cut at any moment and
//! gone on with.
//!
//! Nothing is copied on the way there. The table as it is becomes the first partition, up to an id that lies ahead; its
//! indexes become partitions of the new table's indexes. The last partition reaches to the end of all ids, so that an
//! order always has a place. What was reached stands in the catalogs alone.

mod ahead;
mod back;
mod copy;
mod definitions;
mod error;
mod forward;
mod leaf;
mod progress;
mod session;
mod standing;
mod switch;

pub use ahead::{Ahead, partitions_ahead, partitions_due};
pub use back::{preview_back, unpartition};
pub use error::PartitionError;
pub use forward::{partition, preview};
pub(crate) use leaf::index_name;
pub use progress::PartitionEvent;
pub use session::PartitionOptions;
pub use standing::{OrdersPartition, Standing, standing};

/// Is told what is done, as it is done.
pub type PartitionProgress<'a> = &'a mut (dyn FnMut(PartitionEvent) + Send);
