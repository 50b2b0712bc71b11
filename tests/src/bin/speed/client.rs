//! As little HTTP/1.1 as a load generator needs: the processor is for the server.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

/// One connection that is kept alive.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// Sends a whole request and gives the body of the answer, which must be a 200.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (start, length) = loop {
            self.read().await?;
            if let Some(start) = find(&self.buffer, b"\r\n\r\n") {
                break (start + 4, content_length(&self.buffer[..start])?);
            }
        };
        while self.buffer.len() < start + length {
            self.read().await?;
        }
        if self.buffer.starts_with(b"HTTP/1.1 200 ") {
            Ok(&self.buffer[start..])
        } else {
            Err(String::from_utf8_lossy(&self.buffer).into())
        }
    }

    async fn read(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }
}

/// Where `needle` begins.
pub(crate) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}

fn content_length(head: &[u8]) -> Result<usize> {
    let name = b"\r\ncontent-length: ";
    let start = find(head, name).ok_or("an answer without a length")? + name.len();
    let digits = head[start..].split(|byte| *byte == b'\r').next();
    Ok(std::str::from_utf8(digits.unwrap_or_default())?.parse()?)
}
