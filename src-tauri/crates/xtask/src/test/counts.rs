//! How many tests passed, failed and were skipped, read from what the test programs print.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Add;

/// Numbers of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ran and held.
    pub passed: usize,
    /// Ran and did not.
    pub failed: usize,
    /// Marked as ignored, or ended early with a line `skipped: ...`.
    pub skipped: usize,
    /// The part of `skipped` that ended early for want of test media or the like.
    pub no_data: usize,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
            no_data: self.no_data + other.no_data,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

impl Counts {
    /// Moves tests that ended early from passed to skipped.
    pub fn with_no_data(mut self, count: usize) -> Self {
        let count = count.min(self.passed);
        self.passed -= count;
        self.skipped += count;
        self.no_data += count;
        self
    }
}

/// The marker with which a test says that it cannot run here.
const SKIP: &str = "skipped:";

/// Text of cargo's own test harness (one or many programs), run with `--show-output`.
pub fn of_cargo_test(text: &str) -> Counts {
    let text = without_colors(text);
    let mut counts = Counts::default();
    let mut no_data = 0;
    let mut is_block_counted = false;
    for line in text.lines() {
        if line.starts_with("---- ") {
            is_block_counted = false;
        } else if line.starts_with(SKIP) && !is_block_counted {
            is_block_counted = true;
            no_data += 1;
        } else if let Some(result) = line.strip_prefix("test result: ") {
            counts.passed += number_before(result, "passed");
            counts.failed += number_before(result, "failed");
            counts.skipped += number_before(result, "ignored");
        }
    }
    counts.with_no_data(no_data)
}

/// Text of cargo-nextest. What passing tests print is not in it: see [`no_data_of_junit`].
pub fn of_nextest(text: &str) -> Counts {
    let text = without_colors(text);
    let summary = text
        .lines()
        .rfind(|line| line.trim_start().starts_with("Summary ["))
        .unwrap_or_default();
    Counts {
        passed: number_before(summary, "passed"),
        failed: number_before(summary, "failed") + number_before(summary, "timed out"),
        // nextest's own "skipped" counts what a filter left out, which runs in another stage.
        skipped: 0,
        no_data: 0,
    }
}

/// Tests in a JUnit report that ended early.
pub fn no_data_of_junit(xml: &str) -> usize {
    xml.split("<testcase")
        .skip(1)
        .filter(|case| {
            case.match_indices(SKIP)
                .any(|(at, _)| matches!(case[..at].chars().next_back(), Some('>' | '\n')))
        })
        .count()
}

/// Text of vitest.
pub fn of_vitest(text: &str) -> Counts {
    let text = without_colors(text);
    let summary = text
        .lines()
        .rfind(|line| line.trim_start().starts_with("Tests  "))
        .unwrap_or_default();
    Counts {
        passed: number_before(summary, "passed"),
        failed: number_before(summary, "failed"),
        skipped: number_before(summary, "skipped") + number_before(summary, "todo"),
        no_data: 0,
    }
}

/// Text of Playwright's list reporter: `  2 failed`, `  1 flaky`, `  7 passed (5.1s)`.
pub fn of_playwright(text: &str) -> Counts {
    let text = without_colors(text);
    let sum = |word: &str| -> usize {
        text.lines()
            .filter(|line| line.starts_with("  "))
            .filter_map(|line| line.trim().split_once(' '))
            .filter(|(_, rest)| *rest == word || rest.starts_with(&format!("{word} (")))
            .filter_map(|(number, _)| number.parse::<usize>().ok())
            .sum()
    };
    Counts {
        passed: sum("passed") + sum("flaky"),
        failed: sum("failed") + sum("interrupted"),
        skipped: sum("skipped") + sum("did not run"),
        no_data: 0,
    }
}

/// Names of failed tests in any of these kinds of text, each once.
pub fn failed_names(text: &str) -> Vec<String> {
    let text = without_colors(text);
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("test ") {
            if let Some(name) = rest.strip_suffix(" ... FAILED") {
                names.insert(name.to_owned());
            }
        } else if let Some(name) = nextest_failure(line) {
            names.insert(name.to_owned());
        } else if let Some(name) = line.strip_prefix("FAIL  ") {
            names.insert(name.to_owned());
        }
    }
    names.into_iter().take(30).collect()
}

/// The test of a line like `FAIL [   0.010s] (2/3) program module::name`; a crash has the name of
/// its signal in the place of `FAIL`.
fn nextest_failure(line: &str) -> Option<&str> {
    let (state, rest) = line.split_once(" [")?;
    let word = state.split_whitespace().next()?;
    if !(matches!(word, "FAIL" | "TIMEOUT" | "ABORT") || word.starts_with("SIG")) {
        return None;
    }
    let name = rest.split_once("s] ")?.1.trim();
    Some(match name.strip_prefix('(') {
        Some(counted) => counted.split_once(") ")?.1,
        None => name,
    })
}

/// The number in front of `word`: 12 in "12 passed".
fn number_before(line: &str, word: &str) -> usize {
    line.split([',', ';', '|', '.', ':', '('])
        .filter_map(|part| part.trim().strip_suffix(word))
        .filter_map(|part| part.split_whitespace().next_back()?.parse::<usize>().ok())
        .sum()
}

/// The text without terminal colours (`ESC [ ... m`).
fn without_colors(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        let sequence = &rest[at + 2..];
        let end = sequence
            .find(|c: char| c.is_ascii_alphabetic())
            .map_or(sequence.len(), |end| end + 1);
        rest = &sequence[end..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_cargo_test_programs_add_up() {
        let text = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s\n\
            test a::b ... FAILED\n\
            test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.10s\n";
        let counts = of_cargo_test(text);
        assert_eq!(counts.to_string(), "8 passed, 1 failed, 1 skipped");
        assert_eq!(failed_names(text), ["a::b"]);
    }

    #[test]
    fn a_test_that_says_skipped_twice_is_one_skipped_test() {
        let text = "successes:\n\n---- a stdout ----\nskipped: no test data\nskipped: no test data\n\n\
            ---- b stdout ----\nskipped: no display\n\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let counts = of_cargo_test(text);
        assert_eq!(counts.to_string(), "1 passed, 0 failed, 2 skipped");
        assert_eq!(counts.no_data, 2);
    }

    #[test]
    fn nextest_is_read_by_its_summary_with_colours() {
        let text = "\u{1b}[32;1m        PASS\u{1b}[0m [   0.003s] core time::a\n\
                    \u{1b}[31;1m        FAIL\u{1b}[0m [   0.010s] (2/3) core time::b\n\
            \u{1b}[31;1m     SIGSEGV\u{1b}[0m [   0.010s] (3/3) core time::c\n\
            ------------\n\
            \u{1b}[31;1m     Summary\u{1b}[0m [   0.021s] \u{1b}[1m3\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m (1 slow), \u{1b}[1m1\u{1b}[0m \u{1b}[31;1mfailed\u{1b}[0m, \u{1b}[1m4\u{1b}[0m skipped\n";
        assert_eq!(
            of_nextest(text).to_string(),
            "2 passed, 1 failed, 0 skipped"
        );
        assert_eq!(failed_names(text), ["core time::b", "core time::c"]);
    }

    #[test]
    fn a_junit_report_tells_which_tests_had_no_data() {
        let xml = "<testsuite><testcase name=\"a\"><system-out>skipped: no test data\n</system-out></testcase>\
            <testcase name=\"b\"><system-out>nothing was skipped: all fine</system-out></testcase>\
            <testcase name=\"c\"><system-err>noise\nskipped: no test data</system-err></testcase></testsuite>";
        assert_eq!(no_data_of_junit(xml), 2);
    }

    #[test]
    fn playwright_is_read_by_its_last_lines() {
        let text = "  ✓  1 window.page.ts:9:1 › 3 passed (1.2s)\n  1 failed\n    window.page.ts:9:1 › x\n  2 skipped\n  7 passed (5.1s)\n";
        assert_eq!(
            of_playwright(text).to_string(),
            "7 passed, 1 failed, 2 skipped"
        );
    }

    #[test]
    fn vitest_is_read_by_its_line_of_tests_not_of_files() {
        let text = " Test Files  1 failed | 4 passed (5)\n      Tests  1 failed | 40 passed | 2 skipped (43)\n";
        assert_eq!(
            of_vitest(text).to_string(),
            "40 passed, 1 failed, 2 skipped"
        );
    }
}
