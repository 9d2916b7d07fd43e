//! The size of sled's segments, large enough that sled never writes a blob: a page (a node of its tree, with all that
//! is in it) that takes more than a quarter of a segment goes into a file of its own, which is never flushed and which
//! [`super::durability`] does not reach. Proved here, for the largest records that the seam lets through.

use super::super::kv::{MAX_KEY_BYTES, MAX_PAIR_BYTES};

/// A power of two, of at most 16 MiB. Part of the format on the disk: sled refuses a store of another one.
pub const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// What one message of the log takes at the most, without a segment's and its own header.
const PAGE_BYTES: usize = SEGMENT_BYTES / 4 - 20 - 32;

/// A leaf is split when a descent passes it with more than 16 records. Until then it has one more, and takes in
/// neighbours that were left with 3: one for each reader that merges before any of them passes again.
const LEAF_RECORDS: usize = 17 + 3 * 3;
/// The same for inner nodes, which are split above 256 keys and merged below 64.
const INDEX_KEYS: usize = 257 + 63 * 3;
/// The lengths of a key and of its value, or a key's length and its child, as sled writes them.
const ITEM_OVERHEAD_BYTES: usize = 9 + 9;
/// A node's lowest and highest key, and its few numbers.
const NODE_OVERHEAD_BYTES: usize = 2 * (MAX_KEY_BYTES + 9) + 64;

const _: () =
    assert!(LEAF_RECORDS * (MAX_PAIR_BYTES + ITEM_OVERHEAD_BYTES) + NODE_OVERHEAD_BYTES <= PAGE_BYTES);
const _: () = assert!(INDEX_KEYS * (MAX_KEY_BYTES + ITEM_OVERHEAD_BYTES) + NODE_OVERHEAD_BYTES <= PAGE_BYTES);
