//! The line-oriented interface: a progress bar per run, and a table that fills in as the runs end.
//!
//! Off a terminal the bars disappear and the table stays, so that a log reads well.

use super::format;
use crate::lines::in_line;
use crate::say;
use aiperf_load::{Control, Progress};
use aiperf_model::catalogue::{COLUMNS, Column};
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::figure;
use aiperf_model::metrics::RunMetrics;
use aiperf_model::parameter;
use aiperf_model::sweep::Step;
use aiperf_sweep::{Ending, Event, Left, LiveFigures, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the bars move.
const REFRESH: Duration = Duration::from_millis(100);

/// How wide a column is at least.
const LEAST_WIDTH: usize = 10;

/// Shows bars and rows on standard error; standard output is left to the summary.
pub(crate) struct Simple {
    steps: usize,
    trials: u32,
    is_open_ended: bool,
    /// When the benchmark is expected to end.
    end: Option<Instant>,
    bar: Option<Moving>,
    header_shown: bool,
    /// How far a benchmark got whose number of runs is not known; else empty.
    progress: String,
}

impl Simple {
    /// An interface for a plan of so many steps with so many trials per value, or where a time is to be spent, at most.
    pub(crate) fn new(steps: usize, trials: u32, is_open_ended: bool) -> Self {
        Self {
            steps,
            trials,
            is_open_ended,
            end: None,
            bar: None,
            header_shown: false,
            progress: String::new(),
        }
    }

    fn title(&self, step: &Step) -> String {
        let (run, runs) = (step.index + 1, self.steps);
        let value = value_name(step);
        match (runs, self.trials) {
            (1, _) => value,
            (_, 1) => format!("[{run}/{runs}] {value}"),
            // The time decides how many there will be.
            _ if self.is_open_ended => format!("{value}, trial {}", step.trial),
            (_, trials) => format!("[{run}/{runs}] {value}, trial {}/{trials}", step.trial),
        }
    }

    fn row(&mut self, step: &Step, ending: &Ending) {
        let label = self.title(step);
        if !std::mem::replace(&mut self.header_shown, true) {
            say!("{:<34}{}", "times in ms", row(|column| column.name.to_owned()));
        }
        match ending {
            Ending::Succeeded(success) => say!("{label:<34}{}", cells(&success.metrics)),
            Ending::Interrupted(metrics) => {
                let cells = metrics.as_ref().map(cells).unwrap_or_default();
                say!("{label:<34}{cells}  interrupted, not counted");
            }
            Ending::Failed { error, .. } => say!("{label:<34}  failed: {error}"),
        }
    }
}

/// How far a benchmark got, before the name of the next run; nothing where the plan tells.
fn progress(done: usize, left: Left) -> String {
    match left {
        Left::Planned(_) | Left::Unknown => String::new(),
        Left::About(left) => format!("[{done} done, about {left} to go] "),
    }
}

fn value_name(step: &Step) -> String {
    let parameters = &step.value.parameters;
    if parameters.is_empty() { "run".into() } else { parameter::describe(parameters) }
}

fn calibrated(client_error: Result<&ClientErrorEstimate, &str>) -> String {
    match client_error {
        Ok(ClientErrorEstimate { ttft_ms, requests, .. }) => {
            let p50 = figure::number(ttft_ms.p50);
            match ttft_ms.p99.map(figure::number) {
                Some(p99) => format!("this client adds {p50} ms p50 / {p99} ms p99 to TTFT at this load"),
                None => format!(
                    "this client adds {p50} ms p50 to TTFT at this load ({requests} requests are too few for p99)"
                ),
            }
        }
        Err(problem) => format!("not calibrated: {problem}"),
    }
}

fn cells(metrics: &RunMetrics) -> String {
    row(|column| format::optional(metrics.statistic(column.metric, column.statistic)))
}

/// A cell for each column of the table that fills in as runs end.
fn row(cell: impl Fn(&Column) -> String) -> String {
    let columns = COLUMNS.iter().filter(|column| column.live);
    let padded = columns.map(|column| {
        let width = LEAST_WIDTH.max(column.name.len() + 1);
        format!("{:>width$}", cell(column))
    });
    padded.collect()
}

impl Observer for Simple {
    fn notify(&mut self, event: Event<'_>) {
        if let Event::Figures { figures, .. } = event {
            return self.bar.iter().for_each(|bar| bar.show(figures));
        }
        // The old bar clears its line before anything else is drawn there.
        self.bar = None;
        match event {
            Event::CoolingDown { duration, .. } => {
                log(&format!("cooldown of {} s", duration.as_secs_f64()));
                self.bar = Some(Moving::countdown("cooldown", duration, self.end));
            }
            Event::WaitingForServer { timeout, .. } => {
                log(&format!("waiting up to {} s for the server to answer", timeout.as_secs_f64()));
                self.bar = Some(Moving::countdown("waiting for server", timeout, self.end));
            }
            Event::Calibrating { .. } | Event::Figures { .. } => {}
            Event::Remaining { done, left, time } => {
                self.end = time.and_then(|time| Instant::now().checked_add(time));
                self.progress = progress(done, left);
            }
            Event::Calibrated { step, client_error } => {
                say!("{:<34}{}", self.title(step), calibrated(client_error));
            }
            Event::RunStarted { step, control } => {
                let title = format!("{}{}", self.progress, self.title(step));
                self.bar = Some(Moving::load(&title, control.clone(), self.end));
            }
            Event::RunEnded { step, ending, retries } => {
                self.row(step, ending);
                if retries {
                    say!("{:<34}  is run again", self.title(step));
                }
            }
            Event::Settled { runs, reason } => {
                say!("no more trials, {reason}: {} left out", format::count(runs, "run"));
            }
            Event::Skipped { step, runs, reason } => {
                let value = value_name(step);
                say!("{value}: {} left out: {reason}", format::count(runs, "run"));
            }
        }
    }
}

/// A bar that a thread of its own moves until it is dropped.
struct Moving {
    bar: ProgressBar,
    ended: Arc<AtomicBool>,
    /// The figures of the run so far, in words.
    figures: Arc<Mutex<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Moving {
    fn load(title: &str, control: Control, end: Option<Instant>) -> Self {
        Self::start(title, "{prefix:<34} {msg}", move |bar, live| {
            let progress = control.progress();
            match progress.total.filter(|total| *total > 0) {
                // Only a run whose requests are counted beforehand knows how far it is.
                None => bar.set_message(figures(&progress, bar.elapsed()) + live + &time_left(end)),
                Some(total) => {
                    bar.set_style(style("{prefix:<34} [{bar:30}] {msg}"));
                    bar.set_length(total);
                    bar.set_position(progress.completed + progress.failed);
                    bar.set_message(figures(&progress, bar.elapsed()) + live + &time_left(end));
                }
            }
        })
    }

    fn countdown(title: &str, duration: Duration, end: Option<Instant>) -> Self {
        Self::start(title, "{prefix:<34} [{bar:30}] {msg}", move |bar, _| {
            let left = duration.saturating_sub(bar.elapsed());
            let left = left.as_secs_f64().ceil();
            bar.set_message(format!("{left} s of {} s left{}", duration.as_secs_f64(), time_left(end)));
            bar.set_length(duration.as_millis() as u64);
            bar.set_position(bar.elapsed().as_millis() as u64);
        })
    }

    fn start(title: &str, template: &str, refresh: impl Fn(&ProgressBar, &str) + Send + 'static) -> Self {
        let bar = ProgressBar::with_draw_target(None, target());
        bar.set_style(style(template));
        bar.set_prefix(in_line(title).into_owned());
        let ended = Arc::new(AtomicBool::new(false));
        let figures = Arc::new(Mutex::new(String::new()));
        let (moving, stop, shown) = (bar.clone(), Arc::clone(&ended), Arc::clone(&figures));
        let thread = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                refresh(&moving, &shown.lock().unwrap_or_else(PoisonError::into_inner));
                thread::park_timeout(REFRESH);
            }
        });
        Self { bar, ended, figures, thread: Some(thread) }
    }

    /// Shows the figures of the run so far beside the bar.
    fn show(&self, figures: &LiveFigures) {
        let ttft = figures.ttft.quantile_ms(0.5).map(|ms| format!(", TTFT p50 {} ms", figure::number(ms)));
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner) = ttft.unwrap_or_default();
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A bar that panicked is no reason to stop the benchmark.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are ours and can be read.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// `120/400 requests, 35.20 req/s, 8 in flight, 2 failed, 3 s`.
fn figures(progress: &Progress, elapsed: Duration) -> String {
    let Progress { total, in_flight, completed, failed, .. } = *progress;
    let ended = completed + failed;
    let of = total.filter(|total| *total > 0).map(|total| format!("/{total}")).unwrap_or_default();
    let rate = if ended > 0 && !elapsed.is_zero() {
        format!(", {} req/s", figure::number(ended as f64 / elapsed.as_secs_f64()))
    } else {
        String::new()
    };
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("{ended}{of} requests{rate}, {in_flight} in flight{failed}, {}", format::time(elapsed))
}

/// How long the whole benchmark still takes, or nothing where that is not known or longer ago.
fn time_left(end: Option<Instant>) -> String {
    let left = end.and_then(|end| end.checked_duration_since(Instant::now()));
    left.map_or_else(String::new, |left| format!(", about {} left in all", format::time(left)))
}

/// What a bar shows on a terminal, as a line where there is none.
fn log(line: &str) {
    if !std::io::stderr().is_terminal() {
        say!("{line}");
    }
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_shows_what_it_does_now() {
        let begun = Progress { total: None, sent: 0, in_flight: 0, completed: 0, failed: 0 };
        assert_eq!(figures(&begun, Duration::ZERO), "0 requests, 0 in flight, 0 s");
        let half = Progress { total: Some(400), sent: 168, in_flight: 8, completed: 158, failed: 2 };
        let text = figures(&half, Duration::from_secs(5));
        assert_eq!(text, "160/400 requests, 32 req/s, 8 in flight, 2 failed, 5 s");
    }
}
