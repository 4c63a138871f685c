//! How many connections this process may have open, which the operating system limits along with its files.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a process needs open beside its connections: files, threads, plugins.
const OTHER_FILES: u64 = 64;

/// More than any process here needs; some systems name no limit and still refuse to be asked for so many.
const ENOUGH: u64 = 1 << 20;

/// Room for connections. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Sockets {
    /// None where nothing is known of a limit.
    room: Option<(Arc<Semaphore>, u64)>,
}

/// The place of one connection.
#[derive(Debug)]
pub(crate) struct ConnectionPermit(
    #[expect(dead_code, reason = "held for as long as the connection")] Option<OwnedSemaphorePermit>,
);

impl Sockets {
    /// The room of this process. Where the server is part of it, each connection has both its ends here.
    #[must_use]
    pub fn of_this_process(holds_server: bool) -> Self {
        let files_each = if holds_server { 2 } else { 1 };
        let room = file_limit().map(|limit| limit.saturating_sub(OTHER_FILES) / files_each);
        room.map(Self::with_room).unwrap_or_default()
    }

    /// Room for so many connections.
    #[must_use]
    pub fn with_room(most: u64) -> Self {
        Self { room: Some((Arc::new(Semaphore::new(most.min(ENOUGH) as usize)), most)) }
    }

    /// How many connections there is room for in all, if that is known.
    #[must_use]
    pub fn most(&self) -> Option<u64> {
        self.room.as_ref().map(|(_, most)| *most)
    }

    /// Room for one more connection, or how many there are already.
    pub(crate) fn place(&self) -> Result<ConnectionPermit, u64> {
        let Some((free, most)) = &self.room else { return Ok(ConnectionPermit(None)) };
        Arc::clone(free).try_acquire_owned().map(|permit| ConnectionPermit(Some(permit))).map_err(|_| *most)
    }
}

/// How many files have to be allowed for so many connections.
#[must_use]
pub fn files_for(connections: u64, holds_server: bool) -> u64 {
    connections * if holds_server { 2 } else { 1 } + OTHER_FILES
}

/// Lets this process have as many files open as the system allows its user.
pub fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(ENOUGH).min(ENOUGH);
        if current.is_some_and(|current| current < wanted) {
            // Where it is refused the limit stays, and is told when it is too low.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        }
    }
}

/// How many files this process may have open.
fn file_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        rustix::process::getrlimit(rustix::process::Resource::Nofile).current
    }
    #[cfg(not(unix))]
    {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_as_many_as_fit() {
        let sockets = Sockets::with_room(2);
        let both = [sockets.place().unwrap(), sockets.clone().place().unwrap()];
        assert_eq!(sockets.place().unwrap_err(), 2);
        drop(both);
        sockets.place().unwrap();
        assert_eq!(Sockets::default().most(), None);
        Sockets::default().place().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_server_in_the_process_takes_half_of_the_room() {
        let (alone, together) = (Sockets::of_this_process(false), Sockets::of_this_process(true));
        assert_eq!(alone.most().unwrap() / 2, together.most().unwrap());
        assert_eq!((files_for(100, false), files_for(100, true)), (164, 264));
    }
}
