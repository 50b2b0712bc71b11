//! A connection that two use: whoever writes the answer owns it, and whoever reads what the client sends
//! goes without once the owner has let it go.

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::{io, mem};

use actix_codec::{AsyncRead, AsyncWrite, ReadBuf};
use actix_http::error::PayloadError;
use actix_http::{BoxedPayloadStream, Payload};
use actix_web::web::{Buf as _, Bytes, BytesMut};
use futures_util::Stream;

/// How much is read at once. It is read onto the stack, so that who waits keeps no buffer.
const READ: usize = 8 * 1024;

/// The owner's end. The connection ends with it.
pub(super) struct Line<T>(Rc<RefCell<Shared<T>>>);

struct Shared<T> {
    /// Gone with the owner.
    stream: Option<T>,
    /// Who waits for the client, to be told of the end.
    reader: Option<Waker>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Line<T> {
    pub(super) fn new(stream: T) -> Self {
        Self(Rc::new(RefCell::new(Shared {
            stream: Some(stream),
            reader: None,
        })))
    }

    /// What the client sends, after what of it was read before.
    pub(super) fn incoming(&self, before: &[u8]) -> Payload
    where
        T: 'static,
    {
        let incoming = Incoming {
            before: Bytes::copy_from_slice(before),
            shared: Rc::clone(&self.0),
        };
        Payload::from(Box::pin(incoming) as BoxedPayloadStream)
    }

    /// Writes all of this, which is then gone.
    pub(super) fn poll_write(
        &self,
        bytes: &mut BytesMut,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.with_stream(|mut stream| {
            while !bytes.is_empty() {
                let written = ready!(stream.as_mut().poll_write(context, bytes))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                bytes.advance(written);
            }
            // Nothing is kept for who says nothing.
            *bytes = BytesMut::new();
            stream.poll_flush(context)
        })
    }

    /// Says that nothing more comes.
    pub(super) fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with_stream(|stream| stream.poll_shutdown(context))
    }

    /// Reads until the client has closed, and throws it away.
    pub(super) fn poll_discard(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with_stream(|mut stream| {
            while ready!(poll_read(stream.as_mut(), context, |bytes| !bytes.is_empty()))? {}
            Poll::Ready(Ok(()))
        })
    }

    fn with_stream<R>(
        &self,
        work: impl FnOnce(Pin<&mut T>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        match &mut self.0.borrow_mut().stream {
            Some(stream) => work(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<T> Drop for Line<T> {
    fn drop(&mut self) {
        let (stream, reader) = {
            let mut shared = self.0.borrow_mut();
            (shared.stream.take(), shared.reader.take())
        };
        drop(stream);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

struct Incoming<T> {
    before: Bytes,
    shared: Rc<RefCell<Shared<T>>>,
}

impl<T: AsyncRead + Unpin> Stream for Incoming<T> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.before.is_empty() {
            return Poll::Ready(Some(Ok(mem::take(&mut self.before))));
        }
        let mut shared = self.shared.borrow_mut();
        let Some(stream) = &mut shared.stream else {
            return Poll::Ready(Some(Err(PayloadError::Incomplete(None))));
        };
        match poll_read(Pin::new(stream), context, Bytes::copy_from_slice) {
            Poll::Ready(Ok(bytes)) if bytes.is_empty() => Poll::Ready(None),
            Poll::Ready(result) => Poll::Ready(Some(result.map_err(PayloadError::Io))),
            Poll::Pending => {
                let is_known = |known: &Waker| known.will_wake(context.waker());
                if !shared.reader.as_ref().is_some_and(is_known) {
                    shared.reader = Some(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

/// Reads what is there; nothing when the client has closed.
fn poll_read<T: AsyncRead, R>(
    stream: Pin<&mut T>,
    context: &mut Context<'_>,
    take: impl FnOnce(&[u8]) -> R,
) -> Poll<io::Result<R>> {
    let mut space = [MaybeUninit::uninit(); READ];
    let mut buffer = ReadBuf::uninit(&mut space);
    ready!(stream.poll_read(context, &mut buffer))?;
    Poll::Ready(Ok(take(buffer.filled())))
}
