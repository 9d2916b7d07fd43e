//! Load: HTTP/1.1 over connections that stay open, from one thread, so that what is measured has the rest of the machine.
//!
//! *Closed*: so many clients, each of which asks again as soon as it was answered: how much can be taken. *Open*: calls come
//! at a fixed rate, whatever the server does, and a call's time counts from the moment at which it was to be made, also when
//! every connection was still waiting for an earlier answer: what those who call would see.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::LocalSet;

/// What was answered, and how long it took.
#[derive(Default)]
pub struct Run {
    /// Microseconds, in no order.
    pub took: Vec<u32>,
    /// Answers that were not what is counted.
    pub refused: usize,
    pub lasted: Duration,
}

impl Run {
    #[expect(clippy::cast_precision_loss, reason = "a few digits are enough")]
    pub fn per_second(&self) -> f64 {
        self.took.len() as f64 / self.lasted.as_secs_f64()
    }

    /// In milliseconds.
    pub fn percentile(&mut self, percent: f64) -> f64 {
        percentile(&mut self.took, percent)
    }
}

/// In milliseconds, of microseconds.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few digits are enough"
)]
pub fn percentile(took: &mut [u32], percent: f64) -> f64 {
    if took.is_empty() {
        return f64::NAN;
    }
    took.sort_unstable();
    let at = ((took.len() - 1) as f64 * percent / 100.0).round() as usize;
    f64::from(took[at]) / 1_000.0
}

/// Calls that were made up before, so that nothing is measured but sending them.
#[derive(Default)]
pub struct Calls {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Calls {
    pub fn of(calls: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut made = Self::default();
        for call in calls {
            made.bytes.extend_from_slice(&call);
            made.ends.push(made.bytes.len());
        }
        made
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}

/// A connection that is opened again when the server has closed it.
pub struct Connection {
    port: u16,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn to(port: u16) -> Self {
        Self { port, stream: None, buffer: vec![0; 16 * 1024] }
    }

    /// Sends a call and reads its answer; the status.
    pub async fn call(&mut self, call: &[u8]) -> u16 {
        if self.stream.is_none() {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
            stream.set_nodelay(true).unwrap();
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut().unwrap();
        stream.write_all(call).await.unwrap();
        let mut read = 0;
        loop {
            if read == self.buffer.len() {
                self.buffer.resize(read * 2, 0);
            }
            let more = stream.read(&mut self.buffer[read..]).await.unwrap();
            if more == 0 {
                // An answer that ends with its connection.
                self.stream = None;
                return status(&self.buffer[..read]).expect("an answer");
            }
            read += more;
            if let Some((status, length, closes)) = answer(&self.buffer[..read])
                && read >= length
            {
                if closes {
                    self.stream = None;
                }
                return status;
            }
        }
    }

    /// What was answered last.
    pub fn answer(&self) -> &[u8] {
        &self.buffer
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

/// The status, how long the answer is, and whether the connection ends with it; none while its head is not there.
fn answer(read: &[u8]) -> Option<(u16, usize, bool)> {
    let head_end = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let (mut length, mut closes) = (0, false);
    for line in read[..head_end].split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            length = str::from_utf8(value).ok()?.parse().ok()?;
        } else if name.eq_ignore_ascii_case(b"connection") {
            closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    Some((status(read)?, head_end + length, closes))
}

fn microseconds(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// On one thread, which waits in the kernel when there is nothing to do.
pub fn on_one_thread<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, work)
}

/// Closed loop: all of the calls, or those that `lasting` is enough for.
pub fn closed(port: u16, connections: usize, lasting: Duration, calls: &Calls, good: u16) -> Run {
    let (began, many, next) = (Instant::now(), calls.len(), Cell::new(0));
    let next = async || {
        let at = next.get();
        next.set(at + 1);
        (at < many && began.elapsed() < lasting).then(|| (at, Instant::now()))
    };
    on_one_thread(drive(port, connections, calls, good, next))
}

/// Open loop: all of the calls, `rate` of them a second, over so many connections.
pub fn open(port: u16, connections: usize, rate: f64, calls: &Calls, good: u16) -> Run {
    let (due, coming) = unbounded_channel::<(usize, Instant)>();
    let many = calls.len();
    // A thread of its own: the runtime's timer is good to a millisecond only.
    let clock = std::thread::Builder::new().name("clock".into()).spawn(move || {
        let began = Instant::now();
        for at in 0..many {
            #[expect(clippy::cast_precision_loss, reason = "there are not so many calls")]
            let moment = began + Duration::from_secs_f64(at as f64 / rate);
            std::thread::sleep(moment.saturating_duration_since(Instant::now()));
            if due.send((at, moment)).is_err() {
                break;
            }
        }
    });
    let coming = tokio::sync::Mutex::new(coming);
    let next = async || coming.lock().await.recv().await;
    let run = on_one_thread(drive(port, connections, calls, good, next));
    clock.unwrap().join().unwrap();
    run
}

/// So many clients, each of which makes the `next` call as soon as it was answered: which one, and since when its time counts.
async fn drive(
    port: u16,
    connections: usize,
    calls: &Calls,
    good: u16,
    next: impl AsyncFn() -> Option<(usize, Instant)>,
) -> Run {
    let (began, run) = (Instant::now(), RefCell::new(Run::default()));
    let client = async || {
        let mut connection = Connection::to(port);
        while let Some((at, moment)) = next().await {
            let status = connection.call(calls.get(at)).await;
            let mut run = run.borrow_mut();
            if status == good {
                run.took.push(microseconds(moment.elapsed()));
            } else {
                run.refused += 1;
            }
        }
    };
    let clients: FuturesUnordered<_> = (0..connections).map(|_| client()).collect();
    // They are one task, whose share of the thread is not one client's.
    tokio::task::unconstrained(clients.collect::<()>()).await;
    let mut run = run.take();
    run.lasted = began.elapsed();
    run
}
