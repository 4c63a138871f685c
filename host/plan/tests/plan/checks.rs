//! What is refused, and in which words.

use crate::{CommandLine, options, resolve};
use aiperf_plan::{Config, ConfigError, Environment, LATER};
use clap::Parser;
use proptest::prelude::*;

const MISTAKES: &[&str] = &[
    "--concurrency 10,,20",
    "--concurrency 10,abc",
    "--concurrency 0,5",
    "--concurrency 10,10",
    "--concurrency -5",
    "--concurrency 10..40",
    "--num-prompts 10,0",
    "--isl 0",
    "--isl 0.5",
    "--osl 1,2,1",
    "--benchmark-duration 0",
    "--request-rate 0",
    "--request-rate 2.5,-1",
    "--request-rate 1e9",
    "--request-rate 2.5,2.50",
    "--request-rate 1,2,3 --concurrency 8,16 --sweep-type zip",
    "--arrival-pattern constant",
    "--arrival-smoothness 2",
    "--request-rate 5 --arrival-smoothness 2",
    "--request-rate 5 --arrival-pattern gamma --arrival-smoothness 0",
    "--concurrency-ramp-duration 5",
    "--concurrency 5 --concurrency-ramp-duration 5",
    "--request-rate-ramp-duration 5 --num-prompts 10",
    "--concurrency 5 --concurrency-ramp-duration 60 --benchmark-duration 30,90",
    "--concurrency 5 --concurrency-ramp-duration -1 --num-prompts 10",
    "--request-rate 5 --request-rate-ramp-duration nan --num-prompts 10",
    "--custom-dataset-type single_turn",
    "--dataset-sampling-strategy shuffle",
    "--fixed-schedule",
    "--input-file a.jsonl --isl 128,256",
    "--input-file a.jsonl --conversation-turn-mean 3",
    "--input-file a.jsonl --fixed-schedule-end-offset 5",
    "--input-file a.jsonl --fixed-schedule --request-rate 5",
    "--input-file a.jsonl --fixed-schedule --concurrency 5 --concurrency-ramp-duration 5",
    "--input-file a.jsonl --fixed-schedule --dataset-sampling-strategy random",
    "--input-file a.jsonl --fixed-schedule --fixed-schedule-auto-offset --fixed-schedule-start-offset 5",
    "--input-file a.jsonl --fixed-schedule --fixed-schedule-start-offset 50 --fixed-schedule-end-offset 5",
    "--input-file a.jsonl --fixed-schedule --fixed-schedule-end-offset -1",
    "--conversation-num 5",
    "--conversation-num 0 --conversation-turn-mean 2",
    "--conversation-turn-mean 0.5",
    "--conversation-turn-delay-mean 500",
    "--conversation-turn-mean 3 --conversation-turn-delay-mean -1",
    "--concurrency 1,2,3 --isl 1,2 --sweep-type zip",
    "--concurrency 1,1 --isl 2,2 --sweep-type zip",
    "--concurrency 1..1000+1 --isl 1..1000+1",
    "--parameter-sweep-cooldown-seconds 5",
    "--parameter-sweep-same-seed --concurrency 10",
    "--parameter-sweep-mode repeated --num-profile-runs 3",
    "--sweep-type zip",
    "--sweep-metrics all",
    "--objective throughput",
    "--profile-run-cooldown-seconds 5 --concurrency 1,2",
    "--vary-seed-per-trial",
    "--trial-prompts same",
    "--trial-prompts same --vary-seed-per-trial --num-profile-runs 2",
    "--prompt-salt=",
    "--warmup-every-run --warmup-request-count 5",
    "--warmup-every-run --num-profile-runs 2",
    "--num-profile-runs 0",
    "--confidence-level 1 --num-profile-runs 2",
    "--confidence-level 0 --num-profile-runs 2",
    "--confidence-level nan --num-profile-runs 2",
    "--concurrency 1,2 --parameter-sweep-cooldown-seconds -1",
    "--concurrency 1,2 --parameter-sweep-cooldown-seconds inf",
    "--benchmark-grace-period -0.5",
    "--request-timeout-seconds 0",
    "--unreachable-timeout -1",
    "--response-mib 0",
    "--response-mib 1025",
    "--request-cancellation-rate 101",
    "--request-cancellation-delay 2",
    "--max-error-rate 1.5",
    "--workers 0",
    "--workers 4294967295",
    "--warmup-request-count 4294967295",
    "--plugin-timeout-seconds 0",
    "--plugin-memory-mib 0",
    "--osl-stddev 3",
    "--isl-stddev -3",
    "--goodput speed:10",
    "--extra-inputs [1]",
    "--header nonsense",
    "--api-key|two words",
    "--model=",
    "--url ftp://h",
    "--url sim: --http2",
    "--url unix:",
    "--insecure",
    "--url http://h --ca-cert ca.pem",
    "--url https://h --insecure --ca-cert ca.pem",
    "--endpoint-type chat:[1]",
    "--concurrency 1,2 --objective slo --objective slo",
    "--ui dashboard",
    "--convergence-metric ttft",
    "--convergence-threshold 0.1",
    "--num-profile-runs 5 --convergence-metric speed",
    "--num-profile-runs 5 --convergence-metric ttft --convergence-stat p98",
    "--num-profile-runs 5 --convergence-metric request_throughput --convergence-stat p99",
    "--num-profile-runs 5 --convergence-metric ttft_p99_ms --convergence-stat p99",
    "--num-profile-runs 5 --convergence-metric ttft --convergence-threshold 5",
    "--num-profile-runs 5 --convergence-metric ttft --convergence-min-runs 1",
    "--num-profile-runs 2 --convergence-metric ttft",
    "--budget 30m",
    "--concurrency 1,2 --budget 30",
    "--concurrency 1,2 --num-profile-runs 1 --budget 30m",
    "--concurrency 1,2 --num-profile-runs 2 --budget 30m",
];

#[test]
fn mistakes_are_named_with_flag_place_and_example() {
    let messages: Vec<String> =
        MISTAKES.iter().map(|line| format!("{line}\n  {}", resolve(line).expect_err(line))).collect();
    assert!(messages.iter().all(|message| message.lines().count() == 2), "one line each");
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_model_is_needed() {
    let error = Config::resolve(options(""), &Environment::default()).unwrap_err();
    assert_eq!(error.to_string(), "--model is missing; write for example --model llama-3-8b");
}

#[test]
fn the_dashboard_is_refused_in_the_words_of_the_documentation() {
    for line in ["--concurrency 10,20,30,40 --ui dashboard", "--num-profile-runs 5 --ui dashboard"] {
        assert_eq!(
            resolve(line).unwrap_err().to_string(),
            "ValueError: Dashboard UI is not supported with parameter sweeps\n\
             due to terminal control limitations. Please use '--ui simple' or '--ui none' instead."
        );
    }
}

#[test]
fn flags_of_later_versions_are_refused_with_and_without_a_value() {
    for later in LATER {
        for line in [later.flag.to_owned(), format!("{} 1", later.flag), format!("{0} 1 {0} 2", later.flag)] {
            let error = resolve(&line).unwrap_err();
            assert_eq!(error, ConfigError::Later { flag: later.flag, instead: later.instead });
        }
    }
}

#[test]
fn unknown_flags_and_words_are_refused() {
    for line in ["--nonsense", "--sweep-type diagonal", "--ui fancy", "--random-seed -1", "stray"] {
        assert!(
            CommandLine::try_parse_from(["profile"].into_iter().chain(line.split(' '))).is_err(),
            "{line}"
        );
    }
}

proptest! {
    #[test]
    fn accepted_lists_have_no_duplicates_and_keep_their_order(text in "[1-9][0-9]?(,[1-9][0-9]?(\\.\\.[1-9]0[+*][2-9])?){0,6}") {
        if let Ok(config) = resolve(&format!("--concurrency {text}")) {
            let values: Vec<u32> = config.load.concurrency.unwrap().iter().collect();
            let mut distinct = values.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), values.len());
            let written: Vec<u32> = text.split(',').map(|item| item.split("..").next().unwrap().parse().unwrap()).collect();
            let kept: Vec<u32> = values.into_iter().filter(|value| written.contains(value)).collect();
            prop_assert_eq!(kept, written);
        }
    }
}
