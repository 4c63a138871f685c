//! JSON for people: an object has a line per key, a list of plain values stays on its line.

use serde_json::{Result, Value};

const INDENT: &[u8] = b"  ";

/// Appends a value, whose first line stands behind what is there already.
pub(super) fn append(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<()> {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            out.push(b'{');
            for (index, (key, value)) in entries.iter().enumerate() {
                break_line(out, index, depth + 1);
                serde_json::to_writer(&mut *out, key)?;
                out.extend_from_slice(b": ");
                append(out, value, depth + 1)?;
            }
            break_line(out, 0, depth);
            out.push(b'}');
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                break_line(out, index, depth + 1);
                append(out, item, depth + 1)?;
            }
            break_line(out, 0, depth);
            out.push(b']');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b", " });
                append(out, item, depth)?;
            }
            out.push(b']');
        }
        plain => serde_json::to_writer(out, plain)?,
    }
    Ok(())
}

/// Begins a line, behind a comma unless it is the first.
fn break_line(out: &mut Vec<u8>, index: usize, depth: usize) {
    out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
    out.extend_from_slice(&INDENT.repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        let mut out = Vec::new();
        append(&mut out, value, 0).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lists_of_plain_values_stay_on_their_line() {
        let value = json!({ "a": [1, 2.5, "x"], "b": {}, "c": [], "d": [{ "e": null }, [1]] });
        let expected = "{\n  \"a\": [1, 2.5, \"x\"],\n  \"b\": {},\n  \"c\": [],\n  \"d\": [\n    {\n      \"e\": null\n    },\n    [1]\n  ]\n}";
        assert_eq!(text(&value), expected);
    }

    /// Any JSON of a few levels.
    fn anything() -> impl Strategy<Value = Value> {
        let plain = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        plain.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((".*", inner), 0..4).prop_map(|entries| entries.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_value_is_the_same(value in anything()) {
            prop_assert_eq!(serde_json::from_str::<Value>(&text(&value)).unwrap(), value);
        }
    }
}
