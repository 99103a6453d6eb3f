//! What `estore db maintain` prints: a bar in a terminal, lines elsewhere, or one JSON object.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use estore_ops::maintain::{Ending, Event, Report};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

/// How often a line tells how far an action is, where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The one who prints.
#[derive(Debug)]
pub(super) struct Shown {
    as_json: bool,
    is_terminal: bool,
    now: Mutex<Now>,
}

/// The action that is under way.
#[derive(Debug)]
struct Now {
    title: String,
    bar: ProgressBar,
    told: Instant,
}

impl Shown {
    pub(super) fn new(as_json: bool) -> Self {
        let now = Now { title: String::new(), bar: ProgressBar::hidden(), told: Instant::now() };
        Self { as_json, is_terminal: std::io::stderr().is_terminal(), now: Mutex::new(now) }
    }

    /// Tells of a step of the run.
    pub(super) fn tell(&self, event: Event<'_>) {
        let Ok(mut now) = self.now.lock() else { return };
        match event {
            Event::Started { database, action } => {
                now.title = format!("{database}: {} {}", action.verb, action.target);
                now.told = Instant::now();
                if self.is_terminal {
                    now.bar = begun(&now.title);
                } else {
                    self.line(&format!("{}: {}", now.title, action.why));
                }
            }
            Event::Step { phase, done, total } => self.step(&mut now, phase, (done, total)),
            Event::Finished(report) => {
                now.bar.finish_and_clear();
                self.line(&ended(report, self.is_terminal));
            }
        }
    }

    fn step(&self, now: &mut Now, phase: &str, (done, total): (u64, u64)) {
        now.bar.set_length(total.max(1));
        now.bar.set_position(done.min(total));
        now.bar.set_message(format!("{}: {phase}", now.title));
        if !self.is_terminal && now.told.elapsed() >= LINE_EVERY {
            now.told = Instant::now();
            let percent = done.saturating_mul(100) / total.max(1);
            self.line(&format!("{}: {phase}, {percent} %", now.title));
        }
    }

    fn line(&self, line: &str) {
        if !self.as_json {
            println!("{line}");
        }
    }

    pub(super) fn clear(&self) {
        if let Ok(now) = self.now.lock() {
            now.bar.finish_and_clear();
        }
    }

    /// The whole run in the end.
    pub(super) fn all(&self, reports: &[Report], is_stopped: bool) {
        if self.as_json {
            return println!("{}", json!({ "actions": reports, "stopped": is_stopped }));
        }
        let count = |wanted: fn(&Ending) -> bool| reports.iter().filter(|report| wanted(&report.ending)).count();
        if reports.is_empty() {
            return println!("Nothing is due.");
        }
        let planned = count(|ending| *ending == Ending::Planned);
        if planned > 0 {
            return println!("{planned} actions are due; nothing was done.");
        }
        let done = count(|ending| matches!(ending, Ending::Done { .. }));
        println!("{done} of {} actions done{}.", reports.len(), if is_stopped { "; stopped" } else { "" });
    }
}

fn ended(report: &Report, with_why: bool) -> String {
    let Report { database, action, ending, millis } = report;
    let title = format!("{database}: {} {}", action.verb, action.target);
    let took = format!("{}.{:02} s", millis / 1000, millis % 1000 / 10);
    let why = if with_why { format!(" ({})", action.why) } else { String::new() };
    match ending {
        Ending::Planned => format!("{title}: due, {}", action.why),
        Ending::Done { brought } => format!("{title}: done in {took}, {brought}{why}"),
        Ending::GaveWay { to } => format!("{title}: GAVE WAY after {took}: {to}{why}"),
        Ending::Stopped => format!("{title}: stopped after {took}{why}"),
        Ending::Failed { because } => format!("{title}: FAILED after {took}: {because}{why}"),
    }
}

fn begun(title: &str) -> ProgressBar {
    let bar = ProgressBar::new(1);
    let style = ProgressStyle::with_template("{spinner} {msg} {bar:24} {percent} % {elapsed}");
    let bar = bar.with_style(style.unwrap_or_else(|_malformed| ProgressStyle::default_bar()));
    bar.set_message(title.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
