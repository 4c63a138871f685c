//! Where the next trial goes if there is a time for all of them.
//!
//! Each value has a few trials first, in the order of the plan. Then the next one goes where it is most likely to change an
//! answer: to the value whose plausible means change the answers most often, less by how much another trial narrows
//! them, for each second that a run of it takes. This is the greedy rule of optimal computing budget allocation (Chen and
//! Lee, "Stochastic Simulation Optimization: An Optimal Computing Budget Allocation", 2011), with the answers of the
//! plugins in place of one normal mean.

use crate::agenda::Agenda;
use crate::asking::Asking;
use crate::context::comparable;
use crate::duration_estimator::DurationEstimator;
use crate::spending::Spending;
use aiperf_analysis::{Influence, Subject, influences};
use aiperf_model::plugin::AnalysisPlugins;
use aiperf_model::point::Point;
use aiperf_model::sweep::{Step, SweepResult};
use aiperf_plan::Plan;
use std::time::Duration;

/// What is done next.
#[derive(Debug, PartialEq)]
pub(crate) enum Choice<'a> {
    /// This run.
    Run(&'a Step),
    /// Nothing, for this reason.
    Nothing(&'static str),
}

const TIME_IS_UP: &str = "the time is used up";
const ALL_IS_ANSWERED: &str = "every answer is certain";
const ALL_IS_RUN: &str = "every value has its trials";

/// Chooses among the runs that are still open; none if there are none.
pub(crate) fn choose<'a, 'r>(
    agenda: &Agenda<'a>,
    result: impl FnOnce() -> &'r SweepResult,
    analysis: &AnalysisPlugins,
    min_trials: u32,
    clock: &TimeLeft<'_>,
) -> Option<Choice<'a>> {
    agenda.open().next()?;
    let has_time = |step: &Step| clock.has_time_for(step);
    if let Some(step) = agenda.open().find(|step| step.trial <= min_trials) {
        return Some(if has_time(step) { Choice::Run(step) } else { Choice::Nothing(TIME_IS_UP) });
    }
    let result = result();
    let points = comparable(&result.points);
    let subject = Subject {
        axes: &result.axes,
        points: &points,
        verdicts: &result.verdicts,
        confidence_level: result.confidence_level,
    };
    let open_answers = result.time_budget.as_ref().map(|budget| &budget.open);
    let influences = match open_answers {
        None => return Some(Choice::Nothing(ALL_IS_ANSWERED)),
        Some(Some(open)) if open.is_empty() => return Some(Choice::Nothing(ALL_IS_ANSWERED)),
        Some(Some(_)) => clock.asking.ask(|goes_on| influences(subject, analysis, goes_on)),
        Some(None) => None,
    };
    let mut candidates: Vec<(f64, &Step)> = influences
        .unwrap_or_else(|| alike(&points))
        .into_iter()
        .filter_map(|influence| {
            let step = agenda.open().find(|step| step.value.index == influence.point_index)?;
            Some((gain(result, influence) / clock.seconds(step), step))
        })
        .collect();
    if candidates.is_empty() {
        return Some(Choice::Nothing(ALL_IS_RUN));
    }
    candidates.retain(|(_, step)| has_time(step));
    // Equal gains, such as none at all, go to the value with the fewest trials.
    let best = candidates.into_iter().max_by(|(a, one), (b, other)| {
        a.total_cmp(b).then(other.trial.cmp(&one.trial)).then(other.index.cmp(&one.index))
    });
    Some(best.map_or(Choice::Nothing(TIME_IS_UP), |(_, step)| Choice::Run(step)))
}

/// Where nobody could be asked, no point matters more than another, and the trials go round.
fn alike(points: &[Point]) -> Vec<Influence> {
    points.iter().map(|point| Influence { point_index: point.index, share: 0.0 }).collect()
}

/// How much of the influence another trial takes away.
fn gain(result: &SweepResult, influence: Influence) -> f64 {
    let point = result.points.iter().find(|point| point.index == influence.point_index);
    let n = f64::from(point.map_or(1, |point| point.trials.max(1)));
    influence.share * (1.0 - (n / (n + 1.0)).sqrt())
}

/// What there is of time, and what a run takes of it.
pub(crate) struct TimeLeft<'a> {
    pub(crate) spending: &'a Spending,
    pub(crate) durations: &'a DurationEstimator,
    pub(crate) asking: &'a Asking,
    pub(crate) plan: &'a Plan,
    /// The run that was made last.
    pub(crate) before: Option<&'a Step>,
}

impl TimeLeft<'_> {
    fn has_time_for(&self, step: &Step) -> bool {
        // Nobody knows how long the very first run takes.
        let run = self.durations.expected(step.value.index).unwrap_or_default();
        self.spending.has_time_for(self.pause(step) + run)
    }

    /// How long a run takes with the pause before it, at least a millisecond.
    fn seconds(&self, step: &Step) -> f64 {
        let run = self.durations.expected(step.value.index).unwrap_or_default();
        (self.pause(step) + run).as_secs_f64().max(1e-3)
    }

    fn pause(&self, step: &Step) -> Duration {
        self.before.map_or(Duration::ZERO, |before| self.plan.pause(before, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::conclusion::{Conclusions, OpenAnswer, Question};
    use aiperf_model::sweep::{Order, SweepValue, TimeBudget};
    use aiperf_plan::{Config, Environment, Options};

    /// A plan with a pause of a minute between values.
    fn plan() -> Plan {
        let options = Options {
            model: Some("m".into()),
            concurrency: Some("1,2".into()),
            parameter_sweep_cooldown_seconds: Some(60.0),
            ..Options::default()
        };
        Plan::new(&Config::resolve(options, &Environment::default()).unwrap())
    }

    /// Two values and four trials, repeated.
    fn steps() -> Vec<Step> {
        let runs = (1..=4).flat_map(|trial| (0..2).map(move |value| (trial, value)));
        (0..)
            .zip(runs)
            .map(|(index, (trial, value))| Step {
                index,
                value: SweepValue { index: value, parameters: Vec::new(), seed: 42 },
                trial,
                warm_up: false,
                cooldown: Duration::ZERO,
            })
            .collect()
    }

    /// Something that the trials leave open.
    fn one_answer() -> Vec<OpenAnswer> {
        let question = Question::Best { objective: "throughput".into() };
        vec![OpenAnswer { question, point_index: 0, parameters: Vec::new(), probability: 0.5 }]
    }

    fn result(open: Option<Vec<OpenAnswer>>) -> SweepResult {
        SweepResult {
            axes: Vec::new(),
            values: Vec::new(),
            trials_per_value: 4,
            order: Order::Repeated,
            confidence_level: 0.95,
            points: (0..2).map(point).collect(),
            failed_values: Vec::new(),
            failed_trials: Vec::new(),
            request_errors: Vec::new(),
            verdicts: Vec::new(),
            convergence: None,
            time_budget: Some(TimeBudget { seconds: 60.0, too_few: Vec::new(), open }),
            drift: Vec::new(),
            open_metrics: Vec::new(),
            edited_files: Vec::new(),
            plugins: Vec::new(),
            conclusions: Conclusions::default(),
        }
    }

    fn point(index: u32) -> aiperf_model::point::Point {
        aiperf_model::point::Point { index, parameters: Vec::new(), trials: 2, measurements: Vec::new() }
    }

    /// What is chosen after so many runs of the plan, each of a second, if there is so much time.
    fn chosen(done: usize, open: Option<Vec<OpenAnswer>>, time: Duration) -> Option<Choice<'static>> {
        let steps: &'static [Step] = Box::leak(steps().into_boxed_slice());
        let agenda = Agenda::new(steps[done..].iter());
        let mut durations = DurationEstimator::default();
        steps[..done].iter().for_each(|step| durations.note(step.value.index, Duration::from_secs(1)));
        let spending = Spending::start(time, Duration::ZERO);
        let plan = plan();
        let asking = Asking::without_limit();
        let clock = TimeLeft {
            spending: &spending,
            durations: &durations,
            asking: &asking,
            plan: &plan,
            before: None,
        };
        let result = result(open);
        choose(&agenda, || &result, &AnalysisPlugins::default(), 2, &clock)
    }

    const PLENTY: Duration = Duration::from_hours(1);

    #[test]
    fn each_value_has_its_few_trials_first_in_the_order_of_the_plan() {
        for done in 0..4 {
            let Some(Choice::Run(step)) = chosen(done, Some(Vec::new()), PLENTY) else { panic!("{done}") };
            assert_eq!(step.index as usize, done);
        }
    }

    #[test]
    fn then_it_goes_on_only_while_an_answer_is_open() {
        assert_eq!(chosen(4, Some(Vec::new()), PLENTY), Some(Choice::Nothing(ALL_IS_ANSWERED)));
        let Some(Choice::Run(step)) = chosen(4, Some(one_answer()), PLENTY) else { panic!() };
        assert_eq!((step.value.index, step.trial), (0, 3));
        let Some(Choice::Run(step)) = chosen(5, Some(one_answer()), PLENTY) else { panic!() };
        assert_eq!(
            (step.value.index, step.trial),
            (1, 3),
            "the one with fewer trials, where neither has influence"
        );
        assert_eq!(chosen(8, Some(one_answer()), PLENTY), None);
    }

    #[test]
    fn the_trials_go_round_where_the_plugins_are_too_slow_to_be_asked() {
        for (done, value, trial) in [(4, 0, 3), (5, 1, 3), (6, 0, 4)] {
            let Some(Choice::Run(step)) = chosen(done, None, PLENTY) else { panic!("{done}") };
            assert_eq!((step.value.index, step.trial), (value, trial));
        }
    }

    #[test]
    fn no_run_begins_that_does_not_fit_into_the_time() {
        let little = Duration::from_millis(500);
        assert_eq!(chosen(2, Some(one_answer()), little), Some(Choice::Nothing(TIME_IS_UP)));
        assert_eq!(chosen(6, Some(one_answer()), little), Some(Choice::Nothing(TIME_IS_UP)));
        assert_eq!(chosen(0, Some(one_answer()), Duration::ZERO), Some(Choice::Nothing(TIME_IS_UP)));
        let Some(Choice::Run(_)) = chosen(0, Some(one_answer()), little) else {
            panic!("nobody knows how long it takes")
        };
    }

    #[test]
    fn the_pause_before_a_run_is_part_of_what_it_takes() {
        let (plan, durations) = (plan(), DurationEstimator::default());
        let spending = Spending::start(Duration::from_secs(30), Duration::ZERO);
        let asking = Asking::without_limit();
        let clock = |before| TimeLeft {
            spending: &spending,
            durations: &durations,
            asking: &asking,
            plan: &plan,
            before,
        };
        assert!(clock(None).has_time_for(&plan.steps[1]));
        assert!(!clock(Some(&plan.steps[0])).has_time_for(&plan.steps[1]));
    }
}
