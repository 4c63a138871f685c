//! Plugins as shared libraries: the same source as a component, compiled for this machine.
//!
//! For native debuggers, and to measure what the sandbox costs. Nothing limits them: they run with all rights of this
//! process and for as long as they like, and one that reaches for wrong memory ends the process. So a library is opened
//! only if the user says so. What they answer is checked as everything is, and a panic fails its call alone.

#[path = "../../../sdk/rust/src/native/abi.rs"]
#[expect(unreachable_pub, reason = "the file is the SDK's, where all of it is public")]
mod abi;
#[expect(unsafe_code, reason = "a shared library can only be called through pointers")]
mod library;
mod listener;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aiperf_model::plugin::{Kind, PluginError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::library::{Functions, Handle, Outcome, Symbols};
use self::listener::listen;
use crate::answer::shortened;
use crate::binary::sha256;
use crate::bindings::types::PluginInfo;
use crate::crash::panic_message;
use crate::error::{HostError, Source, with_article};
use crate::limits::Limits;
use crate::log::LogSink;
use crate::sandbox::Sandbox;

/// How shared libraries of all systems begin: ELF, Mach-O in its forms, and the executables of Windows.
const MAGIC: [&[u8]; 5] = [b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ"];

/// How the names of shared libraries end.
const EXTENSIONS: [&str; 3] = ["so", "dylib", "dll"];

/// Whether a file is a shared library, by its first bytes or by its name.
pub(crate) fn is_library(path: &Path, bytes: &[u8]) -> bool {
    let is_named_so = path
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension));
    is_named_so || MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

/// A function of the contract.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its place among those after `configure`.
    pub(crate) place: u32,
}

/// A shared library with plugins.
pub(crate) struct Library {
    source: Source,
    path: PathBuf,
    sha256: String,
    size: u64,
    symbols: OnceLock<Result<Symbols, HostError>>,
}

impl Library {
    /// The library in a file that has these bytes. It is opened when it is first asked for something.
    pub(crate) fn new(path: &Path, source: Source, bytes: &[u8]) -> Self {
        Self {
            source,
            // A name without a directory would be searched for elsewhere.
            path: fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
            sha256: sha256(bytes),
            size: bytes.len() as u64,
            symbols: OnceLock::new(),
        }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The SHA-256 of the bytes, in lower-case hexadecimal.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The kinds of plugins that the library is.
    pub(crate) fn kinds(&self) -> Result<Vec<Kind>, HostError> {
        let symbols = self.symbols()?;
        let kinds: Vec<Kind> =
            Kind::ALL.into_iter().filter(|kind| symbols.functions(*kind).is_some()).collect();
        if kinds.is_empty() {
            return Err(HostError::NoNativePlugin(self.source.clone()));
        }
        Ok(kinds)
    }

    fn symbols(&self) -> Result<&Symbols, HostError> {
        self.symbols.get_or_init(|| Symbols::open(&self.path, &self.source)).as_ref().map_err(Clone::clone)
    }

    /// What the plugin of a kind says of itself.
    pub(crate) fn describe(&self, kind: Kind, caller: &Caller) -> Result<PluginInfo, PluginError> {
        let functions = self.functions(kind)?;
        let info: EncodedInfo = caller.call("describe", || functions.describe())?;
        let EncodedInfo { name, version, summary, settings_schema } = info;
        Ok(PluginInfo { name, version, summary, settings_schema })
    }

    /// A configured instance of the plugin of a kind, and what it answered to its settings.
    pub(crate) fn configure<T: DeserializeOwned>(
        &self,
        kind: Kind,
        settings: &str,
        caller: Caller,
    ) -> Result<(Instance, T), PluginError> {
        let functions = self.functions(kind)?;
        let mut made = None;
        let configured: Result<T, EncodedError> = caller.call("configure", || {
            let (outcome, handle) = functions.configure(settings);
            made = handle;
            outcome
        })?;
        let info = configured?;
        let handle = made.ok_or_else(|| caller.broke_contract("configure", "there is no instance"))?;
        Ok((Instance { handle, caller, functions, settings: settings.to_owned() }, info))
    }

    fn functions(&self, kind: Kind) -> Result<Functions, PluginError> {
        let symbols = self.symbols().map_err(|error| PluginError::Other(error.to_string()))?;
        symbols
            .functions(kind)
            .ok_or_else(|| PluginError::Other(format!("'{}' is not {}", self.source, with_article(kind))))
    }
}

/// A configured plugin in a library. Unlike a component it serves several threads at once.
pub(crate) struct Instance {
    handle: Handle,
    caller: Caller,
    functions: Functions,
    settings: String,
}

impl Instance {
    /// Calls a function of the contract.
    ///
    /// # Errors
    ///
    /// What the plugin said, or [`PluginError::Crashed`] if it panicked.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        function: Function,
        arguments: &impl Serialize,
    ) -> Result<T, PluginError> {
        let arguments = postcard::to_allocvec(arguments)
            .map_err(|error| self.caller.broke_contract(function.name, &error.to_string()))?;
        let answer: Result<T, EncodedError> =
            self.caller.call(function.name, || self.handle.call(function.place, &arguments))?;
        Ok(answer?)
    }

    /// Calls a function of a new instance with the same settings. What the library keeps for all of its instances is that
    /// of this one, too.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub(crate) fn call_new_instance<T: DeserializeOwned>(
        &self,
        function: Function,
        arguments: &impl Serialize,
    ) -> Result<T, PluginError> {
        // It says what the first one said when it was configured.
        let ((_, made), _) = listen(&self.caller.limits, || self.functions.configure(&self.settings));
        let handle =
            made.ok_or_else(|| self.caller.broke_contract("configure", "there is no second instance"))?;
        let (caller, settings) = (self.caller.clone(), self.settings.clone());
        Self { handle, caller, functions: self.functions, settings }.call(function, arguments)
    }
}

/// Who is called, and who hears what it logs.
#[derive(Clone)]
pub(crate) struct Caller {
    speaker: String,
    limits: Limits,
    log: LogSink,
}

impl Caller {
    /// `speaker` is who is called in messages.
    pub(crate) fn new(speaker: String, sandbox: &Sandbox) -> Self {
        Self { speaker, limits: sandbox.limits.clone(), log: sandbox.log.clone() }
    }

    /// Makes a call, delivers what it logged, and decodes what it answered.
    fn call<T: DeserializeOwned>(
        &self,
        function: &str,
        call: impl FnOnce() -> Outcome,
    ) -> Result<T, PluginError> {
        let (outcome, mut log) = listen(&self.limits, call);
        let answer = match outcome {
            Outcome::Answered(bytes) => postcard::from_bytes(&bytes)
                .map_err(|error| self.broke_contract(function, &error.to_string())),
            Outcome::Unreadable(reason) => Err(self.broke_contract(function, &reason)),
            Outcome::Panicked(message) => {
                // What it logged last says also where.
                let message = panic_message(log.last_error().or(Some(&message)));
                Err(PluginError::Crashed(format!("{} panicked in {function}{message}", self.speaker)))
            }
        };
        log.deliver(&self.speaker, &self.log);
        answer
    }

    fn broke_contract(&self, function: &str, problem: &str) -> PluginError {
        PluginError::BrokeContract(format!("{} broke the contract in {function}: {problem}", self.speaker))
    }
}

/// `plugin-info` of the contract.
#[derive(Deserialize)]
struct EncodedInfo {
    name: String,
    version: String,
    summary: String,
    settings_schema: Option<String>,
}

/// `error` of the contract.
#[derive(Deserialize)]
enum EncodedError {
    InvalidSettings(String),
    Unsupported(String),
    Malformed(String),
    Server(String),
    Other(String),
}

impl From<EncodedError> for PluginError {
    fn from(error: EncodedError) -> Self {
        match error {
            EncodedError::InvalidSettings(text) => Self::InvalidSettings(shortened(text)),
            EncodedError::Unsupported(text) => Self::Unsupported(shortened(text)),
            EncodedError::Malformed(text) => Self::Malformed(shortened(text)),
            EncodedError::Server(text) => Self::Server(shortened(text)),
            EncodedError::Other(text) => Self::Other(shortened(text)),
        }
    }
}
