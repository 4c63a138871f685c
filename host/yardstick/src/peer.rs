//! NVIDIA AIPerf on the same server and core, from a virtual environment of the user's.

use crate::process;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What a run of the peer came to.
pub(crate) struct Run {
    pub(crate) requests_per_second: f64,
    /// Seconds.
    pub(crate) cpu_per_thousand: f64,
}

/// So many requests take long enough, and no longer than a minute.
const REQUESTS: u32 = 4000;

/// One run with as much concurrency, all files written.
pub(crate) fn profile(environment: &Path, tokenizer: &str, url: &str, concurrency: u32) -> Result<Run> {
    let folder = tempfile::tempdir()?;
    let mut command = process::on_core(process::CLIENT_CORE, environment.join("bin/aiperf"));
    command.args(["profile", "--model", "model", "--url", url, "--endpoint-type", "chat", "--streaming"]);
    command.args(["--tokenizer", tokenizer, "--use-server-token-count", "--ui", "none"]);
    command.args(["--concurrency", &concurrency.to_string(), "--request-count", &REQUESTS.to_string()]);
    command.args(["--synthetic-input-tokens-mean", "100", "--artifact-dir"]).arg(folder.path());
    command.stderr(std::process::Stdio::null());
    let usage = process::run(command)?;
    let file = folder.path().join("profile_export_aiperf.json");
    let metrics = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let metrics: Value = serde_json::from_str(&metrics)?;
    let throughput = metrics.get("request_throughput").and_then(|metric| metric.get("avg"));
    Ok(Run {
        requests_per_second: throughput.and_then(Value::as_f64).context("the peer has no throughput")?,
        cpu_per_thousand: usage.cpu / f64::from(REQUESTS) * 1000.0,
    })
}
