//! What a user can copy to ask for help: what happened, on which system, and the last lines of the
//! logs, with paths and names removed.
//!
//! Names are removed in two ways, because neither is enough: those that the program knows (files
//! of jobs, the user) wherever they stand, and whatever looks like a path or a file. Where a path
//! ends cannot be told without quotes, for names have spaces: the rest of the line goes with it.

use crate::App;
use frameloom_core::error::AppError;
use frameloom_core::job::Job;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use sysinfo::System;

/// Lines of the logs that are copied.
const LINES: usize = 10;
/// So much of the end of a log file is read.
const TAIL_BYTES: u64 = 64 << 10;
/// Log files that are read, the newest first: window, worker, command line, and one of yesterday.
const FILES: usize = 4;
/// Jobs of the past whose files' names are known.
const PAST_JOBS: u64 = 100;
/// Shorter names are common words; they are removed only where they stand as paths.
const SHORTEST_NAME: usize = 3;

const PATH: &str = "[path]";
const NAME: &str = "[name]";

/// Extensions by which a word is taken for the name of a file of the user.
const EXTENSIONS: &[&str] = &[
    "3gp",
    "aac",
    "aif",
    "aiff",
    "apng",
    "ass",
    "avi",
    "avif",
    "bmp",
    "exr",
    "flac",
    "flv",
    "frameloom",
    "gif",
    "heic",
    "heif",
    "hdr",
    "jpeg",
    "jpg",
    "json",
    "jxl",
    "m2ts",
    "m4a",
    "m4v",
    "mka",
    "mkv",
    "mov",
    "mp3",
    "mp4",
    "mpeg",
    "mpg",
    "mts",
    "mxf",
    "ogg",
    "ogv",
    "onnx",
    "opus",
    "part",
    "png",
    "ppm",
    "qoi",
    "srt",
    "tga",
    "tif",
    "tiff",
    "tmp",
    "ts",
    "vtt",
    "wav",
    "webm",
    "webp",
    "wmv",
    "y4m",
];

/// Names of the fields in the lines of the logs.
const FIELDS: &[&str] = &[
    "again",
    "attempt",
    "details",
    "error",
    "failure",
    "id",
    "job",
    "last_words",
    "library",
    "output",
    "path",
    "provider",
    "reason",
    "trial",
    "version",
    "wanted",
    "what",
];

impl App {
    /// A failure as the user can copy it to somebody who can help. No paths and no names of files
    /// are in it.
    pub fn details_of(&self, error: &AppError) -> String {
        let names = self.known_names();
        let mut lines = vec![format!(
            "Frameloom {}, {}, {}",
            env!("CARGO_PKG_VERSION"),
            System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned()),
            std::env::consts::ARCH,
        )];
        lines.push(format!(
            "{:?}: {}",
            error.code,
            redacted(&error.message, &names)
        ));
        if let Some(details) = &error.details {
            lines.push(redacted(details, &names));
        }
        match last_lines(&self.places.logs(), LINES) {
            Ok(last) if last.is_empty() => {}
            Ok(last) => {
                lines.push(String::new());
                lines.push("Last lines of the log, without paths and names:".to_owned());
                lines.extend(last.iter().map(|line| redacted(line, &names)));
            }
            Err(error) => lines.push(format!("The log cannot be read: {}", error.kind())),
        }
        lines.join("\n")
    }

    /// Names that the program knows of: files of its jobs, and the user. The longest first, so that
    /// none is cut by a shorter one.
    fn known_names(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        // A list that cannot be read must not keep a failure from being reported; what looks like
        // a path goes in any case.
        let past = self.store.history(None, 0, PAST_JOBS).unwrap_or_default();
        let at_hand = self.store.at_hand().unwrap_or_default();
        for row in past.iter().chain(&at_hand) {
            for path in paths_of(&row.job) {
                names.extend(names_of(path));
            }
        }
        if let Ok(home) = etcetera::home_dir() {
            names.extend(
                home.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
        let mut names: Vec<String> = names
            .into_iter()
            .filter(|name| name.chars().count() >= SHORTEST_NAME)
            .collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names
    }
}

fn paths_of(job: &Job) -> impl Iterator<Item = &Path> {
    let spec = &job.spec;
    [&spec.input, &spec.output]
        .into_iter()
        .chain(spec.inputs.values())
        .map(PathBuf::as_path)
}

/// The whole path, the name of its file with and without extension, and that of its folder.
fn names_of(path: &Path) -> impl Iterator<Item = String> {
    let folder = path.parent().and_then(Path::file_name);
    [
        Some(path.as_os_str()),
        path.file_name(),
        path.file_stem(),
        folder,
    ]
    .into_iter()
    .flatten()
    .map(|name| name.to_string_lossy().into_owned())
}

/// The last `count` lines of the newest logs together, in the order of time. A line that has no
/// time belongs to the one before it.
fn last_lines(folder: &Path, count: usize) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            files.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    files.sort();
    let mut stamped: Vec<(String, String)> = Vec::new();
    for (_, path) in files.iter().rev().take(FILES) {
        let mut time = String::new();
        for line in tail(path)?.lines() {
            let first = line.split_whitespace().next().unwrap_or_default();
            if first.len() >= 20 && first.starts_with("20") && first.ends_with('Z') {
                first.clone_into(&mut time);
            }
            stamped.push((time.clone(), line.to_owned()));
        }
    }
    // Stable: lines of one time stay in their order.
    stamped.sort_by(|a, b| a.0.cmp(&b.0));
    let from = stamped.len().saturating_sub(count);
    Ok(stamped
        .split_off(from)
        .into_iter()
        .map(|(_, line)| line)
        .collect())
}

/// The end of a text file, from the start of a line on.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(match from {
        0 => text,
        // Cut into the middle of a line.
        _ => text
            .split_once('\n')
            .map(|(_, rest)| rest.to_owned())
            .unwrap_or_default(),
    })
}

/// `text` without `names`, paths and names of files.
fn redacted(text: &str, names: &[String]) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let line = without_quoted(line);
            let line = names
                .iter()
                .fold(line, |line, name| without_word(&line, name));
            without_files(&without_paths(&line))
        })
        .collect();
    lines.join("\n")
}

/// Takes `name` out wherever it is not a part of a longer word.
fn without_word(line: &str, name: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        out.push_str(before);
        if is_word(before.chars().next_back()) || is_word(after.chars().next()) {
            out.push_str(name);
        } else {
            out.push_str(NAME);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Takes out what stands between quotes and is a path or the name of a file. Messages of this
/// program quote with backticks, logs with `"` and escapes.
fn without_quoted(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['`', '"']) {
        let quote = rest[at..].chars().next().unwrap_or('"');
        let body = &rest[at + 1..];
        let Some(end) = closing(body, quote) else {
            break;
        };
        out.push_str(&rest[..=at]);
        let said = &body[..end];
        out.push_str(if said.contains(['/', '\\']) {
            PATH
        } else if is_file(said) {
            NAME
        } else {
            said
        });
        out.push(quote);
        rest = &body[end + 1..];
    }
    out.push_str(rest);
    out
}

/// Where the quote ends; a quote after a backslash does not end it.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    body.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

/// Takes out paths that stand without quotes, up to the next field of the log or the end of the
/// line.
fn without_paths(line: &str) -> String {
    let Some(at) = path_start(line) else {
        return line.to_owned();
    };
    let end = next_field(&line[at..]).map_or(line.len(), |field| at + field);
    format!("{}{PATH}{}", &line[..at], without_paths(&line[end..]))
}

/// Where a path begins: `/x`, `~/x`, `C:\x`, `\\x` or an address, at the start of a word.
fn path_start(line: &str) -> Option<usize> {
    let mut before = None;
    line.char_indices().find_map(|(at, c)| {
        let starts_word =
            !before.is_some_and(|b: char| b.is_alphanumeric() || b == ']' || b == '/');
        before = Some(c);
        let rest = &line[at..];
        let mut next = rest.chars().skip(1);
        let (second, third) = (next.next(), next.next());
        let is_part = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace() && c != '/');
        let begins = match c {
            '/' => is_part(second),
            '~' => second == Some('/'),
            '\\' => second == Some('\\') && is_part(third),
            _ if c.is_ascii_alphabetic() => {
                second == Some(':') && matches!(third, Some('\\' | '/'))
                    || ["file://", "http://", "https://", "loom://"]
                        .iter()
                        .any(|scheme| rest.starts_with(scheme))
            }
            _ => false,
        };
        (starts_word && begins).then_some(at)
    })
}

/// Where the next field of a line of the log begins. Only fields that this program writes: a name
/// may hold a space and a sign of equality, too.
fn next_field(text: &str) -> Option<usize> {
    text.match_indices(' ').map(|(at, _)| at).find(|at| {
        let (name, value) = text[at + 1..].split_once('=').unwrap_or_default();
        !value.is_empty() && FIELDS.contains(&name)
    })
}

/// Takes out words that are names of files.
fn without_files(line: &str) -> String {
    let word = |word: &str| match word.trim_matches(|c: char| ",;:!?()[]<>'".contains(c)) {
        bare if is_file(bare) => word.replace(bare, NAME),
        _ => word.to_owned(),
    };
    let words: Vec<String> = line.split(' ').map(word).collect();
    words.join(" ")
}

/// Whether a text ends as the name of a file does that a user may have named.
fn is_file(text: &str) -> bool {
    let text = text.trim_end_matches('.');
    text.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty() && EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_however_they_are_written_and_the_reason_stays_where_it_can_be_told_apart() {
        let cases = [
            (
                "`/home/mai/Phim/ngõ nhỏ.mp4` cannot be read: No such file or directory",
                "`[path]` cannot be read: No such file or directory",
            ),
            (
                r#"error=disk full path="/a b/\"c\".mov" job=17"#,
                r#"error=disk full path="[path]" job=17"#,
            ),
            (
                "output=/home/mai/ngõ nhỏ Hà Nội.mp4 again=true",
                "output=[path] again=true",
            ),
            (r"open C:\Users\Mai Lê\clip.mov failed", "open [path]"),
            (r"open \\server\share\a.mov", "open [path]"),
            ("see file:///home/mai/a.mp4", "see [path]"),
            ("in ~/Videos/a b", "in [path]"),
            ("(/tmp/x)", "([path]"),
            // Not paths.
            (
                "21.5 frames/s at 1/25, either/or",
                "21.5 frames/s at 1/25, either/or",
            ),
            ("a / b", "a / b"),
        ];
        for (said, kept) in cases {
            assert_eq!(redacted(said, &[]), kept);
        }
    }

    #[test]
    fn names_of_files_go_without_their_folder_too() {
        let known = ["ngõ nhỏ Hà Nội".to_owned(), "mai".to_owned()];
        let said = "segment 3 of ngõ nhỏ Hà Nội (take 2) by mai: harbour.MOV, `fête d’été.png`";
        assert_eq!(
            redacted(said, &known),
            "segment 3 of [name] (take 2) by [name]: [name], `[name]`"
        );
        // A word that only contains it, a version and a sentence are no names.
        let said = "domain of libavcodec 59.37.100, e.g. mailbox. Done.";
        assert_eq!(redacted(said, &known), said);
    }

    #[test]
    fn no_part_of_a_name_is_left_whatever_it_is_made_of() {
        let words = [
            "đêm",
            "l’été",
            "take=2",
            "a: b",
            "50%",
            "(x)",
            "no. 7",
            "–",
            "new [1]",
        ];
        for (n, first) in words.iter().enumerate() {
            let secret = format!("geheim{n}");
            let path = format!("/{first}/{secret} {first} {secret}/{first}{secret}.mkv");
            for said in [
                format!("`{path}`"),
                format!("path={path}"),
                format!("path={path:?} left={n}"),
                format!("cannot open {path}: no such file"),
            ] {
                let kept = redacted(&said, &[]);
                assert!(!kept.contains("geheim"), "{said} became {kept}");
            }
        }
    }

    #[test]
    fn the_last_lines_of_all_logs_stand_in_the_order_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let line = |second: u32, text: &str| {
            format!("2026-11-22T10:00:{second:02}.000000Z  INFO {text}\n")
        };
        let studio: String = (0..20).map(|n| line(2 * n, "window")).collect();
        fs::write(folder.path().join("studio.2026-11-22.log"), studio).unwrap();
        fs::write(
            folder.path().join("worker.2026-11-22.log"),
            line(35, "worker") + "  of two lines\n",
        )
        .unwrap();
        fs::write(folder.path().join("other.txt"), line(59, "foreign")).unwrap();
        let last = last_lines(folder.path(), 4).unwrap();
        let short: Vec<&str> = last
            .iter()
            .map(|l| l.trim_start_matches(|c| c != 'w' && c != 'o'))
            .collect();
        assert_eq!(short, ["worker", "of two lines", "window", "window"]);
        assert_eq!(
            last_lines(&folder.path().join("none"), 4).unwrap(),
            Vec::<String>::new()
        );
    }

    #[test]
    fn only_the_end_of_a_long_log_is_read_from_the_start_of_a_line_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("studio.2026-11-22.log");
        let lines: String = (0..20_000).map(|n| format!("line {n:05}\n")).collect();
        fs::write(&path, lines).unwrap();
        let end = tail(&path).unwrap();
        assert!(
            end.len() as u64 <= TAIL_BYTES && end.starts_with("line "),
            "{}",
            &end[..20]
        );
        assert!(end.ends_with("line 19999\n"));
    }
}
