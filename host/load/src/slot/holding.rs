//! An exchange is kept until it is as certain as it can be whose answer it has.
//!
//! Responses of HTTP/1.1 have no number: the first one belongs to the first request, and so on. A server or a proxy
//! that sends one too many shifts all that follow by one, and each of them looks like an answer. What tells is that
//! there are more of them than requests, so the connection is looked at whenever nothing is asked on it: before each
//! request, for a moment after its first response, for as long as its slot is idle, and once more at the end.

use super::Slot;
use crate::arrivals::Arrival;
use crate::clock::nanoseconds;
use crate::connection::Standing;
use crate::failure;
use crate::task::SlotTask;
use aiperf_model::connection::ConnectionReuse;
use aiperf_model::record::Exchange;
use std::time::Duration;

/// How long a closed loop looks at a connection after its first response. A server that answers twice does so soon.
const ACQUAINTANCE: Duration = Duration::from_millis(5);

/// How long an exchange is held at most for what may follow it, while its slot has nothing else to do.
const LONGEST_HOLD: Duration = Duration::from_millis(200);

/// By how much a hold ends before the next request is due.
const HEAD_START: Duration = Duration::from_millis(2);

impl Slot {
    /// Looks at a connection for a moment after its first response.
    pub(super) async fn get_to_know(&mut self, task: &SlotTask, exchange: &mut Exchange) {
        let is_new = self.connection.as_ref().is_some_and(|connection| !connection.is_trusted());
        if is_new && self.shared.reuse == ConnectionReuse::Pooled {
            self.look(task, exchange, nanoseconds(ACQUAINTANCE)).await;
        }
    }

    /// Hands an exchange over once nothing has followed its response until the next request is about to be sent.
    pub(super) async fn hold(&mut self, task: &SlotTask, mut exchange: Exchange, next: Option<Arrival>) {
        let longest = nanoseconds(LONGEST_HOLD);
        let hold = match next {
            // A response too many comes after the time that one takes.
            None => {
                let timing = exchange.timing;
                let took = timing.send.map_or(0, |send| timing.end.saturating_sub(send));
                took.clamp(nanoseconds(ACQUAINTANCE), longest)
            }
            Some(next) if next.scheduled => {
                let free = next.due.saturating_sub(self.shared.clock.now());
                free.saturating_sub(nanoseconds(HEAD_START)).min(longest)
            }
            Some(_) => 0,
        };
        if hold > 0 {
            self.look(task, &mut exchange, hold).await;
            self.handover.give(exchange);
        } else {
            // Who sends the next request looks anyway.
            self.held = Some(exchange);
        }
    }

    /// Hands over what is held.
    pub(super) fn release(&mut self) {
        if let Some(exchange) = self.held.take() {
            self.handover.give(exchange);
        }
    }

    /// What is held was followed by more than was asked for; false if nothing is held.
    pub(super) fn fail_held(&mut self) -> bool {
        let Some(exchange) = &mut self.held else { return false };
        exchange.failure.get_or_insert_with(|| failure::followed(exchange.timing.status));
        true
    }

    /// Looks at the connection of an exchange for so many nanoseconds. An exchange that went well has failed if
    /// anything follows its response.
    async fn look(&mut self, task: &SlotTask, exchange: &mut Exchange, nanoseconds: u64) {
        let Some(mut connection) = self.connection.take() else { return };
        let until = self.shared.clock.now().saturating_add(nanoseconds);
        match connection.watch(task, self.shared.clock.instant(until)).await {
            Standing::Ready => {
                connection.trust();
                self.connection = Some(connection);
            }
            Standing::Closed => {}
            Standing::Desynchronized => {
                exchange.failure.get_or_insert_with(|| failure::followed(exchange.timing.status));
            }
        }
    }
}
