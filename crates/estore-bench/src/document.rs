//! The figures as a Markdown page, with the machine they were measured on.

use std::io::Read;

use clap::Args;

use crate::failure::Failure;
use crate::report::{Figure, cells};

/// The beginning of a section's table.
const TABLE: &str = "\n| figure | value | unit | to compare | ratio | at least | |\n\
    | --- | ---: | --- | ---: | ---: | ---: | --- |\n";

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

/// Reads JSON lines; `# Title` starts a section, any other line is text of the page. Whether all figures are good.
pub(crate) fn run(args: &DocumentArgs) -> Result<bool, Failure> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let (page, all_good) = page(heading(args), &input);
    print!("{page}");
    Ok(all_good)
}

fn page(mut page: String, input: &str) -> (String, bool) {
    let (mut all_good, mut in_table) = (true, false);
    for line in input.lines().filter(|line| !line.trim().is_empty()) {
        let Ok(figure) = serde_json::from_str::<Figure>(line) else {
            page.push_str(&if line.starts_with("# ") { format!("\n#{line}\n") } else { format!("\n{line}\n") });
            in_table = false;
            continue;
        };
        if !in_table {
            page.push_str(TABLE);
            in_table = true;
        }
        all_good &= figure.is_good();
        let cells = cells(&figure).map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    (page, all_good)
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
         measured in the same run; \"ratio\" says how many times better than that the value is.\n\
         [How it is measured](benchmarks/method.md), [what bounds it](benchmarks/notes.md).\n\n\
         - Date: {}\n- Revision: {}\n- Processor: {processor}, {cores} cores\n- Memory: {memory}\n- System: {}\n",
        args.date,
        args.revision,
        system.trim_matches('"'),
    )
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_section_has_its_text_and_one_table() {
        let figure = r#"{"name":"a","unit":"ms","value":1,"baseline":null,"ratio":null,"at_least":null}"#;
        let missed = r#"{"name":"b","unit":"","value":2,"baseline":3,"ratio":null,"at_least":null}"#;
        let (text, all_good) = page(String::new(), &format!("# Start\nAs it is.\n{figure}\n{missed}\n"));
        assert!(text.starts_with("\n## Start\n\nAs it is.\n\n| figure |") && !all_good, "{text}");
        assert_eq!((text.matches("| figure |").count(), text.matches("| a | 1 | ms |").count()), (1, 1));
    }
}
