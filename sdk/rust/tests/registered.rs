//! The macros, used as an author uses them: two kinds in one crate, called through the contract's functions.

use aiperf_plugin::objective::{self, Evaluation, Objective, ObjectiveInfo};
use aiperf_plugin::trend::{self, Report, Series, TrendDetector};
use aiperf_plugin::{Error, Point, Result, register_objective, register_trend, testing};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct InTime {
    limit_ms: f64,
}

impl Objective for InTime {
    fn settings_schema() -> Option<String> {
        Some(r#"{"type":"object"}"#.to_owned())
    }

    fn validate(&self) -> std::result::Result<(), String> {
        if self.limit_ms > 0.0 { Ok(()) } else { Err("limit_ms must be above 0".to_owned()) }
    }

    fn info(&self) -> ObjectiveInfo {
        ObjectiveInfo::maximize("requests/sec")
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>> {
        let in_time = point.mean("ttft_p99_ms").is_some_and(|ttft| ttft <= self.limit_ms);
        Ok(point.get("request_throughput_avg").filter(|_| in_time).map(Evaluation::of))
    }
}

register_objective!(InTime, name = "in-time");

#[derive(Debug, Deserialize)]
struct Blind {}

impl TrendDetector for Blind {
    fn detect(&self, _series: &Series) -> Result<Report> {
        Ok(Report { findings: Vec::new(), derived: Vec::new() })
    }
}

register_trend!(Blind);

/// The functions that the component exports.
use aiperf_plugin::__private::bindings::objective::exports::aiperf::plugin::objective::Guest as ObjectiveGuest;
use aiperf_plugin::__private::bindings::trend::exports::aiperf::plugin::trend::Guest as TrendGuest;
type ObjectivePlugin = objective::Adapter<InTime>;
type TrendPlugin = trend::Adapter<Blind>;

#[test]
fn a_plugin_is_described_by_its_package() {
    let info = ObjectivePlugin::describe();
    assert_eq!(info.name, "in-time");
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(info.summary, env!("CARGO_PKG_DESCRIPTION"));
    assert_eq!(info.settings_schema.as_deref(), Some(r#"{"type":"object"}"#));
    assert_eq!(TrendPlugin::describe().name, env!("CARGO_PKG_NAME"));
    assert_eq!(TrendPlugin::describe().settings_schema, None);
}

/// In one test, since the configured plugin is one for the process, as it is one for an instance.
#[test]
fn a_plugin_is_configured_once_and_then_answers() {
    let point = testing::point(0)
        .measured("request_throughput_avg", "requests/sec", &[95.2])
        .measured("ttft_p99_ms", "ms", &[125.4])
        .build();
    assert!(
        matches!(ObjectivePlugin::evaluate(point.clone()), Err(Error::Other(text)) if text.contains("not configured"))
    );

    let refused = |settings: &str| match ObjectivePlugin::configure(settings.to_owned()) {
        Err(Error::InvalidSettings(message)) => message,
        other => panic!("{settings} gave {other:?}"),
    };
    assert_eq!(refused("[]"), "settings must be a JSON object such as {}");
    assert_eq!(refused(r#"{"limit_ms":0}"#), "limit_ms must be above 0");
    assert_eq!(refused(r#"{"limit_ms":1,"limit":2}"#), "unknown setting 'limit'");

    let info = ObjectivePlugin::configure(r#"{"limit_ms":200}"#.to_owned()).unwrap();
    assert_eq!(info, ObjectiveInfo::maximize("requests/sec"));
    assert_eq!(
        ObjectivePlugin::evaluate(point),
        Ok(Some(Evaluation { value: 95.2, metric: Some("request_throughput_avg".to_owned()) }))
    );
    assert!(matches!(ObjectivePlugin::configure(r#"{"limit_ms":9}"#.to_owned()), Err(Error::Other(_))));
}

#[test]
fn one_crate_may_be_of_two_kinds() {
    assert_eq!(TrendPlugin::configure("{}".to_owned()), Ok(()));
    assert_eq!(TrendPlugin::detect(testing::series(&[(1.0, 1.0), (2.0, 2.0)])).unwrap().findings, []);
}
