//! Columns and tables, in memory and beyond it, hold what they were given.

use aiperf_columns::{Column, Sorted, Store, Table};
use proptest::prelude::*;

/// A store that keeps three numbers of a column in memory.
fn small() -> Store {
    Store::default().with_resident(3)
}

fn column(numbers: &[f64], store: &Store) -> Sorted<f64> {
    let mut column = Column::new(store);
    column.extend(numbers.iter().copied());
    assert_eq!(column.len(), numbers.len() as u64);
    column.sorted()
}

#[test]
fn nothing_is_first_or_last_of_an_empty_column() {
    let empty = column(&[], &small());
    assert_eq!((empty.first(), empty.last(), empty.iter().count()), (None, None, 0));
}

#[test]
fn a_folder_that_is_not_there_leaves_everything_in_memory() {
    let store = Store::in_folder("/nonexistent/folder").with_resident(2);
    let sorted = column(&[3.0, 1.0, 2.0, 5.0, 4.0], &store);
    assert_eq!(sorted.iter().collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0, 5.0]);
    let mut table = Table::new(&store);
    (0..5).for_each(|number| table.push([number, number * 10]));
    assert_eq!(table.rows().last(), Some([4, 40]));
    assert!(store.fault().is_none());
}

#[test]
fn a_million_numbers_beyond_memory_are_in_order() {
    let store = Store::default().with_resident(1000);
    let mut column = Column::new(&store);
    // 7919 is prime to the length, so that each number comes once.
    column.extend((0..1_000_000_u64).map(|number| number * 7919 % 1_000_000));
    let sorted = column.sorted();
    assert!(sorted.iter().eq(0..1_000_000));
    assert_eq!((sorted.get(123_456), sorted.get(1_000_000)), (Some(123_456), None));
    assert!(store.fault().is_none());
}

proptest! {
    #[test]
    fn a_column_beyond_memory_is_the_one_in_memory(numbers in proptest::collection::vec(any::<f64>(), 0..50)) {
        let store = small();
        let (beyond, within) = (column(&numbers, &store), Sorted::from(numbers));
        let bits = |sorted: &Sorted<f64>| sorted.iter().map(f64::to_bits).collect::<Vec<_>>();
        prop_assert_eq!(bits(&beyond), bits(&within));
        prop_assert_eq!(beyond.len(), within.len());
        for position in 0..=beyond.len() {
            prop_assert_eq!(beyond.get(position).map(f64::to_bits), within.get(position).map(f64::to_bits));
        }
        prop_assert!(store.fault().is_none());
    }

    #[test]
    fn a_table_gives_back_its_rows_in_order(rows in proptest::collection::vec(any::<[u64; 3]>(), 0..20)) {
        let mut table = Table::new(&small());
        for row in &rows {
            table.push(*row);
        }
        prop_assert_eq!(table.rows().collect::<Vec<_>>(), rows);
    }
}
