//! Text as it is looked for and sorted, the same as `ui/src/state/folded.ts`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Small letters without accents. Vietnamese đ is a letter of its own and not a d with a mark, so
/// that Unicode does not take it apart; whoever types `da` means `đá`, too.
///
/// ```
/// use frameloom_core::folded::folded;
/// assert_eq!(folded("Đường về Huế"), "duong ve hue");
/// assert_eq!(folded("Cœur d'été"), "coeur d'ete");
/// ```
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.nfd().filter(|sign| !is_combining_mark(*sign)) {
        match sign {
            'đ' | 'Đ' => out.push('d'),
            'œ' | 'Œ' => out.push_str("oe"),
            'æ' | 'Æ' => out.push_str("ae"),
            'ß' | 'ẞ' => out.push_str("ss"),
            other => out.extend(other.to_lowercase()),
        }
    }
    out
}

/// A key that sorts names as people count: `take 2` before `take 10`. Runs of digits are led by
/// how long they are; longer ones than any number of a file name are cut into pieces.
///
/// ```
/// use frameloom_core::folded::sort_key;
/// assert!(sort_key("Cảnh 2.mov") < sort_key("canh 10.mov"));
/// assert!(sort_key("a007.png") < sort_key("a8.png"));
/// ```
pub fn sort_key(name: &str) -> String {
    let text = folded(name);
    let mut key = String::with_capacity(text.len() + 8);
    let mut rest = text.as_str();
    while let Some(begin) = rest.find(|sign: char| sign.is_ascii_digit()) {
        key.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let end = rest
            .find(|sign: char| !sign.is_ascii_digit())
            .unwrap_or(rest.len());
        let digits = rest[..end].trim_start_matches('0');
        for piece in digits.as_bytes().chunks(99) {
            key.push_str(&format!("{:02}", piece.len()));
            key.extend(piece.iter().map(|digit| char::from(*digit)));
        }
        if digits.is_empty() {
            key.push_str("00");
        }
        rest = &rest[end..];
    }
    key.push_str(rest);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_taken_apart_letters_are_looked_for_alike() {
        assert_eq!(folded("Hà Nội"), "ha noi");
        assert_eq!(folded("Ha\u{300} No\u{323}\u{302}i"), "ha noi");
        assert_eq!(folded("ÇA ÈRE Ÿ"), "ca ere y");
        assert_eq!(folded("日本 ABC"), "日本 abc");
    }

    #[test]
    fn names_sort_by_their_numbers_and_not_by_their_digits() {
        let mut names = ["b", "a10", "a9", "a1b2", "a1b10", "a", "a0"];
        names.sort_by_key(|name| sort_key(name));
        assert_eq!(names, ["a", "a0", "a1b2", "a1b10", "a9", "a10", "b"]);
    }
}
