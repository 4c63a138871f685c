//! The same seed gives the same bytes, and different values share no prefix.

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

#[test]
fn two_runs_with_one_seed_send_the_same_bytes() {
    let (one, other, seeded) = (Workplace::new(), Workplace::new(), Workplace::new());
    one.run(&format!("{SWEEP} --concurrency 2,3")).expect(0);
    other.run(&format!("{SWEEP} --concurrency 2,3 --random-seed 42 --workers 1")).expect(0);
    seeded.run(&format!("{SWEEP} --concurrency 2,3 --random-seed 7")).expect(0);
    for value in [2, 3] {
        assert_eq!(inputs(&one, value), inputs(&other, value), "42 is the default");
        assert_ne!(inputs(&one, value), inputs(&seeded, value));
    }
}

#[test]
fn value_i_has_the_seed_base_plus_i() {
    let (sweep, shifted) = (Workplace::new(), Workplace::new());
    sweep.run(&format!("{SWEEP} --concurrency 2,3,4 --random-seed 100")).expect(0);
    shifted.run(&format!("{SWEEP} --concurrency 3,4 --random-seed 101")).expect(0);
    assert_eq!(inputs(&sweep, 3), inputs(&shifted, 3));
    assert_eq!(inputs(&sweep, 4), inputs(&shifted, 4));
    let manifest = sweep.json("artifacts/demo-openai-chat-concurrency_sweep/manifest.json");
    let seeds: Vec<_> =
        manifest["plan"]["values"].as_array().unwrap().iter().map(|value| value["seed"].clone()).collect();
    assert_eq!(seeds, [100, 101, 102]);
}

#[test]
fn prompts_of_different_values_share_no_first_word() {
    let place = Workplace::new();
    place.run(&format!("{SWEEP} --concurrency 2,3,4")).expect(0);
    let mut seen: HashSet<String> = HashSet::new();
    for value in [2, 3, 4] {
        let first: HashSet<String> = prompts(&place, value)
            .iter()
            .map(|prompt| prompt.split(' ').next().unwrap().to_owned())
            .collect();
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
