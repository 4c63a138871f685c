//! What each kind does with serialized arguments.

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

use super::{Native, called};
use crate::endpoint::{self, Endpoint, EndpointInfo, Event, Header, Payload};
use crate::generated::endpoint::exports::aiperf::plugin::endpoint::Guest as _;
use crate::generated::objective::exports::aiperf::plugin::objective::Guest as _;
use crate::generated::pareto::exports::aiperf::plugin::pareto::Guest as _;
use crate::generated::trend::exports::aiperf::plugin::trend::Guest as _;
use crate::objective::{self, Objective, ObjectiveInfo};
use crate::pareto::{self, Axis, Candidate, ParetoCriterion};
use crate::register::{Registered, made};
use crate::trend::{self, Series, TrendDetector};
use crate::{PluginInfo, Point, Result};

/// The first function of an endpoint after `configure`; the other one is `parse`.
const BUILD: u32 = 0;

/// An event as it is encoded: its bytes as one piece instead of a list of numbers.
#[derive(Deserialize)]
struct EncodedEvent(Option<String>, ByteBuf);

impl From<EncodedEvent> for Event {
    fn from(EncodedEvent(name, data): EncodedEvent) -> Self {
        Self { name, data: data.into_vec() }
    }
}

/// A payload as it is encoded.
#[derive(Serialize)]
struct EncodedPayload<'a>(&'a Option<String>, &'a [Header], &'a Bytes);

impl<T: Endpoint + Registered<endpoint::Kind>> Native<endpoint::Kind> for T {
    type Info = EndpointInfo;

    fn described() -> PluginInfo {
        endpoint::Adapter::<T>::describe()
    }

    fn configured(settings: &str) -> Result<(Self, Self::Info)> {
        let plugin: T = made(settings, T::validate)?;
        let info = plugin.info();
        Ok((plugin, info))
    }

    fn call(&self, function: u32, arguments: &[u8]) -> postcard::Result<Vec<u8>> {
        if function == BUILD {
            let built = self.build(&postcard::from_bytes(arguments)?);
            let encoded = |Payload { path, headers, body }| {
                postcard::to_allocvec(&Ok::<_, crate::Error>(EncodedPayload(
                    &path,
                    &headers,
                    Bytes::new(&body),
                )))
            };
            return built.map_or_else(|error| postcard::to_allocvec(&Err::<(), _>(error)), encoded);
        }
        called(arguments, |(events, streamed): (Vec<EncodedEvent>, bool)| {
            let events: Vec<Event> = events.into_iter().map(Event::from).collect();
            self.parse(&events, streamed)
        })
    }
}

impl<T: Objective + Registered<objective::Kind>> Native<objective::Kind> for T {
    type Info = ObjectiveInfo;

    fn described() -> PluginInfo {
        objective::Adapter::<T>::describe()
    }

    fn configured(settings: &str) -> Result<(Self, Self::Info)> {
        let plugin: T = made(settings, T::validate)?;
        let info = plugin.info();
        Ok((plugin, info))
    }

    fn call(&self, _evaluate: u32, arguments: &[u8]) -> postcard::Result<Vec<u8>> {
        called(arguments, |point: Point| self.evaluate(&point))
    }
}

impl<T: ParetoCriterion + Registered<pareto::Kind>> Native<pareto::Kind> for T {
    type Info = ();

    fn described() -> PluginInfo {
        pareto::Adapter::<T>::describe()
    }

    fn configured(settings: &str) -> Result<(Self, Self::Info)> {
        made(settings, T::validate).map(|plugin| (plugin, ()))
    }

    fn call(&self, _judge: u32, arguments: &[u8]) -> postcard::Result<Vec<u8>> {
        called(arguments, |(axes, candidates): (Vec<Axis>, Vec<Candidate>)| self.judge(&axes, &candidates))
    }
}

impl<T: TrendDetector + Registered<trend::Kind>> Native<trend::Kind> for T {
    type Info = ();

    fn described() -> PluginInfo {
        trend::Adapter::<T>::describe()
    }

    fn configured(settings: &str) -> Result<(Self, Self::Info)> {
        made(settings, T::validate).map(|plugin| (plugin, ()))
    }

    fn call(&self, _detect: u32, arguments: &[u8]) -> postcard::Result<Vec<u8>> {
        called(arguments, |series: Series| self.detect(&series))
    }
}
