//! What the events of a log come to, within bounds.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::event::Event;
use crate::monitor::database::STATEMENT_CHARACTERS_MAX;
use crate::monitor::sql_text::{fingerprint, plan_line, shown};
use crate::monitor::statement::Names;

/// Different statements, errors, roles that are told apart; more are counted together.
const KINDS_MAX: usize = 500;
/// Plans that are kept: the slowest of each statement.
const PLANS_MAX: usize = 20;
/// Lines of a plan.
const PLAN_LINES_MAX: usize = 200;

/// A statement that was slow, by the server's `log_min_duration_statement`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowStatement {
    /// The query file that it comes from, where it is known.
    pub name: Option<String>,
    /// The statement, without values.
    pub statement: String,
    /// Where it ran last.
    pub database: Option<String>,
    /// As whom.
    pub role: Option<String>,
    /// How often.
    pub count: u64,
    /// All of them, in microseconds.
    pub total_us: u64,
    /// The longest.
    pub max_us: u64,
    /// The last one.
    pub last_at: Timestamp,
}

/// Errors of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorCount {
    /// SQLSTATE.
    pub state: String,
    /// `ERROR`, `FATAL`, `PANIC` or `WARNING`.
    pub severity: String,
    /// Where.
    pub database: Option<String>,
    /// How many.
    pub count: u64,
    /// The last one.
    pub last_at: Timestamp,
    /// What it said, without values.
    pub message: String,
}

/// Log-ins that were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedLogin {
    /// As whom.
    pub role: String,
    /// Where.
    pub database: String,
    /// How many.
    pub count: u64,
    /// The last one.
    pub last_at: Timestamp,
}

/// A plan that `auto_explain` wrote, without values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The query file that it belongs to, where it is known.
    pub name: Option<String>,
    /// The statement, without values.
    pub statement: String,
    /// When.
    pub at: Timestamp,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Its lines.
    pub plan: Vec<String>,
}

/// What a log said.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LogReport {
    /// Where it is.
    pub folder: String,
    /// From when on it was read.
    pub from: Timestamp,
    /// Its last event.
    pub until: Option<Timestamp>,
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Slow statements, the dearest first.
    pub slow: Vec<SlowStatement>,
    /// Slow ones of further statements than are told apart.
    pub slow_others: u64,
    /// Errors, the most frequent first.
    pub errors: Vec<ErrorCount>,
    /// Log-ins that were refused.
    pub failed_logins: Vec<FailedLogin>,
    /// Waits for locks of more than `deadlock_timeout`, a second.
    pub lock_waits: u64,
    /// The longest of those that ended, in microseconds.
    pub lock_wait_us_max: u64,
    /// Deadlocks.
    pub deadlocks: u64,
    /// Temporary files of more than `log_temp_files`.
    pub temp_files: u64,
    /// Their bytes.
    pub temp_bytes: u64,
    /// Processes of the server that died.
    pub crashes: u64,
    /// Plans.
    pub plans: Vec<Plan>,
    /// Lines that are written in another way than we read.
    pub unreadable_lines: u64,
    #[serde(skip)]
    known: HashMap<String, usize>,
}

impl LogReport {
    pub(super) fn new(folder: &Path, from: Timestamp) -> Self {
        Self { folder: folder.display().to_string(), from, ..Self::default() }
    }

    pub(super) fn add(&mut self, event: Event, names: &Names) {
        if event.at < self.from || !event.is_own() {
            return;
        }
        self.until = self.until.max(Some(event.at));
        match event.severity.as_str() {
            "LOG" => self.add_log(event, names),
            "ERROR" | "FATAL" | "PANIC" | "WARNING" => self.add_error(event),
            _ => {}
        }
    }

    pub(super) fn sort(&mut self) {
        self.slow.sort_by_key(|one| std::cmp::Reverse(one.total_us));
        self.errors.sort_by_key(|one| std::cmp::Reverse(one.count));
        self.failed_logins.sort_by_key(|one| std::cmp::Reverse(one.count));
        self.plans.sort_by_key(|one| std::cmp::Reverse(one.took_us));
    }

    fn add_log(&mut self, event: Event, names: &Names) {
        let message = &event.message;
        if let Some(rest) = message.strip_prefix("duration: ") {
            let Some((took, what)) = rest.split_once(" ms") else { return };
            let (Some(took_us), what) = (micros(took), what.trim_start()) else { return };
            if let Some(plan) = what.strip_prefix("plan:") {
                return self.add_plan(&event, took_us, plan, names);
            }
            // `statement: …`, `execute <name>: …`, `bind <name>: …`, `parse <name>: …`
            if let Some((_, statement)) = what.split_once(": ") {
                self.add_slow(&event, took_us, statement, names);
            }
        } else if message.starts_with("process ") && message.contains(" still waiting for ") {
            self.lock_waits += 1;
        } else if message.starts_with("process ") && message.contains(" acquired ") {
            let waited = message.rsplit_once(" after ").and_then(|(_, rest)| micros(rest.split(' ').next()?));
            self.lock_wait_us_max = self.lock_wait_us_max.max(waited.unwrap_or(0));
        } else if let Some((_, size)) =
            message.strip_prefix("temporary file: ").and_then(|rest| rest.rsplit_once("size "))
        {
            self.temp_files += 1;
            self.temp_bytes += size.trim().parse::<u64>().unwrap_or(0);
        } else if message.contains(" was terminated by signal ") {
            self.crashes += 1;
        }
    }

    fn add_slow(&mut self, event: &Event, took_us: u64, statement: &str, names: &Names) {
        let print = fingerprint(statement);
        let full = self.slow.len() >= KINDS_MAX;
        let at = match self.known.get(&print) {
            Some(at) => *at,
            None if full => return self.slow_others += 1,
            None => {
                self.slow.push(SlowStatement {
                    name: names.of_statement(statement).map(str::to_owned),
                    statement: shown(statement, STATEMENT_CHARACTERS_MAX),
                    database: None,
                    role: None,
                    count: 0,
                    total_us: 0,
                    max_us: 0,
                    last_at: event.at,
                });
                self.known.insert(print, self.slow.len() - 1);
                self.slow.len() - 1
            }
        };
        let slow = &mut self.slow[at];
        slow.count += 1;
        slow.total_us += took_us;
        slow.max_us = slow.max_us.max(took_us);
        slow.last_at = slow.last_at.max(event.at);
        slow.database.clone_from(&event.database);
        slow.role.clone_from(&event.role);
    }

    fn add_plan(&mut self, event: &Event, took_us: u64, text: &str, names: &Names) {
        let Some(text) = text.trim_start().strip_prefix("Query Text: ") else { return };
        // The statement goes on until the plan's first line, the only one with costs that is not indented.
        let is_plan = |line: &str| line.contains("  (cost=") && !line.starts_with(' ');
        let lines: Vec<&str> = text.lines().collect();
        let Some(begins) = lines.iter().position(|line| is_plan(line)) else { return };
        let statement = lines[..begins].join("\n");
        let plan = Plan {
            name: names.of_statement(&statement).map(str::to_owned),
            statement: shown(&statement, STATEMENT_CHARACTERS_MAX),
            at: event.at,
            took_us,
            plan: lines[begins..].iter().take(PLAN_LINES_MAX).map(|line| plan_line(line)).collect(),
        };
        match self.plans.iter_mut().find(|known| known.statement == plan.statement) {
            Some(known) if known.took_us < took_us => *known = plan,
            Some(_) => {}
            None => {
                self.plans.push(plan);
                if self.plans.len() > PLANS_MAX {
                    self.plans.sort_by_key(|one| std::cmp::Reverse(one.took_us));
                    self.plans.truncate(PLANS_MAX);
                }
            }
        }
    }

    fn add_error(&mut self, event: Event) {
        if event.state == "40P01" {
            self.deadlocks += 1;
        }
        if event.severity == "FATAL" && event.state.starts_with("28") {
            let (role, database) = (event.role.clone().unwrap_or_default(), event.database.clone().unwrap_or_default());
            let room = self.failed_logins.len() < KINDS_MAX;
            match self.failed_logins.iter_mut().find(|one| one.role == role && one.database == database) {
                Some(known) => (known.count, known.last_at) = (known.count + 1, event.at),
                None if room => {
                    self.failed_logins.push(FailedLogin { role, database, count: 1, last_at: event.at });
                }
                None => {}
            }
        }
        let same = |one: &&mut ErrorCount| {
            (&one.state, &one.severity, &one.database) == (&event.state, &event.severity, &event.database)
        };
        let (message, room) = (without_values(&event), self.errors.len() < KINDS_MAX);
        match self.errors.iter_mut().find(same) {
            Some(known) => {
                (known.count, known.last_at, known.message) = (known.count + 1, event.at, message);
            }
            None if room => self.errors.push(ErrorCount {
                state: event.state,
                severity: event.severity,
                database: event.database,
                count: 1,
                last_at: event.at,
                message,
            }),
            None => {}
        }
    }
}

/// What is said of data (class 22) quotes it; elsewhere names of tables and constraints stand between the quotes.
fn without_values(event: &Event) -> String {
    let first = event.message.lines().next().unwrap_or_default();
    let cut: String = first.chars().take(STATEMENT_CHARACTERS_MAX).collect();
    if !event.state.starts_with("22") {
        return cut;
    }
    cut.split('"').enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "\"…\"" }).collect()
}

/// Milliseconds with three decimals, as microseconds.
fn micros(text: &str) -> Option<u64> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let part: u64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(part)
}
