//! Large, small and lying pictures, and how much memory they take.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod support;

use frameloom_core::error::ErrorCode;
use frameloom_core::job::Quality;
use frameloom_still::{
    Channels, Limits, Metadata, RowWriter, RowsRef, StillError, StillFormat, probe, read,
    read_bytes, write,
};
use support::synthetic;

#[test]
fn a_picture_beyond_a_limit_is_refused_by_its_header() {
    let folder = tempfile::tempdir().unwrap();
    for format in [
        StillFormat::Png,
        StillFormat::Jpeg,
        StillFormat::WebP,
        StillFormat::Tiff,
    ] {
        let path = folder.path().join("a").with_extension(format.extension());
        write(
            &path,
            format,
            &synthetic(100, 60, Channels::Rgb, 8),
            Quality::Good,
        )
        .unwrap();
        for limits in [
            Limits {
                max_pixels: 5_999,
                ..Limits::default()
            },
            Limits {
                max_side: 99,
                ..Limits::default()
            },
            Limits {
                max_bytes: 17_999,
                ..Limits::default()
            },
        ] {
            let error = read(&path, &limits).unwrap_err();
            assert!(
                matches!(error, StillError::TooLarge { .. }),
                "{format:?}: {error:?}"
            );
            assert_eq!(error.code(), ErrorCode::InputTooLarge);
        }
        let enough = Limits {
            max_pixels: 6_000,
            max_side: 100,
            max_bytes: 18_000,
        };
        if format != StillFormat::WebP {
            read(&path, &enough).unwrap_or_else(|e| panic!("{format:?}: {e:?}"));
        }
    }
}

#[test]
fn a_header_that_promises_four_billion_pixels_is_no_reason_to_take_memory() {
    // A PNG header of 65535 x 65535 with 16-bit alpha, and nothing behind it.
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xff\0\0\xff\xff\x10\x06\0\0\0".to_vec();
    png.extend_from_slice(&[0x9a, 0x1d, 0x50, 0x7e]);
    assert!(read_bytes(&png, &Limits::default()).is_err());
    let mut bmp = vec![0; 54];
    bmp[..2].copy_from_slice(b"BM");
    bmp[10] = 54;
    bmp[14] = 40;
    bmp[18..22].copy_from_slice(&60_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000u32.to_le_bytes());
    bmp[26] = 1;
    bmp[28] = 24;
    let error = read_bytes(&bmp, &Limits::default()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InputTooLarge, "{error:?}");
}

#[test]
fn nothing_text_and_folders_are_refused_for_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.png");
    std::fs::write(&empty, b"").unwrap();
    let error = read(&empty, &Limits::default()).unwrap_err();
    assert!(matches!(error, StillError::Empty { .. }));
    assert!(!frameloom_still::is_still(&empty).unwrap());
    let text = folder.path().join("text.png");
    std::fs::write(&text, "this is no picture\n").unwrap();
    let error = probe(&text).unwrap_err();
    assert!(matches!(error, StillError::NotAStill { .. }));
    assert_eq!(error.code().exit_code(), 3);
    let error = read(&folder.path().join("gone.png"), &Limits::default()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InputNotFound);
    let error = read(folder.path(), &Limits::default()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InputUnreadable);
}

#[test]
fn a_picture_of_16384_by_16384_pixels_is_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.png");
    let side = 16_384;
    let mut writer = RowWriter::open(
        &path,
        StillFormat::Png,
        side,
        side,
        Channels::Gray,
        8,
        &Metadata::default(),
        Quality::Draft,
    )
    .unwrap();
    let mut band = vec![0u8; side as usize * 128];
    for top in (0..side).step_by(128) {
        for (y, row) in band.chunks_exact_mut(side as usize).enumerate() {
            row.fill((top as usize + y) as u8);
        }
        writer.write_rows(RowsRef::U8(&band)).unwrap();
    }
    writer.finish().unwrap();
    let picture = read(&path, &Limits::default()).unwrap();
    assert_eq!((picture.width, picture.height), (side, side));
    let frameloom_still::Samples::U8(data) = picture.samples else {
        panic!("not 8 bits")
    };
    assert_eq!(data[side as usize * 300 + 5], 44);
    assert_eq!(data[data.len() - 1], 255);
}

/// A picture of 108 megapixels (324 MB) leaves this process row by row; the peak of a fresh
/// process that does nothing else tells what the writer holds.
#[cfg(target_os = "linux")]
#[test]
fn writing_108_megapixels_takes_a_few_megabytes_and_reading_them_one_copy() {
    const CHILD: &str = "FRAMELOOM_STILL_WRITE";
    let peak_kib = || -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    if let Ok(path) = std::env::var(CHILD) {
        let path = std::path::PathBuf::from(path);
        if path.exists() {
            let before = peak_kib();
            let picture = read(&path, &Limits::default()).unwrap();
            assert_eq!(picture.samples.len(), 324_000_000);
            assert!(picture.warnings.is_empty());
            println!("peak {} KiB", peak_kib() - before);
            return;
        }
        let (width, height) = (12_000u32, 9_000u32);
        let before = peak_kib();
        let mut writer = RowWriter::open(
            &path,
            StillFormat::from_path(&path).unwrap(),
            width,
            height,
            Channels::Rgb,
            8,
            &Metadata::default(),
            Quality::Good,
        )
        .unwrap();
        let row_bytes = width as usize * 3;
        let mut band = vec![0u8; row_bytes * 100];
        for top in (0..height as usize).step_by(100) {
            for (index, value) in band.iter_mut().enumerate() {
                *value = (index / 40 + top) as u8;
            }
            writer.write_rows(RowsRef::U8(&band)).unwrap();
        }
        writer.finish().unwrap();
        println!("peak {} KiB", peak_kib() - before);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let child = |path: &std::path::Path| -> u64 {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "writing_108_megapixels_takes_a_few_megabytes_and_reading_them_one_copy",
                "--nocapture",
            ])
            .env(CHILD, path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}: {said}", path.display());
        let after = said.split("peak ").nth(1).unwrap();
        after.split(' ').next().unwrap().parse().unwrap()
    };
    for name in ["a.png", "a.tif", "a.jpg"] {
        let path = folder.path().join(name);
        let peak = child(&path);
        println!("{name}: {} MiB above the start, of 309 MiB", peak >> 10);
        assert!(peak < 32 << 10, "{name}: {peak} KiB");
        let info = probe(&path).unwrap();
        let (_, video) = info.main_video().unwrap();
        assert_eq!((video.width, video.height), (12_000, 9_000));
        let peak = child(&path);
        println!("{name}: read with {} MiB", peak >> 10);
        assert!(peak < 400 << 10, "{name}: {peak} KiB");
    }
}
