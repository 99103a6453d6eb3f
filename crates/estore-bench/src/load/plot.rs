//! Plots as plain SVG: bars, and lines over a range.

use std::fmt::Write;

const WIDTH: u64 = 720;
const HEIGHT: u64 = 360;
const LEFT: u64 = 70;
const TOP: u64 = 40;
/// Where the axis at the bottom is.
const BOTTOM: u64 = 310;
const RIGHT: u64 = 700;
const COLOURS: [&str; 4] = ["#9aa5b1", "#2563eb", "#16a34a", "#d97706"];

/// A named row of points, in the units of the axes.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(u64, u64)>,
}

/// Pairs of bars: a baseline and what we measured, under each label.
pub(crate) fn bars(title: &str, names: [&str; 2], groups: &[(String, u64, u64)]) -> String {
    let top = groups.iter().map(|(_, a, b)| *a.max(b)).max().unwrap_or(1).max(1);
    let mut svg = begin(title, top);
    let step = (RIGHT - LEFT) / (groups.len() as u64).max(1);
    for (number, (label, baseline, value)) in groups.iter().enumerate() {
        let x = LEFT + step * number as u64 + step / 6;
        let bar = step / 3;
        for (place, amount) in [*baseline, *value].into_iter().enumerate() {
            let (x, height) = (x + bar * place as u64, amount * (BOTTOM - TOP) / top);
            let (y, colour) = (BOTTOM - height, COLOURS[place]);
            put(
                &mut svg,
                format_args!(r#"<rect x="{x}" y="{y}" width="{}" height="{height}" fill="{colour}"/>"#, bar - 4),
            );
            put(
                &mut svg,
                format_args!(r#"<text x="{}" y="{}" text-anchor="middle">{amount}</text>"#, x + bar / 2, y - 4),
            );
        }
        put(&mut svg, format_args!(r#"<text x="{}" y="{}" text-anchor="middle">{label}</text>"#, x + bar, BOTTOM + 16));
    }
    legend(&mut svg, &names.map(str::to_owned));
    svg + "</svg>\n"
}

/// Lines over a common range; `ticks` name places of the axis at the bottom.
pub(crate) fn lines(title: &str, lines: &[Line], ticks: &[(u64, String)]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let top = points().map(|point| point.1).max().unwrap_or(1).max(1);
    let end = points().map(|point| point.0).max().unwrap_or(1).max(1);
    let across = |x: u64| LEFT + x * (RIGHT - LEFT) / end;
    let mut svg = begin(title, top);
    for (x, label) in ticks.iter().filter(|(x, _)| *x <= end) {
        put(
            &mut svg,
            format_args!(r#"<text x="{}" y="{}" text-anchor="middle">{label}</text>"#, across(*x), BOTTOM + 16),
        );
    }
    for (number, line) in lines.iter().enumerate() {
        let height = |y: u64| BOTTOM - y * (BOTTOM - TOP) / top;
        let places: Vec<String> = line.points.iter().map(|(x, y)| format!("{},{}", across(*x), height(*y))).collect();
        let (places, colour) = (places.join(" "), COLOURS[(number + 1) % COLOURS.len()]);
        put(&mut svg, format_args!(r#"<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>"#));
    }
    let names: Vec<String> = std::iter::once(String::new()).chain(lines.iter().map(|line| line.name.clone())).collect();
    legend(&mut svg, &names);
    svg + "</svg>\n"
}

fn begin(title: &str, top: u64) -> String {
    let mut svg = String::new();
    put(
        &mut svg,
        format_args!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">"#
        ),
    );
    put(&mut svg, format_args!(r#"<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>"#));
    put(&mut svg, format_args!(r#"<text x="{LEFT}" y="20" font-size="15">{title}</text>"#));
    for part in 0..=4 {
        let (y, amount) = (BOTTOM - (BOTTOM - TOP) * part / 4, top * part / 4);
        put(&mut svg, format_args!(r##"<line x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}" stroke="#e5e7eb"/>"##));
        put(&mut svg, format_args!(r#"<text x="{}" y="{}" text-anchor="end">{amount}</text>"#, LEFT - 6, y + 4));
    }
    svg
}

/// The names with their colours; an empty one is left out.
fn legend(svg: &mut String, names: &[String]) {
    let shown = names.iter().enumerate().filter(|(_, name)| !name.is_empty());
    for (place, (number, name)) in shown.enumerate() {
        let (x, colour) = (LEFT + place as u64 * 210, COLOURS[number % COLOURS.len()]);
        put(svg, format_args!(r#"<rect x="{x}" y="{}" width="10" height="10" fill="{colour}"/>"#, HEIGHT - 22));
        put(svg, format_args!(r#"<text x="{}" y="{}">{name}</text>"#, x + 15, HEIGHT - 13));
    }
}

/// Writing into memory cannot fail.
fn put(svg: &mut String, element: std::fmt::Arguments<'_>) {
    let _written = writeln!(svg, "{element}");
}

#[cfg(test)]
mod tests {
    use super::{Line, bars, lines};

    #[test]
    fn plots_are_closed_and_show_every_value() {
        let svg = bars("Orders", ["pgbench", "EStore"], &[("uniform".into(), 10, 40), ("hot".into(), 5, 35)]);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(["10", "40", "5", "35"].iter().all(|value| svg.contains(&format!(">{value}</text>"))));
        let line = Line { name: "64".into(), points: vec![(0, 1), (10, 100)] };
        let svg = lines("Latency", &[line], &[(10, "99 %".into())]);
        assert!(svg.contains(r#"points="70,308 700,40""#), "{svg}");
    }
}
