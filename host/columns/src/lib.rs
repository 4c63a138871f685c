//! Long columns of numbers in little memory.
//!
//! A [`Column`] takes numbers in any order and gives them back in ascending order, exactly: percentiles need all of
//! them. A [`Table`] takes rows and gives them back in the order in which they came. What is more than the [`Store`] lets
//! them keep in memory lies in files without a name, which are gone with the process; a column there is sorted piece by
//! piece and merged.
//!
//! Nothing here knows what the numbers mean.

mod column;
mod key;
mod merge;
mod pieces;
mod sorted;
mod store;
mod table;

pub use column::Column;
pub use key::Key;
pub use sorted::Sorted;
pub use store::Store;
pub use table::Table;
