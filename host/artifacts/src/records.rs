//! `profile_export.jsonl`: one line per request, written while the load goes on.
//!
//! The file stands under its own name from the start and only grows, so that a killed process leaves every request
//! but those of the last second behind; [`drop_torn_line`] removes a last line that was cut in the middle. Times are
//! nanoseconds since the Unix epoch.

use crate::durable;
use crate::error::ArtifactError;
use crate::error_summary::ErrorDetails;
use crate::steady_file::SteadyFile;
use aiperf_model::metrics::{MetricValue, RecordMetrics};
use aiperf_model::record::{Answer, Failure, FailureKind, Phase, Record, RunClock, Timing, TokenSource};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes that are read at a time from the end of the file.
const BUFFER: usize = 256 * 1024;

/// Writes the records of one run.
#[derive(Debug)]
pub struct RecordsWriter {
    file: SteadyFile,
    path: PathBuf,
    clock: RunClock,
    /// Those of the run, in order.
    phases: Vec<Phase>,
    line: Vec<u8>,
    written: u64,
}

impl RecordsWriter {
    /// Begins the file of a run with these phases, in order; one of an earlier attempt at the same run is replaced.
    pub fn create(path: &Path, clock: RunClock, phases: &[Phase]) -> Result<Self, ArtifactError> {
        let file = durable::create_new(path)?;
        Ok(Self {
            file: SteadyFile::new(file, path)?,
            path: path.to_path_buf(),
            clock,
            phases: phases.to_vec(),
            line: Vec::with_capacity(4096),
            written: 0,
        })
    }

    /// Adds one request.
    pub fn write(&mut self, record: &Record, metrics: &RecordMetrics) -> Result<(), ArtifactError> {
        self.line.clear();
        let line = Line::new(record, metrics, self.clock, &self.phases);
        serde_json::to_writer(&mut self.line, &line)
            .map_err(|error| ArtifactError::Encode { what: "record", source: error.into() })?;
        self.line.push(b'\n');
        self.file.write(&self.line)?;
        self.written += 1;
        Ok(())
    }

    /// Brings everything to the disk and gives the number of lines. Only after this may anything be computed from
    /// the records.
    pub fn finish(self) -> Result<u64, ArtifactError> {
        self.file.finish()?;
        durable::sync_folder(&self.path)?;
        Ok(self.written)
    }
}

/// Removes a last line that does not end in a line break, and gives the number of bytes that were removed.
pub fn drop_torn_line(path: &Path) -> Result<u64, ArtifactError> {
    if path.is_symlink() {
        return Err(ArtifactError::SymbolicLink(path.to_path_buf()));
    }
    let mut file = aiperf_files::open_for_changes(path)
        .map_err(|error| ArtifactError::unreadable(path)(error.into()))?;
    let (whole, length) = whole_lines(&mut file).map_err(ArtifactError::io("read", path))?;
    if whole < length {
        file.set_len(whole).map_err(ArtifactError::io("shorten", path))?;
        file.sync_all().map_err(ArtifactError::io("write", path))?;
    }
    Ok(length - whole)
}

/// How many bytes end in a line break, and how many there are. Reads from the end, since the file may be large.
fn whole_lines(file: &mut File) -> io::Result<(u64, u64)> {
    let length = file.seek(SeekFrom::End(0))?;
    let (mut end, mut block) = (length, Vec::with_capacity(BUFFER));
    while end > 0 {
        let start = end.saturating_sub(BUFFER as u64);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        (&mut *file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok((start + at as u64 + 1, length));
        }
        end = start;
    }
    Ok((0, length))
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    metadata: Metadata<'a>,
    metrics: Metrics<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDetails<'a>>,
}

impl<'a> Line<'a> {
    fn new(record: &'a Record, metrics: &'a RecordMetrics, clock: RunClock, phases: &[Phase]) -> Self {
        Self {
            metadata: Metadata::new(record, clock, phases),
            metrics: Metrics(metrics),
            error: record.outcome.as_ref().err().map(ErrorDetails::from),
        }
    }
}

/// Everything about a request that is not a metric. What a request does not have is left out.
#[derive(Serialize)]
struct Metadata<'a> {
    session_num: u32,
    /// Names the request within the file; it is not sent.
    x_request_id: RequestId,
    x_correlation_id: Numbered,
    conversation_id: Numbered,
    turn_index: u32,
    credit_issued_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_start_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_ack_ns: Option<u64>,
    request_end_ns: u64,
    worker_id: WorkerId,
    record_processor_id: &'static str,
    /// `warmup` or `profiling`, which other readers know; what a ramp sends is in no statistic, like a warm-up.
    benchmark_phase: PhaseKind,
    /// The place of the phase among those of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profiling_index: Option<u32>,
    phase_name: Phase,
    phase_kind: PhaseKind,
    was_cancelled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_time_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    reused_connection: bool,
    retries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_token_source: Option<TokenSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_token_source: Option<TokenSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'a str>,
}

impl<'a> Metadata<'a> {
    fn new(record: &'a Record, clock: RunClock, phases: &[Phase]) -> Self {
        let timing = &record.timing;
        let answer: Option<&Answer> = record.outcome.as_ref().ok();
        let end = clock.unix_ns(timing.end);
        let cancelled = matches!(&record.outcome, Err(Failure { kind: FailureKind::Cancelled, .. }));
        Self {
            session_num: timing.request,
            x_request_id: RequestId { correlation: Numbered::correlation(timing), turn: timing.turn },
            x_correlation_id: Numbered::correlation(timing),
            conversation_id: Numbered::conversation(timing),
            turn_index: timing.turn,
            credit_issued_ns: clock.unix_ns(timing.due),
            request_start_ns: timing.send.map(|at| clock.unix_ns(at)),
            request_ack_ns: timing.first_byte.map(|at| clock.unix_ns(at)),
            request_end_ns: end,
            worker_id: WorkerId(timing.worker),
            record_processor_id: "host",
            benchmark_phase: PhaseKind::of(timing.phase),
            phase_index: phases.iter().position(|phase| *phase == timing.phase),
            profiling_index: (timing.phase == Phase::Profiling).then_some(0),
            phase_name: timing.phase,
            phase_kind: PhaseKind::of(timing.phase),
            was_cancelled: cancelled,
            cancellation_time_ns: cancelled.then_some(end),
            http_status: timing.status,
            reused_connection: timing.reused_connection,
            retries: timing.retries,
            input_token_source: answer.and_then(|a| a.input_tokens).map(|count| count.source),
            output_token_source: answer.and_then(|a| a.output_tokens).map(|count| count.source),
            finish_reason: answer.and_then(|a| a.finish_reason.as_deref()),
        }
    }
}

/// What a phase is to a reader who knows two kinds.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum PhaseKind {
    Warmup,
    Profiling,
}

impl PhaseKind {
    fn of(phase: Phase) -> Self {
        match phase {
            Phase::Warmup | Phase::Ramp => Self::Warmup,
            Phase::Profiling => Self::Profiling,
        }
    }
}

/// `profiling_000000_0000`: a turn of a conversation.
struct RequestId {
    correlation: Numbered,
    turn: u32,
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Numbered { name, number } = self.correlation;
        serializer.collect_str(&format_args!("{name}_{number:06}_{:04}", self.turn))
    }
}

/// A name with a number of at least six digits.
struct Numbered {
    name: &'static str,
    number: u32,
}

impl Numbered {
    /// `session_000000`, as in `inputs.json`; `warmup_000000` for a request that is not there.
    fn conversation(timing: &Timing) -> Self {
        let name = if timing.phase == Phase::Warmup { "warmup" } else { "session" };
        Self { name, number: timing.conversation }
    }

    /// What all turns of a conversation have in common and no others, also where the same conversation is sent again:
    /// `profiling_000000`. A conversation may begin in a ramp and go on after it.
    fn correlation(timing: &Timing) -> Self {
        let name = if timing.phase == Phase::Warmup { "warmup" } else { "profiling" };
        Self { name, number: timing.request }
    }
}

impl Serialize for Numbered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}_{:06}", self.name, self.number))
    }
}

/// `worker_0`.
struct WorkerId(u32);

impl Serialize for WorkerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("worker_{}", self.0))
    }
}

/// `{tag: {"value": …, "unit": …}}`.
struct Metrics<'a>(&'a RecordMetrics);

impl Serialize for Metrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.values.len()))?;
        for (id, value) in &self.0.values {
            let metric = id.metric();
            map.serialize_entry(metric.tag, &Cell { value: Value(value), unit: metric.unit.name() })?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Cell<'a> {
    value: Value<'a>,
    unit: &'static str,
}

struct Value<'a>(&'a MetricValue);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            MetricValue::One(value) => serializer.serialize_f64(*value),
            MetricValue::Many(values) => values.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use std::fs::{self, OpenOptions};

    fn written(records: &[(Record, RecordMetrics)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile_export.jsonl");
        let mut writer =
            RecordsWriter::create(&path, fixture::CLOCK, &[Phase::Warmup, Phase::Profiling]).unwrap();
        for (record, metrics) in records {
            writer.write(record, metrics).unwrap();
        }
        assert_eq!(writer.finish().unwrap(), records.len() as u64);
        fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn each_request_is_one_line() {
        insta::assert_snapshot!(written(&fixture::records()));
    }

    #[test]
    fn a_failure_keeps_its_true_end_and_the_start_of_the_body() {
        let text = written(&fixture::records());
        let line: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let metadata = &line["metadata"];
        assert!(metadata["request_end_ns"].as_u64() > metadata["request_start_ns"].as_u64());
        assert_eq!(line["error"]["code"], 500);
        assert_eq!(line["error"]["type"], "status");
        assert_eq!(line["error"]["message"], "{\"error\":\"out of memory\"}");
    }

    #[test]
    fn a_request_that_was_never_sent_has_no_start() {
        let (mut record, metrics) = fixture::records().remove(2);
        (record.timing.send, record.timing.status) = (None, None);
        let line: serde_json::Value = serde_json::from_str(&written(&[(record, metrics)])).unwrap();
        assert_eq!(line["metadata"].get("request_start_ns"), None);
        assert!(line["metadata"]["credit_issued_ns"].is_u64() && line["metadata"]["request_end_ns"].is_u64());
    }

    #[test]
    fn values_keep_their_digits() {
        let (record, _) = fixture::records().remove(0);
        let gaps = vec![0.1 + 0.2, 8.123_456, 1.0];
        let id = aiperf_model::catalogue::MetricId::InterChunkLatency;
        let metrics = RecordMetrics { values: vec![(id, MetricValue::Many(gaps.clone()))] };
        let line: serde_json::Value = serde_json::from_str(&written(&[(record, metrics)])).unwrap();
        let read: Vec<f64> =
            serde_json::from_value(line["metrics"]["inter_chunk_latency"]["value"].clone()).unwrap();
        assert_eq!(read, gaps);
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_whole_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile_export.jsonl");
        let long = "x".repeat(BUFFER + 7);
        for (content, left, torn) in [
            ("{}\n{}\n{\"met", "{}\n{}\n", 5),
            ("{}\n", "{}\n", 0),
            ("{", "", 1),
            ("", "", 0),
            (&format!("{{}}\n{long}"), "{}\n", long.len() as u64),
        ] {
            fs::write(&path, content).unwrap();
            assert_eq!(drop_torn_line(&path).unwrap(), torn);
            assert_eq!(fs::read_to_string(&path).unwrap(), left);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_torn_line_behind_a_symbolic_link_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, path) = (folder.path().join("outside"), folder.path().join("profile_export.jsonl"));
        fs::write(&outside, "{}\nmine").unwrap();
        std::os::unix::fs::symlink(&outside, &path).unwrap();
        assert!(matches!(drop_torn_line(&path), Err(ArtifactError::SymbolicLink(_))));
        assert_eq!(fs::read_to_string(&outside).unwrap(), "{}\nmine");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_has_no_last_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile_export.jsonl");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let text = drop_torn_line(&path).unwrap_err().to_string();
        assert!(text.contains("profile_export.jsonl: it is a pipe"), "{text}");
        let text = drop_torn_line(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(text.contains("/dev/null: it is a device"), "{text}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_at_the_latest_at_the_end() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut writer = RecordsWriter {
            file: SteadyFile::new(full, Path::new("/dev/full")).unwrap(),
            path: PathBuf::from("/dev/full"),
            clock: fixture::CLOCK,
            phases: Vec::new(),
            line: Vec::new(),
            written: 0,
        };
        let (record, metrics) = fixture::records().remove(0);
        writer.write(&record, &metrics).unwrap();
        let text = writer.finish().unwrap_err().to_string();
        assert!(text.contains("free some space"), "{text}");
    }
}
