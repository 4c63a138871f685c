//! Names of folders, made from what users write: safe on every system, and never a way out of the folder they lie in.

use aiperf_model::parameter::Parameter;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The longest part that a model or an endpoint contributes, in bytes.
const LONGEST_PART: usize = 100;
/// The longest name, in bytes. File systems allow 255; the rest is for `-2`, `-3` and temporary names.
const LONGEST_NAME: usize = 220;
/// Bytes that the mark of a shortened name takes: a hyphen and eight hexadecimal digits.
const MARK: usize = 9;

/// The name of a benchmark's folder: `llama-3-8b-openai-chat-concurrency_sweep`.
#[must_use]
pub fn base_name(model: &str, endpoint_type: &str, stimulus: &str) -> String {
    let model = shortened(&safe(model), LONGEST_PART);
    let endpoint_type = shortened(&safe(endpoint_type), LONGEST_PART);
    shortened(&safe(&format!("{model}-openai-{endpoint_type}-{stimulus}")), LONGEST_NAME)
}

/// What a sweep over these parameters puts on the server: `concurrency_sweep`, `concurrency_isl_sweep`.
#[must_use]
pub fn sweep_stimulus(axes: &[String]) -> String {
    format!("{}_sweep", axes.join("_"))
}

/// What a single value puts on the server: `concurrency10`, `request_rate2.5`.
#[must_use]
pub fn value_stimulus(parameter: &Parameter) -> String {
    format!("{}{}", parameter.name, parameter.value)
}

/// The folder of a value: `concurrency_10`, or `concurrency_10__isl_128` for several axes.
///
/// Values that differ have names that differ: where a value had to be changed to be safe, a hash of it follows.
#[must_use]
pub fn value_name(parameters: &[Parameter]) -> String {
    let parts: Vec<String> = parameters.iter().map(|p| format!("{}_{}", p.name, p.value)).collect();
    let wanted = parts.join("__");
    let safe = safe(&wanted);
    if safe == wanted { shortened(&safe, LONGEST_NAME) } else { marked(&safe, &wanted, LONGEST_NAME) }
}

/// The folder of a trial, counted from 1: `trial_0001`.
#[must_use]
pub fn trial_name(trial: u32) -> String {
    format!("trial_{trial:04}")
}

/// A single path component: no separator, no parent, nothing that a shell, a terminal or Windows would stumble over.
#[must_use]
pub fn safe(text: &str) -> String {
    let mut name: String = text.chars().map(|c| if is_unsafe(c) { '_' } else { c }).collect();
    name = name.replace("..", "__");
    if name.starts_with(['.', ' ']) {
        name.replace_range(..1, "_");
    }
    if name.ends_with(['.', ' ']) {
        name.replace_range(name.len() - 1.., "_");
    }
    if name.is_empty() || is_reserved(&name) {
        name.insert(0, '_');
    }
    name
}

/// Separators, what Windows refuses, and what makes a name look like another one.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '/' | '\\' | ':' | '<' | '>' | '"' | '|' | '?' | '*')
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Whether Windows keeps the name for a device, with or without an extension.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    number.is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
}

/// The name, or its start and a hash of the whole if it is too long.
fn shortened(name: &str, longest: usize) -> String {
    if name.len() <= longest { name.to_owned() } else { marked(name, name, longest) }
}

/// The start of a name and a hash of what it stands for.
fn marked(name: &str, original: &str, longest: usize) -> String {
    let mut result = name.to_owned();
    let mut end = longest.saturating_sub(MARK).min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    result.truncate(end);
    result.push('-');
    for byte in Sha256::digest(original.as_bytes()).iter().take(4) {
        // Writing to a string does not fail.
        let _ = write!(result, "{byte:02x}");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::parameter::ParameterValue;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    #[test]
    fn the_base_name_is_that_of_the_specification() {
        let axes = ["concurrency".to_owned()];
        assert_eq!(
            base_name("llama-3-8b", "chat", &sweep_stimulus(&axes)),
            "llama-3-8b-openai-chat-concurrency_sweep"
        );
        let ten = Parameter::new("concurrency", ParameterValue::Integer(10));
        assert_eq!(
            base_name("meta-llama/Llama-3", "completions", &value_stimulus(&ten)),
            "meta-llama_Llama-3-openai-completions-concurrency10"
        );
    }

    #[test]
    fn values_are_written_as_the_user_wrote_them() {
        let rate = Parameter::new("request_rate", ParameterValue::Number(2.5));
        let ten = Parameter::new("concurrency", ParameterValue::Integer(10));
        let isl = Parameter::new("isl", ParameterValue::Integer(128));
        assert_eq!(value_name(std::slice::from_ref(&rate)), "request_rate_2.5");
        assert_eq!(value_name(&[ten, isl]), "concurrency_10__isl_128");
        assert_eq!(sweep_stimulus(&["concurrency".to_owned(), "isl".to_owned()]), "concurrency_isl_sweep");
        assert_eq!(trial_name(1), "trial_0001");
    }

    #[test]
    fn unsafe_names_become_harmless() {
        for (text, name) in [
            ("a/b", "a_b"),
            ("../../etc/passwd", "______etc_passwd"),
            ("..", "__"),
            (".", "_"),
            ("", "_"),
            (".hidden", "_hidden"),
            ("C:\\temp", "C__temp"),
            ("a\0b\nc", "a_b_c"),
            ("name.", "name_"),
            ("name ", "name_"),
            ("con", "_con"),
            ("COM1.txt", "_COM1.txt"),
            ("communication", "communication"),
            ("qwen2.5:7b", "qwen2.5_7b"),
            ("a\u{202E}b", "a_b"),
            ("模型", "模型"),
        ] {
            assert_eq!(safe(text), name, "{text:?}");
        }
    }

    #[test]
    fn long_names_stay_apart() {
        let (a, b) = ("x".repeat(4000) + "a", "x".repeat(4000) + "b");
        let (a, b) = (base_name(&a, "chat", "concurrency10"), base_name(&b, "chat", "concurrency10"));
        assert_ne!(a, b);
        assert!(a.len() <= LONGEST_NAME && a.ends_with("-openai-chat-concurrency10"), "{a}");
    }

    #[test]
    fn values_that_had_to_change_stay_apart() {
        let slash = Parameter::new("model", ParameterValue::Text("a/b".into()));
        let line = Parameter::new("model", ParameterValue::Text("a_b".into()));
        assert_ne!(value_name(&[slash]), value_name(&[line]));
    }

    proptest! {
        #[test]
        fn every_name_is_one_ordinary_component(model in ".*", endpoint in ".*") {
            let name = base_name(&model, &endpoint, "concurrency10");
            prop_assert!(name.len() <= LONGEST_NAME);
            let components: Vec<_> = Path::new(&name).components().collect();
            prop_assert_eq!(components.len(), 1);
            prop_assert!(matches!(components[0], Component::Normal(_)));
            prop_assert!(!name.contains(".."));
        }

        #[test]
        fn safety_is_reached_at_once(text in "\\PC*") {
            let name = safe(&text);
            prop_assert_eq!(safe(&name), name);
        }
    }
}
