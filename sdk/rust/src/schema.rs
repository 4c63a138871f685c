//! The JSON Schema of the settings, made from their type.

use schemars::{JsonSchema, SchemaGenerator};

/// The JSON Schema of `T`, for `settings_schema`. Keys that `T` does not have are not allowed, as the host refuses them.
pub fn schema_of<T: JsonSchema>() -> Option<String> {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<T>();
    schema.insert("additionalProperties".to_owned(), false.into());
    Some(format!("{:#}", schema.as_value()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// What counts.
    #[derive(Deserialize, JsonSchema)]
    #[serde(default)]
    struct Limit {
        /// Milliseconds.
        limit_ms: f64,
    }

    impl Default for Limit {
        fn default() -> Self {
            Self { limit_ms: 200.0 }
        }
    }

    #[test]
    fn a_schema_says_what_the_type_says() {
        let schema: serde_json::Value = serde_json::from_str(&schema_of::<Limit>().unwrap()).unwrap();
        assert_eq!(schema["type"], "object");
        assert_eq!(schema["description"], "What counts.");
        assert_eq!(schema["additionalProperties"], false);
        let limit = &schema["properties"]["limit_ms"];
        assert_eq!((&limit["type"], &limit["default"]), (&"number".into(), &200.0.into()));
        assert_eq!(limit["description"], "Milliseconds.");
        assert_eq!(schema.get("required"), None);
        assert!(Limit::default().limit_ms > 0.0);
    }
}
