//! `estore db maintain`.

mod shown;

use std::sync::Arc;

use estore_ops::maintain::{Ending, MaintainOptions, Report, Task, maintain};
use estore_ops::roles::Service;
use jiff::Zoned;
use tokio_util::sync::CancellationToken;

use super::{db, migrate};
use crate::cli::Maintain;
use crate::config::Config;
use crate::maintenance::{self, Opening};
use crate::{Outcome, sealing, stop};
use shown::Shown;

/// Does what is due, or tells what is; whether everything that was due has been done.
pub async fn run(config: Config, wish: Maintain) -> Outcome {
    let stop = stop::on_signal()?;
    let services = wish.database.map_or(Service::ALL.to_vec(), |name| vec![db::service(name)]);
    let mut options = MaintainOptions { dry_run: wish.dry_run, ..config.maintenance.options() };
    if !config.maintenance.partitions.is_empty() {
        options.sealing_key = Some(Arc::new(sealing::key(&config)?));
    }
    if !wish.only.is_empty() {
        let wanted: Vec<Task> = wish.only.iter().map(|&name| name.into()).collect();
        options.tasks.retain(|task| wanted.contains(task));
    }
    if !wish.now && !wish.dry_run {
        match config.maintenance.window.at(&Zoned::now()) {
            Opening::Open(until) => options.until = until.map(|until| until.timestamp()),
            Opening::Shut => return Err(shut(&config).into()),
        }
    }
    let shown = Shown::new(wish.json);
    let (databases, cluster) = migrate::open(&config, &services).await?;
    let reports = match maintenance::sites(&config, &databases, &services) {
        Ok(sites) => Box::pin(maintain(&sites, &options, &stop, &|event| shown.tell(event))).await.map_err(Into::into),
        Err(error) => Err(error.into()),
    };
    shown.clear();
    migrate::close(cluster).await?;
    end(&shown, reports, &stop)
}

fn end(shown: &Shown, reports: Result<Vec<Report>, Box<dyn std::error::Error>>, stop: &CancellationToken) -> Outcome {
    let reports = reports?;
    shown.all(&reports, stop.is_cancelled());
    Ok(reports.iter().all(|report| matches!(report.ending, Ending::Done { .. } | Ending::Planned)))
}

fn shut(config: &Config) -> String {
    let (window, now) = (config.maintenance.window, Zoned::now());
    format!(
        "maintenance.window is {window}, and it is {}: nothing was done. --now does it at once; --dry-run tells what is due.",
        now.strftime("%H:%M")
    )
}
