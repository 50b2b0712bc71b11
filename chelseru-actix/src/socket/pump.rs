//! Moves frames between a client and its connection in core, as the body of the answer to the handshake.
//!
//! It has no task and no queue of its own: actix asks for the next bytes when those before have gone, so a
//! client that does not read costs what is in the buffers and nobody's time.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_http::Payload;
use actix_http::ws::{CloseCode, CloseReason, OpCode, Parser};
use actix_web::body::{BodySize, MessageBody};
use actix_web::rt::time::{Sleep, sleep};
use actix_web::web::{Bytes, BytesMut};
use chelseru_core::Timestamp;
use chelseru_core::chat::{Connection, Received, Step};
use futures_util::Stream;

use super::reader::{Incoming, Reader};

/// How many bytes are given to actix at once.
const CHUNK: usize = 32 * 1024;

/// How many frames are read before others on this thread have their turn.
const FRAMES_A_TURN: usize = 64;

pub(super) struct Pump {
    connection: Connection,
    payload: Payload,
    reader: Reader,
    outgoing: BytesMut,
    timer: Pin<Box<Sleep>>,
    /// For which deadline the timer is set.
    timed_for: Option<Timestamp>,
    is_over: bool,
}

impl Pump {
    pub(super) fn new(connection: Connection, payload: Payload, max_frame_bytes: usize) -> Self {
        Self {
            timer: Box::pin(sleep(connection.time_to_deadline())),
            timed_for: Some(connection.next_deadline()),
            connection,
            payload,
            reader: Reader::new(max_frame_bytes),
            outgoing: BytesMut::new(),
            is_over: false,
        }
    }

    /// Takes in what has come. Whether the client is still there.
    fn read(&mut self, context: &mut Context<'_>) -> bool {
        let mut frames = 0;
        while self.connection.wants_input() && self.outgoing.len() < CHUNK {
            if frames == FRAMES_A_TURN {
                context.waker().wake_by_ref();
                return true;
            }
            if let Some(incoming) = self.reader.next() {
                frames += 1;
                self.take(incoming);
                continue;
            }
            match Pin::new(&mut self.payload).poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => self.reader.add(bytes),
                Poll::Ready(Some(Err(_)) | None) => return false,
                Poll::Pending => return true,
            }
        }
        true
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Text(text) => self.connection.receive(Received::Text(&text)),
            Incoming::Binary => self.connection.receive(Received::Binary),
            Incoming::Pong | Incoming::Part => self.connection.receive(Received::Sign),
            Incoming::Ping(bytes) => {
                self.write(OpCode::Pong, bytes);
                self.connection.receive(Received::Sign);
            }
            Incoming::Close => self.connection.receive(Received::Close),
            Incoming::TooBig => self.connection.receive(Received::TooBig),
            Incoming::Malformed => self.finish(CloseCode::Protocol, "not the WebSocket protocol"),
        }
    }

    fn write(&mut self, code: OpCode, payload: impl AsRef<[u8]>) {
        Parser::write_message(&mut self.outgoing, payload, code, true, false);
    }

    fn finish(&mut self, code: CloseCode, description: &str) {
        let description = (!description.is_empty()).then(|| description.to_owned());
        let reason = CloseReason { code, description };
        Parser::write_close(&mut self.outgoing, Some(reason), false);
        self.is_over = true;
    }

    /// Gathers what is to be sent.
    fn fill(&mut self, context: &mut Context<'_>) {
        while !self.is_over && self.outgoing.len() < CHUNK {
            match self.connection.poll_step(context) {
                Poll::Ready(Step::Send(text)) => self.write(OpCode::Text, text),
                Poll::Ready(Step::Ping) => self.write(OpCode::Ping, []),
                Poll::Ready(Step::Close(close)) => {
                    self.finish(CloseCode::from(close.code()), close.reason());
                }
                Poll::Pending => return,
            }
        }
    }

    /// Whether a deadline has come.
    fn is_due(&mut self, context: &mut Context<'_>) -> bool {
        let deadline = self.connection.next_deadline();
        if self.timed_for != Some(deadline) {
            self.timed_for = Some(deadline);
            self.timer = Box::pin(sleep(self.connection.time_to_deadline()));
        }
        let is_due = self.timer.as_mut().poll(context).is_ready();
        if is_due {
            self.timed_for = None;
        }
        is_due
    }
}

impl MessageBody for Pump {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let pump = &mut *self;
        loop {
            if !pump.is_over && !pump.read(context) {
                return Poll::Ready(None);
            }
            let was_full = !pump.connection.wants_input();
            pump.fill(context);
            if !pump.outgoing.is_empty() {
                let bytes = std::mem::take(&mut pump.outgoing).freeze();
                return Poll::Ready(Some(Ok(bytes)));
            }
            if pump.is_over {
                return Poll::Ready(None);
            }
            let reads_again = was_full && pump.connection.wants_input();
            if !reads_again && !pump.is_due(context) {
                return Poll::Pending;
            }
        }
    }
}
