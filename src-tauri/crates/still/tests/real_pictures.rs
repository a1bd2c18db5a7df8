//! The pictures of the test data.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod support;

use frameloom_core::job::Quality;
use frameloom_core::media::Warning;
use frameloom_still::{
    Channels, Limits, Picture, Samples, StillFormat, is_still, probe, read, read_bytes,
    to_srgb8_preview, write,
};
use std::path::Path;
use support::{data, files, magick, magick_samples, psnr, wide};

fn open(path: &Path) -> Picture {
    read(path, &Limits::default()).unwrap_or_else(|e| panic!("{}: {e:?}", path.display()))
}

fn dropped(warnings: &[Warning]) -> Vec<&str> {
    warnings
        .iter()
        .filter_map(|w| match w {
            Warning::Dropped { what, .. } => Some(what.as_str()),
            _ => None,
        })
        .collect()
}

/// Each of these pictures has its number and some words on it: a part without them, which is at
/// no other place when the picture is turned or mirrored.
fn without_words(picture: &Picture) -> Picture {
    let (w, h) = (picture.width as usize, picture.height as usize);
    let n = picture.layout.count();
    let Samples::U8(data) = &picture.samples else {
        panic!("not 8 bits")
    };
    let (left, right) = (w / 10, w * 2 / 5);
    let (top, bottom) = (h * 3 / 5, h * 9 / 10);
    let samples = (top..bottom)
        .flat_map(|y| &data[(y * w + left) * n..(y * w + right) * n])
        .copied()
        .collect();
    Picture {
        width: (right - left) as u32,
        height: (bottom - top) as u32,
        samples: Samples::U8(samples),
        ..picture.clone()
    }
}

#[test]
fn all_nine_orientations_show_the_same_picture() {
    let Some(folder) = data("images/exif") else {
        return;
    };
    let upright = open(&folder.join("Landscape_1.jpg"));
    for index in 0..=8 {
        let path = folder.join(format!("Landscape_{index}.jpg"));
        let picture = open(&path);
        let same = psnr(&without_words(&upright), &without_words(&picture));
        assert!(same > 30.0, "{index}: {same} dB");
        let info = probe(&path).unwrap();
        let (_, video) = info.main_video().unwrap();
        assert_eq!(video.rotation_degrees % 180 != 0, index >= 5, "{index}");
        assert_eq!(video.width < video.height, index >= 5, "{index}");
        if !matches!(index, 1 | 6) {
            continue;
        }
        // Written again it is not turned a second time.
        let temp = tempfile::tempdir().unwrap();
        for format in [
            StillFormat::Png,
            StillFormat::Jpeg,
            StillFormat::WebP,
            StillFormat::Tiff,
        ] {
            let target = temp.path().join("a").with_extension(format.extension());
            write(&target, format, &picture, Quality::Archive).unwrap();
            let again = open(&target);
            assert!(psnr(&picture, &again) > 30.0, "{index} {format:?}");
        }
    }
}

#[test]
fn orientation_of_png_webp_and_tiff_is_applied() {
    let Some(folder) = data("images") else { return };
    for (name, turned) in [
        ("png/exif_imagemagick_orientation.png", true),
        ("png/xmp_tags_orientation.png", true),
        ("webp/orientation_6.webp", true),
        ("tiff/g4_orientation_5.tif", true),
    ] {
        let path = folder.join(name);
        let picture = open(&path);
        let info = probe(&path).unwrap();
        let (_, video) = info.main_video().unwrap();
        let was_turned = video.rotation_degrees != 0 || video.mirrored;
        assert_eq!(was_turned, turned, "{name}: {video:?}");
        if video.rotation_degrees % 180 != 0 {
            assert_eq!((picture.width, picture.height), (video.height, video.width));
        }
    }
    let Some(program) = magick() else { return };
    // ImageMagick turns these itself when told to.
    for name in ["webp/orientation_6.webp", "tiff/g4_orientation_5.tif"] {
        let picture = open(&folder.join(name));
        let temp = tempfile::tempdir().unwrap();
        let theirs = temp.path().join("a.png");
        let status = std::process::Command::new(program)
            .arg(folder.join(name))
            .args(["-auto-orient", "-strip"])
            .arg(format!("PNG24:{}", theirs.display()))
            .status()
            .unwrap();
        assert!(status.success());
        let theirs = open(&theirs);
        assert_eq!(
            (theirs.width, theirs.height),
            (picture.width, picture.height),
            "{name}"
        );
        let gray = |p: &Picture| -> Vec<u16> {
            let all = wide(&p.samples);
            all.chunks(p.layout.count()).map(|pixel| pixel[0]).collect()
        };
        let far = gray(&theirs)
            .iter()
            .zip(gray(&picture))
            .filter(|(a, b)| a.abs_diff(*b) > 6000)
            .count();
        assert!(
            far * 50 < theirs.width as usize * theirs.height as usize,
            "{name}: {far}"
        );
    }
}

#[test]
fn every_picture_opens_or_says_why_not() {
    let Some(folder) = data("images") else { return };
    let mut opened = 0;
    for path in files(&folder) {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        if name.ends_with(".md") || name.ends_with(".tsv") {
            continue;
        }
        let still = is_still(&path).unwrap();
        match read(&path, &Limits::default()) {
            Ok(picture) => {
                assert!(still, "{name}");
                let count =
                    picture.width as usize * picture.height as usize * picture.layout.count();
                assert_eq!(picture.samples.len(), count, "{name}");
                let preview = to_srgb8_preview(&picture, 64);
                assert!(preview.width <= 64 && preview.height <= 64, "{name}");
                let info = probe(&path).unwrap();
                let (_, video) = info.main_video().unwrap();
                assert_eq!(video.bit_depth, picture.bits(), "{name}");
                println!(
                    "{name}: {}x{} {:?} {} {:?}",
                    picture.width,
                    picture.height,
                    picture.layout,
                    picture.bits(),
                    picture.warnings
                );
                opened += 1;
            }
            Err(error) => {
                println!("{name}: {error}");
                let foreign = ["avif", "heif", "heic", "jp2", "psd", "avifs"];
                let is_foreign = foreign.iter().any(|e| name.ends_with(&format!(".{e}")));
                // No colours at all; 16-bit TGA with alpha; no colour interpretation stated.
                let known = [
                    "gif/no_palette.gif",
                    "other/rgba16.tga",
                    "tiff/float32_128.tiff",
                ];
                let is_broken = name.starts_with("bad/") || known.contains(&name.as_str());
                assert!(is_foreign || is_broken, "{name}: {error:?}");
                assert!(still != is_foreign, "{name}");
            }
        }
    }
    assert!(opened > 40, "{opened}");
}

#[test]
fn every_bad_picture_gives_an_error_or_a_warning() {
    let Some(folder) = data("images/bad") else {
        return;
    };
    for path in files(&folder) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match read(&path, &Limits::default()) {
            Ok(picture) => {
                println!("{name}: {:?}", picture.warnings);
                assert!(!picture.warnings.is_empty(), "{name}");
            }
            Err(error) => println!("{name}: error: {error}"),
        }
    }
}

#[test]
fn a_jpeg_cut_anywhere_is_noticed() {
    let Some(path) = data("images/exif/Landscape_1.jpg") else {
        return;
    };
    let whole = std::fs::read(&path).unwrap();
    assert!(
        read_bytes(&whole, &Limits::default())
            .unwrap()
            .warnings
            .is_empty()
    );
    let mut shown = 0;
    for percent in [1, 5, 10, 20, 40, 50, 60, 80, 90, 99] {
        let cut = &whole[..whole.len() * percent / 100];
        for (form, bytes) in [
            ("cut", cut.to_vec()),
            ("cut, with an end", [cut, &[0xff, 0xd9]].concat()),
        ] {
            match read_bytes(&bytes, &Limits::default()) {
                Ok(picture) => {
                    assert!(
                        picture.warnings.contains(&Warning::DamagedStill),
                        "{percent} {form}"
                    );
                    shown += 1;
                }
                Err(error) => assert!(percent <= 10, "{percent} {form}: {error}"),
            }
        }
    }
    assert!(shown >= 12, "{shown}");
    // The last byte of the coded picture, and the last two bytes of the file.
    let bytes = &whole[..whole.len() - 2];
    let warnings = read_bytes(bytes, &Limits::default()).unwrap().warnings;
    assert!(warnings.contains(&Warning::DamagedStill));
}

#[test]
fn a_png_cut_in_half_shows_its_upper_half() {
    let Some(path) = data("images/png/transparent.png") else {
        return;
    };
    let bytes = std::fs::read(&path).unwrap();
    let whole = read_bytes(&bytes, &Limits::default()).unwrap();
    let half = read_bytes(&bytes[..bytes.len() / 2], &Limits::default()).unwrap();
    assert!(half.warnings.contains(&Warning::DamagedStill));
    let (whole, half) = (wide(&whole.samples), wide(&half.samples));
    let quarter = whole.len() / 4;
    assert!(whole[..quarter] == half[..quarter]);
    assert!(half[whole.len() - 100..].iter().all(|v| *v == 0));
}

#[test]
fn other_depths_and_colours_look_as_another_program_shows_them() {
    let Some(folder) = data("images") else { return };
    let Some(program) = magick() else { return };
    for (name, layout, mean_allowed) in [
        ("tiff/12bit.tif", Channels::Gray, 300.0),
        ("tiff/16bit_RGB.tiff", Channels::Rgb, 1.0),
        ("tiff/bigtiff.tif", Channels::Rgb, 1.0),
        ("tiff/Lab.tif", Channels::Rgb, 2500.0),
        ("tiff/strip_cmyk_jpeg.tif", Channels::Rgb, 2500.0),
        ("png/p_16.png", Channels::Rgb, 1.0),
        ("png/7x13.png", Channels::Rgb, 300.0),
        ("webp/flower.webp", Channels::Rgb, 600.0),
        ("jpeg/flower.jpg", Channels::Rgb, 300.0),
        ("jpeg/cmyk.jpg", Channels::Rgb, 2500.0),
        ("jpeg/gray.jpg", Channels::Gray, 300.0),
    ] {
        let picture = open(&folder.join(name));
        println!("{name}: {:?} {}", picture.layout, picture.bits());
        if picture.layout.color_count() != layout.color_count() {
            println!("{name}: {:?}", picture.layout);
            continue;
        }
        let temp = tempfile::tempdir().unwrap();
        let flat = temp.path().join("a.png");
        let status = std::process::Command::new(program)
            .arg(format!("{}[0]", folder.join(name).display()))
            .args([
                "-colorspace",
                if layout == Channels::Gray {
                    "Gray"
                } else {
                    "sRGB"
                },
            ])
            .arg(&flat)
            .status()
            .unwrap();
        assert!(status.success(), "{name}");
        let theirs = magick_samples(program, &flat, picture.layout);
        let ours = wide(&picture.samples);
        assert_eq!(theirs.len(), ours.len(), "{name}");
        let sum: f64 = theirs
            .iter()
            .zip(&ours)
            .map(|(a, b)| f64::from(a.abs_diff(*b)))
            .sum();
        let mean = sum / ours.len() as f64;
        println!("{name}: mean difference {mean:.1} of 65535");
        assert!(mean <= mean_allowed, "{name}: {mean}");
    }
}

#[test]
fn animations_and_pages_give_their_first_picture_and_say_so() {
    let Some(folder) = data("images") else { return };
    for name in [
        "gif/iss634.gif",
        "apng/iss634.apng",
        "webp/anim_iss634.webp",
        "tiff/multipage.tiff",
    ] {
        let picture = open(&folder.join(name));
        assert!(
            picture.warnings.contains(&Warning::FirstFrameOnly),
            "{name}"
        );
    }
    let mpo = open(&folder.join("jpeg/mpo_stereo.mpo"));
    assert!(dropped(&mpo.warnings).iter().any(|w| w.contains("MPO")));
}

#[test]
fn a_colour_profile_survives_in_every_format_byte_for_byte() {
    let Some(folder) = data("images") else { return };
    for name in [
        "png/icc_profile.png",
        "jpeg/icc_profile_big.jpg",
        "jpeg/flower2.jpg",
        "tiff/iccprofile.tif",
    ] {
        let mut picture = open(&folder.join(name));
        let Some(icc) = picture.metadata.icc.clone() else {
            panic!("{name}: no profile, {:?}", picture.warnings)
        };
        if picture.layout.has_alpha() {
            continue;
        }
        let temp = tempfile::tempdir().unwrap();
        for format in [
            StillFormat::Png,
            StillFormat::Jpeg,
            StillFormat::WebP,
            StillFormat::Tiff,
        ] {
            let target = temp.path().join("a").with_extension(format.extension());
            picture.metadata.text.clear();
            write(&target, format, &picture, Quality::Draft).unwrap();
            let again = open(&target);
            assert!(
                again.metadata.icc.as_deref() == Some(&icc),
                "{name} {format:?}"
            );
        }
    }
}

#[test]
fn camera_date_and_place_survive_and_sizes_become_those_of_the_result() {
    let Some(path) = data("images/jpeg/exif-72dpi-int.jpg") else {
        return;
    };
    let picture = open(&path);
    let before = fields(picture.metadata.exif.as_deref().unwrap());
    println!("{before:?}");
    let temp = tempfile::tempdir().unwrap();
    let twice = Picture {
        width: picture.width / 2,
        height: picture.height / 2,
        samples: Samples::U8(vec![
            99;
            (picture.width / 2 * (picture.height / 2)) as usize
                * picture.layout.count()
        ]),
        ..picture
    };
    for format in [
        StillFormat::Png,
        StillFormat::Jpeg,
        StillFormat::WebP,
        StillFormat::Tiff,
    ] {
        let target = temp.path().join("a").with_extension(format.extension());
        write(&target, format, &twice, Quality::Good).unwrap();
        // Once by kamadak-exif from the file itself, an independent reader.
        let file = std::fs::File::open(&target).unwrap();
        let theirs = exif::Reader::new()
            .read_from_container(&mut std::io::BufReader::new(file))
            .unwrap_or_else(|e| panic!("{format:?}: {e}"));
        assert!(
            theirs
                .get_field(exif::Tag::DateTime, exif::In::PRIMARY)
                .is_some()
                || theirs
                    .get_field(exif::Tag::DateTimeOriginal, exif::In::PRIMARY)
                    .is_some(),
            "{format:?}"
        );
        let value = |tag| {
            theirs
                .get_field(tag, exif::In::PRIMARY)
                .and_then(|f| f.value.get_uint(0))
        };
        if before.contains_key("PixelXDimension") {
            assert_eq!(
                value(exif::Tag::PixelXDimension),
                Some(twice.width),
                "{format:?}"
            );
            assert_eq!(
                value(exif::Tag::PixelYDimension),
                Some(twice.height),
                "{format:?}"
            );
        }
        assert!(
            matches!(value(exif::Tag::Orientation), None | Some(1)),
            "{format:?}"
        );
        assert!(
            theirs.fields().all(|f| f.ifd_num == exif::In::PRIMARY),
            "{format:?}"
        );
        let after = fields(open(&target).metadata.exif.as_deref().unwrap());
        for (name, value) in &before {
            // TIFF has its own for these.
            let moves = [
                "XResolution",
                "YResolution",
                "ResolutionUnit",
                "Orientation",
                "PixelXDimension",
                "PixelYDimension",
                "MakerNote",
                "YCbCrPositioning",
                "ImageWidth",
                "ImageLength",
            ];
            if !moves.contains(&name.as_str()) {
                assert_eq!(after.get(name), Some(value), "{format:?} {name}");
            }
        }
    }
}

fn fields(block: &[u8]) -> std::collections::BTreeMap<String, String> {
    let exif = exif::Reader::new().read_raw(block.to_vec()).unwrap();
    exif.fields()
        .filter(|f| f.ifd_num == exif::In::PRIMARY)
        .map(|f| (f.tag.to_string(), f.display_value().to_string()))
        .collect()
}

#[test]
fn any_flipped_byte_of_a_real_picture_ends_in_a_picture_or_an_error() {
    let Some(folder) = data("images") else { return };
    for name in [
        "jpeg/hopper.jpg",
        "png/7x13.png",
        "png/i_trns.png",
        "webp/orientation_6.webp",
        "tiff/g4_orientation_5.tif",
        "tiff/multipage.tiff",
        "gif/dispose_prev.gif",
        "other/rgba16.tga",
    ] {
        let whole = std::fs::read(folder.join(name)).unwrap();
        let limits = Limits {
            max_pixels: 1 << 22,
            max_bytes: 1 << 25,
            ..Limits::default()
        };
        let step = (whole.len() / 60).max(1);
        for at in (0..whole.len().min(400)).chain((400..whole.len()).step_by(step)) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let _ = read_bytes(&bytes, &limits);
            let _ = read_bytes(&whole[..at], &limits);
        }
    }
}
