//! Parts as processes on a core of their own: started, watched, and ended.

use anyhow::{Context as _, Result, bail, ensure};
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// The core of servers.
pub(crate) const SERVER_CORE: u32 = 0;
/// The core of whatever is measured.
pub(crate) const CLIENT_CORE: u32 = 1;

/// A program that runs on one core, with all of its threads.
pub(crate) fn on_core(core: u32, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}

/// This program once more, as one of its parts.
pub(crate) fn part(core: u32, arguments: &[&str]) -> Result<Command> {
    let mut command = on_core(core, std::env::current_exe()?);
    command.args(arguments);
    Ok(command)
}

/// A server that runs until this is dropped.
pub(crate) struct Server {
    child: Child,
    /// What its first line of output says.
    pub(crate) greeting: String,
}

impl Server {
    /// Starts a server and waits for its first line.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("start the server")?;
        let mut greeting = String::new();
        let output = child.stdout.take().context("the server has no output")?;
        BufReader::new(output).read_line(&mut greeting)?;
        Ok(Self { child, greeting: greeting.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which a client notices.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long any process may take.
const TIME_LIMIT: Duration = Duration::from_mins(5);

/// What a process used up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// From start to end.
    pub(crate) wall: Duration,
    /// Seconds of all of its threads.
    pub(crate) cpu: f64,
    /// The most memory it had, in MiB.
    pub(crate) peak_memory: f64,
}

/// Runs a process to its end.
pub(crate) fn run(mut command: Command) -> Result<Usage> {
    let (start, cpu_before) = (Instant::now(), children_cpu()?);
    let mut child = command.stdout(Stdio::null()).spawn().with_context(|| format!("start {command:?}"))?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak_memory = 0.0_f64;
    let status = loop {
        peak_memory = peak_memory.max(high_water_mark(Path::new(&status_file)));
        match child.try_wait()? {
            Some(status) => break status,
            None if start.elapsed() > TIME_LIMIT => {
                child.kill()?;
                bail!("{command:?} did not end within {TIME_LIMIT:?}");
            }
            None => thread::sleep(Duration::from_millis(10)),
        }
    };
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(Usage { wall: start.elapsed(), cpu: children_cpu()? - cpu_before, peak_memory })
}

/// What a process prints, and the seconds of CPU time that it used.
pub(crate) fn output(mut command: Command) -> Result<(String, f64)> {
    let cpu_before = children_cpu()?;
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    Ok((String::from_utf8(output.stdout)?.trim().to_owned(), children_cpu()? - cpu_before))
}

/// Seconds that all children used which have been waited for, to within a tick of 10 ms each.
fn children_cpu() -> Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in brackets, may hold spaces; the fields after it are counted from the third one.
    let (_, fields) = stat.rsplit_once(") ").context("/proc/self/stat has no name")?;
    let ticks = fields.split(' ').skip(13).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

/// In MiB; 0 once the process has ended.
fn high_water_mark(status: &Path) -> f64 {
    let status = fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kibibytes.unwrap_or(0.0) / 1024.0
}
