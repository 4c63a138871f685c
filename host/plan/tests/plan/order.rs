//! The order of the runs, their seeds, pauses and warm-ups.

use crate::{config, plan};
use aiperf_model::parameter::describe;
use aiperf_plan::{Expected, Plan};
use std::time::Duration;

/// Value and trial of each run.
fn runs(plan: &Plan) -> Vec<(String, u32)> {
    plan.steps.iter().map(|step| (step.value.parameters[0].value.to_string(), step.trial)).collect()
}

fn seeds(plan: &Plan) -> Vec<u64> {
    plan.steps.iter().map(|step| step.value.seed).collect()
}

fn cooldowns(plan: &Plan) -> Vec<u64> {
    plan.steps.iter().map(|step| step.cooldown.as_secs()).collect()
}

fn warm_ups(plan: &Plan) -> Vec<bool> {
    plan.steps.iter().map(|step| step.warm_up).collect()
}

#[test]
fn repeated_runs_the_sweep_once_per_trial() {
    let plan = plan("--concurrency 10,20,30 --num-profile-runs 5");
    let expected: Vec<(String, u32)> =
        (1..=5).flat_map(|trial| ["10", "20", "30"].map(|value| (value.to_owned(), trial))).collect();
    assert_eq!(runs(&plan), expected);
    assert!(plan.steps.iter().zip(0..).all(|(step, index)| step.index == index));
}

#[test]
fn independent_runs_all_trials_of_a_value_before_the_next() {
    let plan = plan("--concurrency 10,20,30 --num-profile-runs 5 --parameter-sweep-mode independent");
    let expected: Vec<(String, u32)> = ["10", "20", "30"]
        .into_iter()
        .flat_map(|value| (1..=5).map(|trial| (value.to_owned(), trial)))
        .collect();
    assert_eq!(runs(&plan), expected);
}

#[test]
fn values_run_in_the_order_given_and_are_listed_ascending() {
    let plan = plan("--concurrency 100,5,20 --isl 64,8");
    let given: Vec<String> = plan.values.iter().map(|value| describe(&value.parameters)).collect();
    assert_eq!(given[..2], ["concurrency 100, isl 64", "concurrency 100, isl 8"]);
    let ascending: Vec<String> =
        plan.values_ascending().iter().map(|value| describe(&value.parameters)).collect();
    assert_eq!(ascending[..3], ["concurrency 5, isl 8", "concurrency 5, isl 64", "concurrency 20, isl 8"]);
}

#[test]
fn seeds_count_up_from_the_base_in_the_order_given() {
    assert_eq!(seeds(&plan("--concurrency 40,10,20,30")), [42, 43, 44, 45]);
    assert_eq!(seeds(&plan("--concurrency 10,20,30,40 --random-seed 123")), [123, 124, 125, 126]);
    assert_eq!(seeds(&plan("--concurrency 10,20 --random-seed 123 --parameter-sweep-same-seed")), [123, 123]);
    assert_eq!(seeds(&plan("--concurrency 10,20 --num-profile-runs 2")), [42, 43, 42, 43]);
    assert_eq!(seeds(&plan("--concurrency 1,2 --random-seed 18446744073709551615")), [u64::MAX, 0]);
}

#[test]
fn trials_may_have_seeds_of_their_own_that_are_the_same_everywhere() {
    let plan = plan("--concurrency 10,20 --num-profile-runs 2 --vary-seed-per-trial");
    // The first 8 bytes, little endian, of the SHA-256 over 42 or 43 in 8 bytes and the trial in 4, by another tool.
    assert_eq!(
        seeds(&plan),
        [
            14_984_675_442_531_746_856,
            16_514_045_292_824_327_890,
            16_904_136_823_718_472_005,
            1_236_324_309_356_287_807
        ]
    );
    let of_values: Vec<u64> = plan.values.iter().map(|value| value.seed).collect();
    assert_eq!(of_values, [42, 43]);
}

#[test]
fn arrivals_differ_from_trial_to_trial() {
    use aiperf_plan::arrival_seed;
    // The same numbers as above.
    assert_eq!(
        [arrival_seed(42, 1), arrival_seed(42, 2)],
        [14_984_675_442_531_746_856, 16_904_136_823_718_472_005]
    );
}

#[test]
fn cooldowns_lie_between_runs_only() {
    let both = "--num-profile-runs 2 --profile-run-cooldown-seconds 10 --parameter-sweep-cooldown-seconds 30";
    assert_eq!(cooldowns(&plan(&format!("--concurrency 1,2,3 {both}"))), [0, 30, 30, 10, 30, 30]);
    let independent = format!("--concurrency 1,2,3 --parameter-sweep-mode independent {both}");
    assert_eq!(cooldowns(&plan(&independent)), [0, 10, 30, 10, 30, 10]);
    assert_eq!(cooldowns(&plan("--concurrency 1,2,3 --parameter-sweep-cooldown-seconds 30")), [0, 30, 30]);
    assert_eq!(cooldowns(&plan("--num-profile-runs 3 --profile-run-cooldown-seconds 10")), [0, 10, 10]);
    assert_eq!(plan(&independent).total_cooldown(), Duration::from_secs(90));
}

#[test]
fn each_value_warms_up_once_unless_every_run_is_to() {
    let warm = "--concurrency 1,2 --warmup-request-count 5";
    assert_eq!(warm_ups(&plan(warm)), [true, true]);
    assert_eq!(warm_ups(&plan(&format!("{warm} --num-profile-runs 2"))), [true, true, false, false]);
    let independent = format!("{warm} --num-profile-runs 2 --parameter-sweep-mode independent");
    assert_eq!(warm_ups(&plan(&independent)), [true, false, true, false]);
    assert_eq!(warm_ups(&plan(&format!("{warm} --num-profile-runs 2 --warmup-every-run"))), [true; 4]);
    assert_eq!(warm_ups(&plan("--concurrency 1,2")), [false, false]);
    assert_eq!(warm_ups(&plan("--num-profile-runs 3 --warmup-request-count 5")), [true, false, false]);
}

#[test]
fn the_stimulus_names_what_is_varied() {
    for (line, stimulus) in [
        ("--concurrency 10,20", "concurrency_sweep"),
        ("--concurrency 10", "concurrency10"),
        ("", "concurrency1"),
        ("--concurrency 10 --num-profile-runs 3", "concurrency10"),
        ("--isl 128,512 --concurrency 10,20", "concurrency_isl_sweep"),
        ("--isl 128,512 --concurrency 10", "isl_sweep"),
    ] {
        assert_eq!(plan(line).stimulus(), stimulus, "{line}");
    }
}

#[test]
fn long_plans_keep_every_run() {
    let plan = plan("--concurrency 1..10000+1 --num-profile-runs 2");
    assert_eq!((plan.values.len(), plan.steps.len()), (10_000, 20_000));
}

#[test]
fn balanced_runs_the_values_in_another_sequence_in_each_trial() {
    let balanced = |more: &str| {
        let line = format!("--concurrency 10,20,30,40 --parameter-sweep-mode balanced {more}");
        runs(&plan(&format!("{line} --num-profile-runs 4")))
    };
    let shown: Vec<String> = balanced("").iter().map(|(value, trial)| format!("{trial}:{value}")).collect();
    insta::assert_snapshot!(shown.chunks(4).map(|trial| trial.join(" ")).collect::<Vec<_>>().join("\n"));
    assert_eq!(balanced(""), balanced(""));
    assert_ne!(balanced(""), balanced("--random-seed 7"));
    // A seed belongs to the value, wherever it stands.
    let plan = plan("--concurrency 10,20 --parameter-sweep-mode balanced --num-profile-runs 2");
    assert!(plan.steps.iter().all(|step| step.value.seed == 42 + u64::from(step.value.index)));
}

#[test]
fn pauses_of_the_balanced_order_are_those_of_the_repeated_one() {
    let both = "--num-profile-runs 2 --profile-run-cooldown-seconds 10 --parameter-sweep-cooldown-seconds 30";
    let balanced = plan(&format!("--concurrency 1,2,3 --parameter-sweep-mode balanced {both}"));
    assert_eq!(cooldowns(&balanced), [0, 30, 30, 10, 30, 30]);
}

#[test]
fn a_run_that_is_left_out_takes_its_pause_along() {
    let both = "--num-profile-runs 2 --profile-run-cooldown-seconds 10 --parameter-sweep-cooldown-seconds 30";
    let pause = |mode: &str, before: usize, step: usize| {
        let plan = plan(&format!("--concurrency 1,2,3 --parameter-sweep-mode {mode} {both}"));
        plan.pause(&plan.steps[before], &plan.steps[step]).as_secs()
    };
    assert_eq!(pause("repeated", 2, 4), 10, "the next trial without its first value");
    assert_eq!(pause("repeated", 0, 2), 30, "the same trial without its second value");
    assert_eq!(pause("independent", 0, 2), 30, "the next value without the second trial of the first");
    assert_eq!(pause("independent", 1, 3), 30);
}

#[test]
fn a_plan_knows_how_long_a_run_takes_where_the_server_does_not_decide() {
    let seconds = Duration::from_secs;
    for (line, least, most) in [
        ("--benchmark-duration 30", 30, Some(30)),
        ("--benchmark-duration 30 --num-prompts 100", 0, Some(30)),
        ("--num-prompts 100", 0, None),
        ("--request-rate 5 --num-prompts 100", 20, Some(20)),
        ("--request-rate 5 --num-prompts 100 --benchmark-duration 8", 8, Some(8)),
        ("--request-rate 5", 0, Some(60)),
        ("--request-rate 5 --precision none", 10, Some(10)),
        ("--conversation-turn-mean 3 --conversation-num 9 --benchmark-duration 30", 0, Some(30)),
    ] {
        let (config, plan) = (config(line), plan(line));
        let expected = Expected::of_run(&config.settings(&plan.steps[0].value), None);
        assert_eq!(expected, Expected { least: seconds(least), most: most.map(seconds) }, "{line}");
    }
    let of_trace = |line: &str| {
        let (config, plan) = (config(line), plan(line));
        Expected::of_run(&config.settings(&plan.steps[0].value), Some(seconds(20)))
    };
    assert_eq!(of_trace("--input-file a.jsonl --fixed-schedule"), Expected::exactly(seconds(20)));
    let cut = of_trace("--input-file a.jsonl --fixed-schedule --benchmark-duration 8");
    assert_eq!(cut, Expected::exactly(seconds(8)));
    let mut sum = Expected::exactly(seconds(5));
    sum += Expected { least: seconds(0), most: Some(seconds(30)) };
    assert_eq!(sum, Expected { least: seconds(5), most: Some(seconds(35)) });
    sum += Expected { least: seconds(1), most: None };
    assert_eq!(sum, Expected { least: seconds(6), most: None });
}
