//! Where requests come from that are not single made-up prompts: files, their timestamps, and conversations.

use crate::config::{ConversationConfig, DatasetConfig};
use crate::error::ConfigError;
use crate::options::{DatasetChoice, Options, SamplingChoice};
use aiperf_model::dataset::{DatasetType, Sampling, ScheduleWindow};
use aiperf_model::limits::{MOST_SECONDS, MOST_TURNS};

const INPUT_FILE: &str = "--input-file requests.jsonl";

/// The file of requests, if there is one.
pub(super) fn dataset(options: &Options) -> Result<Option<DatasetConfig>, ConfigError> {
    let Some(file) = options.input_file.clone() else {
        return needs_file(options).map(|()| None);
    };
    for (flag, is_given) in [
        ("--isl", options.isl.is_some()),
        ("--isl-stddev", options.isl_stddev.is_some()),
        ("--conversation-turn-mean", options.conversation_turn_mean.is_some()),
        ("--conversation-turn-stddev", options.conversation_turn_stddev.is_some()),
        ("--conversation-turn-delay-mean", options.conversation_turn_delay_mean.is_some()),
        ("--conversation-turn-delay-stddev", options.conversation_turn_delay_stddev.is_some()),
    ] {
        if is_given {
            return Err(ConfigError::Exclusive { flag, other: "--input-file" });
        }
    }
    Ok(Some(DatasetConfig {
        file,
        kind: options.custom_dataset_type.map(|choice| match choice {
            DatasetChoice::SingleTurn => DatasetType::SingleTurn,
            DatasetChoice::MultiTurn => DatasetType::MultiTurn,
            DatasetChoice::MooncakeTrace => DatasetType::MooncakeTrace,
            DatasetChoice::RandomPool => DatasetType::RandomPool,
        }),
        sampling: match options.dataset_sampling_strategy {
            None | Some(SamplingChoice::Sequential) => Sampling::Sequential,
            Some(SamplingChoice::Shuffle) => Sampling::Shuffle,
            Some(SamplingChoice::Random) => Sampling::Random,
        },
    }))
}

fn needs_file(options: &Options) -> Result<(), ConfigError> {
    let given = [
        ("--custom-dataset-type", options.custom_dataset_type.is_some()),
        ("--dataset-sampling-strategy", options.dataset_sampling_strategy.is_some()),
        ("--fixed-schedule", options.fixed_schedule == Some(true)),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(ConfigError::NeedsFlag { flag, example: INPUT_FILE }),
        None => Ok(()),
    }
}

/// Which timestamps say when requests are due, if they do.
pub(super) fn schedule(options: &Options) -> Result<Option<ScheduleWindow>, ConfigError> {
    let auto_offset = options.fixed_schedule_auto_offset == Some(true);
    let (start_ms, end_ms) = (options.fixed_schedule_start_offset, options.fixed_schedule_end_offset);
    if options.fixed_schedule != Some(true) {
        let given = [
            ("--fixed-schedule-auto-offset", auto_offset),
            ("--fixed-schedule-start-offset", start_ms.is_some()),
            ("--fixed-schedule-end-offset", end_ms.is_some()),
        ];
        return match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => Err(ConfigError::NeedsFlag { flag, example: "--fixed-schedule" }),
            None => Ok(None),
        };
    }
    for (flag, is_given) in [
        ("--request-rate", options.request_rate.is_some()),
        ("--concurrency-ramp-duration", options.concurrency_ramp_duration.is_some()),
        ("--request-rate-ramp-duration", options.request_rate_ramp_duration.is_some()),
        ("--dataset-sampling-strategy", options.dataset_sampling_strategy.is_some()),
    ] {
        if is_given {
            return Err(ConfigError::Exclusive { flag, other: "--fixed-schedule" });
        }
    }
    if auto_offset && start_ms.is_some() {
        let (flag, other) = ("--fixed-schedule-auto-offset", "--fixed-schedule-start-offset");
        return Err(ConfigError::Exclusive { flag, other });
    }
    for (flag, offset) in
        [("--fixed-schedule-start-offset", start_ms), ("--fixed-schedule-end-offset", end_ms)]
    {
        let most = 1000.0 * f64::from(MOST_SECONDS);
        if offset.is_some_and(|offset| !(0.0..=most).contains(&offset)) {
            let problem = format!("it must be from 0 to {most} milliseconds");
            return Err(ConfigError::value(flag, problem, format!("{flag} 60000")));
        }
    }
    if let (Some(start), Some(end)) = (start_ms, end_ms)
        && end < start
    {
        let problem = format!("it is {end}, which is before --fixed-schedule-start-offset {start}");
        let example = format!("--fixed-schedule-end-offset {}", start + 60_000.0);
        return Err(ConfigError::value("--fixed-schedule-end-offset", problem, example));
    }
    Ok(Some(ScheduleWindow { auto_offset, start_ms, end_ms }))
}

/// How many conversations a run has, if the user says so.
pub(super) fn conversation_num(options: &Options) -> Result<Option<u32>, ConfigError> {
    let flag = "--conversation-num";
    match options.conversation_num {
        Some(0) => Err(ConfigError::value(flag, "it is 0, but must be at least 1", format!("{flag} 50"))),
        number => Ok(number),
    }
}

/// What made-up conversations are like, if there are any.
pub(super) fn conversation(options: &Options) -> Result<Option<ConversationConfig>, ConfigError> {
    let within = |flag: &'static str, number: Option<f64>, least: f64, most: f64, example: &str| {
        let number = number.unwrap_or(least);
        if (least..=most).contains(&number) {
            return Ok(number);
        }
        let problem = format!("it is {number}, but must be from {least} to {most}");
        Err(ConfigError::value(flag, problem, format!("{flag} {example}")))
    };
    let (milliseconds, turns) = (1000.0 * f64::from(MOST_SECONDS), f64::from(MOST_TURNS));
    let delay = (options.conversation_turn_delay_mean, options.conversation_turn_delay_stddev);
    let conversation = ConversationConfig {
        turn_mean: within("--conversation-turn-mean", options.conversation_turn_mean, 1.0, turns, "4")?,
        turn_std_dev: within(
            "--conversation-turn-stddev",
            options.conversation_turn_stddev,
            0.0,
            turns,
            "1",
        )?,
        delay_mean_ms: within("--conversation-turn-delay-mean", delay.0, 0.0, milliseconds, "2000")?,
        delay_std_dev_ms: within("--conversation-turn-delay-stddev", delay.1, 0.0, milliseconds, "500")?,
    };
    if conversation.turn_mean > 1.0 || conversation.turn_std_dev > 0.0 {
        if options.defer_parsing == Some(true) {
            return Err(ConfigError::Exclusive {
                flag: "--defer-parsing",
                other: "--conversation-turn-mean",
            });
        }
        return Ok(Some(conversation));
    }
    let without_effect = [
        ("--conversation-turn-delay-mean", delay.0.is_some()),
        ("--conversation-turn-delay-stddev", delay.1.is_some()),
        ("--conversation-num", options.conversation_num.is_some() && options.input_file.is_none()),
    ];
    match without_effect.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(ConfigError::NeedsFlag { flag, example: "--conversation-turn-mean 4" }),
        None => Ok(None),
    }
}
