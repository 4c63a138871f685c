//! The timestamps of a dataset as due times.

use super::{Dataset, DatasetError};
use aiperf_model::dataset::ScheduleWindow;
use aiperf_model::limits::MOST_SECONDS;

const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;

/// Entries with the times at which they are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The entries, in the order of their times; at least one.
    pub entries: Vec<u32>,
    /// For each of them the time since the beginning, in nanoseconds; never decreasing.
    pub due: Vec<u64>,
}

impl Dataset {
    /// When the entries within a window are due. Every entry of the dataset must have a timestamp.
    pub fn schedule(&self, window: ScheduleWindow) -> Result<Schedule, DatasetError> {
        let mut timed = (0..).zip(&self.entries).map(|(index, entry)| {
            let at = entry.timestamp.ok_or_else(|| DatasetError::Line {
                path: self.path.clone(),
                line: entry.line,
                problem: "there is no timestamp, which --fixed-schedule needs; write for example {\"timestamp\": 1500, …} in milliseconds, or remove --fixed-schedule".into(),
            })?;
            Ok((at, index))
        }).collect::<Result<Vec<(f64, u32)>, DatasetError>>()?;
        // Entries of the same time stay in the order of the file.
        timed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (start, end) = (window.start_ms.unwrap_or(0.0), window.end_ms.unwrap_or(f64::INFINITY));
        timed.retain(|(at, _)| (start..=end).contains(at));
        let Some((first, _)) = timed.first() else {
            let problem = format!(
                "has no timestamp from {start} to {end} ms; change --fixed-schedule-start-offset or --fixed-schedule-end-offset"
            );
            return Err(DatasetError::File { path: self.path.clone(), problem });
        };
        let begin = if window.auto_offset { *first } else { start };
        let most = 1000.0 * f64::from(MOST_SECONDS);
        if let Some((at, index)) = timed.last().filter(|(at, _)| at - begin > most) {
            return Err(DatasetError::Line {
                path: self.path.clone(),
                line: self.entries.get(*index as usize).map_or(0, |entry| entry.line),
                problem: format!(
                    "its timestamp, {at} ms, is more than a year after the beginning; add --fixed-schedule-auto-offset, which begins with the first one, or --fixed-schedule-end-offset"
                ),
            });
        }
        let due = |at: f64| ((at - begin) * NANOSECONDS_PER_MILLISECOND).round() as u64;
        Ok(Schedule {
            entries: timed.iter().map(|(_, entry)| *entry).collect(),
            due: timed.iter().map(|(at, _)| due(*at)).collect(),
        })
    }
}
