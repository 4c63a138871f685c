//! When requests were sent that a schedule asked for: the load as it came to the server.

use aiperf_model::record::Record;

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// The times of sends, in any order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sends {
    at: Vec<u64>,
}

impl Sends {
    /// Takes one request, unless no schedule asked for it or it never left.
    pub(crate) fn add(&mut self, record: &Record) {
        self.at.extend(record.timing.send.filter(|_| record.timing.scheduled));
    }

    /// The gaps between neighbouring sends, in seconds.
    pub(crate) fn gaps(mut self) -> Vec<f64> {
        self.at.sort_unstable();
        let neighbours = self.at.iter().zip(self.at.iter().skip(1));
        neighbours.map(|(before, after)| (after - before) as f64 / NANOSECONDS_PER_SECOND).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use aiperf_model::record::FailureKind;

    fn sends(records: &[Record]) -> Sends {
        let mut sends = Sends::default();
        for record in records {
            sends.add(record);
        }
        sends
    }

    #[test]
    fn gaps_lie_between_neighbours_in_time() {
        let records = [testing::unary(40, 50, 1), testing::unary(10, 90, 1), testing::unary(20, 30, 1)];
        let scheduled = records.clone().map(testing::scheduled);
        assert_eq!(sends(&scheduled).gaps(), [0.01, 0.02]);
        assert_eq!(sends(&scheduled[..1]).gaps(), [0.0; 0]);
        assert_eq!(sends(&records).gaps(), [0.0; 0]);
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
