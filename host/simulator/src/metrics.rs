//! `/metrics` in the Prometheus text format, under the names that vLLM uses.

use std::fmt::Write;

use crate::reply::MODEL;
use crate::scheduler::Load;

/// The page for one moment.
pub(crate) fn page(load: Load) -> String {
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
    page
}
