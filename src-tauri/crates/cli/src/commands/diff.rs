use crate::arguments::Diff;
use crate::output::{Output, columns};
use frameloom_app::inventory::{Comparison, DiffOptions, Difference, compare};
use frameloom_core::error::{AppError, ErrorCode};
use std::process::ExitCode;

/// More lines than this about one stream help nobody; `--json` has them all.
const MOST_LINES: usize = 40;

pub fn run(arguments: &Diff, output: &Output) -> Result<ExitCode, AppError> {
    if !(0.0..=1e9).contains(&arguments.tolerance) {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            "The tolerance is a number of milliseconds, 0 or more.",
        )
        .hint("Leave it out to compare times exactly."));
    }
    let options = DiffOptions {
        ignore: arguments.ignore.clone(),
        tolerance_micros: (arguments.tolerance * 1000.0).round() as i64,
    };
    let comparison = compare(&arguments.a, &arguments.b, &options)?;
    output.result(&comparison, || text(arguments, &comparison));
    Ok(if comparison.equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn text(arguments: &Diff, comparison: &Comparison) -> String {
    let mut out = format!(
        "A  {}\nB  {}\n",
        arguments.a.display(),
        arguments.b.display()
    );
    out.push_str(&group("file".to_owned(), comparison, None));
    for (place, pair) in comparison.streams.iter().enumerate() {
        let index = |index: Option<u32>| index.map_or_else(|| "-".to_owned(), |i| i.to_string());
        let indices = match (pair.a, pair.b) {
            (a, b) if a == b => index(a),
            (a, b) => format!("{} | {}", index(a), index(b)),
        };
        let head = format!("stream {indices}, {}: {}", pair.scope.name(), pair.title);
        out.push_str(&group(head, comparison, Some(place)));
    }
    if comparison.ignored > 0 {
        out.push_str(&format!("{} differences ignored\n", comparison.ignored));
    }
    out
}

/// A heading with `same`, or with one line for each difference.
fn group(head: String, comparison: &Comparison, pair: Option<usize>) -> String {
    let of_this: Vec<&Difference> = comparison
        .differences
        .iter()
        .filter(|difference| difference.pair == pair)
        .collect();
    if of_this.is_empty() {
        return format!("{head}: same\n");
    }
    let rows: Vec<(String, String)> = of_this.iter().take(MOST_LINES).map(|d| row(d)).collect();
    let mut out = format!("{head}: differs\n{}", columns(&rows));
    if of_this.len() > MOST_LINES {
        let more = of_this.len() - MOST_LINES;
        out.push_str(&format!("  and {more} more; --json lists all\n"));
    }
    out
}

fn row(difference: &Difference) -> (String, String) {
    let name = match &difference.name {
        Some(name) => format!("  {} {name}", difference.aspect),
        None => format!("  {}", difference.aspect),
    };
    let mut value = format!("{} | {}", difference.a, difference.b);
    if let Some(first) = &difference.first {
        let count = difference.count.unwrap_or(1);
        value.push_str(&format!("  (packet {}, {count} differ", first.packet));
        if let Some(shift) = difference.shift_micros {
            value.push_str(&format!(", all by {:+.3} ms", shift as f64 / 1e3));
        } else if let Some(largest) = difference.largest_micros {
            value.push_str(&format!(", by up to {:.3} ms", largest as f64 / 1e3));
        }
        value.push(')');
    }
    (plain(&name), plain(&value))
}

/// Tags are somebody else's text: a terminal must not take them for commands.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c.is_control() {
            true => c.escape_default().collect::<Vec<_>>(),
            false => vec![c],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_file_cannot_command_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc é"), "a\\u{1b}[2Jb\\nc é");
    }
}
