//! Endpoints: wire formats of inference servers.
//!
//! An endpoint puts requests into a body and reads answers out of one. It never sees the connection or a
//! clock: the host sends, receives and takes the times.

mod fold;
mod parts;
mod repair;
mod repeat;

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::fold::{Delta, fold};
pub use self::repeat::Repeat;
use crate::generated::endpoint::exports::aiperf::plugin::endpoint::Guest;
pub use crate::generated::endpoint::exports::aiperf::plugin::endpoint::{
    Chunk, EndpointInfo, Event, Header, Part, Payload, Request, Response, Turn, Usage,
};
use crate::register::{self, Registered};
use crate::{Error, PluginInfo, Result};

/// A wire format. The fields of the implementing struct are its settings.
///
/// Write either `read`, one event at a time, or `parse`, all of them at once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered as an endpoint but does not implement `Endpoint`",
    note = "write `impl aiperf_plugin::endpoint::Endpoint for {Self}` and derive `serde::Deserialize`"
)]
pub trait Endpoint: DeserializeOwned + Send + Sync + 'static {
    /// A JSON Schema of the settings, for the user's editor; none if there are no settings.
    ///
    /// With the feature `schema` and `schemars::JsonSchema` derived, it is `aiperf_plugin::schema_of::<Self>()`.
    fn settings_schema() -> Option<String> {
        None
    }

    /// Refuses settings that have the right types but make no sense, with a sentence for the user.
    fn validate(&self) -> std::result::Result<(), String> {
        Ok(())
    }

    /// What the format can do.
    fn info(&self) -> EndpointInfo;

    /// One request as a body.
    fn build(&self, request: &Request) -> Result<Payload>;

    /// What one event says: a server-sent event, or the whole body of an answer that was not streamed.
    ///
    /// A [`Error::Malformed`] from here reaches the user with the number of the event.
    fn read(&self, event: &Event) -> Result<Delta> {
        let _ = event;
        Err(Error::Unsupported("this endpoint reads no answers".to_owned()))
    }

    /// What all events of one answer say: those of an event stream if it was `streamed`, else the one event that is
    /// the whole body.
    fn parse(&self, events: &[Event], streamed: bool) -> Result<Response> {
        fold(events, streamed, |event| self.read(event))
    }
}

impl Payload {
    /// A JSON body, with the fields of `extra` (a JSON object) added to it. A field of `extra` replaces one of
    /// the same name.
    pub fn json(body: &impl Serialize, extra: Option<&str>) -> Result<Self> {
        let body = match extra {
            None => serde_json::to_vec(body)?,
            Some(extra) => serde_json::to_vec(&merge(body, extra)?)?,
        };
        Ok(Self { body, ..Self::default() })
    }
}

fn merge(body: &impl Serialize, extra: &str) -> Result<serde_json::Map<String, serde_json::Value>> {
    let serde_json::Value::Object(mut fields) = serde_json::to_value(body)? else {
        return Err(Error::Other("only a JSON object can take extra fields".to_owned()));
    };
    let extra: serde_json::Map<_, _> = serde_json::from_str(extra)
        .map_err(|error| Error::Unsupported(format!("extra fields are not a JSON object: {error}")))?;
    fields.extend(extra);
    Ok(fields)
}

impl Event {
    /// The data as JSON.
    pub fn json<'event, T: serde::Deserialize<'event>>(&'event self) -> Result<T> {
        Ok(serde_json::from_slice(&self.data)?)
    }
}

/// This kind of plugin.
#[doc(hidden)]
pub enum Kind {}

/// Says at compile time, and in words, that a registered type lacks the trait.
#[doc(hidden)]
pub const fn check<T: Endpoint>() {}

/// The functions of the contract over the trait.
#[doc(hidden)]
pub struct Adapter<T>(PhantomData<T>);

impl<T: Endpoint + Registered<Kind>> Guest for Adapter<T> {
    fn describe() -> PluginInfo {
        register::describe(&T::MANIFEST, T::settings_schema())
    }

    fn configure(settings: String) -> Result<EndpointInfo> {
        register::configure::<Kind, T>(&settings, T::validate).map(T::info)
    }

    fn build(request: Request) -> Result<Payload> {
        register::configured::<Kind, T>()?.build(&request)
    }

    fn parse(events: Vec<Event>, streamed: bool) -> Result<Response> {
        register::configured::<Kind, T>()?.parse(&events, streamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(extra: Option<&str>) -> Result<String> {
        let body = serde_json::json!({"model": "m", "stream": true});
        Payload::json(&body, extra).map(|payload| String::from_utf8(payload.body).unwrap())
    }

    #[test]
    fn extra_fields_come_last_and_win() {
        assert_eq!(body(None).unwrap(), r#"{"model":"m","stream":true}"#);
        assert_eq!(
            body(Some(r#"{"stream":false,"top_k":1}"#)).unwrap(),
            r#"{"model":"m","stream":false,"top_k":1}"#
        );
    }

    #[test]
    fn extra_fields_that_are_no_object_are_refused() {
        assert!(matches!(body(Some("[1]")), Err(Error::Unsupported(text)) if text.contains("JSON object")));
    }
}
