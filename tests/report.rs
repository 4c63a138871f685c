//! The page of a benchmark.

use crate::support::Workplace;
use std::process::Command;

const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";
const SWEEP: &str = "profile -m m --url sim:?ttft-ms=60&itl-ms=60 --concurrency 1,2,4,16 --num-profile-runs 2 --osl 2 --isl 20 --ui none";

fn page(place: &Workplace, path: &str) -> String {
    String::from_utf8(place.bytes(path)).unwrap()
}

#[test]
fn a_sweep_ends_with_a_page_that_needs_nothing_else() {
    let place = Workplace::new();
    place.run(SWEEP).expect(0);
    let page = page(&place, &format!("{BASE}/report.html"));
    // Throughputs, TTFT p50 and p99, ITL, latency, and the trade-off; there are no errors to show.
    assert_eq!(page.matches("<svg").count(), 7, "{page}");
    for part in ["Best configurations", "Pareto optimal", "Validity", "concurrency 16", "SUSPECT"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("mean with its 95 % interval"));
    let fetched = page.replace("http://www.w3.org/2000/svg", "");
    for reference in ["<script", "<link", "<img", "src=", "url(", "@import", "http://", "https://"] {
        assert!(!fetched.contains(reference), "{reference}");
    }
}

#[test]
fn a_page_can_be_written_again_to_the_byte() {
    let place = Workplace::new();
    place.run(SWEEP).expect(0);
    let told = place.run(&format!("report {BASE} --output again.html")).expect(0);
    assert_eq!(told.stdout, "Report: again.html\n");
    assert_eq!(page(&place, "again.html"), page(&place, &format!("{BASE}/report.html")));
    std::fs::remove_file(place.path().join(format!("{BASE}/report.html"))).unwrap();
    place.run(&format!("report {BASE}")).expect(0);
    assert_eq!(page(&place, "again.html"), page(&place, &format!("{BASE}/report.html")));
    let refused = place.run("report nowhere").expect(2);
    assert!(refused.stderr.contains("nowhere holds no manifest.json"), "{}", refused.stderr);
}

#[test]
fn a_single_run_and_a_run_that_failed_have_pages_too() {
    let place = Workplace::new();
    place.run("profile -m m --url sim:?ttft-ms=2 --concurrency 2 --osl 2 --isl 20 --ui none").expect(0);
    let single = page(&place, "artifacts/m-openai-chat-concurrency2/report.html");
    assert!(single.contains("the configuration") && !single.contains("<svg"), "{single}");
    place.run("profile -m m --url sim:?error-rate=1 --concurrency 3 --ui none").expect(4);
    let failed = page(&place, "artifacts/m-openai-chat-concurrency3/report.html");
    assert!(
        failed.contains("Failed (excluded from statistics)")
            && failed.contains("no request to http://127.0.0.1:"),
        "{failed}"
    );
}

#[test]
fn names_are_text_whatever_they_hold() {
    let place = Workplace::new();
    let model = "<img src=x onerror=alert(1)>&amp;";
    let arguments = "profile --url sim:?ttft-ms=2 --concurrency 2 --osl 2 --isl 20 --ui none --model";
    place.run_with(&arguments.split(' ').chain([model]).collect::<Vec<_>>()).expect(0);
    let path = place.files("").into_iter().find(|file| file.ends_with("report.html")).unwrap();
    let page = page(&place, &path);
    assert!(page.contains("<h1>&lt;img src=x onerror=alert(1)&gt;&amp;amp;</h1>"), "{page}");
    assert!(!page.contains("<img"));
}

/// Where there is a browser, it lays out every chart and every table, and has nothing to complain about.
#[test]
fn a_browser_shows_it() {
    let place = Workplace::new();
    place.run(SWEEP).expect(0);
    let mut browser = Command::new("chromium");
    let page = place.path().join(BASE).join("report.html");
    browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", place.path().join("browser").display()))
        .arg(format!("file://{}", page.display()));
    let Ok(output) = browser.output() else {
        assert!(std::env::var_os("CI").is_none(), "chromium is missing");
        eprintln!("left out: chromium is not installed");
        return;
    };
    let dom = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(dom.matches("</svg>").count(), 7, "{dom}");
    assert_eq!(dom.matches("</table>").count(), dom.matches("<table>").count());
    assert!(dom.contains("aiperf: m") && dom.trim_end().ends_with("</html>"));
    assert!(!said.contains("CONSOLE"), "{said}");
}
