//! What a run sends and where it ends, from the settings and the file of requests.

use crate::benchmark::Benchmark;
use aiperf_load::{DatasetError, DatasetOrder};
use aiperf_model::limits::MOST_DIFFERENT_REQUESTS;
use aiperf_plan::RunSettings;
use std::sync::Arc;
use std::time::Duration;

/// How many different requests a run that only time ends goes through before it begins again.
const WITHOUT_A_NUMBER: u32 = 1000;

/// How many different requests are made for each second of a run that time ends too: more than hardly any server
/// answers, and a second of them is made in less than one.
const EACH_SECOND: f64 = 10_000.0;

/// The requests of one run.
#[derive(Clone, Debug)]
pub(crate) struct RunRequests {
    /// Which requests of the file; none if they are made up.
    pub(crate) dataset: Option<DatasetOrder>,
    /// When each of them is due; none if the file does not say so.
    pub(crate) schedule: Option<Arc<[u64]>>,
    /// How many different requests, or conversations, there are.
    pub(crate) entries: u32,
    /// How many requests the run sends, unless something else ends it.
    pub(crate) requests: Option<u32>,
    /// How many conversations the run begins, unless something else ends it.
    pub(crate) conversations: Option<u32>,
}

impl RunRequests {
    /// The requests of a run with these settings.
    pub(crate) fn new(benchmark: &Benchmark<'_>, settings: &RunSettings) -> Result<Self, DatasetError> {
        let RunSettings { requests, conversations, .. } = *settings;
        match (&benchmark.dataset, &benchmark.config.workload.dataset) {
            (Some(dataset), Some(config)) => {
                // A number of requests bounds that of the conversations too, each of which has one at least.
                let most = conversations.into_iter().chain(requests).min();
                let (entries, due) = if let Some(window) = benchmark.config.load.fixed_schedule {
                    let schedule = dataset.schedule(window)?;
                    (schedule.entries, Some(schedule.due.into()))
                } else {
                    let most = most.map(|most| most.min(dataset.entries().max(different(most, settings))));
                    (dataset.order(config.sampling, settings.seed, most), None)
                };
                let count = entries.len() as u32;
                let is_open = most.is_none() && settings.duration.is_none();
                Ok(Self {
                    dataset: Some(DatasetOrder { dataset: Arc::clone(dataset), entries: entries.into() }),
                    schedule: due,
                    entries: most.map_or(count, |most| most.min(count)),
                    requests,
                    conversations: conversations.or(is_open.then_some(count)),
                })
            }
            _ => Ok(Self {
                dataset: None,
                schedule: None,
                entries: conversations
                    .or(requests)
                    .map_or(WITHOUT_A_NUMBER, |asked| different(asked, settings)),
                requests,
                conversations,
            }),
        }
    }
}

/// How many different requests, or conversations, to make for a run that is asked for so many: as many as it may have time
/// for, but no more than would be of use.
fn different(asked: u32, settings: &RunSettings) -> u32 {
    let in_time = |duration: Duration| (duration.as_secs_f64() * EACH_SECOND) as u32;
    let in_time = settings.duration.map_or(u32::MAX, in_time).max(WITHOUT_A_NUMBER);
    asked.min(in_time).min(MOST_DIFFERENT_REQUESTS)
}
