//! Nothing is lost on the way that nobody asked to lose: decode, pass through, encode without
//! loss, decode.

use crate::support::{Pass, ffmpeg, one, reader};
use frameloom_core::job::{Quality, VideoCodec};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, Planes};
use frameloom_core::time::{FrameRate, TimeBase};
use frameloom_media::{
    Container, Converter, EncoderSpec, Frame, FramePool, PartWriter, VideoEncoder, decode_first,
    plan_encoder,
};
use std::path::Path;
use tempfile::tempdir;

/// Every planar layout that a reader gives out.
fn layouts() -> Vec<PixelFormat> {
    let yuv = |shift_x, shift_y| Planes::Yuv { shift_x, shift_y };
    let all: &[u8] = &[8, 9, 10, 12, 14, 16];
    let mut list = Vec::new();
    for (planes, alpha, depths) in [
        (Planes::Gray, false, all),
        (Planes::Gbr, false, all),
        (Planes::Gbr, true, &[8, 10, 12, 16]),
        (yuv(1, 1), false, all),
        (yuv(1, 0), false, all),
        (yuv(0, 0), false, all),
        (yuv(0, 1), false, &[8, 10, 12]),
        (yuv(1, 1), true, &[8, 9, 10, 16]),
        (yuv(1, 0), true, &[8, 9, 10, 12, 16]),
        (yuv(0, 0), true, &[8, 9, 10, 12, 16]),
    ] {
        for bits in depths {
            list.push(PixelFormat {
                planes,
                bits: *bits,
                alpha,
            });
        }
    }
    list
}

/// Every value of the depth, in an order without a pattern.
fn noise(frame: &mut Frame) {
    let max = u32::from(frame.format().max_value());
    let mut state = 0x1234_5678u32;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) & max
    };
    for index in 0..frame.format().plane_count() {
        match frame.plane_mut(index).unwrap() {
            AnyPlaneMut::U8(mut p) => {
                for y in 0..p.height {
                    p.row_mut(y).iter_mut().for_each(|s| *s = next() as u8);
                }
            }
            AnyPlaneMut::U16(mut p) => {
                for y in 0..p.height {
                    p.row_mut(y).iter_mut().for_each(|s| *s = next() as u16);
                }
            }
        }
    }
}

fn samples(frame: &Frame, index: usize) -> Vec<u32> {
    match frame.plane(index) {
        AnyPlane::U8(p) => (0..p.height)
            .flat_map(|y| p.row(y).iter().map(|s| u32::from(*s)))
            .collect(),
        AnyPlane::U16(p) => (0..p.height)
            .flat_map(|y| p.row(y).iter().map(|s| u32::from(*s)))
            .collect(),
    }
}

/// Largest difference of a sample when `deep`, of the same planes, is brought to the depth of
/// `frame` by leaving out the bits that it has more.
fn largest(frame: &Frame, deep: &Frame) -> Result<u32, String> {
    let (from, to) = (frame.format(), deep.format());
    if from.planes != to.planes || from.bits > to.bits || from.alpha && !to.alpha {
        return Err(format!("{from} became {to}"));
    }
    let mut worst = 0;
    for index in 0..from.plane_count() {
        let other = match from.alpha_plane() == Some(index) {
            true => to.plane_count() - 1,
            false => index,
        };
        let shift = to.bits - from.bits;
        for (a, b) in samples(frame, index).iter().zip(samples(deep, other)) {
            worst = worst.max(a.abs_diff(b >> shift));
        }
    }
    Ok(worst)
}

#[test]
fn ffv1_gives_every_layout_back_bit_for_bit() {
    let folder = tempdir().unwrap();
    let mut wrong = Vec::new();
    for format in layouts() {
        let spec = EncoderSpec {
            codec: Some(VideoCodec::Ffv1),
            quality: Quality::Lossless,
            container: Container::Mkv,
            width: 161,
            height: 91,
            format,
            time_base: TimeBase::new(1, 90_000).unwrap(),
            frame_rate: FrameRate::new(30, 1),
            color: Default::default(),
            sample_aspect_ratio: one(),
            threads: 1,
            hdr: None,
        };
        let plan = plan_encoder(&spec).unwrap();
        let mut frame = Frame::new(format, spec.width, spec.height).unwrap();
        noise(&mut frame);
        let pool = FramePool::new(plan.input_format, spec.width, spec.height).unwrap();
        let ready = Converter::new().convert(&frame, &pool).unwrap();
        let path = folder.path().join("a.part");
        let mut encoder = VideoEncoder::open(&spec, &plan).unwrap();
        let mut writer = PartWriter::create(&path, &encoder.part_header()).unwrap();
        let mut sink = |packet| writer.write(&packet);
        encoder.send(&ready, &mut sink).unwrap();
        encoder.finish(&mut sink).unwrap();
        writer.finish().unwrap();
        let back = decode_first(&path).unwrap();
        let found = largest(&frame, &back);
        println!("{format} by {}: {found:?}", plan.input_format);
        if found != Ok(0) {
            wrong.push(format!("{format} by {}: {found:?}", plan.input_format));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The pixel formats that the system's ffmpeg can write.
fn formats() -> Vec<String> {
    let Ok(output) = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-pix_fmts"])
        .output()
    else {
        return Vec::new();
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let flags = words.next()?;
            (flags.len() == 5 && flags.starts_with("IO") && !flags.contains('H'))
                .then(|| words.next().map(str::to_owned))?
        })
        .collect()
}

#[test]
fn every_pixel_format_that_the_reader_takes_comes_back_bit_for_bit() {
    let folder = tempdir().unwrap();
    let (mut wrong, mut tried) = (Vec::new(), Vec::new());
    for name in formats() {
        let made = ffmpeg(
            folder.path(),
            &format!(
                "-f lavfi -i testsrc2=s=98x66:r=25 -frames:v 2 -pix_fmt {name} -c:v rawvideo \
                 -strict -2 a.nut"
            ),
        );
        let source = folder.path().join("a.nut");
        // Some formats have no name in the file, so that nobody can read them back.
        if !made || !ffmpeg(folder.path(), "-xerror -i a.nut -f null -") {
            continue;
        }
        let output = folder.path().join("o.mkv");
        let pass = Pass {
            codec: Some(VideoCodec::Ffv1),
            quality: Quality::Lossless,
            ..Pass::new(&source, &output)
        };
        println!("{name}");
        pass.run(folder.path());
        let first = |path: &Path| reader(path).next_frame().unwrap().unwrap();
        let (a, b) = (first(&source), first(&output));
        let found = largest(&a, &b);
        tried.push(format!("{name} ({})", a.format()));
        if found != Ok(0) {
            wrong.push(format!("{name}: {found:?}, {} {}", a.format(), b.format()));
        }
    }
    println!("{} formats: {}", tried.len(), tried.join(", "));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried.is_empty() || tried.len() > 80, "{}", tried.len());
}
