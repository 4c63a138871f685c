//! Compiling the components of others in a process of its own, under limits of time and memory.
//!
//! What a component costs to compile is up to its author: a file of a megabyte can take minutes and gigabytes, and what
//! runs out of memory ends its process. So it is the compiler's process that ends, and the host tells why.
//!
//! The process is this program again, told so by a variable of its environment. It reads the component from its standard
//! input and writes the code to its standard output, or why there is none to its standard error.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, thread};

use wasmtime::Engine;

use crate::function_size;
use crate::limits::Limits;
use crate::sandbox;

/// The variable that makes this program the compiler. Its value is the limits: seconds and bytes.
const ROLE: &str = "AIPERF_COMPILER";

/// The most threads of one compilation: each holds the function it works on, so that the memory which a component
/// needs would otherwise depend on the machine.
const THREADS: usize = 4;

/// Whether the system holds a process to its limit of memory; elsewhere there is none for what is mapped.
const BOUNDS_MEMORY: bool = cfg!(target_os = "linux");

/// How much longer than its processor time a compilation may last, for want of a processor.
const PATIENCE: u32 = 10;

/// Starts compilers.
#[derive(Debug)]
pub(crate) struct Compiler {
    program: PathBuf,
    /// One at a time: each uses several processors, and their memory would add up.
    turn: Mutex<()>,
}

impl Compiler {
    /// A compiler that is this program.
    pub(crate) fn new(program: PathBuf) -> Self {
        Self { program, turn: Mutex::new(()) }
    }

    /// The code of a component.
    ///
    /// # Errors
    ///
    /// Why there is none, as words about the component.
    pub(crate) fn compile(&self, limits: &Limits, component: &[u8]) -> Result<Vec<u8>, String> {
        if !BOUNDS_MEMORY && let Some(reason) = function_size::refusal(limits, component) {
            return Err(reason);
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut process = self.start(limits).map_err(|error| format!("no compiler was started: {error}"))?;
        let ended = converse(&mut process, component, limits.compile_time * PATIENCE);
        ended.map_err(|error| format!("the compiler was lost: {error}"))?.code(limits)
    }

    fn start(&self, limits: &Limits) -> io::Result<Child> {
        let threads = thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS));
        Command::new(&self.program)
            .env(ROLE, format!("{} {}", limits.compile_time.as_secs().max(1), limits.compile_memory))
            .env("RAYON_NUM_THREADS", threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }
}

/// What became of a compiler.
struct Ended {
    status: ExitStatus,
    output: Vec<u8>,
    complaint: String,
    /// Whether it lasted too long and was ended by us.
    late: bool,
}

/// Gives a process its input and takes what it answers, for no longer than `wait`.
fn converse(process: &mut Child, input: &[u8], wait: Duration) -> io::Result<Ended> {
    let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
    thread::scope(|scope| {
        let (done, answered) = mpsc::channel();
        // A process that ends early takes no more; why, it says elsewhere.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let complaint = scope.spawn(move || read_all(stderr));
        let output = scope.spawn(move || {
            let output = read_all(stdout);
            // Nobody waits for it any more if it came too late.
            let _ = done.send(());
            output
        });
        let late = answered.recv_timeout(wait) == Err(RecvTimeoutError::Timeout);
        if late {
            process.kill()?;
        }
        let status = process.wait()?;
        let taken = |thread: thread::ScopedJoinHandle<'_, io::Result<Vec<u8>>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        let complaint = String::from_utf8_lossy(&taken(complaint)?).trim().to_owned();
        Ok(Ended { status, output: taken(output)?, complaint, late })
    })
}

fn read_all(stream: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        stream.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

impl Ended {
    fn code(self, limits: &Limits) -> Result<Vec<u8>, String> {
        if self.status.success() {
            return Ok(self.output);
        }
        if self.late || is_out_of_time(self.status) {
            let seconds = limits.compile_time.as_secs();
            return Err(format!(
                "compiling it takes more than {seconds} s of processor time; --plugin-compile-seconds allows more"
            ));
        }
        // What Rust says of an allocation that failed, before it ends the process.
        if self.complaint.contains("memory allocation of") {
            let mib = limits.compile_memory >> 20;
            return Err(format!(
                "compiling it takes more than {mib} MiB of memory; --plugin-compile-mib allows more"
            ));
        }
        if self.status.code() == Some(REFUSED) {
            return Err(self.complaint);
        }
        let last = self.complaint.lines().last().unwrap_or_default();
        Err(format!("its compiler ended with {}: {last}", self.status))
    }
}

#[cfg(unix)]
fn is_out_of_time(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

/// Only the clock on the wall stops it.
#[cfg(not(unix))]
fn is_out_of_time(_status: ExitStatus) -> bool {
    false
}

/// The exit code of a compiler that found fault with the component.
const REFUSED: i32 = 1;

/// The compiler itself, if this process was started as one: what it ends with.
///
/// A program whose host compiles in processes of its own calls this before anything else.
#[must_use]
pub fn run_as_compiler() -> Option<ExitCode> {
    let limits = env::var(ROLE).ok()?;
    Some(match compile_input(&limits) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // If nobody reads it, nobody waits for it.
            let _ = write!(io::stderr(), "{reason:#}");
            ExitCode::from(REFUSED as u8)
        }
    })
}

fn compile_input(limits: &str) -> wasmtime::Result<()> {
    limit_this_process(limits);
    let mut component = Vec::new();
    io::stdin().lock().read_to_end(&mut component)?;
    let code = Engine::new(&sandbox::config())?.precompile_component(&component)?;
    io::stdout().lock().write_all(&code)?;
    Ok(())
}

/// Where a limit is refused the others hold, and the clock of the host does in any case.
#[cfg(unix)]
fn limit_this_process(limits: &str) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let mut numbers = limits.split(' ').map(|number| number.parse::<u64>().ok());
    let limit = |resource, wanted: Option<u64>| {
        let Some(wanted) = wanted else { return };
        let maximum = getrlimit(resource).maximum;
        let current = Some(maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        let _ = setrlimit(resource, Rlimit { current, maximum });
    };
    limit(Resource::Cpu, numbers.next().flatten());
    // What it writes to, not what it reserves: each thread reserves far more than it uses.
    limit(Resource::Data, numbers.next().flatten());
    // Its end is foreseen, and nobody wants gigabytes of it on the disk.
    limit(Resource::Core, Some(0));
    end_with_the_host();
}

#[cfg(not(unix))]
fn limit_this_process(_limits: &str) {}

/// Nobody waits for the code of a host that is gone.
#[cfg(target_os = "linux")]
fn end_with_the_host() {
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

#[cfg(all(unix, not(target_os = "linux")))]
fn end_with_the_host() {}
