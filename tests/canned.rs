//! A server that gives everybody the same event stream.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Starts it, and tells its URL. Requests whose body is not `expected` get a 400.
pub(crate) fn serve(answer: &'static str, expected: fn(&[u8]) -> bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer_all(stream.unwrap(), answer, expected));
        }
    });
    url
}

fn answer_all(stream: TcpStream, answer: &str, expected: fn(&[u8]) -> bool) {
    let mut reader = BufReader::new(stream);
    while let Some(body) = read_request(&mut reader) {
        let status = if expected(&body) { "200 OK" } else { "400 Bad Request" };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        if reader.get_mut().write_all((head + answer).as_bytes()).is_err() {
            return;
        }
    }
}

/// The body of the next request; none if the connection has ended.
fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut length, mut line) = (0, String::new());
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}
