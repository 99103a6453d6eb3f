//! The figures as a Markdown page, with the machine they were measured on.

use std::io::Read;

use clap::Args;

use crate::failure::Failure;
use crate::report::{Figure, cells};

/// What the page says besides the figures.
#[derive(Debug, Args)]
pub(crate) struct DocumentArgs {
    /// The day of the measurement.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: String,
    /// The version measured, as `git describe` names it.
    #[arg(long, value_name = "TEXT")]
    revision: String,
}

/// Reads JSON lines; a line that is no figure starts a section with its text. Whether all figures are good.
pub(crate) fn run(args: &DocumentArgs) -> Result<bool, Failure> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let (mut page, mut all_good) = (heading(args), true);
    for line in input.lines().filter(|line| !line.trim().is_empty()) {
        let Ok(figure) = serde_json::from_str::<Figure>(line) else {
            page.push_str(&section(line));
            continue;
        };
        all_good &= figure.is_good();
        let cells = cells(&figure).map(|cell| cell.replace('|', "\\|"));
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    print!("{page}");
    Ok(all_good)
}

fn section(title: &str) -> String {
    format!(
        "\n## {title}\n\n| figure | value | unit | to compare | ratio | at least | |\n\
         | --- | ---: | --- | ---: | ---: | ---: | --- |\n"
    )
}

fn heading(args: &DocumentArgs) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_prefix(':').map(str::trim));
        value.unwrap_or("unknown").to_owned()
    };
    let processor = field(&read("/proc/cpuinfo"), "model name");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let system = read("/etc/os-release");
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("unknown");
    format!(
        "# Benchmarks\n\n\
         Written by `script/bench`; do not edit. \"To compare\" is a limit, a known figure or the rate of the baseline\n\
         measured in the same run; \"ratio\" says how many times better than that the value is.\n\n\
         - Date: {}\n- Revision: {}\n- Processor: {processor}, {cores} cores\n- Memory: {memory}\n- System: {}\n",
        args.date,
        args.revision,
        system.trim_matches('"'),
    )
}

#[cfg(test)]
mod tests {
    use super::section;

    #[test]
    fn a_section_is_a_table() {
        assert!(section("Start").ends_with("| --- |\n") && section("Start").starts_with("\n## Start\n"));
    }
}
