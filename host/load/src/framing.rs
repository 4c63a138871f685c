//! Splits a response into events, as its bytes arrive.
//!
//! The format is that of server-sent events in the HTML standard (section 9.2.6): lines end in LF, CR LF or CR; a
//! blank line ends an event; `data` lines are joined by LF; comments and unknown fields are dropped. Unlike a
//! browser, an event that the end of the response completes is kept. What is in the data is not looked at.
//!
//! Whether a response is a stream at all follows from its first bytes, since servers and proxies send streams under
//! any content type, and refusals in JSON under that of a stream.

use aiperf_model::record::EventMark;
use memchr::memchr2;

/// What was received of a response: bytes in one buffer, and where the events are in it.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) buffer: Vec<u8>,
    pub(crate) events: Vec<EventMark>,
    /// Whether it came as a stream of events.
    pub(crate) streamed: bool,
    /// How the server encoded it, which nobody asked for, if it did.
    pub(crate) encoding: Option<String>,
    /// The HTTP status, once the response has begun.
    pub(crate) status: Option<u16>,
    /// Where the server sends us to, if it does.
    pub(crate) location: Option<String>,
    /// After how many seconds the server wants to be asked again, if it said so.
    pub(crate) retry_after: Option<u64>,
}

impl Received {
    /// Room for a response like an earlier one, so that the buffers seldom have to grow.
    pub(crate) fn with_capacity(bytes: usize, events: usize) -> Self {
        Self { buffer: Vec::with_capacity(bytes), events: Vec::with_capacity(events), ..Self::default() }
    }

    /// Keeps no more than that a response has begun.
    pub(crate) fn forget_body(&mut self) {
        *self = Self { status: self.status, streamed: self.streamed, ..Self::default() };
    }

    fn mark(&self, name: (u32, u32), data_start: u32, data_end: u32, at: u64) -> EventMark {
        debug_assert!(self.buffer.len() >= data_end as usize);
        EventMark { name, data: (data_start, data_end), at }
    }

    fn position(&self) -> u32 {
        self.buffer.len() as u32
    }
}

/// Reads one response.
#[derive(Debug)]
pub(crate) enum Framing {
    /// A response of which too little has come to tell.
    Open(Opening),
    /// A stream of events.
    Events(EventStream),
    /// A body that is one event.
    Whole,
}

impl Framing {
    /// Of a response that is a stream or is not, as its first bytes say; where they say nothing, as it was `declared`.
    pub(crate) fn told_by_content(declared: bool) -> Self {
        Self::Open(Opening { declared, held: Vec::new() })
    }

    /// Takes the bytes of a read that returned at `at`.
    pub(crate) fn push(&mut self, bytes: &[u8], at: u64, received: &mut Received) {
        match self {
            Self::Open(opening) => match opening.take(bytes) {
                None => opening.held.extend_from_slice(bytes),
                Some(streamed) => {
                    let held = std::mem::take(&mut opening.held);
                    *self = Self::decided(streamed, received);
                    self.push(&held, at, received);
                    self.push(bytes, at, received);
                }
            },
            Self::Events(stream) => stream.push(bytes, at, received),
            Self::Whole => received.buffer.extend_from_slice(bytes),
        }
    }

    fn decided(streamed: bool, received: &mut Received) -> Self {
        received.streamed = streamed;
        if streamed { Self::Events(EventStream::default()) } else { Self::Whole }
    }

    /// The response has ended; its last read returned at `at`.
    pub(crate) fn finish(self, at: u64, received: &mut Received) {
        match self {
            Self::Open(Opening { declared, held }) => {
                let mut framing = Self::decided(declared, received);
                framing.push(&held, at, received);
                framing.finish(at, received);
            }
            Self::Events(stream) => stream.finish(received),
            Self::Whole => {
                let end = received.position();
                received.events.push(received.mark((end, end), 0, end, at));
            }
        }
    }
}

/// The beginning of a response.
#[derive(Debug)]
pub(crate) struct Opening {
    /// Whether its head calls it a stream of events.
    declared: bool,
    /// What came without telling, shorter than the longest of [`STREAM_STARTS`].
    held: Vec<u8>,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// What a stream of events may begin with, beside blank lines.
const STREAM_STARTS: [&[u8]; 5] = [b":", b"data:", b"event:", b"id:", b"retry:"];

impl Opening {
    /// Whether the response is a stream, once what is held and these bytes tell.
    fn take(&self, bytes: &[u8]) -> Option<bool> {
        if self.held.is_empty() {
            return self.tell(bytes);
        }
        self.tell(&[self.held.as_slice(), bytes].concat())
    }

    fn tell(&self, start: &[u8]) -> Option<bool> {
        let start = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
        if BYTE_ORDER_MARK.starts_with(start) {
            return None;
        }
        if self.declared {
            // No line of a stream that means anything begins like JSON.
            return Some(!start.starts_with(b"{") && !start.starts_with(b"["));
        }
        if STREAM_STARTS.iter().any(|stream| start.starts_with(stream)) {
            return Some(true);
        }
        let may_become_one = STREAM_STARTS.iter().any(|stream| stream.starts_with(start));
        (!may_become_one).then_some(false)
    }
}

/// The state between two reads of an event stream.
#[derive(Debug, Default)]
pub(crate) struct EventStream {
    /// The line that has begun, if a read ended within it.
    line: Vec<u8>,
    /// Whether a LF would belong to the CR before it.
    after_carriage_return: bool,
    /// Whether a line was read; before the first one a byte order mark may stand.
    begun: bool,
    /// Where the data of the event begins in the buffer, once it has a `data` field.
    data_start: Option<u32>,
    /// The name of the event.
    name: Vec<u8>,
    /// The time of the last read that brought bytes.
    last_read: u64,
}

impl EventStream {
    fn push(&mut self, mut bytes: &[u8], at: u64, received: &mut Received) {
        if self.after_carriage_return && !bytes.is_empty() {
            self.after_carriage_return = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        if !bytes.is_empty() {
            self.last_read = at;
        }
        while let Some(end) = memchr2(b'\n', b'\r', bytes) {
            let (line, rest) = bytes.split_at(end);
            self.end_line(line, received);
            bytes = match rest {
                [b'\r'] => {
                    self.after_carriage_return = true;
                    &[]
                }
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        self.line.extend_from_slice(bytes);
    }

    fn finish(mut self, received: &mut Received) {
        if !self.line.is_empty() {
            self.end_line(b"", received);
        }
        self.end_event(received);
    }

    /// Takes the end of a line, which may have begun in an earlier read.
    fn end_line(&mut self, end: &[u8], received: &mut Received) {
        if self.line.is_empty() {
            self.read_line(end, received);
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(end);
            self.read_line(&line, received);
            line.clear();
            self.line = line;
        }
    }

    fn read_line(&mut self, mut line: &[u8], received: &mut Received) {
        if !self.begun {
            self.begun = true;
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            self.end_event(received);
        } else if let Some(value) = field(line, b"data") {
            if self.data_start.is_none() {
                self.data_start = Some(received.position());
            } else {
                received.buffer.push(b'\n');
            }
            received.buffer.extend_from_slice(value);
        } else if let Some(value) = field(line, b"event") {
            self.name.clear();
            self.name.extend_from_slice(value);
        }
    }

    fn end_event(&mut self, received: &mut Received) {
        if let Some(start) = self.data_start.take() {
            let end = received.position();
            received.buffer.extend_from_slice(&self.name);
            let name = (end, received.position());
            received.events.push(received.mark(name, start, end, self.last_read));
        }
        self.name.clear();
    }
}

/// The value of a line that has this field: what stands behind the colon and at most one space.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match line.strip_prefix(name)? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Event = (String, String, u64);

    /// The events of a stream whose reads have these bytes; read i returns at time i.
    fn events(reads: &[&[u8]]) -> Vec<Event> {
        let mut framing = Framing::Events(EventStream::default());
        let mut received = Received::default();
        for (at, bytes) in (0..).zip(reads) {
            framing.push(bytes, at, &mut received);
        }
        framing.finish(reads.len() as u64, &mut received);
        let text = |(start, end): (u32, u32)| {
            String::from_utf8(received.buffer[start as usize..end as usize].to_vec()).unwrap()
        };
        received.events.iter().map(|event| (text(event.name), text(event.data), event.at)).collect()
    }

    fn event(name: &str, data: &str, at: u64) -> Event {
        (name.into(), data.into(), at)
    }

    #[test]
    fn an_event_is_what_the_standard_says() {
        for (stream, expected) in [
            ("", vec![]),
            ("data: a\n\n", vec![event("", "a", 0)]),
            ("data:a\r\n\r\n", vec![event("", "a", 0)]),
            ("data:  a\r\r", vec![event("", " a", 0)]),
            ("data: a\ndata:b\ndata\n\n", vec![event("", "a\nb\n", 0)]),
            ("event: x\ndata: a\n\ndata: b\n\n", vec![event("x", "a", 0), event("", "b", 0)]),
            ("data: a\nevent:x\n\n", vec![event("x", "a", 0)]),
            ("event: x\n\ndata: b\n\n", vec![event("", "b", 0)]),
            (":\n\n: ping\n\ndata: a\nid: 1\nretry: 2\nother\n\n", vec![event("", "a", 0)]),
            ("database: no\n\ndata: a\n\n", vec![event("", "a", 0)]),
            ("\n\n\ndata:\n\n", vec![event("", "", 0)]),
            ("\u{FEFF}data: a\n\n", vec![event("", "a", 0)]),
            ("data: a\n\ndata: b", vec![event("", "a", 0), event("", "b", 0)]),
            ("data: a\n\ndata: b\n", vec![event("", "a", 0), event("", "b", 0)]),
        ] {
            assert_eq!(events(&[stream.as_bytes()]), expected, "{stream:?}");
        }
    }

    #[test]
    fn an_event_has_the_time_of_the_read_that_completed_it() {
        let reads: [&[u8]; 7] = [b"data: a", b"\n", b"\ndata: b\r", b"\n\r", b"\n", b"data: c", b" d"];
        assert_eq!(events(&reads), [event("", "a", 2), event("", "b", 3), event("", "c d", 6)]);
    }

    #[test]
    fn a_whole_body_is_one_event() {
        let mut framing = Framing::Whole;
        let mut received = Received::default();
        framing.push(b"data: ", 1, &mut received);
        framing.push(b"a\n\n", 2, &mut received);
        framing.finish(2, &mut received);
        assert_eq!(received.buffer, b"data: a\n\n");
        assert_eq!(received.events, [EventMark { name: (9, 9), data: (0, 9), at: 2 }]);
    }

    /// Whether reads make a stream, and its events or the body.
    fn told(declared: bool, reads: &[&[u8]]) -> (bool, Vec<String>) {
        let mut framing = Framing::told_by_content(declared);
        let mut received = Received::default();
        for (at, bytes) in (0..).zip(reads) {
            framing.push(bytes, at, &mut received);
        }
        framing.finish(reads.len() as u64, &mut received);
        let text = |event: &EventMark| {
            let (start, end) = event.data;
            String::from_utf8(received.buffer[start as usize..end as usize].to_vec()).unwrap()
        };
        (received.streamed, received.events.iter().map(text).collect())
    }

    #[test]
    fn the_first_bytes_tell_a_stream_whatever_it_was_declared_as_and_however_it_is_cut() {
        const STREAM: &[&str] = &["a"];
        for (declared, body, streamed, events) in [
            (false, "data: a\n\n", true, STREAM),
            (false, "\u{FEFF}data: a\r\r", true, STREAM),
            (false, ": hello\n\ndata: a\n\n", true, STREAM),
            (false, "event: x\ndata: a\n\n", true, STREAM),
            (false, "id: 1\ndata: a\n\n", true, STREAM),
            (true, "\n\ndata: a\n\n", true, STREAM),
            (true, "datum: 1\ndata: a\n\n", true, STREAM),
            (true, "", true, &[]),
            (true, "\u{FEFF}", true, &[]),
            (true, "{\"error\":1}", false, &["{\"error\":1}"]),
            (true, "[1]", false, &["[1]"]),
            (false, "{\"data\":1}", false, &["{\"data\":1}"]),
            (false, "database", false, &["database"]),
            (false, "da", false, &["da"]),
            (false, "\u{FEFF}{}", false, &["\u{FEFF}{}"]),
            (false, "", false, &[""]),
        ] {
            let bytes = body.as_bytes();
            let expected = (streamed, events.iter().map(|event| (*event).to_owned()).collect());
            for cut in 0..=bytes.len() {
                let (first, second) = bytes.split_at(cut);
                assert_eq!(told(declared, &[first, second]), expected, "{body:?} cut at {cut}");
            }
            let single: Vec<_> = bytes.chunks(1).collect();
            assert_eq!(told(declared, &single), expected, "{body:?} byte by byte");
        }
    }

    /// Streams made of what matters to the format, with many line ends.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just("\n"),
            Just("\r"),
            Just("\r\n"),
            Just("\n\n"),
            Just("data: "),
            Just("data:"),
            Just("event: "),
            Just(":"),
            Just(" "),
            Just("id: 7"),
            Just("{\"a\":1}"),
            Just("[DONE]"),
            Just("ä"),
            Just("\u{FEFF}"),
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(bytes in stream(), splits in proptest::collection::vec(0usize..200, 0..12)) {
            let mut cuts: Vec<_> = splits.into_iter().map(|cut| cut % (bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let reads: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let split = events(&reads);
            let without_times = |events: &[Event]| {
                events.iter().map(|(name, data, _)| (name.clone(), data.clone())).collect::<Vec<_>>()
            };
            prop_assert_eq!(without_times(&split), without_times(&events(&[&bytes])));
            // Byte by byte, a time is the position of the byte that completed the event.
            let single: Vec<_> = bytes.chunks(1).collect();
            let mut ends = vec![];
            let mut end = 0;
            for read in &reads {
                end += read.len() as u64;
                ends.push(end);
            }
            for ((_, _, read), (_, _, byte)) in split.iter().zip(events(&single)) {
                let completing = ends.iter().position(|end| *end > byte).unwrap() as u64;
                prop_assert_eq!(*read, completing);
            }
        }
    }
}
