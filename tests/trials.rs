//! Repeated trials: in which order they run, and what only they can show.

use crate::support::{Server, Workplace};
use serde_json::{Value, json};

const FAST: &str = "--ttft-ms 2 --prefill-rate 1000000 --itl-ms 0.5 --itl-slope-ms 0";
const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";

fn manifest(place: &Workplace) -> Value {
    place.json(&format!("{BASE}/manifest.json"))
}

fn sweep(place: &Workplace) -> Value {
    place.json(&format!("{BASE}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json"))
}

/// Value and trial of each run, in order.
fn runs(manifest: &Value) -> Vec<(u64, u64)> {
    let runs = manifest["runs"].as_array().unwrap().iter();
    runs.map(|run| (run["value"].as_u64().unwrap(), run["trial"].as_u64().unwrap())).collect()
}

#[test]
fn the_balanced_order_is_the_plan_s_in_the_dry_run_the_manifest_and_after_a_resume() {
    let (mut server, place) = (Server::start(FAST), Workplace::new());
    let begin = format!(
        "profile -m m --url {} --concurrency 1,2,3,4 --num-profile-runs 4 --parameter-sweep-mode balanced --num-prompts 4 --osl 2 --isl 9",
        server.url
    );
    let plan = place.run(&format!("{begin} --dry-run")).expect(0).stdout;
    let planned: Vec<&str> = plan.lines().filter(|line| line.contains(", trial ")).collect();
    place.run(&begin).expect(0);
    let before = manifest(&place);
    assert_eq!(before["plan"]["order"], "balanced");
    for (line, (value, trial)) in planned.iter().zip(runs(&before)) {
        assert!(line.contains(&format!("concurrency {}, trial {trial},", value + 1)), "{line}");
    }
    // In as many trials as there are values each one stands at each place once.
    for place in 0..4 {
        let mut there: Vec<u64> =
            runs(&before).iter().skip(place).step_by(4).map(|(value, _)| *value).collect();
        there.sort_unstable();
        assert_eq!(there, [0, 1, 2, 3]);
    }
    assert_eq!(sweep(&place)["metadata"]["sweep_mode"], "balanced");
    assert!(
        place.path().join(BASE).join("profile_runs/trial_0004/concurrency_3/profile_export.jsonl").exists()
    );

    server.kill();
    let resumed = place.run(&format!("profile --resume {BASE}")).expect(0);
    assert!(resumed.stderr.contains("all 16 runs are done"), "{}", resumed.stderr);
    assert_eq!(runs(&manifest(&place)), runs(&before));
}

#[test]
fn a_server_that_slows_down_drifts_whatever_the_order() {
    let place = Workplace::new();
    let server =
        Server::start("--ttft-ms 10 --prefill-rate 1000000 --itl-ms 1 --itl-slope-ms 0 --ttft-drift-ms 40");
    let url = &server.url;
    let ended = place
        .run(&format!(
            "profile -m m --url {url} --concurrency 1,2 --num-profile-runs 5 --parameter-sweep-mode balanced --num-prompts 6 --osl 2 --isl 9"
        ))
        .expect(0);
    assert!(ended.stdout.contains("drifts with time over the trials (p = "), "{}", ended.stdout);
    let drift = &sweep(&place)["metadata"]["drift"];
    let ttft = drift.as_array().unwrap().iter().find(|drift| drift["metric"] == "ttft_p50_ms").unwrap();
    assert_eq!((&ttft["significant"], &ttft["degrees_of_freedom"]), (&json!(true), &json!(7)), "{ttft}");
    assert!(ttft["relative_change"].as_f64().unwrap() > 0.1, "{ttft}");
    assert!(ttft["p_value"].as_f64().unwrap() <= ttft["adjusted_p_value"].as_f64().unwrap(), "{ttft}");
    // The same from the files alone.
    let before = place.bytes(&format!("{BASE}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json"));
    place.run(&format!("analyze {BASE}")).expect(0);
    let after = place.bytes(&format!("{BASE}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert!(before == after);
}
