//! Letters that no font of this machine has.
//!
//! What the font of a text lacks, libass takes from another font; where none has it, it draws an
//! empty box and tells nobody through ffmpeg. So the fonts are asked here, the same that it finds.

use fontdb::Database;
use frameloom_core::graph::{Op, SubtitlesParams};
use frameloom_core::media::Warning;
use std::sync::LazyLock;
use ttf_parser::Face;

/// Letters that a warning names.
const NAMED: usize = 12;

/// The machine's fonts; looking at all of them takes too long for every plan. What is installed
/// later counts from the next start on.
static FONTS: LazyLock<Database> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    fonts
});

/// Warns of the letters of a text or of subtitles that will be empty boxes.
pub(crate) fn missing_letters(node: &str, op: &Op) -> Option<Warning> {
    let text = match op {
        Op::Text(params) => match &params.text {
            Some(text) => text.clone(),
            None => of_file(&SubtitlesParams::of_text(params)?)?,
        },
        Op::Subtitles(params) => of_file(params)?,
        _ => return None,
    };
    let missing = lacking(&text, &FONTS);
    let mut letters = missing.chars();
    let named: String = letters.by_ref().take(NAMED).collect();
    (!named.is_empty()).then(|| Warning::MissingLetters {
        node: node.to_owned(),
        letters: named,
        more: letters.count() as u32,
    })
}

/// All text of a file; `None` where nobody knows the fonts, or it cannot be read.
fn of_file(params: &SubtitlesParams) -> Option<String> {
    // Whoever opens the file in earnest says why it cannot be read.
    let subtitles = super::captions::read(params).ok()?;
    // Subtitles may bring their own fonts, and what those have is not known here.
    if !subtitles.fonts.is_empty() || subtitles.header.contains("[Fonts]") {
        return None;
    }
    let mut letters: Vec<char> = subtitles.texts().flat_map(str::chars).collect();
    letters.sort_unstable();
    letters.dedup();
    Some(letters.into_iter().collect())
}

/// The letters of `text` that none of the fonts has, each once, in the order of the text.
fn lacking(text: &str, fonts: &Database) -> String {
    let mut left: Vec<char> = Vec::new();
    for letter in text.chars().filter(|letter| is_drawn(*letter)) {
        if !left.contains(&letter) {
            left.push(letter);
        }
    }
    for font in fonts.faces() {
        if left.is_empty() {
            break;
        }
        fonts.with_face_data(font.id, |bytes, index| {
            if let Ok(face) = Face::parse(bytes, index) {
                left.retain(|letter| face.glyph_index(*letter).is_none());
            }
        });
    }
    left.into_iter().collect()
}

/// False for what is never drawn by itself: spaces, controls, and signs that only change others
/// (the `Default_Ignorable_Code_Point`s of Unicode).
fn is_drawn(letter: char) -> bool {
    let changes_others = matches!(
        letter,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}'
            // What stands for bytes that were no text.
            | '\u{FFFD}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    );
    !(letter.is_whitespace() || letter.is_control() || changes_others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_core::graph::TextParams;

    /// Letters that Unicode has not given to anybody: no font has them.
    const NOBODYS: &str = "\u{378}\u{379}";

    fn fonts() -> Option<&'static Database> {
        let none = FONTS.is_empty();
        if none {
            println!("skipped: this machine has no fonts");
        }
        (!none).then_some(&FONTS)
    }

    #[test]
    fn only_letters_that_no_font_has_are_missing_and_each_is_named_once() {
        let Some(fonts) = fonts() else { return };
        assert_eq!(lacking("Plain text, 42 %\r\n\t\u{200D}\u{FEFF}", fonts), "");
        let text = format!("a{NOBODYS}b{NOBODYS}c");
        assert_eq!(lacking(&text, fonts), NOBODYS);
        assert_eq!(lacking("a b", &Database::new()), "ab");
    }

    #[test]
    fn a_text_and_a_file_are_warned_of_with_the_node_and_the_first_letters() {
        if fonts().is_none() {
            return;
        }
        // A row of places that Unicode leaves free.
        let many: String = ('\u{2FE0}'..='\u{2FEF}').collect();
        let warned = |params: &TextParams| missing_letters("title", &Op::Text(params.clone()));
        let text = TextParams {
            text: Some(format!("Title {many}")),
            ..TextParams::default()
        };
        let named: String = many.chars().take(NAMED).collect();
        let wanted = Warning::MissingLetters {
            node: "title".to_owned(),
            letters: named,
            more: 4,
        };
        assert_eq!(warned(&text), Some(wanted));
        let plain = TextParams {
            text: Some("Title".to_owned()),
            ..TextParams::default()
        };
        assert_eq!(warned(&plain), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.srt");
        let of_file = TextParams {
            file: Some(path.to_string_lossy().into_owned()),
            ..TextParams::default()
        };
        let lines = |words: &str| format!("1\n00:00:00,000 --> 00:00:01,000\n{words}\n\n");
        std::fs::write(&path, lines(NOBODYS)).unwrap();
        let wanted = Warning::MissingLetters {
            node: "title".to_owned(),
            letters: NOBODYS.to_owned(),
            more: 0,
        };
        assert_eq!(warned(&of_file), Some(wanted));
        std::fs::write(&path, lines("words")).unwrap();
        assert_eq!(warned(&of_file), None);
    }
}
