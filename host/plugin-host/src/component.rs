//! One component: its bytes, and its code once somebody needs it.

use std::borrow::Cow;
use std::sync::OnceLock;

use wasmtime::component::InstancePre;

use crate::binary::sha256;
use crate::error::{HostError, Source};
use crate::outline::Outline;
use crate::sandbox::{Context, Sandbox};

/// One component, which may be a plugin of several kinds.
pub(crate) struct Component {
    source: Source,
    bytes: Cow<'static, [u8]>,
    sha256: OnceLock<String>,
    outline: OnceLock<Result<Outline, HostError>>,
    linked: OnceLock<Result<InstancePre<Context>, HostError>>,
}

impl Component {
    pub(crate) fn new(source: Source, bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        Self {
            source,
            bytes: bytes.into(),
            sha256: OnceLock::new(),
            outline: OnceLock::new(),
            linked: OnceLock::new(),
        }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The SHA-256 of the bytes, in lower-case hexadecimal.
    pub(crate) fn sha256(&self) -> &str {
        self.sha256.get_or_init(|| sha256(&self.bytes))
    }

    /// The bytes.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// What it says on the outside, without compiling it.
    pub(crate) fn outline(&self) -> Result<&Outline, HostError> {
        self.outline.get_or_init(|| Outline::read(&self.source, &self.bytes)).as_ref().map_err(Clone::clone)
    }

    /// The code, compiled (or found in the cache) and linked at the first call. A second thread waits for the first.
    pub(crate) fn linked(&self, sandbox: &Sandbox) -> Result<&InstancePre<Context>, HostError> {
        self.linked.get_or_init(|| self.link(sandbox)).as_ref().map_err(Clone::clone)
    }

    fn link(&self, sandbox: &Sandbox) -> Result<InstancePre<Context>, HostError> {
        let unusable = |reason| HostError::Unusable { source_name: self.source.clone(), reason };
        let code = sandbox.code(&self.source, &self.bytes, self.sha256()).map_err(unusable)?;
        sandbox.linker.instantiate_pre(&code).map_err(|error| unusable(format!("{error:#}")))
    }
}
