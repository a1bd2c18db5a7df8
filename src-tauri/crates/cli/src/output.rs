//! How results, progress and errors are shown: to a person, or to a program.

use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{JobId, JobProgress, Step};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use std::io::Write;
use std::time::Duration;

/// Where and how to show things.
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The result: `value` as JSON, or the text for people.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let shown = if self.json {
            serde_json::to_string_pretty(value)
                .unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string())
        } else {
            plain(&text())
        };
        // A reader that closed the pipe (`| head`) is no failure.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", shown.trim_end());
    }

    /// Something to know on the way.
    pub fn notice(&self, text: &str) {
        if self.json {
            self.line(&json!({ "event": "notice", "message": text }));
        } else {
            let _ = writeln!(std::io::stderr(), "{}", plain(text));
        }
    }

    /// One JSON line on standard error, where progress goes.
    pub fn line(&self, value: &impl Serialize) {
        if self.json
            && let Ok(line) = serde_json::to_string(value)
        {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    pub fn error(&self, error: &AppError) {
        if self.json {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{}", json!({ "error": error }));
            return;
        }
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "error: {}", plain(&error.message));
        if let Some(details) = &error.details {
            let _ = writeln!(err, "  ({})", plain(details).replace('\n', "\n   "));
        }
        if let Some(hint) = &error.hint {
            let _ = writeln!(err, "hint: {}", plain(hint));
        }
    }

    /// A bar for one job. Hidden where standard error is no terminal.
    pub fn bar(&self, label: &str) -> Bar {
        let bar = if self.json {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        } else {
            ProgressBar::new(0)
        };
        bar.set_style(style());
        bar.set_prefix(plain(label));
        bar.set_message("preparing");
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar { bar, speed: " fps" }
    }
}

/// A text without signs that steer a terminal. Names of files and what files say of themselves are a
/// stranger's words: they must not clear the screen, colour what follows or retitle the window.
fn plain(text: &str) -> String {
    text.chars()
        .map(|sign| match sign {
            '\n' | '\t' => sign,
            sign if sign.is_control() => char::REPLACEMENT_CHARACTER,
            sign => sign,
        })
        .collect()
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix}  {bar:28.cyan/dim}  {pos}/{len}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

/// Writes a text that other programs read to standard output. A reader that closed the pipe
/// (`| head`) is no failure.
///
/// # Errors
/// The output cannot be written.
pub fn print(text: &[u8]) -> Result<(), AppError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(AppError::new(
            ErrorCode::OutputUnwritable,
            "Standard output cannot be written.",
        )
        .hint("Check where it leads.")
        .details(error.to_string())),
        _ => Ok(()),
    }
}

/// The exit code for a request that no job was made of: a request that asks for what is not there
/// makes no sense, while the same failure in the middle of a job is a job that failed.
pub fn refusal_exit_code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::OutputUnwritable
        | ErrorCode::DiskFull
        | ErrorCode::ModelNotFound
        | ErrorCode::ModelInvalid
        | ErrorCode::DeviceUnavailable
        | ErrorCode::EncoderUnavailable => ErrorCode::InvalidRequest.exit_code(),
        other => other.exit_code(),
    }
}

/// Progress of one job on a terminal.
pub struct Bar {
    bar: ProgressBar,
    /// What stands behind the speed.
    speed: &'static str,
}

impl Bar {
    /// For sound alone, whose progress is counted in seconds.
    #[must_use]
    pub fn of_sound(self) -> Self {
        Self {
            speed: "x real time",
            ..self
        }
    }

    pub fn update(&self, progress: &JobProgress) {
        self.bar
            .set_length(progress.total.unwrap_or(progress.done.max(1)));
        self.bar.set_position(progress.done);
        let elapsed = duration(progress.elapsed_micros);
        self.bar.set_message(match progress.step {
            Step::Preparing => "preparing".to_owned(),
            Step::Processing => {
                let remaining = progress
                    .remaining_micros
                    .map_or_else(|| "…".to_owned(), duration);
                format!(
                    "{:.1}{}  {elapsed} elapsed  {remaining} left",
                    progress.fps, self.speed
                )
            }
            Step::Joining => format!("joining  {elapsed} elapsed"),
            Step::Verifying => format!("checking  {elapsed} elapsed"),
        });
    }

    /// So many bytes of a download are there.
    pub fn update_bytes(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.bar
            .set_message(format!("{} of {}", bytes(done), bytes(total)));
    }

    /// This part is done of what is no job, 0 to 1.
    pub fn part(&self, part: f64) {
        self.bar.set_length(100);
        self.bar.set_position((part.clamp(0.0, 1.0) * 100.0) as u64);
        self.bar.set_message("percent");
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A progress event as a JSON line.
pub fn progress_line(id: &JobId, progress: &JobProgress) -> serde_json::Value {
    json!({
        "event": "progress",
        "id": id,
        "step": progress.step,
        "done": progress.done,
        "total": progress.total,
        "fraction": progress.fraction(),
        "fps": progress.fps,
        "elapsed_micros": progress.elapsed_micros,
        "remaining_micros": progress.remaining_micros,
    })
}

/// `1:02:03` or `2:03`.
pub fn duration(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// `1.5 GiB`.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" {
                format!("{bytes} B")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// Lines of `name  value` with the values below each other.
pub fn columns(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0);
    rows.iter()
        .map(|(name, value)| format!("{name:width$}  {value}").trim_end().to_owned() + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_stranger_steer_no_terminal() {
        assert_eq!(
            plain("Phim\u{1b}]0;owned\u{7}\u{1b}[2J của\tMai\nclip\u{9b}31m\r"),
            "Phim\u{fffd}]0;owned\u{fffd}\u{fffd}[2J của\tMai\nclip\u{fffd}31m\u{fffd}"
        );
    }

    #[test]
    fn times_and_sizes_read_well() {
        assert_eq!(duration(0), "0:00");
        assert_eq!(duration(62_000_000), "1:02");
        assert_eq!(duration(3_723_000_000), "1:02:03");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(5 << 40), "5.0 TiB");
    }
}
