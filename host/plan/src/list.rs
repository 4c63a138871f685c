//! The grammar of lists: `10,20,30`, the linear range `10..40+10`, the geometric range `1..256*2`, and any of these
//! one after the other.
//!
//! Items are trimmed and keep their order. A range includes both ends when its steps hit them. Whether the values
//! are all different is the business of the sweep, since lists that are taken element-wise may repeat a value.

mod notation;

use crate::error::ConfigError;
use crate::sweepable::{Number, Sweepable};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// The most values that one list may have.
pub(crate) const MOST_VALUES: usize = 100_000;

/// A list as the user wrote it: the text of a flag; a number, a text or an array in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListText(String);

impl From<&str> for ListText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for ListText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl<'de> Deserialize<'de> for ListText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListTextVisitor)
    }
}

struct ListTextVisitor;

impl<'de> Visitor<'de> for ListTextVisitor {
    type Value = ListText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text such as \"10,20,30\", or an array of these")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<ListText, E> {
        Ok(ListText(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<ListText, E> {
        Ok(ListText(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<ListText, E> {
        Ok(ListText(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<ListText, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ListText, A::Error> {
        let mut texts = Vec::new();
        while let Some(ListText(text)) = items.next_element()? {
            texts.push(text);
        }
        Ok(ListText(texts.join(",")))
    }
}

/// The values of a list, in the order given; at least one.
///
/// # Errors
/// Names the flag, the position of the item and a correct example.
pub(crate) fn parse(parameter: Sweepable, list: &ListText) -> Result<Vec<f64>, ConfigError> {
    let ListText(text) = list;
    if text.trim().is_empty() {
        return Err(problem(parameter, "the list is empty".into()));
    }
    values(parameter, text).map_err(|mistake| match notation::meant(text) {
        Some(meant) if values(parameter, &meant).is_ok() => {
            let flag = parameter.flag();
            ConfigError::value(flag, mistake.problem, format!("{flag} {}", quoted(&meant)))
        }
        _ => mistake.error(parameter),
    })
}

/// What is wrong with a list.
struct Mistake {
    problem: String,
    /// Whether it is in a range, which has examples of its own.
    in_range: bool,
}

impl Mistake {
    fn error(self, parameter: Sweepable) -> ConfigError {
        if !self.in_range {
            return problem(parameter, self.problem);
        }
        let (flag, (linear, geometric)) = (parameter.flag(), parameter.range_examples());
        ConfigError::value(flag, self.problem, format!("{flag} {linear} or {flag} {}", quoted(geometric)))
    }
}

/// A list as a shell takes it that would look for files by its star.
fn quoted(list: &str) -> String {
    if list.contains('*') { format!("'{list}'") } else { list.to_owned() }
}

fn values(parameter: Sweepable, text: &str) -> Result<Vec<f64>, Mistake> {
    let mut values = Vec::new();
    for (index, item) in text.split(',').map(str::trim).enumerate() {
        let room = MOST_VALUES - values.len();
        let item = Item { parameter, position: index + 1, text: item, room };
        values.extend(item.values()?);
    }
    Ok(values)
}

/// An error about a list as a whole.
pub(crate) fn problem(parameter: Sweepable, problem: String) -> ConfigError {
    ConfigError::value(parameter.flag(), problem, format!("{} {}", parameter.flag(), parameter.example()))
}

/// One item between commas.
struct Item<'a> {
    parameter: Sweepable,
    /// From 1.
    position: usize,
    text: &'a str,
    /// How many more values the list may have.
    room: usize,
}

impl Item<'_> {
    fn values(&self) -> Result<Vec<f64>, Mistake> {
        if self.text.is_empty() {
            return Err(self.problem("is empty"));
        }
        let values = match self.text.split_once("..") {
            Some((start, rest)) => self.range(start.trim(), rest.trim())?,
            None => vec![self.number(self.text).map_err(|what| self.problem(&format!("is {what}")))?],
        };
        if values.len() > self.room {
            return Err(self.too_many());
        }
        Ok(values)
    }

    fn range(&self, start: &str, rest: &str) -> Result<Vec<f64>, Mistake> {
        let Some(sign) = rest.find(['+', '*']) else {
            return Err(self.range_problem("without a step"));
        };
        let (end, step) = rest.split_at(sign);
        let part = |name: &str, text: &str| {
            self.number(text).map_err(|what| self.range_problem(&format!("whose {name} is {what}")))
        };
        let (start, end) = (part("start", start)?, part("end", end.trim())?);
        if end < start {
            return Err(self.range_problem("that ends before it starts"));
        }
        match step.strip_prefix('+') {
            Some(step) => self.linear(start, end, part("step", step.trim())?),
            None => self.geometric(start, end, part("factor", step.trim_start_matches('*').trim())?),
        }
    }

    fn linear(&self, start: f64, end: f64, step: f64) -> Result<Vec<f64>, Mistake> {
        // The end is hit also where the steps miss it by a rounding error.
        let steps = ((end - start) / step + 1e-9).floor();
        if steps >= self.room as f64 {
            return Err(self.too_many());
        }
        Ok((0..=steps as u32).map(|index| round(start + f64::from(index) * step)).collect())
    }

    fn geometric(&self, start: f64, end: f64, factor: f64) -> Result<Vec<f64>, Mistake> {
        if factor <= 1.0 {
            return Err(self.range_problem(&format!("that never grows, since its factor is {factor}")));
        }
        let steps = ((end / start).ln() / factor.ln() + 1e-9).floor();
        if steps >= self.room as f64 {
            return Err(self.too_many());
        }
        Ok((0..=steps as i32).map(|index| round(start * factor.powi(index))).collect())
    }

    /// The number that `text` is, or what is wrong with it.
    fn number(&self, text: &str) -> Result<f64, String> {
        let value: f64 = match text.parse() {
            Ok(value) if f64::is_finite(value) => value,
            _ => return Err(format!("'{text}', which is not a number")),
        };
        let parameter = self.parameter;
        let is_whole = text.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit());
        if parameter.number() == Number::Count && !is_whole {
            return Err(format!("{text}, but must be a whole number"));
        }
        if value < parameter.least() || value <= 0.0 {
            return Err(format!("{text}, but must be {}", parameter.least_in_words()));
        }
        if value > parameter.most() {
            return Err(format!("{text}, but must be at most {}", parameter.most()));
        }
        Ok(value)
    }

    fn problem(&self, what: &str) -> Mistake {
        Mistake { problem: format!("item {} {what}", self.position), in_range: false }
    }

    fn range_problem(&self, what: &str) -> Mistake {
        Mistake { problem: format!("item {} is a range {what}", self.position), in_range: true }
    }

    fn too_many(&self) -> Mistake {
        self.problem(&format!("makes the list longer than {MOST_VALUES} values"))
    }
}

/// To 12 significant digits, so that the steps of a range read as they were meant (0.3, not 0.30000000000000004).
fn round(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts(text: &str) -> Result<Vec<f64>, String> {
        parse(Sweepable::Concurrency, &text.into()).map_err(|error| error.to_string())
    }

    fn quantities(text: &str) -> Result<Vec<f64>, String> {
        parse(Sweepable::BenchmarkDuration, &text.into()).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_keep_their_order() {
        for (text, values) in [
            ("10", vec![10.0]),
            ("30, 10 ,20", vec![30.0, 10.0, 20.0]),
            ("10..40+10", vec![10.0, 20.0, 30.0, 40.0]),
            ("10..45+10", vec![10.0, 20.0, 30.0, 40.0]),
            (" 10 .. 30 + 10 ", vec![10.0, 20.0, 30.0]),
            ("1..16*2", vec![1.0, 2.0, 4.0, 8.0, 16.0]),
            ("1..1000*10", vec![1.0, 10.0, 100.0, 1000.0]),
            ("3..100*3", vec![3.0, 9.0, 27.0, 81.0]),
            ("5..5+1", vec![5.0]),
            ("1,2,10..30+10,64", vec![1.0, 2.0, 10.0, 20.0, 30.0, 64.0]),
        ] {
            assert_eq!(counts(text), Ok(values), "{text}");
        }
    }

    #[test]
    fn quantities_may_have_fractions() {
        assert_eq!(quantities("2.5,0.5"), Ok(vec![2.5, 0.5]));
        assert_eq!(quantities("0.1..0.5+0.1"), Ok(vec![0.1, 0.2, 0.3, 0.4, 0.5]));
        assert_eq!(quantities("0.1..0.8*2"), Ok(vec![0.1, 0.2, 0.4, 0.8]));
        assert_eq!(quantities("10..22.5*1.5"), Ok(vec![10.0, 15.0, 22.5]));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let mistakes = [
            "",
            " ",
            "10,,20",
            "10,",
            ",10",
            "10,abc",
            "0,5",
            "-5",
            "10,-5",
            "20.5",
            "1e2",
            "inf",
            "nan",
            "0x10",
            "99999999999999999999",
            "10..40",
            "40..10+10",
            "10..40+0",
            "10..40+-5",
            "1..256*1",
            "1..256*0",
            "..+",
            "10..x+2",
            "10...40+10",
            "1..9+2*3",
            "1..4000000000+1",
            "10 20",
        ];
        let messages: Vec<String> = mistakes
            .into_iter()
            .map(|text| format!("{text:?} => {}", counts(text).expect_err(text)))
            .collect();
        insta::assert_snapshot!(messages.join("\n"));
    }

    #[test]
    fn quantities_are_above_zero() {
        insta::assert_snapshot!(quantities("0").unwrap_err(), @"--benchmark-duration: item 1 is 0, but must be more than 0; write for example --benchmark-duration 30,60");
        insta::assert_snapshot!(quantities("5,1e99").unwrap_err(), @"--benchmark-duration: item 2 is 1e99, but must be at most 31536000; write for example --benchmark-duration 30,60");
    }

    #[test]
    fn files_may_hold_numbers_texts_and_arrays() {
        for (json, text) in [
            ("10", "10"),
            ("2.5", "2.5"),
            ("\"10,20\"", "10,20"),
            ("[10, 20.5, \"1..8*2\"]", "10,20.5,1..8*2"),
        ] {
            assert_eq!(serde_json::from_str::<ListText>(json).unwrap(), text.into());
        }
        assert!(serde_json::from_str::<ListText>("true").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = counts(&text);
            let _ = quantities(&text);
        }

        #[test]
        fn no_text_that_looks_like_a_list_makes_the_parser_panic(text in "[-0-9.,+*e ]{0,24}") {
            let _ = counts(&text);
            let _ = quantities(&text);
        }

        #[test]
        fn a_list_of_numbers_is_read_as_written(values in proptest::collection::vec(1_u32..=u32::MAX, 1..50)) {
            let text: Vec<String> = values.iter().map(u32::to_string).collect();
            let expected: Vec<f64> = values.into_iter().map(f64::from).collect();
            prop_assert_eq!(counts(&text.join(",")), Ok(expected));
        }

        #[test]
        fn ranges_grow_within_their_ends(start in 1_u32..1000, more in 0_u32..1000, step in 2_u32..50) {
            for sign in ['+', '*'] {
                let end = start + more;
                let values = counts(&format!("{start}..{end}{sign}{step}")).unwrap();
                prop_assert!(values.starts_with(&[f64::from(start)]));
                prop_assert!(values.is_sorted_by(|a, b| a < b));
                prop_assert!(values.iter().all(|value| *value <= f64::from(end) && value.fract() == 0.0));
            }
        }
    }
}
