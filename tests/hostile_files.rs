//! Names of files behind which no file is, or one without an end: each command says so at once and stays small.

use crate::support::Workplace;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

/// A folder with a pipe into which nobody writes.
fn with_pipe() -> Workplace {
    let place = Workplace::new();
    assert!(Command::new("mkfifo").arg(place.path().join("pipe.wasm")).status().unwrap().success());
    place
}

/// Every flag and argument that names a file to be read, with `FILE` in its place.
const NAMED: [&str; 9] = [
    "profile --model m --url sim: --plugin FILE",
    "profile --model m --url sim: --config FILE",
    "profile --model m --url sim: --input-file FILE",
    "profile --model m --url https://localhost:1 --ca-cert FILE",
    "analyze FILE",
    "plugin inspect FILE",
    "plugin list --plugin FILE",
    "plugin test FILE",
    "plugin bench FILE",
];

#[test]
fn pipes_and_devices_are_refused_wherever_a_file_is_named() {
    let place = with_pipe();
    for command in NAMED {
        for (file, told) in [("pipe.wasm", "it is a pipe, not"), ("/dev/zero", "it is a device, not")] {
            let refused = place.run(&command.replace("FILE", file));
            assert_ne!(refused.code, 0, "{command} {file}");
            assert!(refused.stderr.contains(told), "{command} {file}: {}", refused.stderr);
        }
    }
}

#[test]
fn a_directory_of_plugins_holds_whatever_it_holds() {
    let place = with_pipe();
    fs::create_dir(place.path().join("folder.wasm")).unwrap();
    symlink("nowhere", place.path().join("link.wasm")).unwrap();
    let _socket = UnixListener::bind(place.path().join("socket.wasm")).unwrap();
    let finished = place.run("plugin list --plugin-dir .").expect(0);
    assert_eq!(
        finished.stderr,
        "note: plugin host: left out: cannot read plugin './folder.wasm': it is a directory, not a regular file\n\
         note: plugin host: left out: cannot read plugin './link.wasm': No such file or directory (os error 2)\n\
         note: plugin host: left out: cannot read plugin './pipe.wasm': it is a pipe, not a regular file\n\
         note: plugin host: left out: cannot read plugin './socket.wasm': it is a socket, not a regular file\n"
    );
}

#[test]
fn a_benchmark_fits_into_the_addresses_that_clusters_allow() {
    let place = Workplace::new();
    let finished = Command::new("sh")
        .args(["-c", "ulimit -v 16777216 && exec \"$0\" profile --model m --url sim: --osl 2 --concurrency 1,2 --num-prompts 4 --ui none"])
        .arg(env!("CARGO_BIN_EXE_aiperf"))
        .env("AIPERF_PLUGIN_DIR", "")
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(finished.status.success(), "{}", String::from_utf8_lossy(&finished.stderr));
}

#[test]
fn whatever_took_the_place_of_a_run_s_file_is_named_on_resume() {
    for (state, told) in [("done", "profile_export.jsonl is a"), ("running", "profile_export.jsonl: it is a")]
    {
        for device in [None, Some("/dev/zero")] {
            let place = Workplace::new();
            let profile = "profile -m m --url sim: --osl 2 --isl 8 --num-prompts 4 --ui none";
            place.run(profile).expect(0);
            let directory = place.path().join("artifacts/m-openai-chat-concurrency1");
            let (manifest, records) =
                (directory.join("manifest.json"), directory.join("profile_export.jsonl"));
            let text = fs::read_to_string(&manifest).unwrap();
            fs::write(&manifest, text.replace("\"state\": \"done\"", &format!("\"state\": \"{state}\"")))
                .unwrap();
            fs::remove_file(&records).unwrap();
            match device {
                None => assert!(Command::new("mkfifo").arg(&records).status().unwrap().success()),
                Some(device) => symlink(device, &records).unwrap(),
            }
            let refused = place.run(&format!("{profile} --resume artifacts/m-openai-chat-concurrency1"));
            assert_ne!(refused.code, 0, "{state} {device:?}");
            let is_link = state == "running" && device.is_some();
            let told = if is_link { "is a symbolic link" } else { told };
            assert!(refused.stderr.contains(told), "{state} {device:?}: {}", refused.stderr);
        }
    }
}
