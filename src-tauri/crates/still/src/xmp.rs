//! XMP packets: what must change in them when the picture does.

use frameloom_core::said;
use frameloom_core::said::Said;

/// Outcome of [`update`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Xmp {
    /// The packet to write.
    Keep(Vec<u8>),
    /// It would say something untrue; why, in words.
    Drop(Said),
}

/// The packet of a picture that is upright and, where `size` is given, of that size.
pub(crate) fn update(packet: &[u8], size: Option<(u32, u32)>) -> Xmp {
    let Ok(text) = std::str::from_utf8(packet) else {
        return Xmp::Drop(said!("lost.xmp_not_utf8", "XMP metadata (not in UTF-8)"));
    };
    // A gain map or a motion photo is a second file behind the picture, which is not kept.
    let describes_more_files = [
        "http://ns.google.com/photos/1.0/container/",
        "http://ns.adobe.com/hdr-gain-map/1.0/",
        "http://ns.google.com/photos/1.0/camera/",
    ];
    if describes_more_files.iter().any(|name| text.contains(name)) {
        return Xmp::Drop(said!(
            "lost.xmp_of_items",
            "XMP metadata (it describes a gain map or other items behind the picture)"
        ));
    }
    let mut text = text.to_owned();
    let tiff = prefix(&text, "http://ns.adobe.com/tiff/1.0/");
    let exif = prefix(&text, "http://ns.adobe.com/exif/1.0/");
    if let Some(tiff) = &tiff {
        set(&mut text, &format!("{tiff}:Orientation"), 1);
    }
    if let Some((width, height)) = size {
        if let Some(tiff) = &tiff {
            set(&mut text, &format!("{tiff}:ImageWidth"), width);
            set(&mut text, &format!("{tiff}:ImageLength"), height);
        }
        if let Some(exif) = &exif {
            set(&mut text, &format!("{exif}:PixelXDimension"), width);
            set(&mut text, &format!("{exif}:PixelYDimension"), height);
        }
    }
    Xmp::Keep(text.into_bytes())
}

/// The orientation that the packet states.
pub(crate) fn orientation(packet: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(packet).ok()?;
    let name = format!(
        "{}:Orientation",
        prefix(text, "http://ns.adobe.com/tiff/1.0/")?
    );
    let (from, to) = find(text, &name, 0)?;
    text[from..to].parse().ok()
}

/// The prefix that the packet binds to a namespace.
fn prefix(text: &str, namespace: &str) -> Option<String> {
    let uri = text.find(namespace)?;
    let before = text[..uri].trim_end_matches(['"', '\'']);
    let declaration = before.trim_end().strip_suffix('=')?.trim_end();
    let start = declaration.rfind("xmlns:")? + "xmlns:".len();
    let name = &declaration[start..];
    (!name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "-_.".contains(c)))
    .then(|| name.to_owned())
}

/// Where the digits of a number lie, as an attribute (`name="6"`) or an element
/// (`<name>6</name>`), from `start` on.
fn find(text: &str, name: &str, start: usize) -> Option<(usize, usize)> {
    let mut at = start;
    while let Some(found) = text.get(at..)?.find(name) {
        let after = at + found + name.len();
        at = after;
        let rest = &text[after..];
        let value = rest
            .strip_prefix('>')
            .or_else(|| {
                let rest = rest.trim_start().strip_prefix('=')?.trim_start();
                rest.strip_prefix(['"', '\''])
            })
            .map(str::trim_start);
        if let Some(value) = value {
            let from = text.len() - value.len();
            let digits = value.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                return Some((from, from + digits));
            }
        }
    }
    None
}

fn set(text: &mut String, name: &str, value: u32) {
    let value = value.to_string();
    let mut start = 0;
    while let Some((from, to)) = find(text, name, start) {
        text.replace_range(from..to, &value);
        start = from + value.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
      xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:e='http://ns.adobe.com/exif/1.0/'>
      <rdf:Description tiff:Orientation="6" e:PixelXDimension='40'><tiff:ImageWidth> 40</tiff:ImageWidth>
      <dc:title>Orientation 6</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"#;

    #[test]
    fn orientation_and_sizes_change_in_both_notations() {
        assert_eq!(orientation(PACKET.as_bytes()), Some(6));
        let Xmp::Keep(changed) = update(PACKET.as_bytes(), Some((8000, 6))) else {
            panic!("dropped")
        };
        let changed = String::from_utf8(changed).unwrap();
        assert!(changed.contains("tiff:Orientation=\"1\""));
        assert!(changed.contains("e:PixelXDimension='8000'"));
        assert!(changed.contains("<tiff:ImageWidth> 8000</tiff:ImageWidth>"));
        assert!(changed.contains("<dc:title>Orientation 6</dc:title>"));
    }

    #[test]
    fn a_packet_about_a_gain_map_is_dropped() {
        let packet = "xmlns:hdrgm=\"http://ns.adobe.com/hdr-gain-map/1.0/\"";
        assert!(matches!(update(packet.as_bytes(), None), Xmp::Drop(_)));
        assert!(matches!(update(b"\xff\xfe<", None), Xmp::Drop(_)));
    }

    #[test]
    fn packets_without_numbers_stay_as_they_are() {
        for packet in [
            "",
            "tiff:Orientation",
            "xmlns:tiff=\"http://ns.adobe.com/tiff/1.0/\" tiff:Orientation=\"\" é",
        ] {
            assert_eq!(update(packet.as_bytes(), None), Xmp::Keep(packet.into()));
            assert_eq!(orientation(packet.as_bytes()), None);
        }
    }
}
