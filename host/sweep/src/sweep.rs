//! The runs of a benchmark, one after the other: a strategy chooses them, an executor carries them out, and what they say
//! goes into the files.

use crate::asking::Asking;
use crate::benchmark::Benchmark;
use crate::calibration;
use crate::connections;
use crate::context::SweepContext;
use crate::duration_estimator::DurationEstimator;
use crate::environment;
use crate::error::SweepError;
use crate::events::{Event, Observer};
use crate::files::Files;
use crate::findings::Findings;
use crate::history::History;
use crate::interrupt::{Interrupt, Urgency};
use crate::ledger::{Ending, Ledger, Success};
use crate::one_run;
use crate::policy::{Policy, Stop};
use crate::readiness;
use crate::spending::Spending;
use crate::strategy::{self, LeftOut, Next, Strategy};
use aiperf_artifacts::Manifest;
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::metrics::RunMetrics;
use aiperf_model::sweep::{Step, SweepResult};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use tracing::info;

/// A benchmark whose directory exists.
pub struct Sweep<'a> {
    benchmark: &'a Benchmark<'a>,
    strategy: Box<dyn Strategy + 'a>,
    files: Files,
    context: SweepContext<'a>,
    ledger: Ledger,
    findings: Findings,
    durations: DurationEstimator,
    /// The clock of the time for all trials, if there is one.
    spending: Option<Spending>,
    asking: Asking,
    /// The run that this process made last.
    last: Option<Step>,
    notices: Vec<String>,
    /// The client's own error at each value, by its position in the plan.
    client_errors: BTreeMap<u32, ClientErrorEstimate>,
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
        let context = context(benchmark, &files);
        Ok(Self::with(benchmark, files, context, Ledger::default(), Vec::new()))
    }

    /// Takes the directory of an earlier benchmark, which must be the same one; sends nothing. Runs that are done
    /// stay as they are.
    pub fn resume(benchmark: &'a Benchmark<'a>, directory: &Path) -> Result<Self, SweepError> {
        connections::check(benchmark)?;
        let (files, mut notices) = Files::resume(benchmark, directory)?;
        notices.extend(files.mend()?);
        let context = context(benchmark, &files);
        let ledger = files.ledger(&context.values)?;
        let mut sweep = Self::with(benchmark, files, context, ledger, notices);
        for left_out in sweep.needless() {
            sweep.files.leave_out(&left_out)?;
        }
        sweep.notices.push(sweep.files.progress());
        Ok(sweep)
    }

    fn with(
        benchmark: &'a Benchmark<'a>,
        files: Files,
        context: SweepContext<'a>,
        ledger: Ledger,
        notices: Vec<String>,
    ) -> Self {
        let notices = notices.into_iter().chain(environment::notes(files.host())).collect();
        let open: Vec<&Step> = benchmark.plan.steps.iter().filter(|step| !files.is_done(step)).collect();
        let asking = match benchmark.config.trials.time_budget {
            Some(budget) => Asking::within(budget.time),
            None => Asking::without_limit(),
        };
        Self {
            benchmark,
            strategy: strategy::of(benchmark, open.into_iter()),
            files,
            context,
            findings: Findings::of(&ledger),
            durations: ledger.durations(),
            ledger,
            spending: None,
            asking,
            last: None,
            notices,
            client_errors: BTreeMap::new(),
        }
    }

    /// Chooses the runs by another strategy than the one that the configuration asks for.
    #[must_use]
    pub fn by(mut self, strategy: Box<dyn Strategy + 'a>) -> Self {
        self.strategy = strategy;
        self
    }

    /// The directory that everything is written to.
    pub fn directory(&self) -> &Path {
        self.files.base()
    }

    /// What the user should know about the directory, one line each.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Makes all runs that the strategy wants, or those until something stops it.
    pub fn run(mut self, observer: &mut dyn Observer, interrupt: &Interrupt) -> Result<Outcome, SweepError> {
        self.calibrate(observer, interrupt)?;
        let budget = self.benchmark.config.trials.time_budget;
        self.spending = budget.map(|budget| Spending::start(budget.time, self.files.spent()));
        while let Some(step) = self.next(observer)? {
            // Nothing of this process ran before the first one, so there is nothing to cool down from.
            let last = self.last.as_ref();
            let cooldown = last.map_or(Duration::ZERO, |last| self.benchmark.plan.pause(last, &step));
            let begin = Instant::now();
            let stop = self.take(&step, cooldown, observer, interrupt)?;
            self.durations.note(step.value.index, begin.elapsed().saturating_sub(cooldown));
            self.last = Some(step);
            if stop.is_some() {
                return self.outcome(stop);
            }
            self.leave_out(observer)?;
            self.tell_remaining(observer);
        }
        self.outcome(None)
    }

    /// The next run, by the strategy.
    fn next(&mut self, observer: &mut dyn Observer) -> Result<Option<Step>, SweepError> {
        let (strategy, history) = self.asked();
        match strategy.next(&history) {
            Next::Run(step) => {
                if self.files.add(&step)? {
                    self.context.add(&step.value);
                }
                Ok(Some(step))
            }
            Next::Nothing(left_out) => {
                if let Some(left_out) = &left_out {
                    self.files.leave_out(left_out)?;
                    observer.notify(Event::Settled { runs: left_out.steps.len(), reason: &left_out.reason });
                }
                Ok(None)
            }
        }
    }

    /// The strategy, and what it knows.
    fn asked(&mut self) -> (&mut (dyn Strategy + 'a), History<'_>) {
        let history = History {
            context: &self.context,
            ledger: &self.ledger,
            findings: &self.findings,
            analysis: self.benchmark.analysis,
            asking: &self.asking,
            durations: &self.durations,
            spending: self.spending.as_ref(),
            last: self.last.as_ref(),
            next_index: self.files.next_index(),
        };
        (&mut *self.strategy, history)
    }

    /// The runs that those until now make needless.
    fn needless(&mut self) -> Vec<LeftOut> {
        let (strategy, history) = self.asked();
        strategy.leave_out(&history)
    }

    fn leave_out(&mut self, observer: &mut dyn Observer) -> Result<(), SweepError> {
        for left_out in self.needless() {
            self.files.leave_out(&left_out)?;
            if let [step, ..] = left_out.steps.as_slice() {
                let (runs, reason) = (left_out.steps.len(), left_out.reason.as_str());
                observer.notify(Event::Skipped { step, runs, reason });
            }
        }
        Ok(())
    }

    /// Tells how many runs are left, and how long they take: as their values did, or the time that is given for them if
    /// that is less.
    fn tell_remaining(&mut self, observer: &mut dyn Observer) {
        let (strategy, history) = self.asked();
        let (left, time) = (strategy.left(&history), strategy.time_left(&history));
        let done = self.ledger.counts().0;
        observer.notify(Event::Remaining { done, left, time });
    }

    /// Measures the client's own error at the load of each value that is run, where that is wanted. One that cannot be
    /// measured is the last one: what stands in the way, such as a wire format that the simulator does not know, does so
    /// at every load.
    fn calibrate(&mut self, observer: &mut dyn Observer, interrupt: &Interrupt) -> Result<(), SweepError> {
        let Some(calibration_backend) =
            self.benchmark.calibration_backend.filter(|_| calibration::is_wanted(self.benchmark))
        else {
            return Ok(());
        };
        for step in &self.benchmark.plan.steps {
            if self.files.is_settled(step)
                || self.client_errors.contains_key(&step.value.index)
                || interrupt.urgency() != Urgency::None
            {
                continue;
            }
            observer.notify(Event::Calibrating { step });
            let settings = self.benchmark.config.settings(&step.value);
            let client_error =
                calibration::client_error(self.benchmark, calibration_backend, &settings, interrupt);
            observer.notify(Event::Calibrated {
                step,
                client_error: client_error.as_ref().map_err(String::as_str),
            });
            let Ok(client_error) = client_error else { break };
            self.files.note_client_error(step.value.index, client_error.clone())?;
            self.client_errors.insert(step.value.index, client_error);
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
            info!(run = step.index, value = step.value.index, trial = step.trial, "run begins");
            let ending = self.attempt(step, observer, interrupt)?;
            let again = policy.retries(&ending, retries);
            info!(run = step.index, attempt = retries + 1, again, "run ended: {}", ending.word());
            observer.notify(Event::RunEnded { step, ending: &ending, retries: again });
            if !again {
                return Ok(policy.stop_after(&ending, &self.ledger, &self.context.values));
            }
            (cooldown, retries) = (policy.cooldown, retries + 1);
        }
    }

    /// Runs a step once, and brings the files up to date.
    fn attempt(
        &mut self,
        step: &Step,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<Ending, SweepError> {
        let begun = self.files.begin_run(step, &self.benchmark.config.workload)?;
        let client_error = self.client_errors.get(&step.value.index);
        let ending = one_run::execute(self.benchmark, step, client_error, &begun, observer, interrupt)?;
        self.ledger.note(step.index, step.value.index, step.trial, ending.clone());
        self.findings.outdate(step.value.index);
        let spent = self.spending.as_ref().map(Spending::spent);
        self.files.end_run(step, &ending, spent)?;
        if self.findings.are_due() {
            self.write_findings()?;
        }
        Ok(ending)
    }

    /// Writes what the runs say together.
    fn write_findings(&mut self) -> Result<(), SweepError> {
        let result =
            self.findings.result(|| self.context.result(&self.ledger, self.benchmark.analysis, &self.asking));
        let changed = self.findings.changed().filter_map(|value| self.context.value(value));
        self.files.write_aggregates(self.benchmark, changed, &self.ledger, result)?;
        self.findings.note_written();
        Ok(())
    }

    fn wait_for_servers(&self, step: &Step, observer: &mut dyn Observer, interrupt: &Interrupt) {
        let timeout = self.benchmark.config.failures.wait_for_model_timeout;
        let Benchmark { urls, transport, .. } = self.benchmark;
        if !timeout.is_zero() && !readiness::are_ready(urls, transport) {
            observer.notify(Event::WaitingForServer { step, timeout });
            readiness::wait(urls, transport, timeout, interrupt);
        }
    }

    fn outcome(mut self, stopped: Option<Stop>) -> Result<Outcome, SweepError> {
        if self.findings.are_behind() {
            self.write_findings()?;
        }
        let (succeeded, failed) = self.ledger.counts();
        let last_run = match self.ledger.last() {
            Some(Ending::Succeeded(Success { metrics, .. }) | Ending::Interrupted(Some(metrics))) => {
                Some(metrics.clone())
            }
            Some(Ending::Failed { .. } | Ending::Interrupted(None)) | None => None,
        };
        let unfinished = self.files.unfinished();
        let failed_by_plugin = self.ledger.is_failed_by_plugin();
        let (context, ledger, asking) = (&self.context, &self.ledger, &self.asking);
        let result = self.findings.into_result(|| context.result(ledger, self.benchmark.analysis, asking));
        // Requests that failed are data; where none was sent there are only names of servers that do not answer.
        let discarded = self.ledger.is_all_unreachable()
            && !self.files.is_resumed()
            && stopped != Some(Stop::Interrupted);
        let manifest = if discarded { self.files.discard()? } else { self.files.finish()? };
        Ok(Outcome {
            result,
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

fn context<'a>(benchmark: &'a Benchmark<'a>, files: &Files) -> SweepContext<'a> {
    let (config, plan) = (benchmark.config, benchmark.plan);
    SweepContext {
        axes: &plan.axes,
        values: files.values_ascending(),
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
