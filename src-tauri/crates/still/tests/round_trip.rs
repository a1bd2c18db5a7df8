//! Every format, depth and layout, there and back.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod support;

use frameloom_core::error::ErrorCode;
use frameloom_core::job::Quality;
use frameloom_core::media::Warning;
use frameloom_still::{
    Channels, Limits, Metadata, RowWriter, RowsRef, Samples, StillError, StillFormat, probe, read,
    to_srgb8_preview, write,
};
use support::{magick, magick_samples, psnr, synthetic, wide};

const LAYOUTS: [Channels; 4] = [
    Channels::Gray,
    Channels::GrayAlpha,
    Channels::Rgb,
    Channels::Rgba,
];
const FORMATS: [StillFormat; 4] = [
    StillFormat::Png,
    StillFormat::Jpeg,
    StillFormat::WebP,
    StillFormat::Tiff,
];
const QUALITIES: [Quality; 4] = [
    Quality::Draft,
    Quality::Good,
    Quality::Archive,
    Quality::Lossless,
];

#[test]
fn lossless_formats_give_every_sample_back() {
    let folder = tempfile::tempdir().unwrap();
    for format in [StillFormat::Png, StillFormat::WebP, StillFormat::Tiff] {
        for layout in LAYOUTS {
            for bits in [8, 16] {
                for quality in QUALITIES {
                    let what = format!("{format:?} {layout:?} {bits} {quality:?}");
                    let path = folder.path().join("a").with_extension(format.extension());
                    let picture = synthetic(61, 47, layout, bits);
                    let warnings = write(&path, format, &picture, quality).unwrap();
                    let narrowed = bits == 16 && !format.holds_16_bits();
                    assert_eq!(
                        warnings
                            .iter()
                            .any(|w| matches!(w, Warning::Dropped { .. })),
                        narrowed,
                        "{what}"
                    );
                    let again = read(&path, &Limits::default()).unwrap();
                    assert_eq!((again.width, again.height), (61, 47), "{what}");
                    assert!(again.warnings.is_empty(), "{what}: {:?}", again.warnings);
                    // WebP knows no gray: it comes back as RGB of the same value.
                    if format == StillFormat::WebP {
                        assert_eq!(again.layout.has_alpha(), layout.has_alpha(), "{what}");
                        let n = again.layout.count();
                        let want = wide(&picture.samples);
                        let got = wide(&again.samples);
                        for (index, pixel) in got.chunks(n).enumerate() {
                            let original = &want[index * layout.count()..][..layout.count()];
                            assert!(pixel[0].abs_diff(original[0]) <= 128, "{what} {index}");
                            if layout.has_alpha() {
                                let (a, b) = (pixel[n - 1], original[layout.count() - 1]);
                                assert!(a.abs_diff(b) <= 128, "{what} {index}");
                            }
                        }
                        continue;
                    }
                    assert_eq!(again.layout, layout, "{what}");
                    assert!(again.samples == picture.samples, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_jpeg_comes_close_and_closer_with_quality() {
    let folder = tempfile::tempdir().unwrap();
    for layout in [Channels::Gray, Channels::Rgb] {
        for bits in [8, 16] {
            let picture = synthetic(200, 133, layout, bits);
            let mut last = 0.0;
            for quality in [Quality::Draft, Quality::Good, Quality::Archive] {
                let path = folder.path().join("a.jpg");
                write(&path, StillFormat::Jpeg, &picture, quality).unwrap();
                let mut again = read(&path, &Limits::default()).unwrap();
                assert!(again.warnings.is_empty());
                assert_eq!(again.layout, layout);
                let sharp = psnr(&picture, &{
                    again.samples = Samples::U16(wide(&again.samples));
                    again
                });
                assert!(
                    sharp > last,
                    "{layout:?} {bits} {quality:?}: {sharp} after {last}"
                );
                last = sharp;
            }
            assert!(last > 35.0, "{layout:?} {bits}: {last}");
        }
    }
}

#[test]
fn another_program_reads_the_same_samples() {
    let Some(program) = magick() else { return };
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        for layout in LAYOUTS {
            for bits in [8, 16] {
                if layout.has_alpha() && !format.holds_alpha() {
                    continue;
                }
                let what = format!("{format:?} {layout:?} {bits}");
                let path = folder.path().join("a").with_extension(format.extension());
                let picture = synthetic(75, 50, layout, bits);
                write(&path, format, &picture, Quality::Good).unwrap();
                let theirs = magick_samples(program, &path, layout);
                let ours = wide(&picture.samples);
                assert_eq!(theirs.len(), ours.len(), "{what}");
                let worst = theirs.iter().zip(&ours).map(|(a, b)| a.abs_diff(*b)).max();
                let allowed = match format {
                    StillFormat::Jpeg => 12_000,
                    StillFormat::WebP => 257,
                    StillFormat::Png | StillFormat::Tiff => 0,
                };
                assert!(worst.unwrap() <= allowed, "{what}: {worst:?}");
            }
        }
    }
}

#[test]
fn rows_may_come_in_any_portions() {
    let folder = tempfile::tempdir().unwrap();
    let picture = synthetic(33, 40, Channels::Rgb, 8);
    for format in FORMATS {
        let whole = folder
            .path()
            .join("whole")
            .with_extension(format.extension());
        let parts = folder
            .path()
            .join("parts")
            .with_extension(format.extension());
        write(&whole, format, &picture, Quality::Good).unwrap();
        let mut writer = RowWriter::open(
            &parts,
            format,
            33,
            40,
            Channels::Rgb,
            8,
            &Metadata::default(),
            Quality::Good,
        )
        .unwrap();
        let mut done = 0;
        for portion in [1, 0, 7, 16, 3, 13] {
            let rows = picture.samples.rows(99, done..done + portion).unwrap();
            writer.write_rows(rows).unwrap();
            done += portion;
            assert_eq!(writer.rows_done() as usize, done);
        }
        writer.finish().unwrap();
        let (a, b) = (
            std::fs::read(&whole).unwrap(),
            std::fs::read(&parts).unwrap(),
        );
        assert!(a == b, "{format:?}");
    }
}

#[test]
fn a_tiff_of_another_program_is_read_in_one_strip_in_tiles_and_with_a_palette() {
    let Some(program) = magick() else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source.png");
    let forms: [(&str, &[&str]); 9] = [
        (
            "one strip",
            &["-compress", "none", "-define", "tiff:rows-per-strip=1000"],
        ),
        (
            "strips of 3",
            &["-compress", "none", "-define", "tiff:rows-per-strip=3"],
        ),
        (
            "tiles",
            &["-compress", "lzw", "-define", "tiff:tile-geometry=32x32"],
        ),
        ("planes", &["-compress", "zip", "-interlace", "plane"]),
        (
            "big-endian",
            &["-compress", "none", "-define", "tiff:endian=msb"],
        ),
        ("packbits", &["-compress", "rle"]),
        ("palette", &["-type", "palette", "-compress", "none"]),
        ("palette, lzw", &["-type", "palette", "-compress", "lzw"]),
        ("one bit", &["-monochrome", "-compress", "none"]),
    ];
    for bits in [8, 16] {
        // Few colours, so that a palette holds them all.
        let mut picture = synthetic(75, 50, Channels::Rgb, bits);
        match &mut picture.samples {
            Samples::U8(data) => data.iter_mut().for_each(|v| *v &= 0xc0),
            Samples::U16(data) => data.iter_mut().for_each(|v| *v &= 0xc0c0),
        }
        write(&source, StillFormat::Png, &picture, Quality::Draft).unwrap();
        for (what, arguments) in forms {
            let path = folder.path().join("a.tif");
            let status = std::process::Command::new(program)
                .arg(&source)
                .args(arguments)
                .arg(&path)
                .status()
                .unwrap();
            assert!(status.success(), "{what}");
            let again = read(&path, &Limits::default()).unwrap_or_else(|e| panic!("{what}: {e:?}"));
            assert!(again.warnings.is_empty(), "{what}: {:?}", again.warnings);
            let theirs = magick_samples(program, &path, again.layout);
            let worst = wide(&again.samples)
                .iter()
                .zip(&theirs)
                .map(|(a, b)| a.abs_diff(*b))
                .max();
            assert_eq!(again.samples.len(), theirs.len(), "{what}");
            // A palette comes back in 8 bits.
            let allowed = if what.starts_with("palette") { 257 } else { 0 };
            assert!(worst.unwrap() <= allowed, "{what} {bits}: {worst:?}");
        }
    }
}

#[test]
fn one_pixel_is_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        for bits in [8, 16] {
            let path = folder.path().join("a").with_extension(format.extension());
            let picture = synthetic(1, 1, Channels::Rgb, bits);
            write(&path, format, &picture, Quality::Good).unwrap();
            let again = read(&path, &Limits::default()).unwrap();
            assert_eq!((again.width, again.height), (1, 1));
            let preview = to_srgb8_preview(&again, 320);
            assert_eq!(
                (preview.width, preview.height, preview.data.len()),
                (1, 1, 3)
            );
        }
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused_with_a_remedy_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.out");
    let open = |format, width, height, layout, quality| {
        RowWriter::open(
            &path,
            format,
            width,
            height,
            layout,
            8,
            &Metadata::default(),
            quality,
        )
        .err()
        .unwrap()
    };
    let alpha = open(StillFormat::Jpeg, 2, 2, Channels::Rgba, Quality::Good);
    assert!(matches!(alpha, StillError::AlphaNotSupported { .. }));
    let exact = open(StillFormat::Jpeg, 2, 2, Channels::Rgb, Quality::Lossless);
    assert!(matches!(exact, StillError::LosslessNotSupported { .. }));
    let long = open(StillFormat::Jpeg, 65_501, 2, Channels::Rgb, Quality::Good);
    let wide = open(StillFormat::WebP, 2, 16_384, Channels::Rgb, Quality::Good);
    let large = open(
        StillFormat::WebP,
        16_000,
        16_000,
        Channels::Rgb,
        Quality::Good,
    );
    for error in [&long, &wide, &large] {
        assert!(
            matches!(error, StillError::TooLargeForFormat { .. }),
            "{error}"
        );
    }
    for error in [alpha, exact, long, wide, large] {
        assert_eq!(error.code(), ErrorCode::InvalidRequest);
        assert!(error.hint().contains("PNG"), "{error}");
    }
    assert!(!path.exists());
}

#[test]
fn a_writer_that_does_not_finish_takes_its_file_with_it() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let path = folder.path().join("a").with_extension(format.extension());
        let open = || {
            RowWriter::open(
                &path,
                format,
                500,
                400,
                Channels::Rgb,
                8,
                &Metadata::default(),
                Quality::Good,
            )
            .unwrap()
        };
        let mut writer = open();
        writer.write_rows(RowsRef::U8(&[7; 1500 * 20])).unwrap();
        assert!(path.exists());
        drop(writer);
        assert!(!path.exists(), "{format:?}: dropped");
        let mut writer = open();
        writer.write_rows(RowsRef::U8(&[7; 1500 * 20])).unwrap();
        assert!(
            matches!(writer.finish(), Err(StillError::Rows { .. })),
            "{format:?}"
        );
        assert!(!path.exists(), "{format:?}: short");
        let mut writer = open();
        assert!(writer.write_rows(RowsRef::U8(&[7; 1501])).is_err());
        assert!(writer.write_rows(RowsRef::U8(&[7; 1500 * 401])).is_err());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_to_be_full() {
    use std::path::Path;
    let full = Path::new("/dev/full");
    if !full.exists() {
        println!("skipped: no /dev/full");
        return;
    }
    // The writer removes its file when it fails, and a device is not to be removed.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("full");
    for format in FORMATS {
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(full, &link).unwrap();
        let picture = synthetic(1200, 900, Channels::Rgb, 8);
        let error = write(&link, format, &picture, Quality::Good).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DiskFull, "{format:?}: {error:?}");
    }
    assert!(full.exists());
}

#[test]
fn a_missing_folder_is_an_output_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not there").join("a.png");
    let picture = synthetic(2, 2, Channels::Rgb, 8);
    let error = write(&path, StillFormat::Png, &picture, Quality::Good).unwrap_err();
    assert_eq!(error.code(), ErrorCode::OutputUnwritable);
    assert_eq!(error.path(), path);
}

#[test]
fn dots_per_inch_texts_and_gamma_survive() {
    let folder = tempfile::tempdir().unwrap();
    let mut picture = synthetic(8, 8, Channels::Rgb, 8);
    picture.metadata.dpi = Some((300.0, 150.0));
    picture.metadata.text = vec![("Author".into(), "Nguyễn Văn Ả".into())];
    picture.metadata.png_color = Some(frameloom_still::PngColor {
        gamma: Some(100_000),
        cicp: Some([9, 16, 0, 1]),
        ..Default::default()
    });
    for format in [StillFormat::Png, StillFormat::Jpeg, StillFormat::Tiff] {
        let path = folder.path().join("a").with_extension(format.extension());
        let warnings = write(&path, format, &picture, Quality::Good).unwrap();
        let again = read(&path, &Limits::default()).unwrap();
        let (x, y) = again.metadata.dpi.unwrap();
        assert!(
            (x - 300.0).abs() < 0.1 && (y - 150.0).abs() < 0.1,
            "{format:?}"
        );
        if format == StillFormat::Png {
            assert!(warnings.is_empty());
            assert_eq!(again.metadata.text, picture.metadata.text);
            assert_eq!(again.metadata.png_color, picture.metadata.png_color);
        } else {
            let said = format!("{warnings:?}");
            assert!(said.contains("Author") && said.contains("gamma"), "{said}");
        }
    }
}

#[test]
fn a_probe_of_a_written_file_tells_its_size_depth_and_alpha() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ảnh đẹp 写真 🖼.png");
    write(
        &path,
        StillFormat::Png,
        &synthetic(31, 17, Channels::Rgba, 16),
        Quality::Good,
    )
    .unwrap();
    let info = probe(&path).unwrap();
    let (_, video) = info.main_video().unwrap();
    assert_eq!((video.width, video.height, video.bit_depth), (31, 17, 16));
    assert!(video.alpha && info.container == "png");
}
