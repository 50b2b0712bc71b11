//! As little WebSocket as a load generator needs: the processor is for the server.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::Result;
use crate::client::find;

/// Where text frames are read.
pub(crate) struct Reader {
    stream: OwnedReadHalf,
    buffer: Vec<u8>,
    /// How much of the buffer was given out.
    used: usize,
}

/// Where text frames are written.
pub(crate) struct Writer(OwnedWriteHalf);

/// Opens a socket at a path.
pub(crate) async fn open(address: SocketAddr, path: &str) -> Result<(Reader, Writer)> {
    open_over(TcpStream::connect(address).await?, path).await
}

/// The same over a connection that is there.
pub(crate) async fn open_over(mut stream: TcpStream, path: &str) -> Result<(Reader, Writer)> {
    let address = stream.peer_addr()?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut buffer = Vec::with_capacity(1024);
    let end = loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        if let Some(end) = find(&buffer, b"\r\n\r\n") {
            break end + 4;
        }
    };
    if !buffer.starts_with(b"HTTP/1.1 101 ") {
        return Err(String::from_utf8_lossy(&buffer).into());
    }
    buffer.drain(..end);
    let (read, write) = stream.into_split();
    let reader = Reader {
        stream: read,
        buffer,
        used: 0,
    };
    Ok((reader, Writer(write)))
}

impl Reader {
    /// The payload of the next text frame. Pings are passed over: nobody is here that long.
    pub(crate) async fn next(&mut self) -> Result<&[u8]> {
        loop {
            let rest = &self.buffer[self.used..];
            if let Some((opcode, start, length)) = header(rest)
                && rest.len() >= start + length
            {
                let payload = self.used + start..self.used + start + length;
                self.used = payload.end;
                match opcode {
                    1 => return Ok(&self.buffer[payload]),
                    8 => return Err("the server closed the socket".into()),
                    _ => continue,
                }
            }
            self.buffer.drain(..self.used);
            self.used = 0;
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }
}

/// The opcode of the frame that begins here, where its payload begins, and how long that is.
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let opcode = bytes.first()? & 0x0f;
    Some(match bytes.get(1)? {
        126 => {
            let length = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
            (opcode, 4, length.into())
        }
        127 => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            (opcode, 10, usize::try_from(length).ok()?)
        }
        length => (opcode, 2, (*length).into()),
    })
}

impl Writer {
    /// Sends a text.
    pub(crate) async fn send(&mut self, text: &str) -> Result<()> {
        let mut frame = Vec::with_capacity(text.len() + 8);
        frame.push(0x81);
        match u8::try_from(text.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                frame.push(0xfe);
                frame.extend(u16::try_from(text.len())?.to_be_bytes());
            }
        }
        // A client masks what it sends; with zeros the masked text is the text.
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).await?;
        Ok(())
    }
}
