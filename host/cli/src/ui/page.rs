//! The report: what a benchmark says on one page, in one file that needs no other.

mod chart;
mod curves;
mod sections;

use crate::lines::Lines;
use aiperf_artifacts::Manifest;
use aiperf_model::sweep::SweepResult;
use maud::{DOCTYPE, PreEscaped, html};

const STYLE: &str = include_str!("page/style.css");

/// The page. The same result and manifest give the same bytes.
pub(crate) fn page(result: &SweepResult, manifest: &Manifest) -> String {
    let model =
        manifest.configuration.pointer("/model").and_then(|model| model.as_str()).unwrap_or("unknown model");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // There is nothing to fetch, and this holds whatever a name in the data says.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "aiperf: " (model) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (sections::heading(model, result, manifest))
                main {
                    (sections::best(&result.conclusions))
                    (sections::excluded(&result.conclusions))
                    (curves::figures(result))
                    (sections::values(result))
                    (sections::pareto(result))
                    (sections::trends(&result.conclusions))
                    (sections::verdicts(result))
                    (sections::failures(result))
                    (sections::request_errors(result))
                    (sections::notes(&result.conclusions))
                    (sections::edited_files(&result.edited_files))
                    (sections::origin(manifest))
                }
            }
        }
    };
    // What a browser obeys is escaped already; what orders text anew, or hides in it, is not.
    Lines::laid_out(&page.into_string()).to_string()
}
