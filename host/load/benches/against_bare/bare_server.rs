//! A server that answers each request with the same bytes, on a thread of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

pub(crate) struct BareServer {
    pub(crate) address: SocketAddr,
}

impl BareServer {
    /// Serves streams of so many tokens for the rest of the process.
    pub(crate) fn start(tokens: usize) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let response: Arc<[u8]> = response(tokens).into();
        thread::spawn(move || {
            Builder::new_current_thread().enable_io().build().unwrap().block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&response)));
                }
            });
        });
        Self { address }
    }
}

async fn serve(mut stream: TcpStream, response: Arc<[u8]>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    while stream.read_buf(&mut buffer).await? > 0 {
        if request_length(&buffer).is_some_and(|length| buffer.len() >= length) {
            buffer.clear();
            stream.write_all(&response).await?;
        }
    }
    Ok(())
}

/// How long the request at the start of the buffer is, once its head is there.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let head_end = memchr::memmem::find(buffer, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(buffer.get(..head_end)?).ok()?;
    let length = head.split("content-length: ").nth(1)?.split("\r\n").next()?;
    Some(head_end + length.parse::<usize>().ok()?)
}

fn response(tokens: usize) -> Vec<u8> {
    let mut response =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let token = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"model","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}"#;
    let usage = format!(
        r#"{{"id":"chatcmpl-1","choices":[],"usage":{{"prompt_tokens":100,"completion_tokens":{tokens}}}}}"#
    );
    let events = std::iter::repeat_n(token, tokens).chain([usage.as_str(), "[DONE]"]);
    for event in events {
        let data = format!("data: {event}\n\n");
        response.extend_from_slice(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes());
    }
    response.extend_from_slice(b"0\r\n\r\n");
    response
}
