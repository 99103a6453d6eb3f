//! Bars on standard error while a backup is under way; nothing where that is no terminal.

use std::sync::Mutex;

use estore_ops::backup::BackupEvent;
use indicatif::{ProgressBar, ProgressStyle};

/// The bar of the step that is under way.
#[derive(Debug)]
pub(super) struct Bars {
    bar: Mutex<ProgressBar>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { bar: Mutex::new(ProgressBar::hidden()) }
    }

    pub(super) fn show(&self, event: BackupEvent<'_>) {
        let Ok(mut bar) = self.bar.lock() else { return };
        match event {
            BackupEvent::FileStarted { name, bytes_expected } => {
                bar.finish_and_clear();
                *bar = begun(name, bytes_expected);
            }
            BackupEvent::FileBytes { bytes, .. } => bar.set_position(bytes),
            BackupEvent::LevelStarted { name } => {
                bar.finish_and_clear();
                *bar = begun(name, None);
            }
            BackupEvent::FileFinished { .. } | BackupEvent::LevelFinished { .. } => bar.finish_and_clear(),
            BackupEvent::Fenced { .. } | BackupEvent::Counted { .. } => {}
        }
    }

    pub(super) fn clear(&self) {
        if let Ok(bar) = self.bar.lock() {
            bar.finish_and_clear();
        }
    }
}

fn begun(name: &str, bytes_expected: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes_expected {
        // About: an estimate may be passed.
        Some(bytes) => (ProgressBar::new(bytes), "{spinner} {msg} {bytes} of about {total_bytes}, {bytes_per_sec}"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}"),
    };
    let style = ProgressStyle::with_template(template);
    let bar = bar.with_style(style.unwrap_or_else(|_malformed| ProgressStyle::default_spinner()));
    bar.set_message(name.to_owned());
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}
