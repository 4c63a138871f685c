//! `/metrics` in the Prometheus text format: the load under the names that vLLM uses, and the simulator's own lateness.

use std::fmt::Write;

use crate::reply::MODEL;
use crate::scheduler::Load;
use aiperf_timer::Lateness;

/// The page for one moment.
pub(crate) fn page(load: Load, lateness: Lateness) -> String {
    let rows = [
        ("vllm:num_requests_running", "gauge", "Sequences in the batch.", load.active as u64),
        ("vllm:num_requests_waiting", "gauge", "Sequences in the queue.", load.waiting as u64),
        ("vllm:prompt_tokens_total", "counter", "Prompt tokens processed.", load.totals.prompt_tokens),
        ("vllm:generation_tokens_total", "counter", "Tokens generated.", load.totals.generation_tokens),
        ("vllm:request_success_total", "counter", "Requests answered to the end.", load.totals.finished),
    ];
    let mut page = String::new();
    for (name, kind, help, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{{model_name=\"{MODEL}\"}} {value}"
        );
    }
    let name = "aiperf_simulator_lateness_seconds";
    let _ = writeln!(page, "# HELP {name} From the deadline of a token to its write.\n# TYPE {name} summary");
    for (quantile, microseconds) in
        [("0.5", lateness.p50_us), ("0.99", lateness.p99_us), ("1", lateness.max_us)]
    {
        let _ = writeln!(page, "{name}{{quantile=\"{quantile}\"}} {}", microseconds / 1e6);
    }
    let _ = writeln!(page, "{name}_count {}", lateness.count);
    page
}
