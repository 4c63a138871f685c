//! What can be set about the simulator, and the one table from which queries, flags and documentation are made.

use crate::{Law, SimulatorError, Unsteadiness};

/// Everything that can be set about a simulator.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The latency law.
    pub law: Law,
    /// Output tokens of a request that does not say how many it wants; at least 1.
    pub default_output_tokens: usize,
    /// How the server changes while it runs.
    pub unsteadiness: Unsteadiness,
    /// What the server does wrong on purpose.
    pub faults: Faults,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            law: Law::default(),
            default_output_tokens: 64,
            unsteadiness: Unsteadiness::default(),
            faults: Faults::default(),
        }
    }
}

/// Faults of real servers, to test clients with. The default is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Share of the inference requests answered with status 500, from 0 to 1, spread evenly by request number.
    pub error_rate: f64,
    /// Streams lose their connection when the token after this many is due.
    pub cut_after_tokens: Option<usize>,
    /// Streams end cleanly but without `[DONE]`.
    pub no_done: bool,
    /// The connection is closed after every stream although the response promised to keep it alive.
    pub close_after_stream: bool,
}

/// One thing that can be set: a row of [`SETTINGS`].
#[derive(Debug)]
pub struct Setting {
    /// Name in a query; with two dashes before it, the name of the flag.
    pub key: &'static str,
    /// What it does, for help texts: one sentence without a full stop.
    pub doc: &'static str,
    /// What a value must be.
    expected: &'static str,
    /// A value that is accepted, for error messages.
    example: &'static str,
    read: fn(&Settings) -> String,
    /// `None` refuses the value.
    write: fn(&mut Settings, &str) -> Option<()>,
}

impl Setting {
    /// The value in `settings`, as it would be written in a query.
    pub fn read(&self, settings: &Settings) -> String {
        (self.read)(settings)
    }

    /// The value of the default settings, as it would be written in a query.
    pub fn default_value(&self) -> String {
        self.read(&Settings::default())
    }

    /// Whether the setting is a switch: its key alone turns it on.
    pub fn is_switch(&self) -> bool {
        self.expected == SWITCH
    }

    /// Takes over `value`, or says why not.
    pub fn write(&self, settings: &mut Settings, value: &str) -> Result<(), SimulatorError> {
        (self.write)(settings, value).ok_or_else(|| SimulatorError::InvalidSetting {
            key: self.key,
            value: value.to_owned(),
            expected: self.expected,
            example: self.example,
            known: known_keys(),
        })
    }
}

const SWITCH: &str = "true or false";

/// Every setting there is, in the order of help texts.
pub static SETTINGS: &[Setting] = &[
    Setting {
        key: "ttft-ms",
        doc: "Fixed part of the time to the first token, in milliseconds",
        expected: "a number of milliseconds from 0 to 3600000",
        example: "20",
        read: |settings| settings.law.ttft_ms.to_string(),
        write: |settings, value| milliseconds(value).map(|ms| settings.law.ttft_ms = ms),
    },
    Setting {
        key: "prefill-rate",
        doc: "Prompt tokens processed per second",
        expected: "a number of tokens per second, at least 0.001",
        example: "20000",
        read: |settings| settings.law.prefill_rate.to_string(),
        write: |settings, value| {
            number(value).filter(|rate| *rate >= 1e-3).map(|rate| settings.law.prefill_rate = rate)
        },
    },
    Setting {
        key: "itl-ms",
        doc: "Fixed part of the gap between two tokens, in milliseconds",
        expected: "a number of milliseconds from 0 to 3600000",
        example: "6",
        read: |settings| settings.law.itl_ms.to_string(),
        write: |settings, value| milliseconds(value).map(|ms| settings.law.itl_ms = ms),
    },
    Setting {
        key: "itl-slope-ms",
        doc: "What every active sequence adds to the gap, in milliseconds",
        expected: "a number of milliseconds from 0 to 3600000",
        example: "0.05",
        read: |settings| settings.law.itl_slope_ms.to_string(),
        write: |settings, value| milliseconds(value).map(|ms| settings.law.itl_slope_ms = ms),
    },
    Setting {
        key: "max-batch",
        doc: "Sequences that can be active at the same time; others wait in a queue",
        expected: "a whole number of sequences, at least 1",
        example: "32",
        read: |settings| settings.law.max_batch.to_string(),
        write: |settings, value| at_least_one(value).map(|batch| settings.law.max_batch = batch),
    },
    Setting {
        key: "default-output-tokens",
        doc: "Output tokens of a request that does not say how many it wants",
        expected: "a whole number of tokens, at least 1",
        example: "64",
        read: |settings| settings.default_output_tokens.to_string(),
        write: |settings, value| at_least_one(value).map(|tokens| settings.default_output_tokens = tokens),
    },
    Setting {
        key: "ttft-drift-ms",
        doc: "What every second since the start adds to the time to the first token, in milliseconds",
        expected: "a number of milliseconds from 0 to 3600000",
        example: "0.1",
        read: |settings| settings.unsteadiness.ttft_drift_ms.to_string(),
        write: |settings, value| milliseconds(value).map(|ms| settings.unsteadiness.ttft_drift_ms = ms),
    },
    Setting {
        key: "itl-noise",
        doc: "Relative standard deviation of the gap between two tokens, drawn anew whenever the server was idle for 50 ms",
        expected: "a number from 0 to 0.5",
        example: "0.1",
        read: |settings| settings.unsteadiness.itl_noise.to_string(),
        write: |settings, value| {
            number(value).filter(|noise| *noise <= 0.5).map(|noise| settings.unsteadiness.itl_noise = noise)
        },
    },
    Setting {
        key: "itl-noise-at",
        doc: "Number of active sequences at which the gap has that noise; 0 for every number",
        expected: "a whole number of sequences",
        example: "8",
        read: |settings| settings.unsteadiness.itl_noise_at.to_string(),
        write: |settings, value| value.parse().ok().map(|active| settings.unsteadiness.itl_noise_at = active),
    },
    Setting {
        key: "error-rate",
        doc: "Share of the requests answered with status 500, spread evenly by request number",
        expected: "a share from 0 to 1",
        example: "0.1",
        read: |settings| settings.faults.error_rate.to_string(),
        write: |settings, value| {
            number(value).filter(|share| *share <= 1.0).map(|share| settings.faults.error_rate = share)
        },
    },
    Setting {
        key: "cut-after-tokens",
        doc: "Streams lose their connection when the token after this many is due",
        expected: "a whole number of tokens, or never",
        example: "10",
        read: |settings| {
            settings.faults.cut_after_tokens.map_or_else(|| NEVER.to_owned(), |tokens| tokens.to_string())
        },
        write: |settings, value| {
            let tokens = if value == NEVER { None } else { Some(value.parse().ok()?) };
            settings.faults.cut_after_tokens = tokens;
            Some(())
        },
    },
    Setting {
        key: "no-done",
        doc: "Streams end cleanly but without [DONE]",
        expected: SWITCH,
        example: "true",
        read: |settings| settings.faults.no_done.to_string(),
        write: |settings, value| value.parse().ok().map(|on| settings.faults.no_done = on),
    },
    Setting {
        key: "close-after-stream",
        doc: "Close the connection after every stream although the response promised to keep it alive",
        expected: SWITCH,
        example: "true",
        read: |settings| settings.faults.close_after_stream.to_string(),
        write: |settings, value| value.parse().ok().map(|on| settings.faults.close_after_stream = on),
    },
];

const NEVER: &str = "never";

impl Settings {
    /// Reads the query of a simulator URL, such as `ttft-ms=30&itl-ms=8&no-done`, with or without its question mark.
    /// What is not named keeps its default; a switch without a value is on.
    ///
    /// ```
    /// use aiperf_simulator::Settings;
    ///
    /// let settings = Settings::from_query("?itl-ms=8&no-done")?;
    /// assert_eq!(settings.law.itl_ms, 8.0);
    /// assert!(settings.faults.no_done);
    /// assert!(Settings::from_query("itl=8").is_err());
    /// # Ok::<(), aiperf_simulator::SimulatorError>(())
    /// ```
    pub fn from_query(query: &str) -> Result<Self, SimulatorError> {
        let mut settings = Self::default();
        let mut seen = Vec::new();
        let query = query.strip_prefix('?').unwrap_or(query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value)));
            let setting = find(key)?;
            if seen.contains(&key) {
                return Err(SimulatorError::RepeatedSetting { key: key.to_owned() });
            }
            seen.push(key);
            let implied = if setting.is_switch() { "true" } else { "" };
            setting.write(&mut settings, value.unwrap_or(implied))?;
        }
        Ok(settings)
    }

    /// Sets one value by its key.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), SimulatorError> {
        find(key)?.write(self, value)
    }

    /// Refuses values outside the bounds of [`SETTINGS`], which code can write into the public fields.
    pub(crate) fn check(&self) -> Result<(), SimulatorError> {
        let mut copy = self.clone();
        SETTINGS.iter().try_for_each(|setting| setting.write(&mut copy, &setting.read(self)))
    }
}

fn find(key: &str) -> Result<&'static Setting, SimulatorError> {
    SETTINGS
        .iter()
        .find(|setting| setting.key == key)
        .ok_or_else(|| SimulatorError::UnknownSetting { key: key.to_owned(), known: known_keys() })
}

fn known_keys() -> String {
    SETTINGS.iter().map(|setting| setting.key).collect::<Vec<_>>().join(", ")
}

/// A finite number that is not negative.
fn number(value: &str) -> Option<f64> {
    value.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// Up to an hour, so that no sum of times can overflow a clock.
fn milliseconds(value: &str) -> Option<f64> {
    number(value).filter(|ms| *ms <= 3_600_000.0)
}

fn at_least_one(value: &str) -> Option<usize> {
    value.parse().ok().filter(|count| *count >= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_query_gives_the_defaults() {
        for query in ["", "?", "&"] {
            assert_eq!(Settings::from_query(query).unwrap(), Settings::default());
        }
    }

    #[test]
    fn every_setting_writes_the_field_it_reads() {
        let other = ["1.5", "7", "2.5", "0.25", "3", "9", "0.5", "0.25", "8", "0.5", "4", "true", "true"];
        assert_eq!(other.len(), SETTINGS.len());
        for (setting, value) in SETTINGS.iter().zip(other) {
            let settings = Settings::from_query(&format!("{}={value}", setting.key)).unwrap();
            assert_eq!(setting.read(&settings), value);
            let changed =
                SETTINGS.iter().filter(|other| other.read(&settings) != other.default_value()).count();
            assert_eq!(changed, 1, "{} changes one thing", setting.key);
            setting.write(&mut Settings::default(), setting.example).unwrap();
        }
    }

    #[test]
    fn refusals_name_the_key_and_list_the_known_ones() {
        let refused = [
            "itl=8",
            "itl-ms=fast",
            "itl-ms=-1",
            "itl-ms=inf",
            "itl-ms=NaN",
            "itl-ms",
            "ttft-ms=3600001",
            "prefill-rate=0",
            "max-batch=0",
            "max-batch=1.5",
            "default-output-tokens=0",
            "itl-noise=0.51",
            "error-rate=1.01",
            "cut-after-tokens=-1",
            "no-done=perhaps",
        ];
        for query in refused {
            let message = Settings::from_query(query).unwrap_err().to_string();
            let key = query.split('=').next().unwrap();
            assert!(message.contains(key), "{message}");
            assert!(message.contains("known settings: ttft-ms, prefill-rate, itl-ms"), "{message}");
        }
        let message = Settings::from_query("itl-ms=1&itl-ms=2").unwrap_err().to_string();
        assert_eq!(message, "simulator setting \"itl-ms\" is given twice; write it once");
    }

    #[test]
    fn values_written_by_code_are_checked_too() {
        assert!(Settings::default().check().is_ok());
        let mut settings = Settings::default();
        settings.law.max_batch = 0;
        assert!(settings.check().is_err());
        settings = Settings::default();
        settings.law.itl_ms = f64::NAN;
        assert!(settings.check().is_err());
    }
}
