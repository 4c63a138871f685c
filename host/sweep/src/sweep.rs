//! The steps of a plan, one after the other.

use crate::agenda::Agenda;
use crate::allocation::{self, Choice, Clock};
use crate::asking::Asking;
use crate::benchmark::Benchmark;
use crate::calibration;
use crate::connections;
use crate::environment;
use crate::error::SweepError;
use crate::events::{Event, Observer};
use crate::files::Files;
use crate::frame::Frame;
use crate::interrupt::{Interrupt, Urgency};
use crate::ledger::{Ending, Ledger, Success};
use crate::one_run;
use crate::pace::Pace;
use crate::policy::{Policy, Stop};
use crate::readiness;
use crate::spending::Spending;
use aiperf_artifacts::Manifest;
use aiperf_model::budget::ErrorBudget;
use aiperf_model::metrics::RunMetrics;
use aiperf_model::sweep::{Step, SweepResult};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// A benchmark whose directory exists.
pub struct Sweep<'a> {
    benchmark: &'a Benchmark<'a>,
    files: Files,
    frame: Frame<'a>,
    ledger: Ledger,
    agenda: Agenda<'a>,
    pace: Pace,
    /// The clock of the time for all trials, if there is one.
    spending: Option<Spending>,
    asking: Asking,
    result: SweepResult,
    notices: Vec<String>,
    /// The client's own error at each value, by its position in the plan.
    budgets: BTreeMap<u32, ErrorBudget>,
}

/// What became of a benchmark.
#[derive(Debug)]
pub struct Outcome {
    /// What the sweep files say; for a single value, its point without an analysis.
    pub result: SweepResult,
    /// How many runs succeeded, also earlier ones of a directory that is continued.
    pub succeeded: usize,
    /// How many runs failed.
    pub failed: usize,
    /// Whether one of them failed by its endpoint plugin.
    pub failed_by_plugin: bool,
    /// How many runs of the plan have no result: those that failed, and those that were not reached.
    pub unfinished: usize,
    /// Why it ended before the last run, if it did.
    pub stopped: Option<Stop>,
    /// Whether no server could be reached at all, so that nothing was sent, and the directory is gone again.
    pub discarded: bool,
    /// The metrics of the last run, unless it failed.
    pub last_run: Option<RunMetrics>,
    /// What was to be run, and how far it got.
    pub manifest: Manifest,
}

impl<'a> Sweep<'a> {
    /// Makes the directory and the manifest; sends nothing.
    pub fn begin(benchmark: &'a Benchmark<'a>) -> Result<Self, SweepError> {
        connections::check(benchmark)?;
        let files = Files::create(benchmark)?;
        let frame = frame(benchmark, &files);
        Ok(Self::with(benchmark, files, frame, Ledger::default(), Vec::new()))
    }

    /// Takes the directory of an earlier benchmark, which must be the same one; sends nothing. Runs that are done
    /// stay as they are.
    pub fn resume(benchmark: &'a Benchmark<'a>, directory: &Path) -> Result<Self, SweepError> {
        connections::check(benchmark)?;
        let (files, mut notices) = Files::resume(benchmark, directory)?;
        notices.extend(files.mend()?);
        let frame = frame(benchmark, &files);
        let ledger = files.ledger(&frame.values)?;
        let mut sweep = Self::with(benchmark, files, frame, ledger, notices);
        for spared in sweep.agenda.spare(&sweep.frame, &sweep.ledger) {
            sweep.files.leave_out(&spared)?;
        }
        sweep.notices.push(sweep.files.progress());
        Ok(sweep)
    }

    fn with(
        benchmark: &'a Benchmark<'a>,
        files: Files,
        frame: Frame<'a>,
        ledger: Ledger,
        notices: Vec<String>,
    ) -> Self {
        let asking = match benchmark.config.trials.time_budget {
            Some(budget) => Asking::within(budget.time),
            None => Asking::without_limit(),
        };
        let result = frame.result(&ledger, benchmark.analysis, &asking);
        let notices = notices.into_iter().chain(environment::notes(files.host())).collect();
        let agenda = Agenda::new(benchmark.plan.steps.iter().filter(|step| !files.is_done(step)));
        let pace = ledger.pace();
        let (spending, budgets) = (None, BTreeMap::new());
        Self { benchmark, files, frame, ledger, agenda, pace, spending, asking, result, notices, budgets }
    }

    /// The directory that everything is written to.
    pub fn directory(&self) -> &Path {
        self.files.base()
    }

    /// What the user should know about the directory, one line each.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Runs all steps that are not done, or those until something stops it.
    pub fn run(mut self, observer: &mut dyn Observer, interrupt: &Interrupt) -> Result<Outcome, SweepError> {
        let budget = self.benchmark.config.trials.time_budget;
        self.calibrate(observer, interrupt)?;
        self.spending = budget.map(|budget| Spending::start(budget.time, self.files.spent()));
        // Nothing of this process ran before the first one, so there is nothing to cool down from.
        let mut before = None;
        while let Some(step) = self.next(before, observer)? {
            let cooldown = before.map_or(Duration::ZERO, |before| self.benchmark.plan.pause(before, step));
            let begin = Instant::now();
            if let Some(stop) = self.take(step, cooldown, observer, interrupt)? {
                return self.outcome(Some(stop));
            }
            self.pace.note(step.value.index, begin.elapsed().saturating_sub(cooldown));
            self.leave_out(observer)?;
            self.tell_remaining(step, observer);
            before = Some(step);
        }
        self.outcome(None)
    }

    /// Takes the next run: the one of the plan, or where there is a time for all trials, the one that matters most.
    fn next(
        &mut self,
        before: Option<&Step>,
        observer: &mut dyn Observer,
    ) -> Result<Option<&'a Step>, SweepError> {
        let (Some(budget), Some(spending)) = (self.benchmark.config.trials.time_budget, &self.spending)
        else {
            return Ok(self.agenda.next());
        };
        let Benchmark { plan, analysis, .. } = *self.benchmark;
        let clock = Clock { spending, pace: &self.pace, asking: &self.asking, plan, before };
        match allocation::choose(&self.agenda, &self.result, analysis, budget.min_trials, &clock) {
            Some(Choice::Run(step)) => {
                self.agenda.take(step);
                Ok(Some(step))
            }
            Some(Choice::Nothing(reason)) => {
                let rest = self.agenda.end(reason);
                self.files.leave_out(&rest)?;
                observer.notify(Event::Settled { runs: rest.steps.len(), reason });
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Tells how long the runs take that are left: as their values did, or the time that is given for them if that is less.
    fn tell_remaining(&self, before: &Step, observer: &mut dyn Observer) {
        let mut before = before;
        let mut expected = Some(Duration::ZERO);
        for step in self.agenda.open() {
            let run = self.pace.expected(step.value.index);
            expected =
                expected.zip(run).map(|(sum, run)| sum + self.benchmark.plan.pause(before, step) + run);
            before = step;
        }
        let expected = expected.filter(|time| !time.is_zero());
        let left = self.spending.map(|spending| spending.left());
        if let Some(time) = expected {
            observer.notify(Event::Remaining { time: left.map_or(time, |left| left.min(time)) });
        }
    }

    /// Leaves out the runs that those until now make needless.
    fn leave_out(&mut self, observer: &mut dyn Observer) -> Result<(), SweepError> {
        for spared in self.agenda.spare(&self.frame, &self.ledger) {
            self.files.leave_out(&spared)?;
            if let [step, ..] = spared.steps.as_slice() {
                let (runs, reason) = (spared.steps.len(), spared.reason.as_str());
                observer.notify(Event::Spared { step, runs, reason });
            }
        }
        Ok(())
    }

    /// Measures the client's own error at the load of each value that is run, where that is wanted. One that cannot be
    /// measured is the last one: what stands in the way, such as a wire format that the simulator does not know, does so
    /// at every load.
    fn calibrate(&mut self, observer: &mut dyn Observer, interrupt: &Interrupt) -> Result<(), SweepError> {
        let Some(laboratory) = self.benchmark.laboratory.filter(|_| calibration::is_wanted(self.benchmark))
        else {
            return Ok(());
        };
        let open: Vec<&Step> = self.agenda.open().collect();
        for step in open {
            if self.budgets.contains_key(&step.value.index) || interrupt.urgency() != Urgency::None {
                continue;
            }
            observer.notify(Event::Calibrating { step });
            let settings = self.benchmark.config.settings(&step.value);
            let budget = calibration::budget(self.benchmark, laboratory, &settings, interrupt);
            observer.notify(Event::Calibrated { step, budget: budget.as_ref().map_err(String::as_str) });
            let Ok(budget) = budget else { break };
            self.files.note_budget(step.value.index, budget.clone())?;
            self.budgets.insert(step.value.index, budget);
        }
        Ok(())
    }

    /// Runs a step as often as the policy wants, and says whether the benchmark ends with it.
    fn take(
        &mut self,
        step: &Step,
        cooldown: Duration,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<Option<Stop>, SweepError> {
        let policy = Policy::new(self.benchmark.config);
        let (mut cooldown, mut retries) = (cooldown, 0);
        loop {
            cool_down(step, cooldown, observer, interrupt);
            self.wait_for_servers(step, observer, interrupt);
            if interrupt.urgency() != Urgency::None {
                return Ok(Some(Stop::Interrupted));
            }
            let ending = self.attempt(step, observer, interrupt)?;
            let again = policy.retries(&ending, retries);
            observer.notify(Event::RunEnded { step, ending: &ending, retries: again });
            if !again {
                return Ok(policy.stop_after(&ending, &self.ledger, &self.frame.values));
            }
            (cooldown, retries) = (policy.cooldown, retries + 1);
        }
    }

    /// Runs a step once and brings all files up to date.
    fn attempt(
        &mut self,
        step: &Step,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<Ending, SweepError> {
        let folder = self.files.begin_run(step)?;
        let ending = one_run::execute(
            self.benchmark,
            step,
            self.budgets.get(&step.value.index),
            &folder,
            observer,
            interrupt,
        )?;
        self.ledger.note(step.index, step.value.index, step.trial, ending.clone());
        self.result = self.frame.result(&self.ledger, self.benchmark.analysis, &self.asking);
        if let Some(spending) = &self.spending {
            self.files.note_spent(spending.spent());
        }
        self.files.end_run(self.benchmark, step, &ending, &self.ledger, &self.result)?;
        Ok(ending)
    }

    fn wait_for_servers(&self, step: &Step, observer: &mut dyn Observer, interrupt: &Interrupt) {
        let timeout = self.benchmark.config.failures.wait_for_model_timeout;
        let Benchmark { urls, transport, .. } = self.benchmark;
        if !timeout.is_zero() && !readiness::are_ready(urls, transport) {
            observer.notify(Event::WaitingForServer { step, timeout });
            readiness::wait(urls, transport, timeout, interrupt);
        }
    }

    fn outcome(self, stopped: Option<Stop>) -> Result<Outcome, SweepError> {
        let (succeeded, failed) = self.ledger.counts();
        let last_run = match self.ledger.last() {
            Some(Ending::Succeeded(Success { metrics, .. }) | Ending::Interrupted(Some(metrics))) => {
                Some(metrics.clone())
            }
            Some(Ending::Failed { .. } | Ending::Interrupted(None)) | None => None,
        };
        let unfinished = self.files.unfinished();
        let failed_by_plugin = self.ledger.is_failed_by_plugin();
        // Requests that failed are data; where none was sent there are only names of servers that do not answer.
        let discarded = self.ledger.is_all_unreachable()
            && !self.files.is_resumed()
            && stopped != Some(Stop::Interrupted);
        let manifest = if discarded { self.files.discard()? } else { self.files.into_manifest() };
        Ok(Outcome {
            result: self.result,
            succeeded,
            failed,
            failed_by_plugin,
            unfinished,
            stopped,
            discarded,
            last_run,
            manifest,
        })
    }
}

fn frame<'a>(benchmark: &'a Benchmark<'a>, files: &Files) -> Frame<'a> {
    let (config, plan) = (benchmark.config, benchmark.plan);
    Frame {
        axes: &plan.axes,
        values: plan.values_ascending().into_iter().cloned().collect(),
        trials_per_value: plan.shape.trials,
        order: plan.shape.order,
        confidence_level: config.trials.confidence_level,
        convergence: config.trials.convergence.clone(),
        time_budget: config.trials.time_budget.map(|budget| budget.time.as_secs_f64()),
        selection: config.sweep.metrics,
        plugins: files.plugins().to_vec(),
    }
}

fn cool_down(step: &Step, duration: Duration, observer: &mut dyn Observer, interrupt: &Interrupt) {
    if !duration.is_zero() {
        observer.notify(Event::CoolingDown { step, duration });
        interrupt.wait(duration);
    }
}
