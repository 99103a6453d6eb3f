//! Passwords that have leaked: a sorted file of their hashes, searched where it lies. Nothing of it is kept in memory,
//! and no password leaves this machine.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;

use crate::secret::Secret;

/// SHA-1 in hexadecimal digits, as such lists have it.
const HASH_CHARACTERS: usize = 40;
/// The longest line: a hash, a colon, a number, the line's end.
const LINE_BYTES_MAX: usize = 64;

/// A list that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot use the list of leaked passwords {path}: {cause}. Each line has to be the SHA-1 of one in 40 hexadecimal \
     digits, alone or with :<count>, and the lines have to be in order"
)]
pub struct BreachedListError {
    /// The file.
    path: String,
    /// Why.
    cause: io::Error,
}

/// The list, or none.
#[derive(Debug, Clone)]
pub(crate) struct BreachedPasswords {
    file: Option<Arc<File>>,
}

impl BreachedPasswords {
    /// Opens the file, and finds its first and last line as passwords will be found. No path is no list.
    pub(crate) fn open(path: &Path) -> Result<Self, BreachedListError> {
        if path.as_os_str().is_empty() {
            return Ok(Self { file: None });
        }
        let failed = |cause| BreachedListError { path: path.display().to_string(), cause };
        let file = File::open(path).map_err(failed)?;
        prove(&file).map_err(failed)?;
        Ok(Self { file: Some(Arc::new(file)) })
    }

    /// Notes at the pointer that the password has leaked, unless another rule is broken already.
    ///
    /// # Errors
    /// The list cannot be read any more: no password is taken unseen.
    pub(crate) async fn check(&self, password: &Secret, pointer: &str, rules: &mut Rules) -> Result<(), Problem> {
        if rules.all_kept() && self.holds(password).await.map_err(Problem::internal)? {
            rules.broken(pointer, "password_breached", LEAKED);
        }
        Ok(())
    }

    /// Whether the password has leaked.
    pub(crate) async fn holds(&self, password: &Secret) -> io::Result<bool> {
        if self.file.is_none() {
            return Ok(false);
        }
        let (list, password) = (self.clone(), password.clone());
        tokio::task::spawn_blocking(move || list.holds_now(&password)).await.map_err(io::Error::other)?
    }

    /// The same, for a thread that may wait for the disk.
    pub(crate) fn holds_now(&self, password: &Secret) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let hash = hex::encode_upper(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.reveal().as_bytes()));
        find(file, hash.as_bytes())
    }
}

/// What is told of such a password.
pub(crate) const LEAKED: &str = "is known from a leak of another site, so that it is tried first; take another one, here \
                                 and wherever you use it";

fn prove(file: &File) -> io::Result<()> {
    let bytes = file.metadata()?.len();
    for at in [0, bytes.saturating_sub(1)] {
        let line = line_around(file, at)?;
        if !find(file, &line.hash)? {
            return Err(io::Error::new(ErrorKind::InvalidData, "its lines are not in order"));
        }
    }
    Ok(())
}

/// Whether a line begins with this hash, by halves.
fn find(file: &File, hash: &[u8]) -> io::Result<bool> {
    // The line, if there is one, begins from `low` on and before `high`; a line begins at `low`.
    let (mut low, mut high) = (0, file.metadata()?.len());
    while low < high {
        let line = line_around(file, low + (high - low) / 2)?;
        match line.hash.as_slice().cmp(hash) {
            Ordering::Equal => return Ok(true),
            Ordering::Less => low = line.end,
            Ordering::Greater => high = line.start,
        }
    }
    Ok(false)
}

struct Line {
    /// In capital letters.
    hash: [u8; HASH_CHARACTERS],
    start: u64,
    /// Where the next one begins.
    end: u64,
}

/// The line that the byte `at` is in.
fn line_around(file: &File, at: u64) -> io::Result<Line> {
    let wrong = |start: u64| io::Error::new(ErrorKind::InvalidData, format!("the line at byte {start} is no hash"));
    let from = at.saturating_sub(LINE_BYTES_MAX as u64);
    let mut window = [0; 2 * LINE_BYTES_MAX];
    let seen = read(file, &mut window, from)?;
    let (seen, behind) = (window.get(..seen).unwrap_or_default(), usize::try_from(at - from).unwrap_or(0));
    let before = seen.get(..behind).unwrap_or_default();
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let rest = seen.get(begin..).unwrap_or_default();
    let (text, length) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(newline) => (rest.get(..newline).unwrap_or_default(), newline + 1),
        None => (rest, rest.len()),
    };
    let start = from + begin as u64;
    let hash = text.first_chunk::<HASH_CHARACTERS>().filter(|hash| hash.iter().all(u8::is_ascii_hexdigit));
    let hash = hash.ok_or_else(|| wrong(start))?.to_ascii_uppercase();
    let ends = matches!(text.get(HASH_CHARACTERS), None | Some(b':' | b'\r'));
    let hash = hash.try_into().map_err(|_longer| wrong(start))?;
    if ends { Ok(Line { hash, start, end: start + length as u64 }) } else { Err(wrong(start)) }
}

/// Reads as much as there is; how much that was.
fn read(file: &File, buffer: &mut [u8], mut from: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, from) {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                from += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

    use super::BreachedPasswords;
    use crate::secret::Secret;

    fn hash(password: &str) -> String {
        hex::encode_upper(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()))
    }

    fn list(folder: &tempfile::TempDir, text: &str) -> PathBuf {
        let path = folder.path().join("list");
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn holds(list: &BreachedPasswords, password: &str) -> bool {
        list.holds(&Secret::new(password.to_owned())).await.unwrap()
    }

    #[tokio::test]
    async fn each_line_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for (count, end) in [(1, "\n"), (2, "\r\n"), (3, "\n"), (1_000, "\r\n"), (997, "\n")] {
            let mut lines: Vec<_> = (0..count).map(|n| format!("{}:{}", hash(&format!("leak {n}")), n * n)).collect();
            lines.sort();
            for text in [lines.join(end) + end, lines.join(end), lines.join(end).to_lowercase()] {
                let list = BreachedPasswords::open(&list(&folder, &text)).unwrap();
                for n in 0..count {
                    assert!(holds(&list, &format!("leak {n}")).await, "{n} of {count}");
                    assert!(!holds(&list, &format!("no leak {n}")).await, "{n} of {count}");
                }
            }
        }
        let bare = format!("{}\n", hash("x"));
        assert!(holds(&BreachedPasswords::open(&list(&folder, &bare)).unwrap(), "x").await);
    }

    #[tokio::test]
    async fn what_is_no_such_list_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (hash("a"), hash("b"));
        let backwards = if a < b { format!("{b}:1\n{a}:1\n") } else { format!("{a}:1\n{b}:1\n") };
        let long = format!("{a}1:1\n");
        for text in ["", "hello\n", "password1\npassword2\n", &backwards, &long, &a[1..]] {
            let error = BreachedPasswords::open(&list(&folder, text)).unwrap_err().to_string();
            assert!(error.contains("list: ") && error.contains("40 hexadecimal digits"), "{text:?}: {error}");
        }
        assert!(BreachedPasswords::open(&folder.path().join("missing")).is_err());
        assert!(!holds(&BreachedPasswords::open(&PathBuf::new()).unwrap(), "password").await);
    }
}
