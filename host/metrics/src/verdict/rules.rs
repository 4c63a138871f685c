//! The rules by which a measurement is doubted: one table with every threshold and every text. The documentation is
//! made from it.

use aiperf_model::figure;
use aiperf_model::verdict::{Reason, Validity};

/// A limit of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// There is none.
    Never,
    /// This figure.
    At(f64),
    /// A figure that depends on the run, described.
    Given(&'static str),
}

/// On which side of a limit a figure is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Above it.
    Above,
    /// Below it.
    Below,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// The name in files.
    pub name: &'static str,
    /// The wrong side of the limits.
    pub wrong: Side,
    /// Beyond this a measurement is suspect.
    pub suspect: Limit,
    /// Beyond this it is invalid.
    pub invalid: Limit,
    /// The unit of figure and limits; empty for pure numbers.
    pub unit: &'static str,
    /// Where the figure comes from.
    pub known_by: &'static str,
    /// What is wrong, with places for `{subject}`, `{figure}` and `{threshold}`.
    pub says: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// The share of prompt tokens, in percent, that may come from a cache without changing times by more than others do.
pub(crate) const CACHE_HITS: f64 = 1.0;

/// Declares the rules as constants and as the table of all.
macro_rules! rules {
    ($($id:ident: $rule:expr;)*) => {
        $(pub(crate) static $id: Rule = $rule;)*

        /// All rules, in the order of the documentation.
        pub static RULES: &[&Rule] = &[$(&$id,)*];
    };
}

rules! {
    CLIENT_DELAY: Rule {
        name: "client_delay", wrong: Side::Above, suspect: Limit::At(5.0), invalid: Limit::At(20.0), unit: "%",
        known_by: "how late the measuring threads answer a heartbeat, how late requests are sent after they are due, and the calibration, each against p50 and p99 of the metric",
        says: "up to {figure} % of {subject} is this client's own delay (limit {threshold} %)",
        advice: "run the client on a machine, or on cores, of its own",
    };
    SUSPENDED: Rule {
        name: "suspended", wrong: Side::Above, suspect: Limit::Never, invalid: Limit::At(0.0), unit: "s",
        known_by: "times of half a second or more in which nothing of this process ran though it waited for no core, and sleep of the machine (its time since boot against its running clock)",
        says: "this process stood still for {figure} s while it measured",
        advice: "repeat the run, and neither stop this process nor let its machine sleep meanwhile",
    };
    CLIENT_CPU: Rule {
        name: "client_cpu", wrong: Side::Above, suspect: Limit::At(80.0), invalid: Limit::At(95.0), unit: "%",
        known_by: "the time that the busiest measuring thread ran or waited for a core, without what it spins towards a due time, over the time that passed",
        says: "a measuring thread was busy, or waited for a core, {figure} % of the time (limit {threshold} %)",
        advice: "give the client more cores, or send less from one machine",
    };
    CLIENT_ERRORS: Rule {
        name: "client_errors", wrong: Side::Above, suspect: Limit::Never, invalid: Limit::At(0.0), unit: "requests",
        known_by: "requests for which this machine had no file, port or memory left",
        says: "{figure} requests found no room for a connection on this machine, so the server never saw them",
        advice: "raise the limit of open files with `ulimit -n`, or bound the load with --concurrency",
    };
    OFFERED_LOAD: Rule {
        name: "offered_load", wrong: Side::Below, suspect: Limit::At(98.0), invalid: Limit::At(95.0), unit: "%",
        known_by: "open loop: requests sent against requests due, and the time it took; closed loop: the mean number in flight between ramp and drain against the concurrency, unless users think between the turns of conversations",
        says: "{figure} % of the {subject} that was requested reached the server (limit {threshold} %)",
        advice: "if client_delay or client_cpu is a reason too, request less or give the client more cores; if not, let the run go on for longer after its ramp, and see that the server accepts so many connections",
    };
    CONCURRENCY_LIMIT: Rule {
        name: "concurrency_limit", wrong: Side::Below, suspect: Limit::At(98.0), invalid: Limit::At(95.0), unit: "%",
        known_by: "as offered_load, where requests waited longer for the limit of requests in flight than for the client",
        says: "{figure} % of the request rate reached the server, since --concurrency held the others back (limit {threshold} %)",
        advice: "raise --concurrency or lower --request-rate: within this limit the server does not answer so many",
    };
    BACKLOG: Rule {
        name: "backlog", wrong: Side::Above, suspect: Limit::At(5.0), invalid: Limit::Never, unit: "%",
        known_by: "open loop: the growth of the number in flight from the second to the last quarter of the time between first answer and last send, beyond three standard deviations of chance, over the requests that came meanwhile",
        says: "the number in flight grew as long as requests came: the server left {figure} % of them unanswered (limit {threshold} %)",
        advice: "lower --request-rate: beyond what the server can do, latencies grow with the length of the run, and only the throughput says something",
    };
    ARRIVAL_PROCESS: Rule {
        name: "arrival_process", wrong: Side::Above, suspect: Limit::Given("outside the 99 % band"), invalid: Limit::Never, unit: "",
        known_by: "the coefficient of variation of the gaps between sends, from 100 gaps on",
        says: "the gaps between requests have a coefficient of variation of {figure}, which {subject} arrivals hardly ever have (limit {threshold})",
        advice: "lower the rate or raise --concurrency, so that requests leave when they are due",
    };
    SCHEDULE_RATE: Rule {
        name: "schedule_rate", wrong: Side::Above, suspect: Limit::At(5.0), invalid: Limit::Never, unit: "%",
        known_by: "the due times of the whole run against the rate that was asked for, from 100 gaps on; whether requests left when they were due is offered_load",
        says: "the arrivals of this run were due at a rate that differs from the requested one by {figure} % (limit {threshold} %)",
        advice: "let the run end as it was planned: its arrivals have the requested rate over the whole of it, or over the first 400, 800, 1600, ... where its end is not known beforehand",
    };
    REQUESTS_PER_SLOT: Rule {
        name: "requests_per_slot", wrong: Side::Below, suspect: Limit::At(3.0), invalid: Limit::Never, unit: "requests",
        known_by: "profiling requests sent over the concurrency",
        says: "each slot sent {figure} requests on average, so that no part of the run is steady (at least {threshold})",
        advice: "leave out --num-prompts, so that the run lasts as long as it must, or send ten times as many requests as the concurrency",
    };
    RAMP_AND_DRAIN: Rule {
        name: "ramp_and_drain", wrong: Side::Above, suspect: Limit::At(30.0), invalid: Limit::Never, unit: "%",
        known_by: "how far the request throughput of the whole run lies below that of its steady part; of an open loop without one, the time before the first answer and after the last send",
        says: "ramp-up and drain lower the throughput of the whole run by {figure} % (limit {threshold} %)",
        advice: "send more requests, or measure for longer",
    };
    SAMPLE_SIZE: Rule {
        name: "sample_size", wrong: Side::Below, suspect: Limit::Given("the number that p50, p90, p95 or p99 needs for bounds on both sides"), invalid: Limit::Never, unit: "requests",
        known_by: "binomial order statistics of as many requests as are as good as independent, from how the share below the percentile varies over ten parts of the run",
        says: "{subject} of what is worth {figure} independent requests, where {threshold} are needed for a 95 % bound",
        advice: "measure for longer, or read lower percentiles only",
    };
    ERRORS: Rule {
        name: "errors", wrong: Side::Above, suspect: Limit::At(1.0), invalid: Limit::Given("`--max-error-rate`"), unit: "%",
        known_by: "failed requests over failed and successful ones",
        says: "{figure} % of the requests failed (limit {threshold} %)",
        advice: "look at error_summary in the run's JSON; failed requests are excluded from latencies",
    };
    SERVER_LOST: Rule {
        name: "server_lost", wrong: Side::Above, suspect: Limit::Given("`--unreachable-timeout`"), invalid: Limit::Never, unit: "s",
        known_by: "the time without an answer in which no connection could be opened",
        says: "the server could not be reached for {figure} s, so that the run ended early (limit {threshold} s)",
        advice: "find out why the server went away; what it answered before counts, but it is less than was asked for",
    };
    DESYNCHRONIZED: Rule {
        name: "desynchronized", wrong: Side::Above, suspect: Limit::Never, invalid: Limit::At(0.0), unit: "requests",
        known_by: "requests on whose connection bytes came before they were sent, or after their response had ended, or whose response has the id of the one before it",
        says: "{figure} responses came on connections with more responses than requests, where others before them may belong to other requests too",
        advice: "find out what in the server, or in a proxy before it, answers twice; --http2 numbers responses, and --connection-reuse-strategy never keeps them apart",
    };
    RETRIES: Rule {
        name: "retries", wrong: Side::Above, suspect: Limit::At(1.0), invalid: Limit::Never, unit: "%",
        known_by: "requests that were sent again over failed and successful ones",
        says: "{figure} % of the requests were sent again, since the server had closed their kept connection (limit {threshold} %)",
        advice: "let the server keep connections for longer, or open one for each request with --connection-reuse-strategy never; the first time is excluded from latencies",
    };
    USAGE_CONTRADICTED: Rule {
        name: "usage_contradicted", wrong: Side::Above, suspect: Limit::At(0.0), invalid: Limit::Never, unit: "%",
        known_by: "answers whose token counts by the server cannot be those of their texts (none beside a text, or many times more than it has bytes and than were asked for), over all answers",
        says: "{figure} % of the answers have a `usage` that their texts rule out: {subject}; the tokenizer's count is used for them",
        advice: "repair the server's `usage`, or compare with servers that were counted by the tokenizer too",
    };
    UNEXPECTED_CACHE_HITS: Rule {
        name: "unexpected_cache_hits", wrong: Side::Above, suspect: Limit::At(CACHE_HITS), invalid: Limit::At(10.0), unit: "%",
        known_by: "cached tokens over prompt tokens as the server reports them, without what all requests share (at most the tokens beyond the made-up prompt and one word); unless --parameter-sweep-same-seed or --trial-prompts same asks for the same prompts, or conversations repeat what was said. Requests of a file are SUSPECT at most",
        says: "{figure} % of the prompt tokens came from the server's cache (limit {threshold} %)",
        advice: "leave --prompt-salt out, so that prompts are new; where lines of a file are repeated, turn the prefix cache off, or restart the server before each run",
    };
    SPREAD: Rule {
        name: "spread", wrong: Side::Above, suspect: Limit::At(20.0), invalid: Limit::Never, unit: "%",
        known_by: "standard deviation over mean of the trials, for what the summary shows; from 10 % on it is a note",
        says: "{subject} varies by {figure} % over the trials (limit {threshold} %)",
        advice: "look for what else uses the server, lengthen the runs, or raise --num-profile-runs",
    };
    DRIFT: Rule {
        name: "drift", wrong: Side::Below, suspect: Limit::At(0.01), invalid: Limit::Never, unit: "",
        known_by: "the slope over wall time of what the summary shows, each run relative to the mean of its value: t test, Holm's correction, and at least 2 % from the first run to the last",
        says: "{subject} drifts with time over the trials (p = {figure}, limit {threshold})",
        advice: "warm the server up longer, and look for heat, memory or a cache that fills",
    };
    BIMODAL: Rule {
        name: "bimodal", wrong: Side::Above, suspect: Limit::At(20.0), invalid: Limit::Never, unit: "%",
        known_by: "at least two trials on either side of the widest gap between neighbouring trials, each side within a quarter of the distance between their means",
        says: "the trials of {subject} fall into two groups {figure} % apart (limit {threshold} %)",
        advice: "find out what differs between the groups: their mean describes neither",
    };
    RECORD_LOSS: Rule {
        name: "record_loss", wrong: Side::Above, suspect: Limit::Never, invalid: Limit::At(0.0), unit: "records",
        known_by: "requests begun against records of requests that succeeded, failed or were cancelled",
        says: "{figure} records are missing",
        advice: "this is a fault of aiperf: please report it with the command line",
    };
}

impl Rule {
    /// The reason to doubt that follows from a figure, or none if it is on the right side of the limits. A limit of
    /// the table that depends on the run is none here.
    pub(crate) fn judge(&self, subject: Option<&str>, figure: f64) -> Option<Reason> {
        let at = |limit: Limit| match limit {
            Limit::At(threshold) => Some(threshold),
            Limit::Never | Limit::Given(_) => None,
        };
        self.judge_with(subject, figure, at(self.suspect), at(self.invalid))
    }

    /// The same with limits that depend on the run.
    pub(crate) fn judge_with(
        &self,
        subject: Option<&str>,
        figure: f64,
        suspect: Option<f64>,
        invalid: Option<f64>,
    ) -> Option<Reason> {
        let is_wrong = |threshold: &f64| match self.wrong {
            Side::Above => figure > *threshold,
            Side::Below => figure < *threshold,
        };
        let invalid = invalid.filter(is_wrong).map(|threshold| (Validity::Invalid, threshold));
        let suspect = suspect.filter(is_wrong).map(|threshold| (Validity::Suspect, threshold));
        let (verdict, threshold) = invalid.or(suspect)?;
        Some(self.speak(subject, figure, threshold, verdict))
    }

    /// The reason itself, for a figure that is on the wrong side.
    pub(crate) fn speak(
        &self,
        subject: Option<&str>,
        figure: f64,
        threshold: f64,
        verdict: Validity,
    ) -> Reason {
        let message = self
            .says
            .replace("{subject}", subject.unwrap_or_default())
            .replace("{figure} %", &figure::percent(figure))
            .replace("{figure}", &figure::number(figure))
            .replace("{threshold}", &figure::chosen(threshold));
        Reason {
            reason: self.name.to_owned(),
            subject: subject.map(str::to_owned),
            verdict,
            figure,
            threshold,
            unit: self.unit.to_owned(),
            message,
            advice: self.advice.to_owned(),
        }
    }
}

/// The table of the documentation, in Markdown.
#[must_use]
pub fn documentation() -> String {
    let limit = |rule: &Rule, limit: Limit| {
        let sign = if rule.wrong == Side::Above { '>' } else { '<' };
        let unit = if rule.unit.is_empty() { String::new() } else { format!(" {}", rule.unit) };
        match limit {
            Limit::Never => String::new(),
            Limit::At(at) => format!("{sign} {}{unit}", figure::chosen(at)),
            Limit::Given(words) if words.starts_with("outside") => words.to_owned(),
            Limit::Given(words) => format!("{sign} {words}"),
        }
    };
    let rows = RULES.iter().map(|rule| {
        let (suspect, invalid) = (limit(rule, rule.suspect), limit(rule, rule.invalid));
        format!("| `{}` | {suspect} | {invalid} | {} | {} |\n", rule.name, rule.known_by, rule.advice)
    });
    let head = "| reason | SUSPECT | INVALID | how it is known | what to do |\n|---|---|---|---|---|\n";
    std::iter::once(head.to_owned()).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_holds_at_its_limits_and_speaks_beyond_them() {
        for rule in RULES {
            for (limit, verdict) in [(rule.suspect, Validity::Suspect), (rule.invalid, Validity::Invalid)] {
                let Limit::At(at) = limit else { continue };
                let step = if rule.wrong == Side::Above { 1e-6 } else { -1e-6 };
                let judged = |figure: f64| rule.judge(Some("x"), figure).map(|reason| reason.verdict);
                assert!(judged(at - step) < Some(verdict), "{} inside", rule.name);
                assert!(judged(at) < Some(verdict), "{} at the limit", rule.name);
                assert_eq!(judged(at + step), Some(verdict), "{} beyond", rule.name);
            }
        }
    }

    #[test]
    fn a_reason_says_everything() {
        let reason = CLIENT_DELAY.judge(Some("ttft p99"), 25.04).unwrap();
        assert_eq!((reason.reason.as_str(), reason.verdict), ("client_delay", Validity::Invalid));
        assert_eq!((reason.figure, reason.threshold, reason.unit.as_str()), (25.04, 20.0, "%"));
        assert_eq!(reason.message, "up to 25.04 % of ttft p99 is this client's own delay (limit 20 %)");
    }

    #[test]
    fn no_text_has_a_place_that_nothing_fills() {
        for rule in RULES {
            let reason = rule.judge_with(Some("s"), 1.5, Some(1.0), Some(1.0));
            let reason = reason.or_else(|| rule.judge_with(Some("s"), 0.5, Some(1.0), Some(1.0))).unwrap();
            assert!(!reason.message.contains(['{', '}']), "{}", reason.message);
        }
    }

    /// Writes the table into the documentation where `UPDATE_DOCS` is set, and holds it against it elsewhere.
    #[test]
    fn the_documentation_has_this_table() {
        const START: &str = "<!-- made from host/metrics/src/verdict/rules.rs: UPDATE_DOCS=1 cargo test -p aiperf-metrics documentation -->\n";
        const END: &str = "<!-- end -->";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verdicts.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (before, rest) = text.split_once(START).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let expected = format!("{before}{START}{}{END}{after}", documentation());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &expected).unwrap();
            return;
        }
        assert_eq!(text, expected, "run the command in the comment above the table");
    }
}
