//! An inference server with a known latency law: ground truth for tests and calibration, and the server behind
//! `--url sim:`.
//!
//! It speaks the `OpenAI` HTTP API like the servers people run (routes, SSE chunks, usage, errors and metric names
//! follow vLLM), but no model sits behind it. Every token leaves at a deadline that the law below gives, so whatever
//! a client measures beyond the law and the server's own [`Lateness`] is the client's error.
//!
//! # The law
//!
//! At most `max-batch` sequences are active at a time; others wait in one first-in, first-out queue.
//! With all times in milliseconds, a sequence admitted at time `t` sends
//!
//! ```text
//! token 1      at  t + ttft-ms + 1000 * prompt tokens / prefill-rate
//! token k + 1  at  (time of token k) + itl-ms + itl-slope-ms * active
//! ```
//!
//! where `active` counts the sequences admitted at the time of token `k`, this one included. The last token frees its
//! place at its deadline, and the head of the queue is admitted at that same time. Sequences do not disturb each other
//! in any other way. Times are deadlines computed from deadlines, never from the moment a thread woke up, so lateness
//! does not add up. A request arrives when its last byte has been read.
//!
//! In a closed loop of `C` clients that wait for an answer before they ask again, `a = min(C, max-batch)` sequences
//! are active, and for `n` output tokens
//!
//! ```text
//! prefill     P = ttft-ms + 1000 * prompt tokens / prefill-rate
//! gap         G = itl-ms + itl-slope-ms * a
//! service     L = P + (n - 1) * G
//! throughput  X = a / L
//! latency     R = C / X                    (Little's law; equals L while C <= max-batch)
//! TTFT          = R - (n - 1) * G
//! ```
//!
//! [`Law::expected`] computes these. They are the long-run means: a run of few requests past `max-batch` also sees its
//! first and last rounds.
//!
//! A server can also be made unsteady, to test who notices: `ttft-drift-ms` lets the prefill time grow with every second
//! since the start, and `itl-noise` draws, whenever the server was idle for 50 ms, one factor for the gaps at `itl-noise-at` active
//! sequences, so that runs differ from each other and the requests of a run do not.
//!
//! # On the wire
//!
//! * Prompt tokens are the whitespace-separated words of the prompt (token ids count one each); no chat template is
//!   added. Exactly `max_completion_tokens` or else `max_tokens` tokens come out, `default-output-tokens` when neither
//!   is given, one token per chunk. A list of prompts is answered as one prompt.
//! * Response headers leave at once. In a chat stream the role chunk, which is no token, shares the write of the first
//!   token, as in vLLM; the finish chunk, the usage chunk (with `stream_options.include_usage`) and `[DONE]` share the
//!   write of the last one. Embeddings come at the end of the prefill.
//! * Sampling parameters, `ignore_eos`, `n` and unknown keys are accepted and ignored, and any model name is served.
//!
//! # Example
//!
//! ```
//! use aiperf_simulator::{Settings, Simulator};
//!
//! let settings = Settings::from_query("ttft-ms=30&itl-ms=8&max-batch=32")?;
//! let expected = settings.law.expected(16, 550, 64);
//! assert!(expected.ttft_ms > 30.0);
//!
//! let simulator = Simulator::start(settings, ([127, 0, 0, 1], 0).into())?;
//! println!("serving on {}", simulator.base_url());
//! simulator.stop();
//! # Ok::<(), aiperf_simulator::SimulatorError>(())
//! ```

mod chunk;
mod connection;
mod engine;
mod error;
mod law;
mod metrics;
mod reply;
mod request;
mod routes;
mod scheduler;
mod settings;
mod simulator;
mod socket;
mod stream;
mod unsteadiness;
mod words;

pub use aiperf_timer::Lateness;
pub use error::SimulatorError;
pub use law::{Expected, Law};
pub use settings::{Faults, SETTINGS, Setting, Settings};
pub use simulator::{Simulator, Stopper};
pub use unsteadiness::Unsteadiness;
