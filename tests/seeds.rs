//! The same seed and salt give the same bytes, and no text is sent twice by chance.

use crate::support::Workplace;
use serde_json::Value;
use std::collections::HashSet;

const SWEEP: &str = "profile --model demo --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --isl 40 --isl-stddev 10 --num-prompts 6 --ui none";

fn inputs(place: &Workplace, value: u32) -> Vec<u8> {
    place.bytes(&format!("artifacts/demo-openai-chat-concurrency_sweep/concurrency_{value}/inputs.json"))
}

fn prompts(place: &Workplace, value: u32) -> Vec<String> {
    let inputs: Value = serde_json::from_slice(&inputs(place, value)).unwrap();
    let sessions = inputs["data"].as_array().unwrap().iter();
    sessions
        .map(|session| session["payloads"][0]["messages"][0]["content"].as_str().unwrap().to_owned())
        .collect()
}

const SALT: &str = "--prompt-salt monday";

#[test]
fn two_runs_with_one_seed_and_salt_send_the_same_bytes() {
    let (one, other, seeded) = (Workplace::new(), Workplace::new(), Workplace::new());
    one.run(&format!("{SWEEP} {SALT} --concurrency 2,3")).expect(0);
    other.run(&format!("{SWEEP} {SALT} --concurrency 2,3 --random-seed 42 --workers 1")).expect(0);
    seeded.run(&format!("{SWEEP} {SALT} --concurrency 2,3 --random-seed 7")).expect(0);
    for value in [2, 3] {
        assert_eq!(inputs(&one, value), inputs(&other, value), "42 is the default");
        assert_ne!(inputs(&one, value), inputs(&seeded, value));
    }
}

#[test]
fn the_same_command_on_another_day_sends_other_words_of_the_same_lengths() {
    let (one, other, again) = (Workplace::new(), Workplace::new(), Workplace::new());
    let command = format!("{SWEEP} --concurrency 2,3");
    one.run(&command).expect(0);
    other.run(&command).expect(0);
    let manifest = one.json("artifacts/demo-openai-chat-concurrency_sweep/manifest.json");
    let salt = manifest["prompt_salt"].as_str().unwrap();
    again.run(&format!("{command} --prompt-salt {salt}")).expect(0);
    for value in [2, 3] {
        let [first, second] = [&one, &other].map(|place| prompts(place, value));
        let lengths = |prompts: &[String]| -> Vec<usize> {
            prompts.iter().map(|prompt| prompt.split(' ').count()).collect()
        };
        assert_eq!(lengths(&first), lengths(&second));
        assert!(openings(&first).is_disjoint(&openings(&second)));
        assert_eq!(inputs(&again, value), inputs(&one, value));
        let named: Value = serde_json::from_slice(&inputs(&one, value)).unwrap();
        assert_eq!(named["prompt_salt"], salt);
    }
}

/// The first words of prompts: what another prompt has in common with one is what a cache can have kept of it.
fn openings(prompts: &[String]) -> HashSet<String> {
    prompts.iter().map(|prompt| prompt.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn trials_send_other_words_unless_they_are_to_be_the_same() {
    let of_trial = |place: &Workplace, trial: u32| -> Value {
        let folder = "artifacts/demo-openai-chat-concurrency2/profile_runs";
        place.json(&format!("{folder}/trial_{trial:04}/inputs.json"))["data"].clone()
    };
    let trials = format!("{SWEEP} --concurrency 2 --num-profile-runs 2");
    let (fresh, same) = (Workplace::new(), Workplace::new());
    fresh.run(&trials).expect(0);
    assert_ne!(of_trial(&fresh, 1), of_trial(&fresh, 2));
    same.run(&format!("{trials} --trial-prompts same")).expect(0);
    assert_eq!(of_trial(&same, 1), of_trial(&same, 2));
}

#[test]
fn a_run_that_is_made_again_does_not_ask_what_was_asked_before() {
    let place = Workplace::new();
    let base = "artifacts/demo-openai-chat-concurrency_sweep";
    place.run(&format!("{SWEEP} --concurrency 2,3")).expect(0);
    let (kept, before) = (inputs(&place, 2), prompts(&place, 3));
    let salt = place.json(&format!("{base}/manifest.json"))["prompt_salt"].clone();
    let files =
        ["inputs.json", "profile_export.jsonl", "profile_export_aiperf.json", "profile_export_aiperf.csv"];
    for file in files {
        std::fs::remove_file(place.path().join(format!("{base}/concurrency_3/{file}"))).unwrap();
    }
    place.run(&format!("profile --resume {base}")).expect(0);
    assert_eq!(inputs(&place, 2), kept);
    assert!(openings(&before).is_disjoint(&openings(&prompts(&place, 3))));
    assert_eq!(place.json(&format!("{base}/manifest.json"))["prompt_salt"], salt);
    let named: Value = serde_json::from_slice(&inputs(&place, 3)).unwrap();
    assert_eq!(named["prompt_salt"], format!("{}-2", salt.as_str().unwrap()));
}

#[test]
fn value_i_has_the_seed_base_plus_i() {
    let (sweep, shifted) = (Workplace::new(), Workplace::new());
    sweep.run(&format!("{SWEEP} {SALT} --concurrency 2,3,4 --random-seed 100")).expect(0);
    shifted.run(&format!("{SWEEP} {SALT} --concurrency 3,4 --random-seed 101")).expect(0);
    assert_eq!(inputs(&sweep, 3), inputs(&shifted, 3));
    assert_eq!(inputs(&sweep, 4), inputs(&shifted, 4));
    let manifest = sweep.json("artifacts/demo-openai-chat-concurrency_sweep/manifest.json");
    let seeds: Vec<_> =
        manifest["plan"]["values"].as_array().unwrap().iter().map(|value| value["seed"].clone()).collect();
    assert_eq!(seeds, [100, 101, 102]);
}

#[test]
fn prompts_of_different_values_begin_with_other_words() {
    let place = Workplace::new();
    place.run(&format!("{SWEEP} --concurrency 2,3,4")).expect(0);
    let mut seen: HashSet<String> = HashSet::new();
    for value in [2, 3, 4] {
        let first = openings(&prompts(&place, value));
        assert!(seen.is_disjoint(&first), "{first:?}");
        seen.extend(first);
    }
}

#[test]
fn one_seed_for_all_values_makes_them_identical() {
    let place = Workplace::new();
    place.run(&format!("{SWEEP} --concurrency 2,3 --parameter-sweep-same-seed")).expect(0);
    assert_eq!(inputs(&place, 2), inputs(&place, 3));
}
