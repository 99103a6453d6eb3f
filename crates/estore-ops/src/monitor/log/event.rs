//! One event of the log, however it was written.

use jiff::Timestamp;
use serde::Deserialize;

/// Bytes of an event's message that are kept.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
const SEVERITIES: [&str; 18] = [
    "LOG",
    "ERROR",
    "FATAL",
    "PANIC",
    "WARNING",
    "NOTICE",
    "INFO",
    "DEBUG1",
    "DEBUG2",
    "DEBUG3",
    "DEBUG4",
    "DEBUG5",
    "STATEMENT",
    "DETAIL",
    "HINT",
    "CONTEXT",
    "QUERY",
    "LOCATION",
];
/// What only explains the event before it.
const FOLLOWING: [&str; 6] = ["STATEMENT", "DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION"];

/// What the server had to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) severity: String,
    /// SQLSTATE.
    pub(super) state: String,
    pub(super) role: Option<String>,
    pub(super) database: Option<String>,
    pub(super) message: String,
}

/// PostgreSQL's JSON; `detail` may hold values and is passed over.
#[derive(Deserialize)]
struct Json {
    timestamp: String,
    error_severity: String,
    #[serde(default)]
    state_code: Option<String>,
    user: Option<String>,
    dbname: Option<String>,
    #[serde(default)]
    message: String,
}

/// Puts lines together to events.
#[derive(Debug, Default)]
pub(super) struct Reader {
    open: Option<Event>,
    pub(super) unreadable: u64,
}

impl Reader {
    /// Takes a line; answers the event that it ended.
    pub(super) fn take(&mut self, line: &str) -> Option<Event> {
        if let Some(more) = line.strip_prefix('\t') {
            if let Some(open) = self.open.as_mut().filter(|open| open.message.len() + more.len() < MESSAGE_BYTES_MAX) {
                open.message.push('\n');
                open.message.push_str(more);
            }
            return None;
        }
        let event = if line.starts_with('{') { json(line) } else { plain(line) };
        if event.is_none() && !line.is_empty() {
            self.unreadable += 1;
        }
        std::mem::replace(&mut self.open, event)
    }

    /// The event that the end of the file ended.
    pub(super) fn last(&mut self) -> Option<Event> {
        self.open.take()
    }
}

impl Event {
    /// Whether it stands for itself.
    pub(super) fn is_own(&self) -> bool {
        !FOLLOWING.contains(&self.severity.as_str())
    }
}

fn json(line: &str) -> Option<Event> {
    let json: Json = serde_json::from_str(line).ok()?;
    Some(Event {
        at: moment(&json.timestamp)?,
        severity: json.error_severity,
        state: json.state_code.unwrap_or_default(),
        role: json.user,
        database: json.dbname,
        message: json.message,
    })
}

/// `<time> UTC [<process>] <SQLSTATE> <role>@<database>/<application> ERROR:  <message>`, without the middle where the
/// server speaks of itself.
fn plain(line: &str) -> Option<Event> {
    let (time, rest) = line.split_once(" [")?;
    let (process, rest) = rest.split_once("] ")?;
    process.parse::<u32>().ok()?;
    let (state, rest) = rest.split_once(' ')?;
    if state.len() != 5 || !state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let found = SEVERITIES.iter().filter_map(|severity| {
        let mark = format!("{severity}:  ");
        let at = rest.match_indices(&mark).map(|(at, _)| at).find(|at| *at == 0 || rest[..*at].ends_with(' '))?;
        Some((at, *severity, at + mark.len()))
    });
    let (at, severity, after) = found.min_by_key(|(at, _, _)| *at)?;
    let who = rest[..at].trim_end();
    let (role, whereto) = who.split_once('@').unzip();
    let database = whereto.map(|whereto| whereto.split('/').next().unwrap_or_default());
    Some(Event {
        at: moment(time)?,
        severity: severity.to_owned(),
        state: state.to_owned(),
        role: role.map(str::to_owned),
        database: database.map(str::to_owned),
        message: rest[after..].to_owned(),
    })
}

/// `2026-11-25 22:46:18.624 UTC`. Other zones' letters name no time.
fn moment(text: &str) -> Option<Timestamp> {
    let (time, zone) = text.rsplit_once(' ')?;
    if zone != "UTC" && zone != "GMT" {
        return None;
    }
    let time: jiff::civil::DateTime = time.replacen(' ', "T", 1).parse().ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
