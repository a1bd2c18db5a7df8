//! Pictures in AVIF with what their container says of them: the crop and the turn.

use crate::rows::{assert_inside, cropped};
use crate::support::{data, ffmpeg};
use frameloom_core::media::{MediaKind, Warning};
use frameloom_media::{frame_at, probe, read_still};
use std::path::Path;
use tempfile::tempdir;

fn boxed(name: &[u8; 4], inner: &[u8]) -> Vec<u8> {
    let mut bytes = (inner.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend(name);
    bytes.extend(inner);
    bytes
}

fn clap(numbers: [i32; 8]) -> Vec<u8> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
    boxed(b"clap", &bytes)
}

/// Writes an AVIF of one picture anew, with more properties for it.
fn with_properties(from: &Path, to: &Path, properties: &[Vec<u8>]) {
    let mut bytes = std::fs::read(from).unwrap();
    let find = |bytes: &[u8], name: &[u8]| bytes.windows(4).position(|w| w == name).unwrap();
    let number =
        |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let add = |bytes: &mut [u8], at: usize, more: usize| {
        let sum = number(bytes, at) + more as u32;
        bytes[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    };
    // Behind version, flags, the number of entries and the number of the only item: how many
    // properties it has, and which.
    let list = find(&bytes, b"ipma");
    let count = list + 4 + 4 + 4 + 2;
    let first = bytes[count];
    let places = (1..=properties.len() as u8).map(|n| 0x80 | (first + n));
    let end = count + 1 + usize::from(first);
    bytes.splice(end..end, places);
    bytes[count] += properties.len() as u8;
    add(&mut bytes, list - 4, properties.len());
    let all = properties.concat();
    let container = find(&bytes, b"ipco");
    let behind = container - 4 + number(&bytes, container - 4) as usize;
    bytes.splice(behind..behind, all.iter().copied());
    add(&mut bytes, container - 4, all.len());
    let more = all.len() + properties.len();
    for name in [b"iprp", b"meta"] {
        let at = find(&bytes, name) - 4;
        add(&mut bytes, at, more);
    }
    // The picture itself lies so much further on: version, flags, widths of numbers, one item and
    // its place in the file, which stands behind the number of its parts.
    let place = find(&bytes, b"iloc") + 4 + 4 + 2 + 2 + 2 + 2 + 2;
    add(&mut bytes, place, more);
    std::fs::write(to, bytes).unwrap();
}

/// A small picture; false, with a line, where ffmpeg cannot make it.
fn made(folder: &Path, pixels: &str) -> bool {
    ffmpeg(
        folder,
        &format!(
            "-f lavfi -i testsrc2=s=64x48 -frames:v 1 -pix_fmt {pixels} -c:v libaom-av1 \
             -still-picture 1 -cpu-used 8 plain.avif"
        ),
    )
}

#[test]
fn the_clean_aperture_of_an_avif_is_cut_off_and_told() {
    for (pixels, numbers, at, size, rounded) in [
        (
            "yuv420p",
            [48, 1, 40, 1, 4, 1, -2, 1],
            (12, 2),
            (48, 40),
            false,
        ),
        // Parts of pixels stay, and so do places between samples of colour.
        (
            "yuv420p",
            [95, 2, 40, 1, 0, 1, -1, 1],
            (8, 2),
            (48, 42),
            true,
        ),
        (
            "yuv444p",
            [95, 2, 41, 1, 3, 4, -1, 2],
            (9, 3),
            (48, 41),
            false,
        ),
    ] {
        let folder = tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        if !made(folder.path(), pixels) {
            return;
        }
        with_properties(&path("plain.avif"), &path("cut.avif"), &[clap(numbers)]);
        let told = Warning::Cropped {
            left: at.0,
            right: 64 - at.0 - size.0,
            top: at.1,
            bottom: 48 - at.1 - size.1,
            rounded,
        };
        assert_eq!(
            cropped(&path("cut.avif")),
            Some(told),
            "{pixels} {numbers:?}"
        );
        let (cut, info) = read_still(&path("cut.avif")).unwrap();
        let (whole, _) = read_still(&path("plain.avif")).unwrap();
        let (_, video) = info.main_video().unwrap();
        assert_eq!(info.kind, MediaKind::Still);
        assert_eq!((cut.width(), cut.height()), size);
        assert_eq!((video.width, video.height), size);
        assert_inside(&cut, &whole, at);
    }
}

#[test]
fn a_clean_aperture_larger_than_the_picture_is_passed_over_and_told() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    if !made(folder.path(), "yuv420p") {
        return;
    }
    let numbers = [65, 1, 48, 1, 0, 1, 0, 1];
    with_properties(&path("plain.avif"), &path("wrong.avif"), &[clap(numbers)]);
    let (frame, info) = read_still(&path("wrong.avif")).unwrap();
    assert_eq!((frame.width(), frame.height()), (64, 48));
    let said = |w: &Warning| matches!(w, Warning::Dropped { what, .. } if what.contains("cut off"));
    assert!(info.warnings.iter().any(said), "{:?}", info.warnings);
}

#[test]
fn an_avif_is_shown_cut_then_turned_then_mirrored() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    if !made(folder.path(), "yuv444p") {
        return;
    }
    // The left half; a quarter anticlockwise; left and right exchanged.
    let properties = [
        clap([32, 1, 48, 1, -16, 1, 0, 1]),
        boxed(b"irot", &[1]),
        boxed(b"imir", &[1]),
    ];
    with_properties(&path("plain.avif"), &path("shown.avif"), &properties);
    let info = probe(&path("shown.avif")).unwrap();
    let (_, video) = info.main_video().unwrap();
    assert_eq!((video.rotation_degrees, video.mirrored), (90, true));
    let shown = frame_at(&path("shown.avif"), 0).unwrap();
    let plain = frame_at(&path("plain.avif"), 0).unwrap();
    assert_eq!((shown.width, shown.height), (48, 32));
    for y in 0..32usize {
        for x in 0..48usize {
            // Anticlockwise and mirrored is along the other diagonal.
            let (from_x, from_y) = (31 - y, 47 - x);
            let at = |image: &frameloom_media::RgbImage, x: usize, y: usize| {
                let at = (y * image.width as usize + x) * 3;
                <[u8; 3]>::try_from(&image.data[at..at + 3]).unwrap()
            };
            assert_eq!(at(&shown, x, y), at(&plain, from_x, from_y), "{x} {y}");
        }
    }
}

#[test]
fn the_turns_of_real_avif_pictures_are_known() {
    for (name, turn) in [
        ("rot0mir1.avif", (0, true)),
        ("rot1mir0.avif", (270, true)),
        ("hopper.avif", (0, false)),
    ] {
        let Some(path) = data(&format!("images/avif/{name}")) else {
            continue;
        };
        let info = probe(&path).unwrap();
        let (_, video) = info.main_video().unwrap();
        assert_eq!((video.rotation_degrees, video.mirrored), turn, "{name}");
        assert_eq!(cropped(&path), None);
    }
}
