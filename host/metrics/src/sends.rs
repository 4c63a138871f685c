//! When requests were sent that a schedule asked for: the load as it came to the server.

use crate::statistics::{Moments, moments};
use aiperf_columns::{Column, Sorted, Store};
use aiperf_model::record::Record;

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// The times of sends, in any order.
#[derive(Debug)]
pub(crate) struct Sends {
    at: Column<u64>,
}

impl Sends {
    pub(crate) fn new(store: &Store) -> Self {
        Self { at: Column::new(store) }
    }

    /// Takes one request, unless no schedule asked for it or it never left.
    pub(crate) fn add(&mut self, record: &Record) {
        self.at.extend(record.timing.send.filter(|_| record.timing.scheduled));
    }

    /// Mean and spread of the gaps between neighbouring sends, in seconds; none without a gap.
    pub(crate) fn gaps(self) -> Option<Moments> {
        let sorted = self.at.sorted();
        moments(|| gaps(&sorted).map(|gap| gap / NANOSECONDS_PER_SECOND))
    }
}

/// The gaps between neighbouring times.
pub(crate) fn gaps(times: &Sorted<u64>) -> impl Iterator<Item = f64> {
    times.iter().zip(times.iter().skip(1)).map(|(before, after)| (after - before) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use aiperf_model::record::FailureKind;

    fn sends(records: &[Record]) -> Sends {
        let mut sends = Sends::new(&Store::default());
        for record in records {
            sends.add(record);
        }
        sends
    }

    #[test]
    fn gaps_lie_between_neighbours_in_time() {
        let records = [testing::unary(40, 50, 1), testing::unary(10, 90, 1), testing::unary(20, 30, 1)];
        let scheduled = records.clone().map(testing::scheduled);
        let moments = sends(&scheduled).gaps().unwrap();
        assert_eq!((moments.count, moments.mean), (2, 0.015));
        assert_eq!(sends(&scheduled[..1]).gaps(), None);
        assert_eq!(sends(&records).gaps(), None);
    }

    #[test]
    fn what_came_to_the_server_counts_whatever_came_of_it() {
        let kinds = [FailureKind::Connect, FailureKind::Timeout, FailureKind::Cancelled];
        let mut records = kinds.map(|kind| testing::scheduled(testing::failed(kind)));
        assert_eq!(sends(&records).at.len(), 3);
        records[0].timing.send = None;
        assert_eq!(sends(&records).at.len(), 2);
    }
}
