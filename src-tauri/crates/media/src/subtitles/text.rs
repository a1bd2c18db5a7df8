//! The text of a subtitle file: its character set and its format.

use super::{MAX_SUBTITLE_BYTES, refused};
use crate::error::MediaError;
use chardetng::EncodingDetector;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use frameloom_core::said;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// So much of a file shows whether it is text.
const HEAD: u64 = 4096;

/// True for a file that begins like text. No container of pictures or sound does.
pub(super) fn is_text(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(Encoding::for_bom(&head).is_some() || !head.contains(&0))
}

/// All of a text, as UTF-8 without a mark at its beginning. `charset` is the set that somebody says it
/// is in; without one it must be UTF-8, or UTF-16 with its mark.
pub(super) fn text_of(path: &Path, charset: Option<&str>) -> Result<String, MediaError> {
    let unreadable = |source| MediaError::NotReadable {
        source,
        path: path.into(),
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_SUBTITLE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SUBTITLE_BYTES {
        return Err(refused(
            path,
            said!(
                "subtitles.too_large",
                "subtitles of more than {most} MB are not read",
                most = MAX_SUBTITLE_BYTES >> 20
            ),
            "Cut the file into parts; a long film has less than one megabyte of subtitles.",
        ));
    }
    decoded(bytes, charset, path)
}

fn decoded(bytes: Vec<u8>, charset: Option<&str>, path: &Path) -> Result<String, MediaError> {
    let wanted = charset
        .map(|name| {
            Encoding::for_label(name.as_bytes()).ok_or_else(|| {
                refused(
                    path,
                    said!(
                        "subtitles.no_charset",
                        "there is no character set `{name}`",
                        name = name
                    ),
                    "Use a name of the web, such as utf-8, windows-1252, windows-1258, shift_jis or gbk.",
                )
            })
        })
        .transpose()?;
    let marked = Encoding::for_bom(&bytes);
    let (set, from) = match (marked, wanted) {
        (Some((set, length)), _) if [UTF_8, UTF_16LE, UTF_16BE].contains(&set) => (set, length),
        (_, Some(set)) => (set, 0),
        _ => (UTF_8, 0),
    };
    let body = bytes.get(from..).unwrap_or_default();
    if let Some(text) = set.decode_without_bom_handling_and_without_replacement(body) {
        return Ok(text.into_owned());
    }
    if set != UTF_8 || marked.is_some() || wanted.is_some() {
        return Err(refused(
            path,
            said!(
                "subtitles.broken_charset",
                "it does not hold the letters of the character set {name}",
                name = set.name()
            ),
            "Name the right character set with --charset, or save the file as UTF-8.",
        ));
    }
    let mut detector = EncodingDetector::new();
    detector.feed(body, true);
    let guess = detector.guess(None, false).name();
    Err(refused(
        path,
        said!(
            "subtitles.charset",
            "it is not in UTF-8; its letters look like the character set {guess}",
            guess = guess
        ),
        format!(
            "Say so with `--charset {}` and see whether the letters are right, or save the file as \
             UTF-8 in a text editor.",
            guess.to_ascii_lowercase()
        ),
    ))
}

/// Name of the demuxer for a text; `None` where the library is to find out.
pub(super) fn format_of(text: &str) -> Option<&'static str> {
    let begins = text.trim_start();
    if begins.starts_with("WEBVTT") {
        return Some("webvtt");
    }
    let is_ass = |line: &str| {
        ["[script info]", "[v4+ styles]", "[v4 styles]", "[events]"]
            .iter()
            .any(|name| line.trim().eq_ignore_ascii_case(name))
    };
    if begins.lines().take(200).any(is_ass) {
        return Some("ass");
    }
    // The library wants a number before the first time; many files have lost it.
    let is_time = |line: &str| {
        line.split_once("-->").is_some_and(|(from, _)| {
            let from = from.trim();
            from.contains(':')
                && from
                    .chars()
                    .all(|c| c.is_ascii_digit() || ":,.- ".contains(c))
        })
    };
    begins.lines().take(200).any(is_time).then_some("srt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], charset: Option<&str>) -> Result<String, String> {
        decoded(bytes.to_vec(), charset, Path::new("a.srt"))
            .map_err(|error| format!("{error} {}", error.hint().unwrap_or_default()))
    }

    #[test]
    fn utf8_and_marked_utf16_are_read_and_all_else_is_asked_for() {
        assert_eq!(
            read("\u{feff}Xin chào".as_bytes(), None).unwrap(),
            "Xin chào"
        );
        let utf16 = |mark: [u8; 2], swap: bool| {
            let mut bytes = mark.to_vec();
            for unit in "Tiếng Việt".encode_utf16() {
                bytes.extend(if swap {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                });
            }
            bytes
        };
        assert_eq!(
            read(&utf16([0xff, 0xfe], false), None).unwrap(),
            "Tiếng Việt"
        );
        assert_eq!(
            read(&utf16([0xfe, 0xff], true), None).unwrap(),
            "Tiếng Việt"
        );
        let latin = b"D\xe9j\xe0 vu, gar\xe7on; \xe7a va bien \xe0 No\xebl.";
        let refused = read(latin, None).unwrap_err();
        assert!(refused.contains("windows-1252"), "{refused}");
        assert!(refused.contains("--charset windows-1252"), "{refused}");
        assert!(read(latin, Some("latin1")).unwrap().contains("garçon"));
        let vietnamese = read(b"Ti\xea\xecng Vi\xea\xf2t", Some("windows-1258")).unwrap();
        assert_eq!(vietnamese, "Tiê\u{301}ng Viê\u{323}t");
        assert!(
            read(latin, Some("klingon"))
                .unwrap_err()
                .contains("klingon")
        );
        assert!(read(latin, Some("utf-8")).unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn formats_are_told_by_what_is_in_the_file() {
        assert_eq!(format_of("WEBVTT - of a site\n\n"), Some("webvtt"));
        assert_eq!(
            format_of("\r\n; made by hand\r\n[Script Info]\r\n"),
            Some("ass")
        );
        assert_eq!(
            format_of("00:00:01,000 --> 00:00:02,000\nHello\n"),
            Some("srt")
        );
        assert_eq!(format_of("{0}{25}Hello\n"), None);
        assert_eq!(format_of("an --> arrow\n"), None);
    }
}
