//! A server that answers each request with the same bytes, on one thread.

use crate::exchange;
use anyhow::Result;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

/// Prints its address and serves streams of so many tokens for the rest of the process.
pub(crate) fn serve(tokens: usize) -> Result<()> {
    let response: Arc<[u8]> = exchange::response(tokens).into();
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(answer(stream, Arc::clone(&response)));
        }
    })
}

async fn answer(mut stream: TcpStream, response: Arc<[u8]>) -> io::Result<()> {
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
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let (_, length) = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    Some(head_end + length.parse::<usize>().ok()?)
}
