//! Small inputs that the tests of several files share.

use crate::error_summary::ErrorSummary;
use crate::run::RunReport;
use aiperf_model::catalogue::MetricId;
use aiperf_model::client::ClientHealth;
use aiperf_model::conclusion::{
    BestConfiguration, Conclusions, Derived, Direction, Finding, Front, FrontMember, MemberStanding, Trend,
    Uncertainty,
};
use aiperf_model::metrics::{
    Bounds, Distribution, MetricValue, PercentileBounds, RecordMetrics, RunMetrics, Statistic, Summary,
    WithinRun,
};
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::plugin::{Identity, Kind};
use aiperf_model::point::{Extremes, Interval, Measurement, Point};
use aiperf_model::record::{
    Answer, Failure, FailureKind, Phase, Record, RunClock, Timing, TokenCount, TokenSource,
};
use aiperf_model::sweep::{FailedTrial, FailedValue, Order, SweepResult, SweepValue};
use aiperf_model::verdict::{Drift, Reason, Validity, ValueVerdict, Verdict};

/// 2025-01-15T10:30:45Z.
pub(crate) const CLOCK: RunClock = RunClock { origin_unix_ns: 1_736_937_045_000_000_000 };

pub(crate) fn concurrency(value: i64) -> Vec<Parameter> {
    vec![Parameter::new("concurrency", ParameterValue::Integer(value))]
}

fn timing(phase: Phase, request: u32) -> Timing {
    Timing {
        request,
        conversation: request,
        turn: 0,
        phase,
        worker: 1,
        due: 1_000_000,
        scheduled: false,
        ready: 1_000_000,
        send: Some(1_050_000),
        first_byte: Some(30_000_000),
        end: 95_000_000,
        status: Some(200),
        connect: None,
        connect_wait: 0,
        reused_connection: true,
        retries: 0,
    }
}

/// A warm-up request, a successful one and a failed one.
pub(crate) fn records() -> Vec<(Record, RecordMetrics)> {
    let tokens = TokenCount { count: 3, source: TokenSource::Server };
    let answer = Answer {
        content: vec![31_000_000, 60_000_000, 90_000_000],
        first_output: Some(31_000_000),
        streamed: true,
        input_tokens: Some(TokenCount { count: 550, source: TokenSource::Synthetic }),
        output_tokens: Some(tokens),
        usage: None,
        finish_reason: Some("stop".into()),
        odd_events: 0,
    };
    let metrics = RecordMetrics {
        values: vec![
            (MetricId::TimeToFirstToken, MetricValue::One(29.95)),
            (MetricId::InterChunkLatency, MetricValue::Many(vec![29.0, 30.0])),
            (MetricId::OutputSequenceLength, MetricValue::One(3.0)),
        ],
    };
    let success = |phase| Record {
        timing: timing(phase, 0),
        requested_output_tokens: Some(3),
        outcome: Ok(answer.clone()),
    };
    let failure = Record {
        timing: Timing { status: Some(500), ..timing(Phase::Profiling, 1) },
        requested_output_tokens: Some(3),
        outcome: Err(Failure {
            kind: FailureKind::Status,
            status: Some(500),
            retry_after_seconds: None,
            message: "{\"error\":\"out of memory\"}".into(),
        }),
    };
    vec![
        (success(Phase::Warmup), metrics.clone()),
        (success(Phase::Profiling), metrics),
        (failure, RecordMetrics::default()),
    ]
}

/// One distribution with awkward digits, and two values that a run has once.
pub(crate) fn run_metrics() -> RunMetrics {
    let distribution = Distribution {
        avg: 0.1 + 0.2,
        p1: 1.0 / 3.0,
        p5: 2.0,
        p10: 3.0,
        p25: 4.0,
        p50: 5.0,
        p75: 6.0,
        p90: 7.0,
        p95: 8.0,
        p99: 9.5,
        min: 0.001,
        max: 1e10,
        std: 5e-324,
        count: 20,
        sum: 6.000_000_000_000_001,
        bounds: PercentileBounds {
            level: 0.95,
            p50: Bounds::new(Some(4.5), Some(5.5), 18.5),
            p90: Bounds::new(Some(6.5), None, 12.0),
            ..PercentileBounds::default()
        },
    };
    RunMetrics {
        entries: vec![
            (MetricId::RequestThroughput, Summary::Scalar(95.2)),
            (MetricId::TimeToFirstToken, Summary::Distribution(distribution)),
            (MetricId::RequestCount, Summary::Scalar(20.0)),
        ],
        within_run: vec![
            WithinRun {
                metric: MetricId::RequestThroughput,
                statistic: Statistic::Avg,
                interval: Some(Interval { low: 94.0, high: 96.5, level: 0.95 }),
            },
            WithinRun { metric: MetricId::TimeToFirstToken, statistic: Statistic::P99, interval: None },
        ],
        open: Vec::new(),
    }
}

/// A verdict with one reason and one note.
pub(crate) fn verdict() -> Verdict {
    let reason = Reason {
        reason: "sample_size".into(),
        subject: Some("p99".into()),
        verdict: Validity::Suspect,
        figure: 20.0,
        threshold: 368.0,
        unit: "requests".into(),
        message: "p99 of 20 requests, where 368 are needed for a 95 % bound".into(),
        advice: "raise --num-prompts, or read lower percentiles only".into(),
    };
    Verdict::new(vec![reason], vec!["ttft p99 varies by 12 % over the trials".into()])
}

pub(crate) fn with_run_report(metrics: &RunMetrics, use_it: impl FnOnce(&RunReport<'_>)) {
    let mut errors = ErrorSummary::default();
    errors.add(&Failure {
        kind: FailureKind::Timeout,
        status: None,
        retry_after_seconds: None,
        message: "no answer in 60 s".into(),
    });
    let input_config = serde_json::json!({ "endpoint": { "type": "chat" } });
    use_it(&RunReport {
        aiperf_version: "0.1.0",
        benchmark_id: "0123456789ab",
        metrics,
        input_config: &input_config,
        random_seed: 42,
        trial: 1,
        cli_command: "aiperf profile --model demo --concurrency 10,20",
        variation_index: 0,
        parameters: &concurrency(10),
        was_cancelled: false,
        incomplete_reason: None,
        errors: &errors,
        verdict: &verdict(),
        client_error: None,
        client: &ClientHealth::default(),
        start_unix_ns: CLOCK.unix_ns(0),
        end_unix_ns: CLOCK.unix_ns(2_500_000_000),
    });
}

/// A measurement of one statistic with its values in the trials; the interval is made up.
pub(crate) fn measurement(id: MetricId, statistic: Statistic, trials: &[f64]) -> Measurement {
    let (metric, several) = (id.metric(), trials.len() > 1);
    let mean = trials.iter().sum::<f64>() / trials.len() as f64;
    Measurement {
        key: metric.key(statistic),
        metric: metric.tag.to_string(),
        statistic: statistic.name().into(),
        unit: metric.unit.name().into(),
        better: metric.better,
        mean,
        trials: trials.to_vec(),
        std_dev: several.then_some(1.5),
        confidence: several.then_some(Interval { low: mean - 3.0, high: mean + 3.0, level: 0.95 }),
        within_run: None,
        extremes: Extremes::default(),
    }
}

fn point(index: u32, parameters: Vec<Parameter>, throughput: &[f64], ttft: &[f64]) -> Point {
    Point {
        index,
        parameters,
        trials: throughput.len() as u32,
        measurements: vec![
            measurement(MetricId::RequestThroughput, Statistic::Avg, throughput),
            measurement(MetricId::TimeToFirstToken, Statistic::P99, ttft),
        ],
    }
}

fn identity(kind: Kind, name: &str) -> Identity {
    Identity {
        kind,
        name: name.into(),
        version: "0.1.0".into(),
        sha256: "ab".repeat(32),
        source: "built-in".into(),
        sandboxed: true,
        settings: "{}".into(),
    }
}

fn best(objective: &str, point: &Point, key: &str) -> BestConfiguration {
    let measurement = point.measurement(key).unwrap();
    BestConfiguration {
        objective: objective.into(),
        direction: Direction::Maximize,
        point_index: point.index,
        parameters: point.parameters.clone(),
        value: measurement.mean,
        unit: measurement.unit.clone(),
        metric: Some(key.into()),
        confidence: measurement.confidence,
        tied_with: Vec::new(),
        uncertainty: uncertainty(point),
    }
}

fn uncertainty(point: &Point) -> Uncertainty {
    if point.trials > 1 { Uncertainty::Trials } else { Uncertainty::Unknown }
}

fn front(criterion: &str, points: &[Point], standings: &[MemberStanding]) -> Front {
    let members = points.iter().zip(standings).map(|(point, standing)| FrontMember {
        point_index: point.index,
        parameters: point.parameters.clone(),
        standing: standing.clone(),
        probability: (point.trials > 1).then_some(0.75),
    });
    Front { criterion: criterion.into(), members: members.collect() }
}

pub(crate) fn trend(key: &str, detector: &str, positions: &[f64], means: &[f64]) -> Trend {
    let rate_of_change: Vec<f64> = means.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let steps = positions.windows(2).map(|pair| pair[1] - pair[0]);
    Trend {
        key: key.into(),
        parameter: "concurrency".into(),
        fixed: Vec::new(),
        along_with: Vec::new(),
        positions: positions.to_vec(),
        slopes: rate_of_change.iter().zip(steps).map(|(change, step)| change / step).collect(),
        rate_of_change,
        detector: detector.into(),
        findings: vec![Finding {
            kind: "inflection".into(),
            message: "slope falls to 1/5 here (saturation)".into(),
            first: 1,
            last: 1,
            location: Some(Interval { low: 15.0, high: 25.0, level: 0.95 }),
            certainty: 0.5,
        }],
        not_significant: 0,
        flat_within: None,
        uncertainty: Uncertainty::Unknown,
        derived: vec![Derived { name: "curvature".into(), values: vec![0.25; positions.len() - 1] }],
        left_out: 0,
    }
}

/// Three values in the order 30, 10, 20 of the plan, with one value and one trial failed.
pub(crate) fn sweep(trials: u32) -> SweepResult {
    let values = |base: f64| -> Vec<f64> { (0..trials).map(|n| base + f64::from(n)).collect() };
    let points = vec![
        point(1, concurrency(10), &values(96.0), &values(125.5)),
        point(2, concurrency(20), &values(176.0), &values(145.25)),
    ];
    let value = |index, at| SweepValue { index, parameters: concurrency(at), seed: 42 + u64::from(index) };
    let timestamp = "2025-01-15T10:30:45Z".to_owned();
    let error = "connection refused".to_owned();
    let positions = [10.0, 20.0];
    SweepResult {
        axes: vec!["concurrency".into()],
        values: vec![value(1, 10), value(2, 20), value(0, 30)],
        trials_per_value: trials,
        order: Order::Repeated,
        confidence_level: 0.95,
        failed_values: vec![FailedValue {
            index: 0,
            parameters: concurrency(30),
            error: error.clone(),
            timestamp: timestamp.clone(),
        }],
        failed_trials: vec![FailedTrial {
            index: 0,
            parameters: concurrency(30),
            trial: 1,
            error,
            timestamp,
        }],
        request_errors: Vec::new(),
        verdicts: vec![
            ValueVerdict { index: 1, parameters: concurrency(10), verdict: verdict() },
            ValueVerdict { index: 2, parameters: concurrency(20), verdict: Verdict::default() },
        ],
        convergence: None,
        time_budget: None,
        drift: if trials > 1 { vec![drift()] } else { Vec::new() },
        open_metrics: Vec::new(),
        edited_files: Vec::new(),
        plugins: vec![identity(Kind::Objective, "throughput"), identity(Kind::Pareto, "dominance")],
        conclusions: Conclusions {
            best: vec![
                best("throughput", &points[1], "request_throughput_avg"),
                best("latency-p99", &points[0], "ttft_p99_ms"),
            ],
            fronts: vec![
                front("dominance", &points, &[MemberStanding::Optimal, MemberStanding::Optimal]),
                front("efficient", &points, &[MemberStanding::DominatedBy(2), MemberStanding::Optimal]),
            ],
            chosen_criterion: Some("dominance".into()),
            trends: vec![
                trend("request_throughput_avg", "slope-change", &positions, &[96.0, 176.0]),
                trend("ttft_p99_ms", "slope-change", &positions, &[125.5, 145.25]),
            ],
            failures: Vec::new(),
            notes: Vec::new(),
            excluded: Vec::new(),
            material: 0.01,
        },
        points,
    }
}

fn drift() -> Drift {
    Drift {
        metric: "ttft_p99_ms".into(),
        relative_change: 0.125,
        relative_change_per_hour: 1.5,
        p_value: 0.001,
        adjusted_p_value: 0.002,
        degrees_of_freedom: 5,
        significant: true,
    }
}

/// Two axes, the second one with values that are not integers.
pub(crate) fn two_axes() -> SweepResult {
    let parameters = |at, rate| {
        let mut parameters = concurrency(at);
        parameters.push(Parameter::new("request_rate", ParameterValue::Number(rate)));
        parameters
    };
    let points = vec![
        point(0, parameters(10, 2.5), &[96.0], &[125.5]),
        point(1, parameters(20, 2.5), &[176.0], &[145.25]),
    ];
    let fixed = vec![Parameter::new("request_rate", ParameterValue::Number(2.5))];
    let along = trend("request_throughput_avg", "slope-change", &[10.0, 20.0], &[96.0, 176.0]);
    let value =
        |point: &Point| SweepValue { index: point.index, parameters: point.parameters.clone(), seed: 42 };
    SweepResult {
        axes: vec!["concurrency".into(), "request_rate".into()],
        values: points.iter().map(value).collect(),
        trials_per_value: 1,
        order: Order::Independent,
        confidence_level: 0.95,
        failed_values: Vec::new(),
        failed_trials: Vec::new(),
        request_errors: Vec::new(),
        verdicts: Vec::new(),
        convergence: None,
        time_budget: None,
        drift: Vec::new(),
        open_metrics: Vec::new(),
        edited_files: Vec::new(),
        plugins: Vec::new(),
        conclusions: Conclusions {
            best: vec![best("throughput", &points[1], "request_throughput_avg")],
            fronts: vec![front("dominance", &points, &[MemberStanding::Optimal, MemberStanding::Optimal])],
            chosen_criterion: Some("dominance".into()),
            trends: vec![Trend { fixed, ..along }],
            failures: Vec::new(),
            notes: Vec::new(),
            excluded: Vec::new(),
            material: 0.01,
        },
        points,
    }
}
