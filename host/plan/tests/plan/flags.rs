//! Which flags there are, what they mean and what holds without them.

use crate::{CommandLine, config, options, plan};
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_plan::{LATER, Length, Plan, PluginChoice, Servers, Ui};
use clap::CommandFactory;
use std::time::Duration;

#[test]
fn commands_of_the_documentation_are_accepted() {
    for line in [
        "--model llama-3-8b --endpoint-type chat --url http://localhost:8000/v1/chat/completions \
         --concurrency 10,20,30,40 --num-prompts 1000",
        "--model llama-3-8b --endpoint-type chat --url http://localhost:8000/v1/chat/completions \
         --concurrency 10,20,30,40 --num-profile-runs 5 --num-prompts 1000",
        "--concurrency 10,20,30,40 --ui simple",
        "--concurrency 10,20,30,40 --ui none",
        "--concurrency 10,20,30,40 --num-profile-runs 5 --parameter-sweep-mode independent",
        "--concurrency 10,20,30,40 --num-profile-runs 5 --parameter-sweep-mode repeated",
        "--concurrency 10,20,30,40 --parameter-sweep-same-seed",
        "--concurrency 10,20,30,40 --random-seed 123",
        "--concurrency 10,20,30,40 --parameter-sweep-cooldown-seconds 30.0",
        "--concurrency 10,20,30,40 --num-profile-runs 5 --profile-run-cooldown-seconds 10.0 \
         --parameter-sweep-cooldown-seconds 30.0",
        "--concurrency 5,10,20,40,80",
        "--concurrency 10,20,30,40 --warmup-request-count 100",
        "--concurrency|10,20,30,40|--goodput|time_to_first_token:100 inter_token_latency:10",
        "--concurrency 10,20,30,40,50,60",
        "--concurrency 10,15,20,25,30",
    ] {
        assert!(plan(line).shape.sweep, "{line}");
    }
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let config = config("");
    assert_eq!(config.server.endpoint_type, PluginChoice::named("chat"));
    assert_eq!(config.server.streaming, None);
    insta::assert_snapshot!(serde_json::to_string_pretty(&config.redacted()).unwrap());
}

#[test]
fn the_number_of_requests_follows_the_concurrency_unless_something_else_ends_the_run() {
    for (line, requests, duration) in [
        ("", Some(10), None),
        ("--concurrency 4", Some(10), None),
        ("--concurrency 40", Some(80), None),
        ("--num-prompts 3", Some(3), None),
        ("--request-count 3", Some(3), None),
        ("--num-requests 3", Some(3), None),
        ("--benchmark-duration 2.5", None, Some(2.5)),
        ("--benchmark-duration 60 --num-prompts 7", Some(7), Some(60.0)),
    ] {
        let line = &format!("{line} --precision none");
        let config = config(line);
        let settings = config.settings(&plan(line).values[0]);
        assert_eq!(settings.requests, requests, "{line}");
        assert_eq!(settings.duration, duration.map(Duration::from_secs_f64), "{line}");
    }
}

#[test]
fn a_run_that_nothing_ends_lasts_until_its_figures_are_known_but_for_a_minute_at_most() {
    for (line, percent, duration) in [
        ("", Some(2.0), Some(60)),
        ("--request-rate 5", Some(2.0), Some(60)),
        ("--precision 0.5 --max-run-duration 300", Some(0.5), Some(300)),
        ("--num-prompts 3", None, None),
        ("--benchmark-duration 5", None, Some(5)),
        ("--input-file a.jsonl", None, None),
        ("--conversation-turn-mean 3", None, None),
    ] {
        let settings = config(line).settings(&plan(line).values[0]);
        assert_eq!(settings.precision.map(|precision| 100.0 * precision.throughput), percent, "{line}");
        assert_eq!(settings.duration, duration.map(Duration::from_secs), "{line}");
        assert_eq!(settings.requests.is_some(), line == "--num-prompts 3", "{line}");
    }
}

#[test]
fn settings_follow_the_values_of_each_axis() {
    let line = "--concurrency 8,2 --isl 100,200 --osl 5,6 --isl-stddev 3 --num-prompts 30,40 \
                --benchmark-duration 1.5,3 --warmup-request-count 4 --sweep-type zip";
    let (config, plan) = (config(line), plan(line));
    assert_eq!(plan.axes, ["concurrency", "isl", "osl", "num_prompts", "benchmark_duration"]);
    let settings = config.settings(&plan.values[1]);
    assert_eq!((settings.concurrency, settings.requests, settings.warmup_requests), (Some(2), Some(40), 4));
    assert_eq!(settings.isl, Length { mean: 200, std_dev: 3.0 });
    assert_eq!(settings.osl, Some(Length { mean: 6, std_dev: 0.0 }));
    assert_eq!(settings.duration, Some(Duration::from_secs(3)));
    assert_eq!(settings.grace_period, Duration::from_secs(30));
    assert_eq!(settings.seed, 43);
}

#[test]
fn a_request_rate_makes_an_open_loop_and_the_concurrency_its_limit() {
    let settings = |line: &str| config(line).settings(&plan(line).values[0]);
    let rate = |per_second, pattern| Some(RequestRate { per_second, pattern });
    assert_eq!((settings("").request_rate, settings("").concurrency), (None, Some(1)));
    for (line, expected, concurrency, requests) in [
        ("--request-rate 2.5", rate(2.5, ArrivalPattern::Poisson), None, 25),
        ("--request-rate 0.1", rate(0.1, ArrivalPattern::Poisson), None, 10),
        ("--request-rate 2 --concurrency 40", rate(2.0, ArrivalPattern::Poisson), Some(40), 80),
        ("--request-rate 2 --arrival-pattern constant", rate(2.0, ArrivalPattern::Constant), None, 20),
        (
            "--request-rate 2 --arrival-pattern gamma --arrival-smoothness 4",
            rate(2.0, ArrivalPattern::Gamma { smoothness: 4.0 }),
            None,
            20,
        ),
        (
            "--request-rate 2 --arrival-pattern gamma",
            rate(2.0, ArrivalPattern::Gamma { smoothness: 1.0 }),
            None,
            20,
        ),
    ] {
        let settings = settings(&format!("{line} --precision none"));
        assert_eq!(settings.request_rate, expected, "{line}");
        assert_eq!((settings.concurrency, settings.requests), (concurrency, Some(requests)), "{line}");
    }
}

#[test]
fn rates_are_swept_as_they_were_written() {
    let line = "--request-rate 2.5,10 --concurrency 8,4 --sweep-type zip";
    let (config, plan) = (config(line), plan(line));
    assert_eq!(plan.axes, ["concurrency", "request_rate"]);
    assert_eq!(plan.stimulus(), "concurrency_request_rate_sweep");
    let rates: Vec<_> = plan.values.iter().map(|value| config.settings(value)).collect();
    assert_eq!((rates[0].request_rate.unwrap().per_second, rates[0].concurrency), (2.5, Some(8)));
    assert_eq!((rates[1].request_rate.unwrap().per_second, rates[1].concurrency), (10.0, Some(4)));
    let names: Vec<String> = plan.values.iter().map(|value| value.parameters[1].value.to_string()).collect();
    assert_eq!(names, ["2.5", "10"]);
}

#[test]
fn the_load_names_the_result() {
    for (line, stimulus) in [
        ("", "concurrency1"),
        ("--concurrency 10", "concurrency10"),
        ("--request-rate 2.5", "request_rate2.5"),
        ("--request-rate 10 --concurrency 4", "request_rate10"),
        ("--request-rate 2.5,5", "request_rate_sweep"),
        ("--request-rate 10 --concurrency 4,8", "concurrency_sweep"),
    ] {
        assert_eq!(plan(line).stimulus(), stimulus, "{line}");
    }
}

#[test]
fn streaming_is_left_open_unless_said() {
    for (line, streaming) in [
        ("", None),
        ("--streaming", Some(true)),
        ("--no-streaming", Some(false)),
        ("--streaming --no-streaming", Some(false)),
        ("--no-streaming --streaming", Some(true)),
        ("--streaming=false", Some(false)),
    ] {
        assert_eq!(config(line).server.streaming, streaming, "{line}");
    }
    let file = options("--streaming");
    assert_eq!(options("--no-streaming").over(file).no_streaming, Some(true));
    assert_eq!(options("--no-streaming").over(options("--streaming")).streaming, None);
}

#[test]
fn the_simulator_and_several_servers_can_be_asked() {
    assert_eq!(
        config("--url sim:?ttft-ms=30").server.servers,
        Servers::Simulator { query: "ttft-ms=30".into() }
    );
    assert!(matches!(config("-u a:1 -u b:2").server.servers, Servers::Urls(urls) if urls.len() == 2));
}

#[test]
fn the_path_of_the_user_wins_over_that_of_the_format() {
    assert_eq!(config("").server.path("/v1/chat/completions"), "/v1/chat/completions");
    assert_eq!(config("--endpoint generate").server.path("/v1/chat/completions"), "/generate");
    assert_eq!(config("--endpoint=").server.path("/v1/chat/completions"), "");
}

#[test]
fn the_dominance_and_efficient_fronts_are_always_reported() {
    let criteria = |line: &str| -> Vec<String> {
        config(line).plugins.criteria.into_iter().map(|criterion| criterion.name).collect()
    };
    assert_eq!(criteria("--concurrency 1,2"), ["dominance", "efficient"]);
    assert_eq!(criteria("--concurrency 1,2 --pareto efficient"), ["efficient", "dominance"]);
    assert_eq!(criteria("--concurrency 1,2 --pareto mine"), ["mine", "dominance", "efficient"]);
}

#[test]
fn two_objectives_of_the_user_span_the_trade_off() {
    let objectives = |line: &str| -> (Vec<String>, usize) {
        let plugins = config(line).plugins;
        (plugins.objectives.into_iter().map(|objective| objective.name).collect(), plugins.trade_off)
    };
    for (flags, expected, trade_off) in [
        ("", &["throughput", "latency-p99"][..], 2),
        ("--objective latency-p99", &["throughput", "latency-p99"], 2),
        ("--objective cost", &["throughput", "latency-p99", "cost"], 2),
        ("--objective cost --objective throughput", &["cost", "throughput", "latency-p99"], 2),
        ("--objective a --objective b --objective c", &["a", "b", "c", "throughput", "latency-p99"], 3),
    ] {
        let (names, span) = objectives(&format!("--concurrency 1,2 {flags}"));
        assert_eq!(
            (names.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), span),
            (expected, trade_off)
        );
    }
}

#[test]
fn what_ends_a_run_follows_from_what_is_sent() {
    for (line, requests, conversations) in [
        ("", Some(10), None),
        ("--concurrency 20", Some(40), None),
        ("--concurrency 20 --benchmark-duration 5", None, None),
        ("--input-file a.jsonl", None, None),
        ("--input-file a.jsonl --num-prompts 5", Some(5), None),
        ("--input-file a.jsonl --conversation-num 5", None, Some(5)),
        ("--conversation-turn-mean 3 --concurrency 20", None, Some(40)),
        ("--conversation-turn-mean 3 --num-prompts 50", Some(50), None),
        ("--conversation-turn-mean 3 --num-prompts 50 --conversation-num 7", Some(50), Some(7)),
        ("--conversation-turn-mean 3 --benchmark-duration 5", None, None),
        ("--conversation-turn-stddev 1", None, Some(10)),
    ] {
        let config = config(&format!("{line} --precision none"));
        let settings = config.settings(&Plan::new(&config).values[0]);
        assert_eq!((settings.requests, settings.conversations), (requests, conversations), "{line}");
    }
    assert_eq!(config("--input-file a.jsonl --fixed-schedule").load.concurrency, None);
}

#[test]
fn the_ui_follows_from_the_kind_of_benchmark() {
    for (line, ui, is_automatic) in [
        ("", Ui::None, false),
        ("--ui simple", Ui::Simple, false),
        ("--concurrency 1,2", Ui::Simple, true),
        ("--num-profile-runs 2", Ui::Simple, true),
        ("--concurrency 1,2 --ui none", Ui::None, false),
        ("--concurrency 1,2 --ui simple", Ui::Simple, false),
    ] {
        let output = config(line).output;
        assert_eq!((output.ui, output.ui_is_automatic), (ui, is_automatic), "{line}");
    }
}

#[test]
fn help_is_complete_and_hides_what_is_refused() {
    let help = CommandLine::command().term_width(110).render_long_help().to_string();
    for later in LATER {
        assert!(!help.contains(later.flag), "{}", later.flag);
    }
    for argument in CommandLine::command().get_arguments().filter(|argument| !argument.is_hide_set()) {
        assert!(argument.get_help().is_some(), "{argument}");
        assert!(argument.get_help_heading().is_some(), "{argument}");
    }
    insta::assert_snapshot!(help);
}

#[test]
fn a_metric_of_convergence_goes_by_any_of_its_names() {
    for (given, key) in [
        ("ttft --convergence-stat p99", "ttft_p99_ms"),
        ("time_to_first_token --convergence-stat p99", "ttft_p99_ms"),
        ("ttft_p99_ms", "ttft_p99_ms"),
        ("time_to_first_token_p99", "ttft_p99_ms"),
        ("ttft", "ttft_avg_ms"),
        ("request_throughput", "request_throughput_avg"),
    ] {
        let line = format!("--num-profile-runs 10 --convergence-metric {given}");
        let convergence = config(&line).trials.convergence.unwrap();
        assert_eq!(
            (convergence.metric.as_str(), convergence.threshold, convergence.min_trials),
            (key, 0.05, 3)
        );
    }
    assert_eq!(config("--num-profile-runs 10").trials.convergence, None);
}

#[test]
fn a_time_for_all_trials_leaves_their_number_open() {
    let trials = config("--concurrency 1,2 --budget 1h30m").trials;
    let budget = trials.time_budget.unwrap();
    assert_eq!((budget.time, budget.min_trials), (Duration::from_mins(90), 3));
    assert_eq!(trials.num_profile_runs, 100);
    let trials =
        config("--concurrency 1,2 --budget 30m --num-profile-runs 8 --convergence-min-runs 5").trials;
    assert_eq!((trials.num_profile_runs, trials.time_budget.unwrap().min_trials), (8, 5));
}
