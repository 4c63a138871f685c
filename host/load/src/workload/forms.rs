//! What requests have beside their bodies: paths and headers of the endpoint plugin's choice, of which few differ.

use super::parse_plugin_header;
use crate::error::LoadError;
use aiperf_model::request::Header;
use hyper::HeaderMap;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A path and headers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Form {
    /// None stands for the endpoint's default.
    pub(super) path: Option<String>,
    pub(super) headers: HeaderMap,
}

/// The forms that were met. Threads add to them at the same time, so their order means nothing.
#[derive(Debug, Default)]
pub(super) struct Forms {
    known: Mutex<(HashMap<Key, u32>, Vec<Form>)>,
}

type Key = (Option<String>, Vec<Header>);

impl Forms {
    /// The position of a form in the list; it is added if it is new.
    pub(super) fn position_of(&self, path: Option<String>, headers: Vec<Header>) -> Result<u32, LoadError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (positions, forms) = &mut *known;
        let key = (path, headers);
        if let Some(position) = positions.get(&key) {
            return Ok(*position);
        }
        let position = forms.len() as u32;
        let headers = key.1.iter().map(parse_plugin_header);
        forms.push(Form { path: key.0.clone(), headers: headers.collect::<Result<_, _>>()? });
        positions.insert(key, position);
        Ok(position)
    }

    pub(super) fn into_list(self) -> Vec<Form> {
        self.known.into_inner().unwrap_or_else(PoisonError::into_inner).1
    }
}
