//! The program itself, as a user runs it: with the shipped plugins, every file written, every figure computed.

use crate::process::{self, Server, Usage};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What a run came to.
pub(crate) struct Run {
    pub(crate) usage: Usage,
    /// `profile_export_aiperf.json`.
    metrics: Value,
}

impl Run {
    /// One value: the average unless the metric is a number by itself.
    pub(crate) fn value(&self, metric: &str, statistic: &str) -> Result<f64> {
        let value = self.metrics.get(metric).and_then(|metric| metric.get(statistic)).and_then(Value::as_f64);
        value.with_context(|| format!("the run has no {statistic} of {metric}"))
    }
}

/// Runs `aiperf profile` with these arguments on the core of clients. It does not calibrate: that would be measured too.
pub(crate) fn profile(program: &Path, url: &str, arguments: &str) -> Result<Run> {
    let folder = tempfile::tempdir()?;
    let artifacts = folder.path().join("artifacts");
    let mut command = process::on_core(process::CLIENT_CORE, program);
    command.args([
        "profile",
        "--model",
        "model",
        "--url",
        url,
        "--ui",
        "none",
        "--no-calibrate",
        "--artifact-dir",
    ]);
    command.arg(&artifacts).args(arguments.split_whitespace());
    let usage = process::run(command)?;
    let base = fs::read_dir(&artifacts)?.next().context("the run left no files")??.path();
    let file = base.join("profile_export_aiperf.json");
    let metrics = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    Ok(Run { usage, metrics: serde_json::from_str(&metrics)? })
}

/// Starts `aiperf simulate` on the core of servers, with a batch for everybody and prompts that cost nothing, so that
/// only the times that are given count. The server and its URL.
pub(crate) fn simulate(program: &Path, ttft_ms: f64, itl_ms: f64) -> Result<(Server, String)> {
    let mut command = process::on_core(process::SERVER_CORE, program);
    command.args(["simulate", "--port", "0", "--itl-slope-ms", "0", "--prefill-rate", "1000000000"]);
    command.args(["--ttft-ms", &ttft_ms.to_string(), "--itl-ms", &itl_ms.to_string(), "--max-batch", "1000"]);
    let server = Server::start(command)?;
    let url = server.greeting.split(' ').find(|word| word.starts_with("http")).map(str::to_owned);
    Ok((server, url.context("the simulator did not say its URL")?))
}
