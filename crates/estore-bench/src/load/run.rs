//! Runs a load on a thread of its own: closed (each connection asks as soon as it is answered) or open (requests
//! start at a fixed rate, and the clock of each runs from the moment it was due, whether or not it could be sent).

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use super::client::{Answer, Connection};
use super::tally::Tally;
use crate::failure::Failure;

/// What an answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What was asked for, checked.
    Right,
    /// Turned away because the shop is full.
    Refused,
}

/// What one connection asks, again and again.
pub(crate) trait Asking: Send {
    /// Writes the next request into the empty `request`.
    fn write(&mut self, request: &mut Vec<u8>);
    /// Judges the answer to the request written last; a wrong answer ends the run.
    fn check(&mut self, answer: Answer<'_>) -> Result<Verdict, Failure>;
}

/// How a load is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) time: Duration,
    /// Requests that are due each second; none for as many as the connections can do.
    pub(crate) rate: Option<u64>,
}

/// Shared by the connections of a run, which all live on one thread.
struct Run {
    pace: Pace,
    began: Instant,
    next: Cell<u64>,
    tally: RefCell<Tally>,
}

/// Runs the load, one connection for each of `askings`, and answers what came of it.
pub(crate) async fn run<A: Asking + 'static>(
    address: SocketAddr,
    askings: Vec<A>,
    pace: Pace,
) -> Result<(Tally, Vec<A>), Failure> {
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, run_here(address, askings, pace))
    })
    .await?
}

async fn run_here<A: Asking + 'static>(
    address: SocketAddr,
    askings: Vec<A>,
    pace: Pace,
) -> Result<(Tally, Vec<A>), Failure> {
    let mut connections = Vec::with_capacity(askings.len());
    for asking in askings {
        let mut connection = Connection::to(address);
        connection.open().await?;
        connections.push((connection, asking));
    }
    let tally = RefCell::new(Tally::new()?);
    let run = Rc::new(Run { pace, began: Instant::now(), next: Cell::new(0), tally });
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|(connection, asking)| tokio::task::spawn_local(keep_asking(run.clone(), connection, asking)))
        .collect();
    let mut askings = Vec::new();
    for task in tasks {
        askings.push(task.await??);
    }
    let run = Rc::into_inner(run).ok_or_else(|| Failure::new("a connection outlived its run"))?;
    let mut tally = run.tally.into_inner();
    tally.took = run.began.elapsed();
    Ok((tally, askings))
}

async fn keep_asking<A: Asking>(run: Rc<Run>, mut connection: Connection, mut asking: A) -> Result<A, Failure> {
    let mut request = Vec::with_capacity(1024);
    while let Some(due) = run.next_start().await {
        request.clear();
        asking.write(&mut request);
        let sent = Instant::now();
        let answer = connection.call(&request).await?;
        let answered = Instant::now();
        match asking.check(answer)? {
            Verdict::Right => run.tally.borrow_mut().done(answered.duration_since(run.began), answered - due),
            Verdict::Refused => run.tally.borrow_mut().refused(answered - sent),
        }
    }
    Ok(asking)
}

impl Run {
    /// When the next request is due, once it is; none when the time is over.
    async fn next_start(&self) -> Option<Instant> {
        let Some(rate) = self.pace.rate else {
            let now = Instant::now();
            return (now.duration_since(self.began) < self.pace.time).then_some(now);
        };
        let number = self.next.replace(self.next.get() + 1);
        let nanos = number.saturating_mul(1_000_000_000) / rate.max(1);
        let after = Duration::from_nanos(nanos);
        if after >= self.pace.time {
            return None;
        }
        let due = self.began + after;
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        Some(due)
    }
}
