//! Whether an answer is the expected one.

use serde_json::Value;

/// Two numbers that differ by less than this share are the same: another machine may add up in another order.
const TOLERANCE: f64 = 1e-9;

/// The first place where `actual` is not as `expected`. A member that `expected` leaves out may be anything.
pub(crate) fn difference(expected: &Value, actual: &Value) -> Result<(), String> {
    at("", expected, actual)
}

fn at(path: &str, expected: &Value, actual: &Value) -> Result<(), String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            expected.iter().try_for_each(|(key, expected)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                at(&path, expected, actual.get(key).unwrap_or(&Value::Null))
            })
        }
        (Value::Array(expected_items), Value::Array(items)) if expected_items.len() == items.len() => {
            let pairs = expected_items.iter().zip(items).enumerate();
            pairs
                .into_iter()
                .try_for_each(|(index, (expected, actual))| at(&format!("{path}[{index}]"), expected, actual))
        }
        (Value::Number(left), Value::Number(right)) if is_same(left.as_f64(), right.as_f64()) => Ok(()),
        (expected, actual) if expected == actual => Ok(()),
        (expected, actual) => {
            let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
            Err(format!("{place}{expected} is expected, but the answer is {actual}"))
        }
    }
}

fn is_same(left: Option<f64>, right: Option<f64>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => (left - right).abs() <= TOLERANCE * left.abs().max(right.abs()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_left_out_may_be_anything_and_numbers_have_no_last_digit() {
        let actual = json!({ "value": 0.1 + 0.2, "metric": null, "list": [{ "a": 1, "b": 2 }] });
        for expected in [
            json!({}),
            json!({ "value": 0.3 }),
            json!({ "metric": null, "absent": null }),
            json!({ "list": [{ "b": 2.0 }] }),
        ] {
            assert_eq!(difference(&expected, &actual), Ok(()), "{expected}");
        }
    }

    #[test]
    fn a_difference_is_named_with_its_place() {
        let actual = json!({ "list": [{ "a": 1 }, { "a": 2 }] });
        for (expected, told) in [
            (json!({ "list": [{}, { "a": 3 }] }), "list[1].a: 3 is expected, but the answer is 2"),
            (json!({ "other": 1 }), "other: 1 is expected, but the answer is null"),
            (json!({ "list": [] }), "list: [] is expected, but the answer is [{\"a\":1},{\"a\":2}]"),
            (json!(null), "null is expected, but the answer is {"),
        ] {
            let told_now = difference(&expected, &actual).unwrap_err();
            assert!(told_now.starts_with(told), "{told_now}");
        }
    }
}
