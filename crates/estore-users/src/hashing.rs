//! Passwords to hashes and back to a verdict, a bounded number at a time, on threads that are less urgent than those of
//! requests: a storm of log-ins takes what browsing and buying leave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use estore_kit::metrics::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::limits::{
    ARGON2_KIB_MAX, ARGON2_LANES_MAX, ARGON2_PASSES_MAX, BCRYPT_COST_MAX, HASH_NICENESS, HASH_WAIT, HASHES_WAITING_MAX,
};
use crate::secret::Secret;

/// What new hashes cost, after OWASP's advice: KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// No password has this hash: it makes a login for an unknown address as long as any other.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keS0tLQ$bm8gcGFzc3dvcmQgaGFzIHRoaXMgaGFzaCBhdCBhbGw";
/// The longest hash, as its column has it.
const HASH_CHARACTERS_MAX: usize = 255;

/// Why there is no hash and no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashingError {
    /// Too many others wait, or the wait was too long.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// A fault of ours.
    #[error("hashing failed: {0}")]
    Failed(String),
}

impl From<HashingError> for estore_kit::problem::Problem {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy => Self::unavailable("Too many people log in at the moment. Try again shortly."),
            failed @ HashingError::Failed(_) => Self::internal(failed),
        }
    }
}

/// What came of comparing a password with a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Another password.
    Wrong,
    /// The password, under the present cost.
    Right,
    /// The password, under a hash that is to be replaced.
    RightButOld,
}

/// Hashes and verifies, so many at a time.
#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    threads: Sender<Job>,
    /// Those that were sent away.
    shed: Arc<Counter>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Hasher {
    /// Starts its threads; they end with the last handle.
    pub(crate) fn start(at_a_time: usize) -> io::Result<Self> {
        let at_a_time = at_a_time.max(1);
        let (threads, jobs) = channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..at_a_time {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name("estore-hash".to_owned()).spawn(move || work_off(&jobs))?;
        }
        Ok(Self {
            running: Arc::new(Semaphore::new(at_a_time)),
            waiting: Arc::new(Semaphore::new(at_a_time + HASHES_WAITING_MAX)),
            threads,
            shed: Arc::default(),
        })
    }

    /// An Argon2id hash with a salt of its own.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String, HashingError> {
        let password = password.clone();
        self.work(move || hash_now(&password)).await?
    }

    /// Whether the hash is this password's. Without a hash it takes as long and says no.
    pub(crate) async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<Verdict, HashingError> {
        let password = password.clone();
        let known = hash.is_some_and(is_acceptable);
        let hash = hash.filter(|_| known).unwrap_or(NOBODY).to_owned();
        let verdict = self.work(move || verify_now(&password, &hash)).await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    /// How many were sent away so far because too many others waited.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.value()
    }

    fn busy(&self) -> HashingError {
        self.shed.count();
        HashingError::Busy
    }

    async fn work<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> Result<R, HashingError> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_full| self.busy())?;
        let turn = tokio::time::timeout(HASH_WAIT, Arc::clone(&self.running).acquire_owned()).await;
        let turn: OwnedSemaphorePermit =
            turn.map_err(|_elapsed| self.busy())?.map_err(|closed| HashingError::Failed(closed.to_string()))?;
        // The permits go along: a request that is given up does not let one more hash run beside it.
        let (answer, done) = oneshot::channel();
        let job: Job = Box::new(move || {
            let held = (place, turn);
            let done = work();
            drop(held);
            // A request that was given up does not need it.
            drop(answer.send(done));
        });
        self.threads.send(job).map_err(|ended| HashingError::Failed(ended.to_string()))?;
        done.await.map_err(|panicked| HashingError::Failed(panicked.to_string()))
    }
}

fn work_off(jobs: &Mutex<Receiver<Job>>) {
    // Of this thread alone. Where it is not allowed, hashing is as urgent as the rest.
    if let Err(error) = rustix::process::setpriority_process(None, HASH_NICENESS) {
        tracing::warn!(%error, "password hashing stays as urgent as everything else");
    }
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic is told to its own request; the thread lives on.
        drop(catch_unwind(AssertUnwindSafe(job)));
    }
}

/// Whether a hash from elsewhere is of a kind, and a cost, that is verified here.
pub(crate) fn is_acceptable(hash: &str) -> bool {
    if hash.len() > HASH_CHARACTERS_MAX {
        return false;
    }
    if is_bcrypt(hash) {
        let parts = hash.parse::<bcrypt::HashParts>();
        return hash.len() == 60 && parts.is_ok_and(|parts| parts.get_cost() <= BCRYPT_COST_MAX);
    }
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    let Ok(params) = Params::try_from(&parsed) else { return false };
    parsed.algorithm.as_str() == "argon2id"
        && parsed.salt.is_some()
        && parsed.hash.is_some()
        && params.m_cost() <= ARGON2_KIB_MAX
        && params.t_cost() <= ARGON2_PASSES_MAX
        && params.p_cost() <= ARGON2_LANES_MAX
}

fn is_bcrypt(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix))
}

fn hash_now(password: &Secret) -> Result<String, HashingError> {
    let failed = |error: &dyn std::fmt::Display| HashingError::Failed(error.to_string());
    let (kib, passes, lanes) = COST;
    let params = Params::new(kib, passes, lanes, None).map_err(|error| failed(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.reveal().as_bytes()).map_err(|error| failed(&error))?;
    Ok(hash.to_string())
}

fn verify_now(password: &Secret, hash: &str) -> Verdict {
    if is_bcrypt(hash) {
        let right = bcrypt::verify(password.reveal(), hash).unwrap_or(false);
        return if right { Verdict::RightButOld } else { Verdict::Wrong };
    }
    let Ok(parsed) = PasswordHash::new(hash) else { return Verdict::Wrong };
    if Argon2::default().verify_password(password.reveal().as_bytes(), &parsed).is_err() {
        return Verdict::Wrong;
    }
    let cost = Params::try_from(&parsed).map(|params| (params.m_cost(), params.t_cost(), params.p_cost()));
    if cost.is_ok_and(|cost| cost == COST) { Verdict::Right } else { Verdict::RightButOld }
}

#[cfg(test)]
mod tests {
    use super::{Hasher, HashingError, NOBODY, Verdict, is_acceptable};
    use crate::secret::Secret;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_hash_is_its_passwords_and_nobody_elses() {
        let hasher = Hasher::start(1).unwrap();
        let hash = hasher.hash(&secret("żółw 🐢 in the sun")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(hasher.verify(&secret("żółw 🐢 in the sun"), Some(&hash)).await.unwrap(), Verdict::Right);
        assert_eq!(hasher.verify(&secret("żółw 🐢 in the Sun"), Some(&hash)).await.unwrap(), Verdict::Wrong);
        assert_eq!(hasher.verify(&secret("żółw 🐢 in the sun"), None).await.unwrap(), Verdict::Wrong);
        assert_eq!(hasher.verify(&secret("x"), Some("!")).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn hashes_of_other_systems_verify_and_are_old() {
        let hasher = Hasher::start(1).unwrap();
        let mut hash = bcrypt::hash("correct horse", 4).unwrap();
        for version in ["$2a$", "$2b$", "$2y$"] {
            hash.replace_range(..4, version);
            assert!(is_acceptable(&hash), "{hash}");
            assert_eq!(hasher.verify(&secret("correct horse"), Some(&hash)).await.unwrap(), Verdict::RightButOld);
            assert_eq!(hasher.verify(&secret("wrong horse"), Some(&hash)).await.unwrap(), Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn too_many_at_once_are_sent_away() {
        let hasher = Hasher::start(1).unwrap();
        let places = hasher.waiting.available_permits();
        let taken = hasher.waiting.clone().try_acquire_many_owned(u32::try_from(places).unwrap()).unwrap();
        assert!(matches!(hasher.hash(&secret("lantern-marsh-5")).await, Err(HashingError::Busy)));
        assert_eq!(hasher.shed(), 1);
        drop(taken);
        assert!(hasher.hash(&secret("lantern-marsh-5")).await.is_ok());
        assert_eq!(hasher.waiting.available_permits(), places);
    }

    #[test]
    fn costly_and_foreign_hashes_are_not_taken() {
        assert!(is_acceptable(NOBODY));
        let bad = [
            "",
            "!",
            "plain",
            "$1$x$y",
            "$2b$31$abcdefghijklmnopqrstuuJ7p0Cz5n6c0r0T9PXJuyQyG9b0e4mJq",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
            "$argon2id$v=19$m=4194304,t=2,p=1$bm9ib2R5LW5vYm9keS0tLQ$bm8gcGFzc3dvcmQgaGFzIHRoaXMgaGFzaCBhdCBhbGw",
            "$argon2i$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keS0tLQ$bm8gcGFzc3dvcmQgaGFzIHRoaXMgaGFzaCBhdCBhbGw",
        ];
        for hash in bad {
            assert!(!is_acceptable(hash), "{hash}");
        }
    }
}
