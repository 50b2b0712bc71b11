//! Reading a client's frames: each is refused by its length before it is there, and fragments are put
//! together within the same length.

use actix_http::ws::{OpCode, Parser};
use actix_web::web::{Bytes, BytesMut};
use bytestring::ByteString;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Text(ByteString),
    Binary,
    Ping(Bytes),
    Pong,
    /// A fragment that is not the last.
    Part,
    Close,
    /// Longer than a frame may be.
    TooBig,
    /// Not the protocol.
    Malformed,
}

#[derive(Debug)]
pub(super) struct Reader {
    buffer: BytesMut,
    parts: Option<Parts>,
    max_bytes: usize,
}

#[derive(Debug)]
struct Parts {
    is_text: bool,
    bytes: BytesMut,
}

impl Reader {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            parts: None,
            max_bytes,
        }
    }

    pub(super) fn add(&mut self, bytes: Bytes) {
        if self.buffer.is_empty() {
            self.buffer = bytes.into();
        } else {
            self.buffer.extend_from_slice(&bytes);
        }
    }

    /// The next frame, if it is there. After one that is too big or malformed nothing can be read.
    pub(super) fn next(&mut self) -> Option<Incoming> {
        if announced_length(&self.buffer).is_some_and(|length| length > self.max_bytes as u64) {
            return Some(Incoming::TooBig);
        }
        let (is_last, code, payload) = match Parser::parse(&mut self.buffer, true, self.max_bytes) {
            Ok(frame) => frame?,
            Err(_) => return Some(Incoming::Malformed),
        };
        if self.buffer.is_empty() {
            // Nothing is kept for who says nothing.
            self.buffer = BytesMut::new();
        }
        let payload = payload.unwrap_or_default();
        Some(match (code, is_last) {
            (OpCode::Text | OpCode::Binary, _) if self.parts.is_some() => Incoming::Malformed,
            (OpCode::Text, true) => text(payload),
            (OpCode::Binary, true) => Incoming::Binary,
            (OpCode::Text | OpCode::Binary, false) => {
                let is_text = code == OpCode::Text;
                self.parts = Some(Parts {
                    is_text,
                    bytes: payload,
                });
                Incoming::Part
            }
            (OpCode::Continue, _) => self.part(&payload, is_last),
            (OpCode::Ping, true) => Incoming::Ping(payload.freeze()),
            (OpCode::Pong, true) => Incoming::Pong,
            (OpCode::Close, true) => match Parser::try_parse_close_payload(&payload) {
                Ok(_) => Incoming::Close,
                Err(_) => Incoming::Malformed,
            },
            (OpCode::Ping | OpCode::Pong | OpCode::Close, false) | (OpCode::Bad, _) => {
                Incoming::Malformed
            }
        })
    }

    fn part(&mut self, payload: &[u8], is_last: bool) -> Incoming {
        let Some(parts) = &mut self.parts else {
            return Incoming::Malformed;
        };
        if parts.bytes.len() + payload.len() > self.max_bytes {
            return Incoming::TooBig;
        }
        parts.bytes.extend_from_slice(payload);
        if !is_last {
            return Incoming::Part;
        }
        match self.parts.take() {
            Some(Parts {
                is_text: true,
                bytes,
            }) => text(bytes),
            _ => Incoming::Binary,
        }
    }
}

fn text(bytes: BytesMut) -> Incoming {
    ByteString::try_from(bytes.freeze()).map_or(Incoming::Malformed, Incoming::Text)
}

/// How long the payload of the frame will be whose head is there (RFC 6455, section 5.2). The parser would
/// wait for all of it.
fn announced_length(head: &[u8]) -> Option<u64> {
    match head.get(1)? & 0x7f {
        126 => head
            .get(2..4)?
            .try_into()
            .ok()
            .map(u16::from_be_bytes)
            .map(u64::from),
        127 => head.get(2..10)?.try_into().ok().map(u64::from_be_bytes),
        length => Some(length.into()),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;

    use super::{Incoming, Reader};

    /// A frame with this first byte, masked with zeros.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        assert!(length < 126, "a short frame");
        let mut frame = vec![first, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        frame
    }

    fn read(max_bytes: usize, frames: &[Vec<u8>]) -> Vec<Incoming> {
        let mut reader = Reader::new(max_bytes);
        reader.add(Bytes::from(frames.concat()));
        std::iter::from_fn(|| reader.next())
            .take(frames.len())
            .collect()
    }

    #[test]
    fn frames_are_read_one_after_the_other_however_they_arrive() {
        let bytes = [frame(0x81, b"{}"), frame(0x89, b"p"), frame(0x82, b"b")].concat();
        let mut reader = Reader::new(100);
        let mut incoming = Vec::new();
        for byte in bytes {
            reader.add(Bytes::copy_from_slice(&[byte]));
            incoming.extend(reader.next());
        }
        let ping = Incoming::Ping(Bytes::from_static(b"p"));
        assert_eq!(
            incoming,
            [Incoming::Text("{}".into()), ping, Incoming::Binary]
        );
    }

    #[test]
    fn fragments_are_one_frame_and_signs_may_come_between() {
        let frames = [
            frame(0x01, b"a"),
            frame(0x8a, b""),
            frame(0x00, b"b"),
            frame(0x80, b"c"),
        ];
        let text = Incoming::Text("abc".into());
        let expected = [Incoming::Part, Incoming::Pong, Incoming::Part, text];
        assert_eq!(read(3, &frames), expected);
    }

    #[test]
    fn fragments_together_are_no_longer_than_a_frame() {
        let frames = [frame(0x01, b"ab"), frame(0x00, b"cd")];
        assert_eq!(read(3, &frames), [Incoming::Part, Incoming::TooBig]);
    }

    #[test]
    fn a_frame_that_announces_too_much_is_refused_before_it_comes() {
        for head in [
            vec![0x81, 0x80 | 4],
            vec![0x81, 0xfe, 0xff, 0xff],
            vec![0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0],
            vec![0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(read(3, &[head]), [Incoming::TooBig]);
        }
    }

    #[test]
    fn what_is_not_the_protocol_is_malformed() {
        for frames in [
            vec![frame(0x80, b"alone")],
            vec![frame(0x83, b"")],
            vec![frame(0xc1, b"compressed")],
            vec![frame(0x09, b"a ping in parts")],
            vec![frame(0x81, &[0xff, 0xfe])],
            vec![frame(0x88, &[1])],
            vec![vec![0x81, 0x00]],
        ] {
            let last = read(100, &frames).pop();
            assert_eq!(last, Some(Incoming::Malformed), "{frames:02x?}");
        }
        let interleaved = [frame(0x01, b"a"), frame(0x81, b"b")];
        assert_eq!(read(100, &interleaved)[1], Incoming::Malformed);
    }
}
