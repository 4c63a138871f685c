//! The turns of conversations: an answer is read, and the next request is made of it, before that request is due.
//!
//! A slot hands its exchange to a thread of its own for this and waits for the next turn. So neither the plugin nor
//! anything else than the time between two turns is on a measuring thread.

use crate::reading::Reader;
use crate::stop_signal::{Level, StopSignal};
use crate::workload::{Continued, Dialogue};
use aiperf_model::record::{Exchange, Record};
use aiperf_model::response::Response;
use std::sync::mpsc::{Receiver, Sender, SyncSender};
use tokio::sync::oneshot;

/// One turn that has ended.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) exchange: Exchange,
    pub(crate) dialogue: Dialogue,
    /// Who waits for the next turn; none after the last one.
    pub(crate) next: Option<oneshot::Sender<Option<Continued>>>,
}

/// The slot's end: one of the threads that read the turns.
pub(crate) type TurnSender = Sender<Turn>;

/// Reads turns and makes the ones that follow.
pub(crate) struct TurnReader<'a> {
    pub(crate) turns: Receiver<Turn>,
    pub(crate) reader: Reader<'a>,
    pub(crate) stop_signal: &'a StopSignal,
}

impl TurnReader<'_> {
    /// Reads turns until no more come.
    pub(crate) fn run(&self, records: &SyncSender<Vec<Record>>) {
        for Turn { exchange, dialogue, next } in &self.turns {
            let count_input = || dialogue.count_input_tokens(self.reader.workload);
            let (record, response) = self.reader.read(&exchange, dialogue.asked, &count_input);
            if let Some(next) = next {
                let continued = response.and_then(|response| self.next_turn(dialogue, &response));
                // The slot is gone only if the run has failed already.
                let _ = next.send(continued);
            }
            // Nobody takes records any more only if the run has failed already.
            let _ = records.send(vec![record]);
        }
    }

    fn next_turn(&self, dialogue: Dialogue, response: &Response) -> Option<Continued> {
        if self.stop_signal.is_stopped() {
            return None;
        }
        let text: String = response.chunks.iter().filter_map(|chunk| chunk.text.as_deref()).collect();
        let answer = Some(text).filter(|text| !text.is_empty());
        let Reader { workload, endpoint, .. } = self.reader;
        let continued = workload.next_turn(endpoint, dialogue, answer);
        if continued.is_none() {
            self.stop_signal.stop(Level::Abort);
        }
        continued
    }
}
