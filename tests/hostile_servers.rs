//! Servers that do what no server should, each a few lines: what it does, and what becomes of its requests.
//!
//! The next case is one more entry of the table.

use crate::scripted::{Peer, Reply, serve_connections};
use crate::support::Workplace;
use serde_json::Value;
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

/// 12 requests.
const TWELVE: &str = "--num-prompts 12 --isl 8";
/// 3 requests that are longer than what sockets hold, so that they have not left before they are read.
const HUGE: &str = "--num-prompts 3 --isl 1500000";

/// A server, asked by 3 users.
struct Hostile {
    name: &'static str,
    /// What it does on a connection.
    does: fn(&mut Peer),
    /// What is asked of it.
    load: &'static str,
    /// How many requests have which `type` of error; `ok` for none.
    outcomes: &'static [(&'static str, usize)],
    /// What the console or the run's file says.
    says: &'static str,
}

const SERVERS: &[Hostile] = &[
    Hostile {
        name: "a second response right after the first",
        does: |peer| {
            while let Some(request) = peer.request() {
                peer.send([Reply::named_chat(request.number), Reply::named_chat(1000)].concat());
            }
        },
        load: TWELVE,
        outcomes: &[("desynchronized", 12)],
        says: "more after the end of the response",
    },
    Hostile {
        name: "a second response 1 ms after the first",
        does: |peer| {
            while let Some(request) = peer.request() {
                peer.send(Reply::named_chat(request.number));
                thread::sleep(Duration::from_millis(1));
                peer.send(Reply::named_chat(request.number));
            }
        },
        load: TWELVE,
        outcomes: &[("desynchronized", 12)],
        says: "desynchronized",
    },
    Hostile {
        name: "a response before anything was asked",
        does: |peer| {
            peer.send(Reply::named_chat(1000));
            while let Some(request) = peer.request() {
                peer.send(Reply::named_chat(request.number));
            }
        },
        load: TWELVE,
        outcomes: &[("desynchronized", 12)],
        says: "desynchronized",
    },
    Hostile {
        name: "an early answer, followed by the real one",
        does: |peer| {
            while peer.sees_request() {
                peer.send(Reply::named_chat(1000));
                let Some(request) = peer.request() else { return };
                peer.send(Reply::named_chat(request.number));
            }
        },
        load: TWELVE,
        outcomes: &[("desynchronized", 12)],
        says: "desynchronized",
    },
    Hostile {
        name: "an answer before the request has been sent",
        does: |peer| {
            if peer.sees_request() {
                peer.send(Reply::named_chat(1000));
                peer.stall();
            }
        },
        load: HUGE,
        outcomes: &[("desynchronized", 3)],
        says: "before the request had been sent",
    },
    Hostile {
        name: "every fourth request dropped after a while",
        does: |peer| {
            while let Some(request) = peer.request() {
                if request.number % 4 == 3 {
                    return thread::sleep(Duration::from_millis(400));
                }
                peer.send(Reply::named_chat(request.number));
            }
        },
        load: TWELVE,
        outcomes: &[("connect", 3), ("ok", 9)],
        says: "the connection closed before the response began",
    },
    Hostile {
        name: "a reset for the second request on each connection",
        does: |peer| {
            if let Some(request) = peer.request() {
                peer.send(Reply::named_chat(request.number));
                peer.request();
                peer.reset();
            }
        },
        load: TWELVE,
        outcomes: &[("ok", 12)],
        says: "Retried Request Count",
    },
    Hostile {
        name: "a redirect",
        does: |peer| {
            while peer.request().is_some() {
                peer.send(
                    "HTTP/1.1 308 Permanent Redirect\r\nlocation: /v2/chat\r\ncontent-length: 5\r\n\r\nmoved",
                );
            }
        },
        load: TWELVE,
        outcomes: &[("status", 12)],
        says: "redirected to /v2/chat",
    },
    Hostile {
        name: "a refusal before the request has been sent",
        does: |peer| {
            if peer.sees_request() {
                peer.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 8\r\n\r\ntoo long");
                peer.stall();
            }
        },
        load: HUGE,
        outcomes: &[("status", 3)],
        says: "too long",
    },
    Hostile {
        name: "an answer of 2 MiB where 1 MiB is allowed",
        does: answer_at_length,
        load: "--num-prompts 6 --isl 8 --response-mib 1",
        outcomes: &[("malformed", 6)],
        says: "larger than 1 MiB, each event counted as 96 bytes more; if it is not endless, allow more with --response-mib",
    },
    Hostile {
        name: "an answer of 2 MiB where that is allowed",
        does: answer_at_length,
        load: "--num-prompts 6 --isl 8 --response-mib 2",
        outcomes: &[("ok", 6)],
        says: "the tokenizer's count is used",
    },
];

/// A good answer with 2 MiB of text, less what is around it.
fn answer_at_length(peer: &mut Peer) {
    while peer.request().is_some() {
        let text = "yes ".repeat((2 << 18) - 200);
        peer.send(Reply::chat_of_text(&text));
    }
}

const RUN: &str = "artifacts/m-openai-chat-concurrency3";

#[test]
fn what_a_hostile_server_does_is_an_error_of_the_right_kind() {
    for server in SERVERS {
        let place = Workplace::new();
        let url = serve_connections(server.does);
        let arguments =
            format!("profile -m m --url {url} --streaming=false --concurrency 3 --osl 2 {}", server.load);
        let ended = place.run(&arguments);
        let expected = server.outcomes.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        assert_eq!(outcomes(&place), expected, "{}:\n{}\n{}", server.name, ended.stdout, ended.stderr);
        let file = String::from_utf8(place.bytes(&format!("{RUN}/profile_export_aiperf.json"))).unwrap();
        let said = format!("{}{file}", ended.stdout);
        assert!(said.contains(server.says), "{}:\n{said}", server.name);
    }
}

/// How many requests have which `type` of error.
fn outcomes(place: &Workplace) -> BTreeMap<String, usize> {
    let records = String::from_utf8(place.bytes(&format!("{RUN}/profile_export.jsonl"))).unwrap();
    let mut outcomes = BTreeMap::new();
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let kind = record["error"]["type"].as_str().unwrap_or("ok").to_owned();
        *outcomes.entry(kind).or_default() += 1;
    }
    outcomes
}
