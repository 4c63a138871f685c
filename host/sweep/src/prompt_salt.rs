//! What the words of synthetic prompts follow from beside their seed, so that no text is sent twice by chance: not by
//! another trial, and not by the same command on another day, to servers that remember what they were asked.

use aiperf_plan::{TrialPrompts, WorkloadConfig};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// The salt of the prompts of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PromptSalt {
    /// What to give to `--prompt-salt` for the same prompts.
    pub(crate) name: String,
    /// The same with what tells trials apart.
    pub(crate) of_trial: String,
}

impl PromptSalt {
    /// The salt of a run of a benchmark with this one, which is begun for the so many-th time. Where the user leaves the
    /// choice to us, a run that is repeated does not ask again what it has asked already.
    pub(crate) fn new(workload: &WorkloadConfig, benchmark: &str, trial: u32, attempt: u32) -> Self {
        let is_fresh = workload.trial_prompts == TrialPrompts::Fresh;
        let is_repeated = attempt > 1 && is_fresh && workload.prompt_salt.is_none();
        let name = if is_repeated { format!("{benchmark}-{attempt}") } else { benchmark.to_owned() };
        let of_trial = if is_fresh { format!("trial {trial}, {name}") } else { name.clone() };
        Self { name, of_trial }
    }
}

/// A salt that no other benchmark has: 64 bits in hexadecimal digits, from the keys that the standard library takes from
/// the system for its hash maps.
pub(crate) fn drawn() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_plan::{Config, Environment, Options};

    fn salt(options: Options, trial: u32, attempt: u32) -> PromptSalt {
        let options = Options { model: Some("m".into()), num_profile_runs: Some(3), ..options };
        let config = Config::resolve(options, &Environment::default()).unwrap();
        PromptSalt::new(&config.workload, "salt", trial, attempt)
    }

    fn same() -> Options {
        Options { trial_prompts: Some(TrialPrompts::Same), ..Options::default() }
    }

    fn fixed() -> Options {
        Options { prompt_salt: Some("salt".into()), ..Options::default() }
    }

    #[test]
    fn trials_and_repetitions_have_salts_of_their_own_unless_the_user_says_otherwise() {
        let of = |options: fn() -> Options| {
            [(1, 1), (2, 1), (1, 2)].map(|(trial, attempt)| salt(options(), trial, attempt).of_trial)
        };
        assert_eq!(of(Options::default), ["trial 1, salt", "trial 2, salt", "trial 1, salt-2"]);
        assert_eq!(of(fixed), ["trial 1, salt", "trial 2, salt", "trial 1, salt"]);
        assert_eq!(of(same), ["salt"; 3]);
        assert_eq!(salt(Options::default(), 1, 2).name, "salt-2");
    }

    #[test]
    fn no_two_drawn_salts_are_the_same() {
        assert_ne!(drawn(), drawn());
        assert_eq!(drawn().len(), 16);
    }
}
