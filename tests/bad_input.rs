//! Wrong arguments: one clear message, exit code 2, nothing written.

use crate::support::Workplace;

#[test]
fn each_mistake_is_named_with_what_to_write_instead() {
    let cases: [(&str, &[&str]); 26] = [
        ("--concurrency 10,,20", &["--concurrency", "item 2", "empty"]),
        ("--concurrency 10,abc", &["--concurrency", "abc", "item 2"]),
        ("--concurrency 0,5", &["--concurrency", "item 1", "1"]),
        ("--concurrency 10,10", &["--concurrency", "10", "directory"]),
        ("--concurrency=-5", &["--concurrency", "-5"]),
        ("--concurrency 1,2 --endpoint-type chta", &["chta", "chat", "completions", "embeddings"]),
        ("--concurrency 1,2 --endpoint-type throughput", &["throughput", "objective"]),
        ("--concurrency 1,2 --pareto dominanze", &["dominanze", "dominance", "efficient"]),
        ("--concurrency 1,2 --concurency 3", &["--concurency"]),
        ("--concurrency 1,2 --ui dashboard", &["Dashboard UI is not supported with parameter sweeps"]),
        (
            "--concurrency 1 --parameter-sweep-cooldown-seconds 3",
            &["--parameter-sweep-cooldown-seconds", "sweep"],
        ),
        (
            "--concurrency 1,2 --profile-run-cooldown-seconds 3",
            &["--profile-run-cooldown-seconds", "--num-profile-runs"],
        ),
        ("--concurrency 1,2 --goodput ttft:abc", &["--goodput", "abc"]),
        ("--concurrency 1,2 --goodput tfft:100", &["--goodput", "tfft", "time_to_first_token"]),
        ("--request-rate 5,0", &["--request-rate", "item 2", "more than 0"]),
        ("--concurrency 1 --insecure", &["--insecure", "https://"]),
        (
            "--concurrency 1 --url https://127.0.0.1:9 --ca-cert nowhere.pem",
            &["--ca-cert", "nowhere.pem", "PEM"],
        ),
        ("--concurrency 1 --connection-reuse-strategy sticky", &["sticky-user-sessions", "pooled"]),
        ("--concurrency 1 --random-seed -1", &["--random-seed", "-1"]),
        ("--concurrency 1 --retry-failed -1", &["--retry-failed", "-1"]),
        ("--concurrency 1 --isl 4000000000", &["--isl", "10000000"]),
        ("--concurrency 1 --isl-stddev 4000000000", &["--isl-stddev", "10000000"]),
        ("--concurrency 5000000000", &["--concurrency", "4294967295"]),
        ("--concurrency 1..4000000000+1", &["--concurrency", "item 1", "100000 values"]),
        ("--concurrency 1,2 --header X-Team:Größe", &["--header", "'x-team'", "not ASCII"]),
        ("--concurrency 1,2 --gpu-telemetry-url http://localhost:9400/metrics", &["--gpu-telemetry-url"]),
    ];
    for (arguments, expected) in cases {
        let place = Workplace::new();
        let refused =
            place.run(&format!("profile --model demo --url http://127.0.0.1:9 {arguments}")).expect(2);
        for part in expected {
            assert!(refused.stderr.contains(part), "{arguments}: {part:?} is not in\n{}", refused.stderr);
        }
        assert_eq!(refused.stdout, "", "{arguments}");
        assert_eq!(
            refused.stderr.matches("error: ").count().max(1),
            1,
            "{arguments}: one message\n{}",
            refused.stderr
        );
        assert_eq!(place.files(""), Vec::<String>::new(), "{arguments} wrote something");
    }
}

#[test]
fn a_missing_model_is_asked_for() {
    let refused = Workplace::new().run("profile --url http://127.0.0.1:9 --concurrency 1").expect(2);
    assert!(refused.stderr.contains("--model"), "{}", refused.stderr);
}

#[test]
fn a_file_that_is_no_sweep_is_named() {
    let place = Workplace::new();
    std::fs::write(place.path().join("x.json"), "{\"metadata\": 3}").unwrap();
    let refused = place.run("analyze x.json").expect(2);
    assert!(refused.stderr.contains("x.json"), "{}", refused.stderr);
    let missing = place.run("analyze nowhere.json").expect(2);
    assert!(missing.stderr.contains("nowhere.json"), "{}", missing.stderr);
}
