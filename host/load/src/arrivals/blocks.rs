//! Over which stretches of a schedule the mean rate is exactly the one that was asked for.
//!
//! A Poisson process of rate r has between 360 and 440 arrivals in the time of 400, in 19 of 20 cases: a load of 0.80 is
//! one of 0.72 or of 0.88 then, and the queue at the server says more of the seed than of the rate. So arrivals are
//! conditioned on their number. A whole run is where that is known beforehand. Else it is unknown how far a run comes,
//! and the first [`FIRST`] arrivals are conditioned, then as many again, and from there on twice as many each time:
//! wherever the run ends the rate is near, and the longer it lasts the less is left of the conditions.

/// How many arrivals the first block has.
const FIRST: u64 = 400;

/// The end of a stretch of a schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Block {
    /// How many arrivals there are until then, the last one at the end itself.
    pub(super) arrivals: u64,
    /// When it is, in mean gaps.
    pub(super) time: f64,
}

/// The blocks of a schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Blocks {
    /// Arrivals of a ramp, which are a block of their own.
    ramp: u64,
    last: Option<Block>,
}

impl Blocks {
    /// The blocks of a phase with a ramp of so many mean gaps, which ends after a number of arrivals or of mean gaps,
    /// whichever is first, if that is known.
    pub(super) fn new(ramp: f64, arrivals: Option<u32>, length: Option<f64>) -> Self {
        let by_number = arrivals.map(|number| Block { arrivals: number.into(), time: number.into() });
        let by_time = length.map(Block::between);
        let last = match (by_number, by_time) {
            (Some(number), Some(time)) => Some(if number.time < time.time { number } else { time }),
            (number, time) => number.or(time),
        };
        Self { ramp: ramp.round() as u64, last }
    }

    /// The block that follows on another one.
    pub(super) fn after(&self, before: Block) -> Block {
        let end = self.end_after(before.arrivals);
        let last = self.last.filter(|last| last.arrivals > before.arrivals);
        let is_ramp = end <= self.ramp;
        last.filter(|last| !is_ramp || last.arrivals <= end)
            .unwrap_or(Block { arrivals: end, time: before.time + (end - before.arrivals) as f64 })
    }

    fn end_after(&self, arrivals: u64) -> u64 {
        match arrivals.checked_sub(self.ramp) {
            None => self.ramp,
            Some(since) => self.ramp + FIRST.max(2 * since),
        }
    }
}

impl Block {
    /// As many arrivals as belong into so many mean gaps, one at least, none of them at the end: a Poisson process that is
    /// known to have so many has them at independent, uniform times, between which there is one gap more than arrivals.
    fn between(time: f64) -> Self {
        Self { arrivals: (time.round() as u64).max(1) + 1, time }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(blocks: Blocks, count: usize) -> Vec<(u64, f64)> {
        let next = |before: &Block| Some(blocks.after(*before));
        let all = std::iter::successors(Some(Block::default()), next).skip(1).take(count);
        all.map(|block| (block.arrivals, block.time)).collect()
    }

    #[test]
    fn blocks_double_where_nothing_is_known_of_the_end() {
        let expected = [(400, 400.0), (800, 800.0), (1600, 1600.0), (3200, 3200.0)];
        assert_eq!(ends(Blocks::new(0.0, None, None), 4), expected);
    }

    #[test]
    fn a_number_that_is_known_is_the_last_end() {
        let of = |number| ends(Blocks::new(0.0, Some(number), None), 1)[0];
        assert_eq!(of(1), (1, 1.0));
        assert_eq!(of(1300), (1300, 1300.0));
    }

    #[test]
    fn a_time_that_is_known_is_the_last_end_with_one_gap_more_than_arrivals() {
        let of = |number, time| ends(Blocks::new(0.0, number, Some(time)), 1)[0];
        assert_eq!(of(None, 300.0), (301, 300.0));
        assert_eq!(of(None, 0.2), (2, 0.2));
        assert_eq!(of(Some(300), 300.0), (301, 300.0));
        assert_eq!(of(Some(299), 300.0), (299, 299.0));
        assert_eq!(of(Some(500), 300.0), (301, 300.0));
    }

    #[test]
    fn a_ramp_is_a_block_of_its_own_from_which_the_others_count() {
        let expected = [(50, 50.0), (450, 450.0), (850, 850.0), (1650, 1650.0)];
        assert_eq!(ends(Blocks::new(50.2, None, None), 4), expected);
        assert_eq!(ends(Blocks::new(50.2, Some(500), None), 2), [(50, 50.0), (500, 500.0)]);
        assert_eq!(ends(Blocks::new(50.2, Some(30), None), 1), [(30, 30.0)]);
    }

    #[test]
    fn what_comes_after_the_last_end_goes_on_from_there() {
        assert_eq!(ends(Blocks::new(0.0, None, Some(300.5)), 2), [(302, 300.5), (604, 602.5)]);
    }
}
