//! A server that owes an answer and says nothing for too long counts as gone: its connection ends with an error.
//!
//! The operating system notices a vanished host, not a stopped process or a proxy that hangs. Only the protocol tells
//! whether somebody owes an answer, so the kinds of the messages are read as they pass; their contents are not.
//! A server may well think for long: before the limit, another connection looks whether it does.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinHandle;
use tokio::time::Sleep;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use super::second_look::{SecondLook, Seen};
use super::talk::Talk;

/// A silence that makes one look whether the server is at work; each further look comes after twice the time.
const SUSPICIOUS: Duration = Duration::from_secs(2);
/// The pause after which a look is tried again that nobody could take.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// A deadline that is noticed so much too late was slept through by ourselves: it is given again.
const SLEPT_THROUGH: Duration = Duration::from_secs(1);

/// How long silence is borne, and when it was last too long; shared by the connections of a pool.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    /// How long a server that owes an answer may say nothing.
    limit: Duration,
    lost: Arc<Mutex<Option<Instant>>>,
    look: SecondLook,
}

impl Patience {
    pub(super) fn new(limit: Duration, look: SecondLook) -> Self {
        Self { limit, lost: Arc::default(), look }
    }

    /// Whether some connection was found silent since `moment`.
    pub(super) fn lost_since(&self, moment: Instant) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|lost| lost >= moment)
    }

    fn note_loss(&self) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// A connection under watch.
#[derive(Debug)]
pub(super) struct Watched<S> {
    line: S,
    talk: Talk,
    patience: Patience,
    /// The name by which the server knows it.
    session: String,
    /// When bytes last went either way.
    moved: Instant,
    /// Wakes when there is something to look at.
    alarm: Option<Pin<Box<Sleep>>>,
    /// A look whether the server is at work.
    look: Option<JoinHandle<Seen>>,
    /// The silence after which to look.
    look_after: Duration,
}

impl<S> Watched<S> {
    pub(super) fn new(line: S, patience: Patience, session: String) -> Self {
        let (talk, moved) = (Talk::default(), Instant::now());
        Self { line, talk, patience, session, moved, alarm: None, look: None, look_after: SUSPICIOUS }
    }

    /// A line that speaks TLS from its first byte: what it carries is watched inside.
    pub(super) fn around_tls(line: S, patience: Patience) -> Self {
        Self { talk: Talk::encrypted(), ..Self::new(line, patience, String::new()) }
    }

    fn moved(&mut self) {
        self.moved = Instant::now();
        if self.look_after != SUSPICIOUS || self.look.is_some() {
            if let Some(look) = self.look.take() {
                look.abort();
            }
            (self.look_after, self.alarm) = (SUSPICIOUS, None);
        }
    }

    /// Pending until the server counts as gone.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.talk.owed == 0 {
            return Poll::Pending;
        }
        loop {
            if let Some(look) = &mut self.look
                && let Poll::Ready(seen) = Pin::new(look).poll(cx)
            {
                self.look = None;
                match seen.unwrap_or(Seen::Nothing) {
                    Seen::Lost => return Poll::Ready(self.gone("the server waits for us while it owes an answer")),
                    Seen::Working => self.look_after *= 2,
                    Seen::Nothing => self.look_after = self.moved.elapsed() + LOOK_AGAIN_AFTER,
                }
                self.alarm = None;
            }
            let silent = self.moved.elapsed();
            let wait = if self.look.is_some() { self.patience.limit } else { self.patience.limit.min(self.look_after) };
            let wake = Instant::now() + wait.saturating_sub(silent);
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(wake.into())));
            ready!(alarm.as_mut().poll(cx));
            if alarm.deadline().elapsed() > SLEPT_THROUGH {
                self.moved = Instant::now();
            }
            self.alarm = None;
            let silent = self.moved.elapsed();
            if silent >= self.patience.limit {
                return Poll::Ready(self.gone("the server owes an answer and has been silent for too long"));
            }
            // An alarm set before the last bytes came is merely set anew: once in a while, not for every message.
            if silent >= self.look_after && self.look.is_none() {
                let begun = self.talk.has_begun.then(|| self.patience.look.begin(&self.session)).flatten();
                match begun {
                    Some(look) => self.look = Some(look),
                    None => self.look_after = silent + LOOK_AGAIN_AFTER,
                }
            }
        }
    }

    fn gone(&self, cause: &'static str) -> io::Error {
        self.patience.note_loss();
        io::Error::new(io::ErrorKind::TimedOut, cause)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.line).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                self.moved();
                self.talk.heard(&buffer.filled()[before..]);
                Poll::Ready(read)
            }
            Poll::Pending => self.poll_gone(cx).map(Err),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = Pin::new(&mut self.line).poll_write(cx, bytes) {
            let count = written?;
            self.moved();
            self.talk.said(&bytes[..count]);
            // Whoever writes may have read before, and is woken by the alarm alone.
            return match self.poll_gone(cx) {
                Poll::Ready(error) => Poll::Ready(Err(error)),
                Poll::Pending => Poll::Ready(Ok(count)),
            };
        }
        self.poll_gone(cx).map(Err)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Watched<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.line.channel_binding()
    }
}

/// Watches what goes through TLS.
pub(super) struct WatchedTls<T> {
    pub(super) tls: T,
    pub(super) patience: Patience,
    pub(super) session: String,
}

impl<S, T> TlsConnect<S> for WatchedTls<T>
where
    T: TlsConnect<S>,
    T::Future: Send + 'static,
{
    type Stream = Watched<T::Stream>;
    type Error = T::Error;
    type Future = BoxFuture<'static, Result<Self::Stream, T::Error>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self { tls, patience, session } = self;
        let connecting = tls.connect(stream);
        Box::pin(async move { Ok(Watched::new(connecting.await?, patience, session)) })
    }
}
