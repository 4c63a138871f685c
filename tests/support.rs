//! Running the binary and its simulator, and reading what they leave.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use tempfile::TempDir;

/// The binary under test, with an environment that no user's settings reach.
pub(crate) fn aiperf() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aiperf"));
    command.env_remove("OPENAI_API_KEY").env_remove("AIPERF_LOG").env("AIPERF_PLUGIN_DIR", "");
    // A few requests are enough for a test that says no number.
    command.env("AIPERF_PRECISION", "none");
    // What was compiled for the user, or by an earlier state of this program, is not there; the tests share theirs.
    let own = concat!(env!("CARGO_TARGET_TMPDIR"), "/user");
    command.env("XDG_CACHE_HOME", format!("{own}/cache")).env("XDG_CONFIG_HOME", format!("{own}/config"));
    command
}

/// A folder to run in, and the commands run there.
pub(crate) struct Workplace {
    folder: TempDir,
    /// The user and group that commands run as, where they are not those of the tests.
    user: Option<u32>,
}

/// The user of nobody.
const NOBODY: u32 = 65_534;

impl Workplace {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), user: None }
    }

    /// A folder of a user who is not root, to whom nothing is read-only. None where no such user can run the program,
    /// since it lies in a folder of root.
    pub(crate) fn of_nobody() -> Option<Self> {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let mut place = Self::new();
        if place.path().metadata().unwrap().uid() == 0 {
            chown(place.path(), Some(NOBODY), Some(NOBODY)).unwrap();
            place.user = Some(NOBODY);
        }
        let can_run = place.command().arg("--version").stdout(Stdio::null()).status().is_ok();
        if !can_run {
            eprintln!("skipped: nobody but root can run {}", env!("CARGO_BIN_EXE_aiperf"));
        }
        can_run.then_some(place)
    }

    /// The program, to be run here.
    pub(crate) fn command(&self) -> Command {
        use std::os::unix::process::CommandExt as _;
        let mut command = aiperf();
        command.current_dir(self.path()).stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `aiperf` with arguments as a shell would split them.
    pub(crate) fn run(&self, arguments: &str) -> Finished {
        self.run_with(&split(arguments))
    }

    pub(crate) fn run_with<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Finished {
        Finished::from(self.command().args(arguments).output().unwrap())
    }

    /// Begins `aiperf` with arguments as a shell would split them, and leaves it running.
    pub(crate) fn begin(&self, arguments: &str) -> Running {
        let mut command = self.command();
        command.args(split(arguments));
        self.begin_command(command)
    }

    /// Begins a command that becomes `aiperf`, and leaves it running.
    pub(crate) fn begin_command(&self, mut command: Command) -> Running {
        command.current_dir(self.path()).stdin(Stdio::null());
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        Running { process, stderr, seen: String::new() }
    }

    /// The file at a path below the folder, as JSON.
    pub(crate) fn json(&self, path: &str) -> Value {
        let path = self.path().join(path);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        let path = self.path().join(path);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// How far each run of a benchmark got, by its manifest.
    pub(crate) fn states(&self, base: &str) -> Vec<String> {
        let manifest = self.json(&format!("{base}/manifest.json"));
        let runs = manifest["runs"].as_array().unwrap();
        runs.iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
    }

    /// Checks that every file below the folder that is written as a whole can be read, and of the records every line
    /// but one that is torn at the end.
    #[track_caller]
    pub(crate) fn assert_valid(&self) {
        for file in self.files("") {
            let is_half = file.rsplit('/').next().unwrap().starts_with('.');
            match Path::new(&file).extension().and_then(std::ffi::OsStr::to_str) {
                Some("json") if !is_half => drop(self.json(&file)),
                Some("jsonl") => {
                    let records = String::from_utf8(self.bytes(&file)).unwrap();
                    let whole = records.rfind('\n').map_or("", |end| &records[..end]);
                    whole.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).expect(&file)));
                }
                _ => {}
            }
        }
    }

    /// All files below a folder, relative to it, sorted.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        let root = self.path().join(below);
        let mut found = Vec::new();
        collect(&root, &root, &mut found);
        found.sort();
        found
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
        }
    }
}

/// A command that has not ended; killed when dropped.
pub(crate) struct Running {
    process: Child,
    stderr: BufReader<ChildStderr>,
    seen: String,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until a line on its standard error, from now on, contains this text. Gives up at its end.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        assert!(self.reaches(text), "{text:?} never came:\n{}", self.seen);
    }

    /// Like `wait_for`; false if it ended before.
    pub(crate) fn reaches(&mut self, text: &str) -> bool {
        loop {
            let start = self.seen.len();
            if self.stderr.read_line(&mut self.seen).unwrap() == 0 {
                return false;
            }
            if self.seen[start..].contains(text) {
                return true;
            }
        }
    }

    /// Sends a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.pid());
        // It may have ended by itself in the meantime.
        Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status().unwrap();
    }

    /// Waits for its end. It must not say much until then.
    pub(crate) fn wait_for_end(&mut self) {
        self.process.wait().unwrap();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// Waits for its end; whether a signal ended it.
    pub(crate) fn was_killed(&mut self) -> bool {
        self.process.wait().unwrap().code().is_none()
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        self.stderr.read_to_string(&mut self.seen).unwrap();
        let code = self.process.wait().unwrap().code().unwrap_or(-1);
        Finished { code, stdout: String::new(), stderr: std::mem::take(&mut self.seen) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server that accepts connections, reads requests and never answers.
pub(crate) struct Silence {
    pub(crate) url: String,
    requests: Receiver<()>,
}

impl Silence {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (arrived, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let arrived = arrived.clone();
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut first = [0];
                    // A connection without a byte is a probe.
                    if stream.read(&mut first).is_ok_and(|length| length > 0) {
                        let _ = arrived.send(());
                        let _ = std::io::copy(&mut stream, &mut std::io::sink());
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// Waits until a request has arrived.
    pub(crate) fn wait_for_request(&self) {
        self.requests.recv().unwrap();
    }

    /// Whether no request has arrived that was not waited for.
    pub(crate) fn is_untouched(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

/// Waits until a file satisfies a condition, which it does soon.
#[track_caller]
pub(crate) fn wait_until(mut holds: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !holds() {
        assert!(begin.elapsed().as_secs() < 60, "waited for a minute");
        thread::yield_now();
    }
}

/// A port at which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What a command left behind.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Finished {
    /// Checks the exit code and shows everything where it is another.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// `aiperf simulate` as a process of its own, ended when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts the simulator on a free port.
    pub(crate) fn start(arguments: &str) -> Self {
        Self::start_at(0, arguments)
    }

    /// Starts the simulator on a port.
    pub(crate) fn start_at(port: u16, arguments: &str) -> Self {
        let mut command = aiperf();
        command.args(["simulate", "--port", &port.to_string()]).args(split(arguments));
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the simulator prints its address").unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { process, url }
    }

    /// Ends it as a user would end a server: by its pid.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn chat_url(&self) -> String {
        format!("{}/v1/chat/completions", self.url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether a sweep names the best value by an objective, as `best_throughput`, or has no valid one that could be it: on a
/// busy machine short runs are invalid.
pub(crate) fn names_best(sweep: &Value, best: &str) -> bool {
    let excluded = sweep["metadata"]["excluded_values"].as_array().map_or(0, Vec::len);
    if sweep["metadata"]["num_successful_values"].as_u64() == Some(excluded as u64) {
        sweep["best_configurations"].get(best).is_none()
    } else {
        sweep["best_configurations"][best]["value"].is_i64()
    }
}

/// Splits as a shell does.
fn split(arguments: &str) -> Vec<String> {
    shlex::split(arguments).unwrap()
}
