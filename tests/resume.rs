//! `--resume`: whatever ended a sweep, what was measured stays, and the sweep can go on to the same result.

use crate::support::{Server, Silence, Workplace, free_port};
use serde_json::{Value, json};

const FAST: &str = "--ttft-ms 2 --prefill-rate 1000000 --itl-ms 0.5 --itl-slope-ms 0";
const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";
const RESUME: &str = "profile --resume artifacts/m-openai-chat-concurrency_sweep";

/// Four values and three trials.
fn sweep(server: &Server) -> String {
    let url = server.chat_url();
    format!(
        "profile -m m --url {url} --concurrency 1,2,3,4 --num-profile-runs 3 --num-prompts 24 --warmup-request-count 2 --osl 6 --isl 20"
    )
}

#[test]
fn runs_that_are_done_are_not_touched() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let mut running = place.begin(&sweep(&server));
    (0..2).for_each(|_| running.wait_for("trial 1/3"));
    running.signal("KILL");
    running.finish();
    let runs = || {
        let manifest = place.json(&format!("{BASE}/manifest.json"));
        let done = manifest["runs"].as_array().unwrap().clone();
        done.into_iter().filter(|run| run["state"] == "done").map(|run| run["directory"].clone()).collect()
    };
    let done: Vec<Value> = runs();
    assert!((2..12).contains(&done.len()), "{done:?}");
    let files = || -> Vec<Vec<u8>> {
        let folders = done.iter().map(|folder| format!("{BASE}/{}", folder.as_str().unwrap()));
        folders
            .flat_map(|folder| {
                let names = place.files(&folder);
                names.into_iter().map(move |name| format!("{folder}/{name}"))
            })
            .map(|path| place.bytes(&path))
            .collect()
    };
    let before = files();
    place.run(RESUME).expect(0);
    assert!(files() == before);
    // With nothing left to do, nothing is sent: the server is gone.
    drop(server);
    let again = place.run(RESUME).expect(0);
    assert!(again.stderr.contains("all 12 runs are done"), "{}", again.stderr);
}

#[test]
fn another_benchmark_does_not_continue_it() {
    let place = Workplace::new();
    place.run("profile -m m --url sim: --osl 1 --concurrency 1,2 --num-prompts 4").expect(0);
    for (flags, named) in [
        ("--num-prompts 5", "load.num_prompts: 4 then, 5 now"),
        ("--concurrency 1,2,3", "load.concurrency: [1,2] then, [1,2,3] now"),
        ("--random-seed 7", "workload.random_seed: 42 then, 7 now"),
        ("--pareto efficient", "plugins.criteria"),
        ("--model other", "model: \"m\" then, \"other\" now"),
        ("--api-key k", "server.api_key"),
    ] {
        let refused = place.run(&format!("{RESUME} {flags}")).expect(2);
        assert!(refused.stderr.contains(named), "{flags}: {}", refused.stderr);
    }
    let other_version = std::fs::read_to_string(place.path().join(BASE).join("manifest.json")).unwrap();
    let other_version = other_version.replace(concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"0.0.1\"");
    std::fs::write(place.path().join(BASE).join("manifest.json"), other_version).unwrap();
    let refused = place.run(RESUME).expect(2);
    assert!(refused.stderr.contains("version 0.0.1 then"), "{}", refused.stderr);
}

#[test]
fn what_cannot_be_resumed_is_said_plainly() {
    let place = Workplace::new();
    let refused = place.run("profile --resume nowhere").expect(2);
    assert!(refused.stderr.contains("nowhere holds no manifest.json"), "{}", refused.stderr);
    let refused = place.run("profile -m m --resume nowhere --overwrite").expect(2);
    assert!(refused.stderr.contains("nowhere"), "{}", refused.stderr);
    assert_eq!(place.files(""), Vec::<String>::new());
}

#[test]
fn runs_that_failed_are_run_again() {
    let (place, port) = (Workplace::new(), free_port());
    let arguments = format!("profile -m m --url http://127.0.0.1:{port} --concurrency 1,2 --num-prompts 4");
    let mut broken = Server::start_at(port, "--error-rate 1");
    place.run(&arguments).expect(4);
    broken.kill();
    let _server = Server::start_at(port, FAST);
    place.run(RESUME).expect(0);
    let sweep = place.json(&format!("{BASE}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert_eq!(sweep["metadata"]["failed_values"], json!([]));
    assert_eq!(sweep["metadata"]["num_successful_values"], 2);
}

#[test]
fn a_directory_has_one_process_at_a_time_and_a_killed_one_leaves_it_free() {
    let (silence, place) = (Silence::start(), Workplace::new());
    // A second process that is not refused meets the silence too, and is to fail the test instead of hanging.
    let begin = format!(
        "profile -m m --url {} --concurrency 1,2 --num-prompts 4 --request-timeout-seconds 20",
        silence.url
    );
    let running = place.begin(&begin);
    silence.wait_for_request();
    let before = place.bytes(&format!("{BASE}/manifest.json"));
    for second in [RESUME.to_owned(), format!("{begin} --overwrite"), format!("analyze {BASE}")] {
        let refused = place.run(&second).expect(2);
        let owner = format!("in use by process {} since", running.pid());
        assert!(refused.stderr.contains(&owner), "{second}: {}", refused.stderr);
    }
    assert!(place.bytes(&format!("{BASE}/manifest.json")) == before);
    let pid = running.pid();
    running.signal("KILL");
    running.finish();
    assert!(place.files(BASE).contains(&".aiperf.lock".to_owned()));
    let mut resumed = place.begin(RESUME);
    resumed.wait_for(&format!("process {pid}, which began at"));
    silence.wait_for_request();
    resumed.signal("KILL");
}

#[test]
fn a_torn_line_is_dropped_with_a_notice() {
    let (silence, place) = (Silence::start(), Workplace::new());
    let running =
        place.begin(&format!("profile -m m --url {} --concurrency 1,2 --num-prompts 4", silence.url));
    silence.wait_for_request();
    running.signal("KILL");
    running.finish();
    let records = place.path().join(BASE).join("concurrency_1/profile_export.jsonl");
    std::fs::write(&records, "{\"metadata\":{}}\n{\"meta").unwrap();
    let mut resumed = place.begin(RESUME);
    resumed.wait_for("dropped 6 bytes of a torn last line");
    resumed.signal("KILL");
}

#[test]
fn no_key_reaches_a_file_or_the_output() {
    const KEY: &str = "sk-hunter2";
    let (silence, place) = (Silence::start(), Workplace::new());
    let arguments = format!(
        "profile -m m --url {}?api_key={KEY} --concurrency 1,2 --num-prompts 4 --benchmark-grace-period 0 --api-key {KEY} -H 'X-Api-Key: {KEY}'",
        silence.url
    );
    let running = place.begin(&arguments);
    silence.wait_for_request();
    running.signal("INT");
    let stopped = running.finish().expect(130);
    let refused = place.run(RESUME).expect(2);
    let differs = place.run(&format!("{arguments} --resume {BASE} --isl 3")).expect(2);
    assert!(refused.stderr.contains("server.api_key: given then and not stored"), "{}", refused.stderr);
    for output in [stopped, refused, differs] {
        assert!(!output.stderr.contains(KEY) && !output.stdout.contains(KEY), "{}", output.stderr);
    }
    for file in place.files("") {
        let text = String::from_utf8_lossy(&place.bytes(&file)).into_owned();
        assert!(!text.contains(KEY), "{file}");
    }
}

/// Two values that are done, and the folder of the first one.
fn two_runs() -> (Workplace, String) {
    let place = Workplace::new();
    place.run("profile -m m --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --concurrency 1,2 --num-prompts 4").expect(0);
    (place, format!("{BASE}/concurrency_1"))
}

#[test]
fn files_of_runs_that_are_done_are_not_trusted_but_checked() {
    let (place, folder) = two_runs();
    let records = place.path().join(&folder).join("profile_export.jsonl");
    let metrics = place.path().join(&folder).join("profile_export_aiperf.json");
    let whole = std::fs::read_to_string(&records).unwrap();
    let edited = std::fs::read_to_string(&metrics).unwrap().replace("\"unit\": \"ms\"", "\"unit\": \"us\"");
    let cut = &whole[..whole.len() - 10];
    let before = place.bytes(&format!("{BASE}/manifest.json"));

    std::fs::write(&records, cut).unwrap();
    std::fs::write(&metrics, edited).unwrap();
    for command in [RESUME.to_owned(), format!("{RESUME} --dry-run")] {
        let refused = place.run(&command).expect(2);
        let length = format!("had {} bytes and has {}", whole.len(), cut.len());
        for part in
            ["profile_export.jsonl", &length, "profile_export_aiperf.json was edited", "put them back"]
        {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        }
    }
    std::fs::remove_file(&records).unwrap();
    let refused = place.run(RESUME).expect(2);
    assert!(refused.stderr.contains("profile_export.jsonl is missing"), "{}", refused.stderr);
    assert!(place.bytes(&format!("{BASE}/manifest.json")) == before, "nothing is touched");
}

#[test]
fn a_run_whose_files_were_removed_is_run_again() {
    let (place, folder) = two_runs();
    std::fs::remove_dir_all(place.path().join(&folder)).unwrap();
    let resumed = place.run(RESUME).expect(0);
    assert!(resumed.stderr.contains("were removed; the run is run again"), "{}", resumed.stderr);
    assert_eq!(place.states(BASE), ["done", "done"]);
    assert_eq!(place.files(&folder).len(), 4);
}

#[test]
fn a_manifest_without_digests_is_resumed_with_a_notice() {
    let (place, _) = two_runs();
    let mut manifest = place.json(&format!("{BASE}/manifest.json"));
    for run in manifest["runs"].as_array_mut().unwrap() {
        run.as_object_mut().unwrap().remove("files").expect("digests");
    }
    std::fs::write(place.path().join(BASE).join("manifest.json"), manifest.to_string()).unwrap();
    let resumed = place.run(RESUME).expect(0);
    assert!(resumed.stderr.contains("kept no digests"), "{}", resumed.stderr);
}

#[test]
fn a_plugin_that_was_taken_out_of_the_manifest_is_missed() {
    let (place, _) = two_runs();
    let mut manifest = place.json(&format!("{BASE}/manifest.json"));
    manifest["plugins"].as_array_mut().unwrap().pop().unwrap();
    std::fs::write(place.path().join(BASE).join("manifest.json"), manifest.to_string()).unwrap();
    let refused = place.run(RESUME).expect(2);
    assert!(refused.stderr.contains("none then"), "{}", refused.stderr);
}

#[test]
fn a_directory_that_looks_like_a_flag_is_named_so_that_it_is_none() {
    let place = Workplace::new();
    let mut running = place.begin(
        "profile -m m --url sim:?ttft-ms=1 --concurrency 1,2 --num-prompts 4 --osl 2 --parameter-sweep-cooldown-seconds 600 --artifact-dir=-out",
    );
    running.wait_for("[1/2]");
    running.signal("INT");
    let begun = running.finish().expect(130);
    let (_, command) = begun.stderr.split_once("continue with: aiperf ").unwrap();
    let resumed = place.run(command.lines().next().unwrap()).expect(0);
    assert!(resumed.stderr.contains("1 of 2 runs are done"), "{}", resumed.stderr);
}
