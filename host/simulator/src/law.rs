//! The latency law and what it predicts for a closed loop. The crate's page states it in words.

use std::time::Duration;

/// The parameters of the latency law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// Fixed part of the prefill time, in milliseconds; at least 0.
    pub ttft_ms: f64,
    /// Prompt tokens processed per second; above 0.
    pub prefill_rate: f64,
    /// Fixed part of the gap between two tokens of a sequence, in milliseconds; at least 0.
    pub itl_ms: f64,
    /// What every active sequence adds to the gap, in milliseconds; at least 0.
    pub itl_slope_ms: f64,
    /// Sequences that can be active at the same time; at least 1.
    pub max_batch: usize,
}

impl Default for Law {
    /// A small GPU server: throughput rises with concurrency up to a knee at 32.
    fn default() -> Self {
        Self { ttft_ms: 20.0, prefill_rate: 20_000.0, itl_ms: 6.0, itl_slope_ms: 0.05, max_batch: 32 }
    }
}

/// Long-run means of a closed loop under the [`Law`], on a client and a network that cost nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Answered requests per second.
    pub throughput_rps: f64,
    /// Time from the request to the first token, waiting included, in milliseconds.
    pub ttft_ms: f64,
    /// Gap between two tokens of an answer, in milliseconds (also given for answers too short to have one).
    pub itl_ms: f64,
    /// Time from the request to the last token, in milliseconds.
    pub request_latency_ms: f64,
}

impl Law {
    /// Time from admission to the first token.
    pub fn prefill(&self, prompt_tokens: usize) -> Duration {
        milliseconds(self.prefill_ms(prompt_tokens))
    }

    /// Time from a token to the next one of the same sequence while `active` sequences are admitted.
    pub fn gap(&self, active: usize) -> Duration {
        milliseconds(self.gap_ms(active))
    }

    /// What `concurrency` clients (at least one) see that each wait for an answer before they ask again, with prompts
    /// of `input_tokens` and answers of `output_tokens`.
    pub fn expected(&self, concurrency: usize, input_tokens: usize, output_tokens: usize) -> Expected {
        let clients = concurrency.max(1);
        let active = clients.min(self.max_batch);
        let itl_ms = self.gap_ms(active);
        let decode_ms = itl_ms * output_tokens.saturating_sub(1) as f64;
        let service_ms = self.prefill_ms(input_tokens) + decode_ms;
        let request_latency_ms = service_ms * clients as f64 / active as f64;
        Expected {
            throughput_rps: 1e3 * active as f64 / service_ms,
            ttft_ms: request_latency_ms - decode_ms,
            itl_ms,
            request_latency_ms,
        }
    }

    fn prefill_ms(&self, prompt_tokens: usize) -> f64 {
        self.ttft_ms + 1e3 * prompt_tokens as f64 / self.prefill_rate
    }

    fn gap_ms(&self, active: usize) -> f64 {
        self.itl_ms + self.itl_slope_ms * active as f64
    }
}

/// Whole nanoseconds; what no clock could ever reach becomes the longest duration there is.
fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAW: Law =
        Law { ttft_ms: 10.0, prefill_rate: 10_000.0, itl_ms: 4.0, itl_slope_ms: 0.5, max_batch: 8 };

    #[test]
    fn prefill_and_gap_follow_the_formula() {
        assert_eq!(LAW.prefill(0), Duration::from_millis(10));
        assert_eq!(LAW.prefill(500), Duration::from_millis(60));
        assert_eq!(LAW.gap(1), Duration::from_micros(4500));
        assert_eq!(LAW.gap(8), Duration::from_millis(8));
    }

    #[test]
    fn closed_loop_means() {
        // concurrency, input, output => throughput, TTFT, ITL, latency; by hand from the formulas.
        let table = [
            (1, 100, 11, 1e3 / 65.0, 20.0, 4.5, 65.0),
            (8, 100, 11, 8e3 / 100.0, 20.0, 8.0, 100.0),
            (16, 100, 11, 8e3 / 100.0, 120.0, 8.0, 200.0),
            (4, 0, 1, 4e3 / 10.0, 10.0, 6.0, 10.0),
            (12, 0, 1, 8e3 / 10.0, 15.0, 8.0, 15.0),
        ];
        for (concurrency, input, output, throughput, ttft, itl, latency) in table {
            let seen = LAW.expected(concurrency, input, output);
            let pairs = [
                (seen.throughput_rps, throughput),
                (seen.ttft_ms, ttft),
                (seen.itl_ms, itl),
                (seen.request_latency_ms, latency),
            ];
            for (seen, wanted) in pairs {
                assert!(
                    (seen - wanted).abs() < 1e-9,
                    "concurrency {concurrency}: {seen} instead of {wanted}"
                );
            }
        }
    }

    #[test]
    fn the_default_law_has_its_knee_at_the_batch_limit() {
        let law = Law::default();
        let throughput = |concurrency| law.expected(concurrency, 550, 64).throughput_rps;
        assert!(throughput(20) > 1.8 * throughput(10));
        assert!(throughput(30) > 1.3 * throughput(20));
        assert!((throughput(40) - throughput(32)).abs() < 1e-9);
    }

    #[test]
    fn unreachable_times_do_not_overflow() {
        let law = Law { ttft_ms: f64::INFINITY, itl_ms: f64::MAX, ..LAW };
        assert_eq!(law.prefill(1), Duration::MAX);
        assert_eq!(law.gap(1), Duration::MAX);
    }
}
