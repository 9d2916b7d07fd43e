//! A connection on which what is written must get on: who reads nothing for too long is given up. What is read from it
//! has deadlines of its own, elsewhere.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Fails a write that has been pending for `patience`, without a byte going through.
pub struct PatientStream<S> {
    stream: S,
    patience: Duration,
    /// Runs while a write is pending.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> PatientStream<S> {
    pub fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, deadline: None }
    }

    /// What a write came to; an error instead of `Pending` once that has lasted for too long.
    fn in_time<T>(&mut self, outcome: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.deadline = None;
            return outcome;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.patience)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nothing is read of what is written")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PatientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PatientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.in_time(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // Of a socket, these two wait for nobody; and they must not end the time of a write that waits.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_write_of_which_nothing_is_read_fails_in_time() {
        let (ours, _theirs) = duplex(10);
        let mut stream = PatientStream::new(ours, PATIENCE);
        let mut writing = std::pin::pin!(stream.write_all(&[0; 11]));
        let nearly = PATIENCE.checked_sub(Duration::from_millis(1)).unwrap();
        assert!(timeout(nearly, &mut writing).await.is_err(), "it is waited for as long as that");
        let error = timeout(Duration::from_millis(2), writing).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_waited_for() {
        let (ours, mut theirs) = duplex(10);
        let mut stream = PatientStream::new(ours, PATIENCE);
        let read = async {
            for _ in 0..100 {
                sleep(PATIENCE.checked_sub(Duration::from_millis(1)).unwrap()).await;
                theirs.read_exact(&mut [0; 1]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(stream.write_all(&[0; 110]), read);
        written.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_in_which_there_is_nothing_to_write_does_not_count() {
        let (ours, mut theirs) = duplex(10);
        let mut stream = PatientStream::new(ours, PATIENCE);
        for _ in 0..3 {
            let read = async {
                sleep(PATIENCE / 2).await;
                theirs.read_exact(&mut [0; 20]).await.unwrap();
            };
            let (written, ()) = tokio::join!(stream.write_all(&[0; 20]), read);
            written.unwrap();
            sleep(PATIENCE * 2).await;
        }
    }
}
