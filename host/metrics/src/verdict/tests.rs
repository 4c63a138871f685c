//! Each rule against runs that lie on either side of it.

use super::*;
use crate::steady::LoadShape;
use crate::testing::{self, MS};
use crate::{Accumulator, TimelineRecorder, record_metrics};
use aiperf_columns::Store;
use aiperf_model::arrival::ArrivalPattern;
use aiperf_model::client::{ReadDelay, WorkerShare};
use aiperf_model::client_error::Added;
use aiperf_model::record::{FailureKind, Record, TokenCount, TokenSource};
use aiperf_model::response::Usage;
use aiperf_model::verdict::Validity;

/// A run of one slot after another without a doubt about it: 400 requests of 100 ms, content after 50 ms, 11 tokens.
struct Run {
    asked: RequestedLoad,
    records: Vec<Record>,
    client: ClientHealth,
    client_error: Option<ClientErrorEstimate>,
    lost: u64,
    server_lost: Option<f64>,
}

impl Run {
    fn closed(requests: u64) -> Self {
        let asked = RequestedLoad {
            concurrency: Some(1),
            rate: None,
            users_think: false,
            max_error_rate: 0.5,
            unreachable_timeout: 5.0,
            repetition: Repetition::Never { tokens: 100.0 },
        };
        let records = (0..requests).map(|n| request(n * 100, n * 100)).collect();
        Self {
            asked,
            records,
            client: ClientHealth::default(),
            client_error: None,
            lost: 0,
            server_lost: None,
        }
    }

    /// Requests that are due at these times in milliseconds and sent at once.
    fn open(dues: impl Iterator<Item = u64>, pattern: ArrivalPattern) -> Self {
        let records = dues.map(|due| testing::scheduled(request(due, due))).collect();
        let rate = Some(RequestRate { per_second: 100.0, pattern });
        let asked = RequestedLoad { concurrency: None, rate, ..Self::closed(0).asked };
        Self { asked, records, ..Self::closed(0) }
    }

    fn verdict(&self) -> Verdict {
        let shape = match self.asked {
            RequestedLoad { rate: Some(_), .. } => LoadShape::Open,
            RequestedLoad { concurrency, .. } => {
                LoadShape::Closed { slots: concurrency.unwrap_or(1), ramped: false }
            }
        };
        let mut accumulator = Accumulator::new(shape, &[], &Store::default());
        let mut recorder = TimelineRecorder::new(&Store::default());
        for (request, record) in (0..).zip(self.records.clone()) {
            let mut record = record;
            record.timing.request = request;
            accumulator.add(&record, &record_metrics(&record));
            recorder.add(&record);
        }
        judge_run(&Evidence {
            asked: self.asked,
            metrics: &accumulator.finish(),
            timeline: &recorder.finish(),
            client: &self.client,
            client_error: self.client_error.as_ref(),
            lost_records: self.lost,
            server_lost: self.server_lost,
        })
    }

    #[track_caller]
    fn expect(&self, rule: &str, expected: Option<Validity>) {
        let verdict = self.verdict();
        let found =
            verdict.reasons.iter().filter(|reason| reason.reason == rule).map(|reason| reason.verdict);
        assert_eq!(found.max(), expected, "{rule} in {verdict:#?}");
    }
}

fn request(due_ms: u64, send_ms: u64) -> Record {
    let mut record = testing::streamed(due_ms * MS, send_ms * MS, &[send_ms + 50, send_ms + 95], 11);
    record.timing.end = (send_ms + 100) * MS;
    record
}

const CLOSED: LoadShape = LoadShape::Closed { slots: 1, ramped: false };
const SUSPECT: Option<Validity> = Some(Validity::Suspect);
const INVALID: Option<Validity> = Some(Validity::Invalid);

#[test]
fn a_run_without_a_doubt_is_valid() {
    assert_eq!(Run::closed(400).verdict(), Verdict::default());
    let constant = Run::open((0..400).map(|n| n * 10), ArrivalPattern::Constant);
    assert_eq!(constant.verdict(), Verdict::default());
}

#[test]
fn client_delay_is_a_share_of_the_times() {
    // TTFT 50 ms, ITL 4.5 ms over 10 gaps, latency 95 ms.
    for (p50_ms, p99_ms, expected) in
        [(0.0, 2.2, None), (0.0, 2.6, SUSPECT), (2.6, 2.6, SUSPECT), (0.0, 10.1, INVALID)]
    {
        let mut run = Run::closed(400);
        run.client.read_delay = ReadDelay { beats: 1000, p50_ms, p99_ms, max_ms: p99_ms };
        run.expect("client_delay", expected);
    }
    let added = |p50, p99| {
        Some(ClientErrorEstimate {
            ttft_ms: Added { p50, p99 },
            itl_ms: None,
            rate_percent: 0.0,
            requests: 9,
        })
    };
    for (client_error, expected) in [
        (added(0.1, Some(2.4)), None),
        (added(0.1, Some(2.6)), SUSPECT),
        (added(11.0, Some(11.0)), INVALID),
        (added(0.1, None), None),
        (added(2.6, None), SUSPECT),
    ] {
        Run { client_error, ..Run::closed(400) }.expect("client_delay", expected);
    }
}

#[test]
fn late_sends_of_a_schedule_are_client_delay_and_waits_for_the_limit_are_not() {
    let late = |ready: fn(u64) -> u64| {
        let mut run = Run::open(0..0, ArrivalPattern::Constant);
        run.records = (0..400).map(|n| testing::scheduled(request(n * 10, n * 10 + 5))).collect();
        for record in &mut run.records {
            record.timing.ready = ready(record.timing.due);
        }
        run
    };
    // 5 of 55 ms.
    late(|due| due).expect("client_delay", SUSPECT);
    let waiting = late(|due| due + 5 * MS);
    waiting.expect("client_delay", None);
    assert_eq!(waiting.verdict().notes.len(), 1, "the limit is worth a note");
}

#[test]
fn a_client_that_stood_still_is_told_as_such() {
    let mut run = Run::open(0..0, ArrivalPattern::Constant);
    run.records = (0..400).map(|n| testing::scheduled(request(n * 10, n * 10 + 5))).collect();
    run.expect("client_delay", SUSPECT);
    run.expect("suspended", None);
    run.client.suspended_seconds = 5.01;
    run.expect("client_delay", None);
    run.expect("suspended", INVALID);
    let verdict = run.verdict();
    let reason = verdict.reasons.iter().find(|reason| reason.reason == "suspended").unwrap();
    assert_eq!(reason.message, "this process stood still for 5.010 s while it measured");
}

#[test]
fn client_cpu_is_that_of_the_busiest_worker() {
    for (working, waiting, expected) in
        [(79.0, 0.5, None), (70.0, 10.0, None), (70.0, 10.5, SUSPECT), (60.0, 36.0, INVALID)]
    {
        let mut run = Run::closed(400);
        let busy = WorkerShare { working_percent: Some(working), waiting_percent: Some(waiting) };
        run.client.workers = vec![WorkerShare::default(), busy];
        run.expect("client_cpu", expected);
    }
}

#[test]
fn pauses_between_requests_lower_the_offered_concurrency() {
    for (pause, expected) in [(2, None), (3, SUSPECT), (5, SUSPECT), (6, INVALID)] {
        let mut run = Run::closed(0);
        run.records = (0..400).map(|n| request(n * (100 + pause), n * (100 + pause))).collect();
        run.expect("offered_load", expected);
    }
}

#[test]
fn users_who_think_are_not_missed() {
    let mut run = Run::closed(0);
    run.records = (0..400).map(|n| request(n * 200, n * 200)).collect();
    run.expect("offered_load", INVALID);
    run.asked.users_think = true;
    run.expect("offered_load", None);
    run.records.truncate(1);
    run.expect("requests_per_slot", SUSPECT);
}

#[test]
fn later_turns_are_no_arrivals() {
    let mut run = Run::open((0..400).map(|n| n * 10), ArrivalPattern::Constant);
    run.records.extend((0..100).map(|n| request(n * n, n * n)));
    run.expect("arrival_process", None);
    // A turn after the last arrival does not stretch the schedule.
    run.records.push(request(8000, 8000));
    run.expect("offered_load", None);
}

#[test]
fn what_a_schedule_loses_is_the_limit_s_or_the_client_s() {
    for (missed, expected) in [(8, None), (9, SUSPECT), (21, SUSPECT), (22, INVALID)] {
        let mut run = Run::open((0..400).map(|n| n * 10), ArrivalPattern::Constant);
        run.client.missed_arrivals = missed;
        run.expect("offered_load", expected);
        for record in &mut run.records {
            record.timing.ready += MS;
        }
        for record in &mut run.records {
            record.timing.send = Some(record.timing.ready);
        }
        run.expect("offered_load", None);
        run.expect("concurrency_limit", expected);
    }
}

#[test]
fn arrivals_have_the_variation_of_their_process() {
    let even = || (0..400).map(|n| n * 10);
    Run::open(even(), ArrivalPattern::Constant).expect("arrival_process", None);
    // The schedule itself is even here, so its own variation widens the band; only the sends are uneven.
    let mut bursts = Run::open(even(), ArrivalPattern::Constant);
    for pair in bursts.records.chunks_mut(2) {
        pair[0].timing.send = pair[0].timing.send.map(|send| send + 6 * MS);
    }
    bursts.expect("arrival_process", SUSPECT);
    bursts.records.truncate(100);
    bursts.expect("arrival_process", None);
}

#[test]
fn a_schedule_has_the_rate_that_was_asked_for() {
    for (gap, requests, expected) in [
        (10_000, 400, None),
        (9600, 400, None),
        (9500, 400, SUSPECT),
        (10_500, 400, None),
        (10_600, 400, SUSPECT),
        (9500, 100, None),
    ] {
        let mut run = Run::open((0..400).map(|n| n * 10), ArrivalPattern::Constant);
        for (number, record) in (0..).zip(&mut run.records) {
            record.timing.due = number * gap * MS / 1000;
        }
        run.records.truncate(requests);
        run.expect("schedule_rate", expected);
    }
}

#[test]
fn a_run_needs_three_requests_for_each_slot() {
    for (requests, expected) in [(11, SUSPECT), (12, None)] {
        let mut run = Run::closed(0);
        run.asked.concurrency = Some(4);
        run.records = (0..requests).map(|n| request(n / 4 * 100, n / 4 * 100)).collect();
        run.expect("requests_per_slot", expected);
    }
}

#[test]
fn a_server_may_not_fall_behind() {
    // One every 10 ms; each answer takes 100 ms, or by so many more than the one before.
    for (longer, expected) in [(0, None), (5, SUSPECT), (40, SUSPECT)] {
        let mut run = Run::open((0..400).map(|n| n * 10), ArrivalPattern::Constant);
        for (number, record) in (0..).zip(&mut run.records) {
            record.timing.end += number * longer * MS;
        }
        run.expect("backlog", expected);
    }
}

#[test]
fn a_run_may_not_be_mostly_ramp_and_drain() {
    // One request after the other, and a last one that takes longer than all before.
    for (last_ms, expected) in [(100, None), (1000, SUSPECT)] {
        let mut run = Run::closed(9);
        run.records.push(testing::streamed(900 * MS, 900 * MS, &[950, 900 + last_ms], 11));
        run.expect("ramp_and_drain", expected);
    }
    // 95 ms after the last of so many sends, 12 ms apart.
    for (requests, expected) in [(20, None), (14, SUSPECT)] {
        let run = Run::open((0..requests).map(|n| n * 12), ArrivalPattern::Constant);
        run.expect("ramp_and_drain", expected);
    }
}

#[test]
fn percentiles_need_their_number_of_requests() {
    for (requests, subject) in
        [(368, None), (367, Some("p99")), (71, Some("p95, p99")), (35, Some("p90, p95, p99"))]
    {
        // The first one counts in no latency.
        let verdict = Run::closed(requests + 1).verdict();
        let sample = verdict.reasons.iter().find(|reason| reason.reason == "sample_size");
        assert_eq!(sample.and_then(|reason| reason.subject.as_deref()), subject);
        assert_eq!(sample.map(|reason| reason.figure), subject.map(|_| requests as f64));
    }
}

#[test]
fn errors_are_suspect_and_beyond_the_wish_of_the_user_invalid() {
    for (failed, max_error_rate, expected) in
        [(4, 0.5, None), (5, 0.5, SUSPECT), (30, 0.05, INVALID), (3, 0.001, INVALID)]
    {
        let mut run = Run::closed(400);
        run.asked.max_error_rate = max_error_rate;
        run.records.extend((0..failed).map(|_| testing::failed(FailureKind::Status)));
        run.expect("errors", expected);
    }
}

#[test]
fn a_run_that_ended_early_is_suspect() {
    let mut run = Run::closed(400);
    run.expect("server_lost", None);
    run.server_lost = Some(5.2);
    run.expect("server_lost", SUSPECT);
}

#[test]
fn requests_that_were_sent_again_are_suspect() {
    for (retried, expected) in [(4, None), (5, SUSPECT), (400, SUSPECT)] {
        let mut run = Run::closed(400);
        run.records.iter_mut().take(retried).for_each(|record| record.timing.retries = 1);
        run.expect("retries", expected);
    }
}

#[test]
fn one_answer_to_nobody_knows_whom_is_invalid() {
    let mut run = Run::closed(400);
    run.expect("desynchronized", None);
    run.records.push(testing::failed(FailureKind::Desynchronized));
    run.expect("desynchronized", INVALID);
}

#[test]
fn one_request_without_room_on_this_machine_is_invalid() {
    let mut run = Run::closed(400);
    run.expect("client_errors", None);
    run.records.push(testing::failed(FailureKind::Client));
    run.expect("client_errors", INVALID);
}

/// A run whose prompts have 120 tokens each by the server, so many of which came from its cache.
fn cached(repetition: Repetition, cached: impl Fn(usize) -> u32) -> Run {
    let mut run = Run::closed(400);
    run.asked.repetition = repetition;
    for (number, record) in run.records.iter_mut().enumerate() {
        let cached_input_tokens = Some(cached(number));
        let usage = Usage { input_tokens: Some(120), cached_input_tokens, ..Usage::default() };
        record.outcome.as_mut().unwrap().usage = Some(usage);
    }
    run
}

#[test]
fn cached_tokens_beyond_what_all_requests_share_are_doubted_unless_they_are_wanted() {
    // 20 tokens more than the prompt was made of: a template. One word may be the same by chance.
    let never = Repetition::Never { tokens: 100.0 };
    for (repetition, tokens, expected) in [
        (never, 21, None),
        (never, 22, None),
        (never, 23, SUSPECT),
        (never, 33, SUSPECT),
        (never, 34, INVALID),
        (never, 119, INVALID),
        (Repetition::Unknown, 1, None),
        (Repetition::Unknown, 2, SUSPECT),
        (Repetition::Unknown, 119, SUSPECT),
        (Repetition::Wanted, 119, None),
    ] {
        cached(repetition, |_| tokens).expect("unexpected_cache_hits", expected);
    }
}

#[test]
fn what_only_some_requests_had_from_the_cache_is_nothing_that_all_share() {
    let never = Repetition::Never { tokens: 100.0 };
    // On average 15 tokens, less than a template may have.
    cached(never, |number| if number % 4 == 0 { 60 } else { 0 }).expect("unexpected_cache_hits", INVALID);
    cached(never, |number| if number % 4 == 0 { 4 } else { 0 }).expect("unexpected_cache_hits", None);
}

#[test]
fn usage_that_the_texts_rule_out_is_told_with_both_figures() {
    let mut run = Run::closed(400);
    for record in &mut run.records {
        let answer = record.outcome.as_mut().unwrap();
        answer.usage = Some(Usage { input_tokens: Some(120), output_tokens: Some(11), ..Usage::default() });
    }
    run.expect("usage_contradicted", None);
    for record in run.records.iter_mut().take(4) {
        let answer = record.outcome.as_mut().unwrap();
        answer.usage = Some(Usage { output_tokens: Some(0), ..answer.usage.unwrap() });
        answer.output_tokens = Some(TokenCount { count: 111, source: TokenSource::Tokenizer });
    }
    run.expect("usage_contradicted", SUSPECT);
    let verdict = run.verdict();
    let reason = verdict.reasons.iter().find(|reason| reason.reason == "usage_contradicted").unwrap();
    assert_eq!(
        reason.message,
        "1 % of the answers have a `usage` that their texts rule out: 11 output tokens reported, 12 used; \
         the tokenizer's count is used for them"
    );
}

#[test]
fn a_lost_record_is_a_fault_of_ours() {
    Run { lost: 1, ..Run::closed(400) }.expect("record_loss", INVALID);
    Run::closed(400).expect("record_loss", None);
}

/// Verdicts over the trials of values, from the TTFT of their requests and when they began.
fn over_trials(values: &[&[(u64, u64)]]) -> Vec<Verdict> {
    let runs = |trials: &[(u64, u64)]| {
        let run = |&(start, ttft): &(u64, u64)| {
            let mut accumulator = Accumulator::new(CLOSED, &[], &Store::default());
            let record = testing::streamed(0, 0, &[ttft, 1000], 11);
            accumulator.add(&record, &record_metrics(&record));
            (accumulator.finish(), start * 1_000_000_000)
        };
        trials.iter().map(run).collect::<Vec<_>>()
    };
    let measured: Vec<_> = values.iter().map(|trials| runs(trials)).collect();
    let verdict = Verdict::default();
    let trials: Vec<Vec<Trial<'_>>> = measured
        .iter()
        .map(|runs| {
            let trials = runs.iter().map(|(metrics, start)| Trial {
                metrics,
                verdict: &verdict,
                start_unix_ns: *start,
            });
            trials.collect()
        })
        .collect();
    judge_values(&trials, &drift(&trials))
}

#[test]
fn spread_over_trials_is_suspect_above_a_fifth_and_noted_above_a_tenth() {
    let verdict = |low, high| over_trials(&[&[(0, low), (9, high), (3, u64::midpoint(low, high))]]).remove(0);
    assert_eq!(verdict(98, 102), Verdict::default());
    assert_eq!(
        verdict(88, 112).notes,
        ["ttft p50 varies by 12 % over the trials", "ttft p99 varies by 12 % over the trials"]
    );
    assert!(!verdict(80, 120).has("spread"), "20 % is the limit");
    assert!(verdict(79, 121).has("spread"));
}

#[test]
fn trials_in_two_groups_are_suspect() {
    let groups = over_trials(&[&[(0, 100), (3, 131), (1, 101), (2, 130)]]).remove(0);
    assert!(groups.has("bimodal"), "{groups:#?}");
    let close = over_trials(&[&[(0, 100), (3, 116), (1, 101), (2, 115)]]).remove(0);
    assert!(!close.has("bimodal"), "{close:#?}");
}

#[test]
fn drift_is_found_over_all_values_and_told_at_each() {
    let drifting: [&[(u64, u64)]; 3] =
        [&[(0, 100), (30, 110), (60, 121)], &[(10, 200), (40, 221), (70, 240)], &[(20, 300)]];
    let verdicts = over_trials(&drifting);
    assert_eq!([0, 1, 2].map(|index| verdicts[index].has("drift")), [true, true, false], "{verdicts:#?}");
    let steady: [&[(u64, u64)]; 2] = [&[(0, 100), (30, 102), (60, 101)], &[(10, 200), (40, 199), (70, 201)]];
    assert!(over_trials(&steady).iter().all(|verdict| !verdict.has("drift")));
}

#[test]
fn the_gravest_case_of_each_rule_stands_for_the_trials() {
    let metrics = RunMetrics::default();
    let verdict = |figure| {
        let reasons = [
            rules::ERRORS.judge_with(None, figure, Some(1.0), Some(10.0)),
            rules::CLIENT_CPU.judge(None, 90.0),
        ];
        Verdict::new(reasons.into_iter().flatten().collect(), Vec::new())
    };
    let verdicts = [verdict(5.0), verdict(20.0)];
    let trials =
        verdicts.iter().map(|verdict| Trial { metrics: &metrics, verdict, start_unix_ns: 0 }).collect();
    let judged = judge_values(&[trials], &[]).remove(0);
    assert_eq!(judged.verdict, Validity::Invalid);
    let found: Vec<_> = judged.reasons.iter().map(|reason| (reason.reason.as_str(), reason.figure)).collect();
    assert_eq!(found, [("errors", 20.0), ("client_cpu", 90.0)]);
}
