//! Plugs the simulator into the calibration, and keeps what was found for a day in the user's cache directory.

use aiperf_artifacts::host::Host;
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::server::ServerUrl;
use aiperf_plugin_host::user_cache_dir;
use aiperf_simulator::{Law, Settings, Simulator};
use aiperf_sweep::{Known, Lateness, ReferenceServer};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const TTFT_MS: f64 = 50.0;
const ITL_MS: f64 = 10.0;
const KEPT_FOR: Duration = Duration::from_hours(24);

/// The embedded simulator, in this process.
pub(super) struct CalibrationBackend;

/// A file of the cache.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Seconds since the Unix epoch.
    measured: u64,
    /// The machine, the version and the load that it is for.
    of: String,
    client_error: ClientErrorEstimate,
}

impl aiperf_sweep::CalibrationBackend for CalibrationBackend {
    fn kept(&self, load: &str) -> Option<ClientErrorEstimate> {
        let of = fingerprint(load);
        let kept: Kept = serde_json::from_slice(&fs::read(place(&of)?).ok()?).ok()?;
        let is_fresh = now().saturating_sub(kept.measured) < KEPT_FOR.as_secs();
        (kept.of == of && is_fresh).then_some(kept.client_error)
    }

    fn keep(&self, load: &str, client_error: &ClientErrorEstimate) {
        let of = fingerprint(load);
        let Some(path) = place(&of) else { return };
        let kept = Kept { measured: now(), of, client_error: client_error.clone() };
        // A cache that cannot be written costs the next benchmark two seconds.
        if let Ok(bytes) = serde_json::to_vec_pretty(&kept) {
            let _ = aiperf_files::replace_in_folder(&path, &bytes);
        }
    }

    fn start(&self) -> Result<Box<dyn ReferenceServer>, String> {
        // Nothing waits, and nothing depends on the load: each time is the same for every request.
        let law = Law {
            ttft_ms: TTFT_MS,
            prefill_rate: 1e12,
            itl_ms: ITL_MS,
            itl_slope_ms: 0.0,
            max_batch: usize::from(u16::MAX),
        };
        let settings = Settings { law, ..Settings::default() };
        let simulator =
            Simulator::start(settings, (Ipv4Addr::LOCALHOST, 0).into()).map_err(|e| e.to_string())?;
        let url = simulator.base_url().parse().map_err(|error| format!("{error}"))?;
        Ok(Box::new(Running { simulator, url }))
    }
}

struct Running {
    simulator: Simulator,
    url: ServerUrl,
}

impl ReferenceServer for Running {
    fn url(&self) -> ServerUrl {
        self.url.clone()
    }

    fn known(&self) -> Known {
        let lateness = self.simulator.lateness();
        Known {
            ttft_ms: TTFT_MS,
            itl_ms: ITL_MS,
            lateness: Lateness { p50_ms: lateness.p50_us / 1e3, p99_ms: lateness.p99_us / 1e3 },
        }
    }
}

/// What an estimate is for: this machine, this program, this load.
fn fingerprint(load: &str) -> String {
    let Host { os, architecture, kernel, cpu_model, cores, memory_bytes, governor } = Host::read();
    format!(
        "aiperf {}; {os} {architecture} {kernel:?}; {cpu_model:?} {cores:?} {memory_bytes:?} {governor:?}; {load}",
        env!("CARGO_PKG_VERSION")
    )
}

fn place(of: &str) -> Option<PathBuf> {
    let digest = Sha256::digest(of);
    let name = u64::from_be_bytes(*digest.first_chunk()?);
    Some(user_cache_dir()?.join("calibration").join(format!("{name:016x}.json")))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
