//! Writes an answer over a connection that has left HTTP, and closes it behind.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_codec::{AsyncRead, AsyncWrite, Encoder as _};
use actix_http::ConnectionType;
use actix_http::h1::{Codec, Message};
use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::dev::Response;
use actix_web::rt::time::{Sleep, sleep};
use actix_web::web::BytesMut;

use super::line::Line;

/// How long a client has to close after us. A connection that is closed while something of the client is
/// unread is reset, and the client may never see our last bytes.
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// How much waits for the client before the answer is asked for no more.
const MOST_UNSENT: usize = 32 * 1024;

pub(super) struct Relay<T> {
    line: Line<T>,
    codec: Codec,
    unsent: BytesMut,
    stage: Stage,
}

enum Stage {
    Beginning(Response<()>, BoxBody),
    Answering(BoxBody),
    /// All has been asked for, not all has gone.
    Finishing,
    /// The client has everything and is to close.
    Lingering(Pin<Box<Sleep>>),
}

impl<T: AsyncRead + AsyncWrite + Unpin> Relay<T> {
    /// `unsent` goes before the answer: it belongs to requests that came earlier.
    pub(super) fn new(
        line: Line<T>,
        codec: Codec,
        unsent: BytesMut,
        answer: Response<BoxBody>,
    ) -> Self {
        let (head, body) = answer.into_parts();
        Self {
            line,
            codec,
            unsent,
            stage: Stage::Beginning(head, body),
        }
    }

    /// Gathers what is to be sent. Whether the answer has more, but not yet.
    fn fill(&mut self, context: &mut Context<'_>) -> io::Result<bool> {
        while self.unsent.len() < MOST_UNSENT {
            match std::mem::replace(&mut self.stage, Stage::Finishing) {
                Stage::Beginning(mut head, body) => {
                    if !head.upgrade() {
                        // Nobody knows where another request would begin.
                        head.head_mut().set_connection_type(ConnectionType::Close);
                    }
                    self.write(Message::Item((head, body.size())))?;
                    self.stage = Stage::Answering(body);
                }
                Stage::Answering(mut body) => match Pin::new(&mut body).poll_next(context) {
                    Poll::Ready(Some(chunk)) => {
                        let chunk = chunk.map_err(|error| io::Error::other(error.to_string()))?;
                        self.write(Message::Chunk(Some(chunk)))?;
                        self.stage = Stage::Answering(body);
                    }
                    Poll::Ready(None) => self.write(Message::Chunk(None))?,
                    Poll::Pending => {
                        self.stage = Stage::Answering(body);
                        return Ok(true);
                    }
                },
                stage => {
                    self.stage = stage;
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    fn write(&mut self, message: Message<(Response<()>, BodySize)>) -> io::Result<()> {
        self.codec.encode(message, &mut self.unsent)
    }

    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let is_waiting = self.fill(context)?;
            ready!(self.line.poll_write(&mut self.unsent, context))?;
            if is_waiting {
                return Poll::Pending;
            }
            match &mut self.stage {
                Stage::Beginning(..) | Stage::Answering(_) => {}
                Stage::Finishing => {
                    ready!(self.line.poll_shutdown(context))?;
                    self.stage = Stage::Lingering(Box::pin(sleep(LINGER)));
                }
                Stage::Lingering(time) => {
                    if time.as_mut().poll(context).is_ready() {
                        return Poll::Ready(Ok(()));
                    }
                    return self.line.poll_discard(context);
                }
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Future for Relay<T> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Err(error) = ready!(self.poll_end(context)) {
            // A client that is gone is nothing that anybody has to look at.
            tracing::debug!(%error, "a connection broke off");
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;
    use std::io;
    use std::pin::Pin;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    use actix_codec::{AsyncRead, AsyncWrite, ReadBuf};
    use actix_http::h1::Codec;
    use actix_web::body::{BodySize, MessageBody};
    use actix_web::dev::Response;
    use actix_web::web::{Bytes, BytesMut};
    use futures_util::Stream as _;

    use super::{MOST_UNSENT, Relay};
    use crate::server::line::Line;

    /// A client that neither reads nor says anything.
    struct Silent;

    impl AsyncRead for Silent {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Silent {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    const PIECE: &[u8] = &[0; 1000];

    /// An answer without an end, and how many bytes of it were asked for.
    struct Endless(Rc<Cell<usize>>);

    impl MessageBody for Endless {
        type Error = Infallible;

        fn size(&self) -> BodySize {
            BodySize::Stream
        }

        fn poll_next(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Bytes, Infallible>>> {
            self.0.set(self.0.get() + PIECE.len());
            Poll::Ready(Some(Ok(Bytes::from_static(PIECE))))
        }
    }

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_reads_is_woken_when_the_connection_ends_and_finds_it_gone() {
        let line = Line::new(Silent);
        let mut incoming = line.incoming(b"before");
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut read = || Pin::new(&mut incoming).poll_next(&mut context);
        assert!(matches!(read(), Poll::Ready(Some(Ok(bytes))) if bytes == "before"));
        assert!(read().is_pending());
        assert!(!woken.0.load(Ordering::Relaxed));
        drop(line);
        assert!(woken.0.load(Ordering::Relaxed));
        assert!(matches!(read(), Poll::Ready(Some(Err(_)))));
    }

    #[actix_web::test]
    async fn of_an_answer_that_nobody_reads_only_so_much_is_kept() {
        let asked = Rc::new(Cell::new(0));
        let answer = Response::ok().set_body(Endless(Rc::clone(&asked)));
        let mut relay = Relay::new(
            Line::new(Silent),
            Codec::default(),
            BytesMut::new(),
            answer.map_into_boxed_body(),
        );
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(Pin::new(&mut relay).poll(&mut context).is_pending());
        }
        assert!(asked.get() > 0, "it was asked for");
        let most = MOST_UNSENT + PIECE.len();
        assert!(asked.get() <= most, "{}", asked.get());
    }
}
