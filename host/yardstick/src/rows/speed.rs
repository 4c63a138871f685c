//! Requests and events per second, as shares of what a bare hyper loop reaches on the same server in the same minute.

use crate::Bench;
use crate::process::{CLIENT_CORE, SERVER_CORE, Server, output, part};
use crate::statistics::median;
use crate::table::Row;
use crate::{aiperf, peer};
use anyhow::{Context as _, Result};

const CONCURRENCY: u32 = 50;

/// What each round gives: ratios to the hyper loop, and what the program used up.
#[derive(Default)]
struct Rounds {
    socket_loop: Vec<f64>,
    during: Vec<f64>,
    whole: Vec<f64>,
    deferred: Vec<f64>,
    per_cpu: Vec<f64>,
    cpu_per_thousand: Vec<f64>,
    peer: Vec<f64>,
    peer_cpu_per_thousand: Vec<f64>,
}

/// Answers of one token: the cost of a request.
pub(crate) fn one_token(bench: &Bench) -> Result<Vec<Row>> {
    let rounds = measure(bench, 1)?;
    Ok(vec![rounds.speed("requests/s, 1 token, c=50, all files written", "0.70")])
}

/// Answers of 32 tokens: the cost of an event.
pub(crate) fn many_tokens(bench: &Bench) -> Result<Vec<Row>> {
    let rounds = measure(bench, 32)?;
    let cpu = format!("{:.3} s", median(rounds.cpu_per_thousand.clone()));
    Ok(vec![
        rounds.speed("events/s, 32 tokens, c=50, all files written", "0.60; 0.85 with `--defer-parsing`"),
        Row {
            what: "CPU time for 1000 requests, 32 tokens, start and end of the program included".into(),
            goal: "0.12 s",
            seen: cpu + &peer_note(&rounds.peer_cpu_per_thousand, " s"),
        },
    ])
}

impl Rounds {
    fn speed(&self, what: &str, goal: &'static str) -> Row {
        let ratio = |ratios: &[f64]| format!("{:.2}", median(ratios.to_vec()));
        let seen = format!(
            "{} ({} with `--defer-parsing`; {} over the whole life of the process; {} per second of CPU time; raw sockets {}){}",
            ratio(&self.during),
            ratio(&self.deferred),
            ratio(&self.whole),
            ratio(&self.per_cpu),
            ratio(&self.socket_loop),
            peer_note(&self.peer, "")
        );
        Row { what: what.into(), goal, seen }
    }
}

fn peer_note(figures: &[f64], unit: &str) -> String {
    if figures.is_empty() { String::new() } else { format!("; AIPerf {:.3}{unit}", median(figures.to_vec())) }
}

fn measure(bench: &Bench, tokens: u32) -> Result<Rounds> {
    let server = Server::start(part(SERVER_CORE, &["server", &tokens.to_string()])?)?;
    let address = server.greeting.as_str();
    let url = format!("http://{address}");
    let ours = |more: &str| {
        let seconds = bench.seconds;
        let load = format!("--concurrency {CONCURRENCY} --benchmark-duration {seconds} --isl 100 {more}");
        aiperf::profile(&bench.program, &url, &load)
    };
    let mut rounds = Rounds::default();
    for _ in 0..bench.rounds {
        let bare = bare_loop(bench, "hyper-loop", address)?;
        rounds.socket_loop.push(bare_loop(bench, "socket-loop", address)?.per_second / bare.per_second);
        let run = ours("")?;
        let requests = run.value("request_count", "avg")?;
        rounds.during.push(run.value("request_throughput", "avg")? / bare.per_second);
        rounds.whole.push(requests / run.usage.wall.as_secs_f64() / bare.per_second);
        rounds.per_cpu.push(requests / run.usage.cpu / bare.per_cpu_second);
        rounds.cpu_per_thousand.push(run.usage.cpu / requests * 1000.0);
        rounds.deferred.push(ours("--defer-parsing")?.value("request_throughput", "avg")? / bare.per_second);
    }
    if let Some(environment) = &bench.peer {
        let bare = bare_loop(bench, "hyper-loop", address)?;
        let peer = peer::profile(environment, &bench.peer_tokenizer, &url, CONCURRENCY)?;
        rounds.peer.push(peer.requests_per_second / bare.per_second);
        rounds.peer_cpu_per_thousand.push(peer.cpu_per_thousand);
    }
    Ok(rounds)
}

/// Requests of a bare loop.
struct BareLoop {
    per_second: f64,
    per_cpu_second: f64,
}

fn bare_loop(bench: &Bench, name: &str, address: &str) -> Result<BareLoop> {
    let command = part(CLIENT_CORE, &[name, address, &CONCURRENCY.to_string(), &bench.seconds.to_string()])?;
    let (printed, cpu) = output(command)?;
    let per_second: f64 = printed.parse().with_context(|| format!("the output of {name}"))?;
    Ok(BareLoop { per_second, per_cpu_second: per_second * bench.seconds / cpu })
}
