//! What the tests of this crate share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "test support; no test uses all of it"
)]

use frameloom_still::{Channels, Metadata, Picture, Samples};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of real test media, or `None` with a line that says so.
pub fn data(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FRAMELOOM_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(relative);
    if !path.exists() {
        println!("skipped: no test data ({relative})");
        return None;
    }
    Some(path)
}

/// All files under a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A picture with smooth colours, an edge, and alpha that varies where there is alpha.
pub fn synthetic(width: u32, height: u32, layout: Channels, bits: u8) -> Picture {
    let n = layout.count();
    let mut samples = Vec::with_capacity(width as usize * height as usize * n);
    for y in 0..height {
        for x in 0..width {
            for c in 0..n as u32 {
                let ramp = (x * 517 * (c + 1) + y * 771) % 65_536;
                let edge = if x > y { 20_000 } else { 0 };
                samples.push((ramp / 2 + edge) as u16);
            }
        }
    }
    Picture {
        width,
        height,
        samples: if bits == 16 {
            Samples::U16(samples)
        } else {
            Samples::U8(samples.iter().map(|v| (v >> 8) as u8).collect())
        },
        layout,
        metadata: Metadata::default(),
        warnings: Vec::new(),
    }
}

/// The samples as 16 bits.
pub fn wide(samples: &Samples) -> Vec<u16> {
    match samples {
        Samples::U8(data) => data.iter().map(|v| u16::from(*v) * 257).collect(),
        Samples::U16(data) => data.clone(),
    }
}

/// Peak signal-to-noise ratio in decibels over all samples.
pub fn psnr(a: &Picture, b: &Picture) -> f64 {
    assert_eq!((a.width, a.height, a.layout), (b.width, b.height, b.layout));
    let (a, b) = (wide(&a.samples), wide(&b.samples));
    let sum: f64 = a
        .iter()
        .zip(&b)
        .map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2))
        .sum();
    let mse = sum / a.len() as f64;
    if mse == 0.0 {
        f64::INFINITY
    } else {
        10.0 * (65_535.0f64.powi(2) / mse).log10()
    }
}

/// ImageMagick's convert, an independent decoder, where it is installed.
pub fn magick() -> Option<&'static str> {
    let names = ["magick", "convert-im6.q16", "convert"];
    let found = names.into_iter().find(|name| {
        Command::new(name)
            .arg("-version")
            .output()
            .is_ok_and(|output| {
                String::from_utf8_lossy(&output.stdout).contains("Version: ImageMagick")
            })
    });
    if found.is_none() {
        println!("skipped: no ImageMagick");
    }
    found
}

/// The samples of a file as ImageMagick decodes it, in the given layout, 16 bits.
pub fn magick_samples(program: &str, path: &Path, layout: Channels) -> Vec<u16> {
    let form = match layout {
        Channels::Gray | Channels::GrayAlpha => "GRAYA",
        Channels::Rgb | Channels::Rgba => "RGBA",
    };
    let output = Command::new(program)
        .arg(path)
        .args(["-depth", "16", "-endian", "LSB"])
        .arg(format!("{form}:-"))
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}: {}",
        path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let all: Vec<u16> = output
        .stdout
        .chunks_exact(2)
        .map(|two| u16::from_le_bytes([two[0], two[1]]))
        .collect();
    let per_pixel = layout.color_count() + 1;
    all.chunks_exact(per_pixel)
        .flat_map(|pixel| &pixel[..layout.count()])
        .copied()
        .collect()
}
