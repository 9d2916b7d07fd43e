//! The door: takes connections, no more at once than there is room for, and none that says nothing, or reads nothing, for
//! long. Who comes when all places are taken is told so, with 503; what is asked on a connection is not for this place.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::patient_stream::PatientStream;

/// How long a connection may take to say what it wants, and how long it may say nothing between two calls. Longer than
/// the minute that load balancers keep an idle one for: they must be the ones who close it.
pub const PATIENCE: Duration = Duration::from_secs(75);
/// How long an answer may wait for the caller to read more of it, whatever the call; an export, too: the store keeps what
/// it reads from for it.
pub const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// How many are told at once that all places are taken, and for how long they are listened to.
const TURNED_AWAY: usize = 64;
const TURNED_AWAY_PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait when no connection can be taken, as where no file may be opened any more.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What the door lets through.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    pub patience: Duration,
    pub write_patience: Duration,
}

/// Serves until it is told to stop, and then ends what is under way. `lost` is called whenever a connection was not let in:
/// nobody knows what it would have brought.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    lost: impl Fn() + Send,
    stop: CancellationToken,
) -> io::Result<()> {
    let turned_away = Router::new().fallback(crate::http::no_place_left);
    let inside = Place::of(router, limits, true);
    let turning_away = Limits {
        connections: TURNED_AWAY,
        patience: TURNED_AWAY_PATIENCE,
        write_patience: TURNED_AWAY_PATIENCE,
    };
    let outside = Place::of(turned_away, turning_away, false);
    let (graceful, tasks) = (GracefulShutdown::new(), TaskTracker::new());
    loop {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            next = next(&listener, &outside) => next,
        };
        let (stream, outside_seat) = match next {
            Ok(next) => next,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                lost();
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let watcher = graceful.watcher();
        if let Ok(seat) = Arc::clone(&inside.seats).try_acquire_owned() {
            tasks.spawn(inside.serve(stream, seat, watcher));
        } else {
            lost();
            tasks.spawn(outside.serve(stream, outside_seat, watcher));
        }
    }
    drop(listener);
    tasks.close();
    graceful.shutdown().await;
    tasks.wait().await;
    Ok(())
}

/// The next connection, once there is a seat for it at least to be turned away on.
async fn next(listener: &TcpListener, outside: &Place) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let seat = Arc::clone(&outside.seats).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // An answer is written at once, and whoever waits for it should not wait for an acknowledgement of the last one. Where it
    // cannot be set, the connection is gone, and no reason to take no others.
    stream.set_nodelay(true).ok();
    Ok((stream, seat))
}

/// It went away again before it was taken.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Where so many connections are served, each by the same router.
struct Place {
    http: http1::Builder,
    router: Router,
    seats: Arc<Semaphore>,
    write_patience: Duration,
}

impl Place {
    fn of(router: Router, limits: Limits, keep_alive: bool) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.patience).keep_alive(keep_alive);
        let seats = Arc::new(Semaphore::new(limits.connections));
        Self { http, router, seats, write_patience: limits.write_patience }
    }

    fn serve(
        &self,
        stream: TcpStream,
        seat: OwnedSemaphorePermit,
        watcher: Watcher,
    ) -> impl Future<Output = ()> + Send + 'static {
        let service = TowerToHyperService::new(self.router.clone());
        let stream = PatientStream::new(stream, self.write_patience);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        async move {
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(seat);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;

    use super::*;

    const CALL: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
    const LONG: Duration = Duration::from_secs(60);

    /// More than any socket takes in.
    const LARGE: usize = 64 << 20;

    /// A door that lets so many through, to where each call is answered once `go` has a permit.
    async fn open(
        connections: usize,
        patience: Duration,
        go: &Arc<Semaphore>,
    ) -> (SocketAddr, CancellationToken, JoinHandle<io::Result<()>>) {
        open_to(Limits { connections, patience, write_patience: LONG }, go, || {}).await
    }

    async fn open_to(
        limits: Limits,
        go: &Arc<Semaphore>,
        lost: impl Fn() + Send + 'static,
    ) -> (SocketAddr, CancellationToken, JoinHandle<io::Result<()>>) {
        let go = Arc::clone(go);
        let answer = move || async move {
            go.acquire().await.unwrap().forget();
            "answered"
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(answer)).route("/large", get(async || vec![b'.'; LARGE]));
        let serving = serve(listener, router, limits, lost, stop.clone());
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        let serving = tokio::spawn(serving);
        (address, stop, serving)
    }

    async fn call(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(CALL).await.unwrap();
        stream
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut bytes = vec![0; 4096];
        let length = tokio::time::timeout(LONG, stream.read(&mut bytes)).await.unwrap().unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// Nothing more comes.
    async fn is_closed(stream: &mut TcpStream) -> bool {
        let mut rest = Vec::new();
        tokio::time::timeout(LONG, stream.read_to_end(&mut rest)).await.is_ok()
    }

    #[tokio::test]
    async fn who_finds_no_place_is_told_so_and_finds_one_when_another_leaves() {
        let go = Arc::new(Semaphore::new(0));
        let lost = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&lost);
        let limits = Limits { connections: 1, patience: LONG, write_patience: LONG };
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
        };
        let (address, _stop, _serving) = open_to(limits, &go, count).await;
        let mut first = call(address).await;
        // Only once it has been taken is the place taken: it is the first to be.
        let mut second = call(address).await;
        let told = answer(&mut second).await;
        assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("retry-after: 1"), "{told}");
        assert!(is_closed(&mut second).await);
        assert_eq!(lost.load(Ordering::Relaxed), 1, "what it would have brought is missed");
        go.add_permits(10);
        assert!(answer(&mut first).await.starts_with("HTTP/1.1 200 "));
        drop(first);
        loop {
            let told = answer(&mut call(address).await).await;
            if told.starts_with("HTTP/1.1 200 ") {
                break;
            }
            assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
        }
    }

    #[tokio::test]
    async fn who_does_not_say_what_they_want_is_not_waited_for() {
        let go = Arc::new(Semaphore::new(10));
        let (address, _stop, _serving) = open(2, Duration::from_millis(100), &go).await;
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(&CALL[..10]).await.unwrap();
        assert!(is_closed(&mut silent).await && is_closed(&mut slow).await);
    }

    #[tokio::test]
    async fn who_does_not_read_the_answer_keeps_nobody_elses_place() {
        let go = Arc::new(Semaphore::new(10));
        let write_patience = Duration::from_millis(200);
        let limits = Limits { connections: 1, patience: LONG, write_patience };
        let (address, _stop, _serving) = open_to(limits, &go, || {}).await;
        let mut deaf = TcpStream::connect(address).await.unwrap();
        let many = b"GET /large HTTP/1.1\r\nhost: here\r\n\r\n".repeat(100);
        deaf.write_all(&many).await.unwrap();
        let told = answer(&mut call(address).await).await;
        assert!(told.starts_with("HTTP/1.1 503 "), "it has the only place: {told}");
        let served = async {
            while !answer(&mut call(address).await).await.starts_with("HTTP/1.1 200 ") {
                tokio::time::sleep(write_patience / 10).await;
            }
        };
        tokio::time::timeout(LONG, served).await.unwrap();
        // What was written is cut short, and no later call of it was answered.
        let mut rest = Vec::new();
        deaf.read_to_end(&mut rest).await.ok();
        assert!(rest.len() < LARGE, "{}", rest.len());
    }

    #[tokio::test]
    async fn a_stop_takes_nobody_more_and_ends_what_is_under_way() {
        let go = Arc::new(Semaphore::new(0));
        let (address, stop, serving) = open(2, LONG, &go).await;
        let mut waiting = call(address).await;
        let mut another = call(address).await;
        // Both are under way as soon as the next one is turned away.
        let mut third = call(address).await;
        assert!(answer(&mut third).await.starts_with("HTTP/1.1 503 "));
        stop.cancel();
        go.add_permits(10);
        for stream in [&mut waiting, &mut another] {
            let answered = answer(stream).await;
            assert!(answered.starts_with("HTTP/1.1 200 ") && answered.contains("answered"), "{answered}");
        }
        tokio::time::timeout(LONG, serving).await.unwrap().unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
