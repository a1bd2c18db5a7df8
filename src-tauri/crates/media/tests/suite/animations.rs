//! Animated pictures out of parts, and back.

use crate::support::{ffmpeg, frames, paint, reader, spec_for};
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::job::Quality;
use frameloom_core::media::{MediaKind, Warning};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PixelFormat, Planes};
use frameloom_core::time::{FrameRate, Rational, TimeBase};
use frameloom_media::{
    AnimationInput, AnimationReport, AnimationSpec, Container, EncoderSpec, Frame, FramePool,
    MediaError, PartWriter, VideoEncoder, animation_facts, check_animation, plan_animation,
    plan_encoder, probe, write_animation,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const ANIMATIONS: [Container; 3] = [Container::Gif, Container::Apng, Container::WebP];

fn go() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

/// Encodes frames into parts of `length` frames each, as a job does.
fn parts_of(
    folder: &Path,
    spec: &EncoderSpec,
    frames: impl IntoIterator<Item = Frame>,
    length: usize,
) -> Vec<PathBuf> {
    let plan = plan_encoder(spec).unwrap();
    assert_eq!(plan.name, "ffv1");
    let pool = FramePool::new(plan.input_format, spec.width, spec.height).unwrap();
    let mut converter = frameloom_media::Converter::new();
    let frames: Vec<Frame> = frames
        .into_iter()
        .map(|frame| converter.convert(&frame, &pool).unwrap())
        .collect();
    let mut parts = Vec::new();
    for (number, some) in frames.chunks(length).enumerate() {
        let path = folder.join(format!("{number:04}.part"));
        let mut encoder = VideoEncoder::open(spec, &plan).unwrap();
        let mut writer = PartWriter::create(&path, &encoder.part_header()).unwrap();
        let mut sink = |packet: frameloom_media::EncodedPacket| writer.write(&packet);
        for frame in some {
            encoder.send(frame, &mut sink).unwrap();
        }
        encoder.finish(&mut sink).unwrap();
        writer.finish().unwrap();
        parts.push(path);
    }
    parts
}

/// The whole way of a clip into an animation, checked.
fn animate(source: &Path, output: &Path, quality: Quality, plays: u32) -> AnimationReport {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = reader(source);
    let mut list = vec![reader.next_frame().unwrap().unwrap()];
    let container = Container::from_path(output).unwrap();
    let spec = EncoderSpec {
        quality,
        ..spec_for(&reader, &list[0], container)
    };
    while let Some(frame) = reader.next_frame().unwrap() {
        list.push(frame);
    }
    let parts = parts_of(folder.path(), &spec, list, 7);
    write(&parts, output, quality, plays, spec.frame_rate)
}

fn write(
    parts: &[PathBuf],
    output: &Path,
    quality: Quality,
    plays: u32,
    frame_rate: Option<FrameRate>,
) -> AnimationReport {
    let spec = AnimationSpec {
        parts,
        output_tmp: output,
        container: Container::from_path(output).unwrap(),
        quality,
        plays,
        frame_rate,
    };
    let report = write_animation(&spec, &go(), &mut |_| {}).unwrap();
    check_animation(output, &report, &go(), &mut |_| {}).unwrap();
    report
}

/// Pixels of a frame as red, green, blue, alpha of 8 bits.
fn rgba(frame: &Frame, x: usize, y: usize) -> [u8; 4] {
    let wanted = PixelFormat {
        planes: Planes::Gbr,
        bits: 8,
        alpha: frame.format().alpha,
    };
    let rgb = frameloom_media::convert(frame, wanted).unwrap();
    let at = |index: usize| match rgb.plane(index) {
        AnyPlane::U8(plane) => plane.row(y)[x],
        AnyPlane::U16(_) => panic!("8 bits were asked for"),
    };
    let alpha = if wanted.alpha { at(3) } else { 255 };
    [at(2), at(0), at(1), alpha]
}

/// Bars of known colours, tagged as `color`.
fn bars(color: &ColorInfo, format: PixelFormat, count: i64) -> Vec<Frame> {
    let source = PixelFormat {
        planes: Planes::Gbr,
        bits: 8,
        alpha: format.alpha,
    };
    (0..count)
        .map(|n| {
            let mut frame = Frame::new(source, 64, 48).unwrap();
            for (plane, values) in [[0u8, 255, 0, 200], [0, 0, 255, 30], [255, 0, 0, 120]]
                .iter()
                .enumerate()
            {
                fill(&mut frame, plane, |x, _| values[x / 16]);
            }
            if format.alpha {
                fill(&mut frame, 3, |_, y| if y < 24 { 255 } else { 100 });
            }
            frame.set_color(color);
            let mut frame = frameloom_media::convert(&frame, format).unwrap();
            frame.set_timing(n * 40_000, 40_000);
            frame
        })
        .collect()
}

fn fill(frame: &mut Frame, plane: usize, value: impl Fn(usize, usize) -> u8) {
    if let frameloom_core::pixel::AnyPlaneMut::U8(mut plane) = frame.plane_mut(plane).unwrap() {
        for y in 0..plane.height {
            for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                *sample = value(x, y);
            }
        }
    }
}

fn spec(container: Container, quality: Quality, frame: &Frame) -> EncoderSpec {
    EncoderSpec {
        codec: None,
        quality,
        container,
        width: frame.width(),
        height: frame.height(),
        format: frame.format(),
        time_base: TimeBase::MICROS,
        frame_rate: FrameRate::new(25, 1),
        color: frame.color(),
        sample_aspect_ratio: Rational { num: 1, den: 1 },
        threads: 1,
        hdr: None,
    }
}

#[test]
fn a_clip_becomes_every_kind_of_animation_with_its_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    if !ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=128x96:r=24000/1001:d=2 -c:v libx264 -crf 10 clip.mp4",
    ) {
        return;
    }
    for container in ANIMATIONS {
        let output = path("clip").with_extension(container.extension());
        let report = animate(&path("clip.mp4"), &output, Quality::Good, 0);
        assert_eq!(report.times.len(), 48, "{container:?}");
        assert_eq!(report.warnings, []);
        let facts = animation_facts(&output).unwrap().unwrap();
        let length: f64 = facts.lengths.iter().map(|l| l.to_f64()).sum();
        assert!((length - 2.002).abs() < 0.006, "{container:?}: {length}");
        assert_eq!(facts.plays, 0, "for ever");
        let again = path("again").with_extension(container.extension());
        animate(&path("clip.mp4"), &again, Quality::Good, 0);
        assert_eq!(
            std::fs::read(&output).unwrap(),
            std::fs::read(&again).unwrap(),
            "equal parts give equal bytes"
        );
        let info = probe(&output).unwrap();
        assert_eq!(info.kind, MediaKind::Video);
        assert!(!info.main_video().unwrap().1.alpha, "{container:?}");
        let mut reader = reader(&output);
        assert!(!reader.next_frame().unwrap().unwrap().format().alpha);
        assert_eq!(frames(&output).len(), 48);
    }
}

#[test]
fn how_often_it_is_played_survives_from_one_format_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let color = ColorInfo::default();
    let list = bars(&color, PixelFormat::YUV420P8, 4);
    let parts = parts_of(
        folder.path(),
        &spec(Container::Gif, Quality::Draft, &list[0]),
        list,
        4,
    );
    for container in ANIMATIONS {
        for plays in [0, 1, 3] {
            let output = folder
                .path()
                .join(format!("{plays}.{}", container.extension()));
            write(&parts, &output, Quality::Draft, plays, None);
            let facts = animation_facts(&output).unwrap().unwrap();
            assert_eq!((facts.plays, facts.container), (plays, container));
            assert_eq!(
                facts.lengths,
                vec![Rational::new(1, 25).unwrap(); 4],
                "{container:?}"
            );
        }
    }
}

#[test]
fn the_matrix_and_the_range_of_a_clip_are_honoured() {
    let folder = tempfile::tempdir().unwrap();
    let full = PixelFormat {
        planes: Planes::Yuv {
            shift_x: 0,
            shift_y: 0,
        },
        bits: 8,
        alpha: false,
    };
    for (matrix, range) in [
        (Matrix::Bt601, Range::Limited),
        (Matrix::Bt709, Range::Limited),
        (Matrix::Bt709, Range::Full),
        (Matrix::Bt2020, Range::Limited),
    ] {
        let color = ColorInfo {
            matrix,
            range,
            ..ColorInfo::default()
        };
        let list = bars(&color, full, 3);
        for container in ANIMATIONS {
            let spec = spec(container, Quality::Archive, &list[0]);
            let list = list.iter().map(|f| f.share().unwrap());
            let parts = parts_of(folder.path(), &spec, list, 2);
            let output = folder
                .path()
                .join("out")
                .with_extension(container.extension());
            write(&parts, &output, Quality::Archive, 0, None);
            let frame = reader(&output).next_frame().unwrap().unwrap();
            for (bar, wanted) in [[255, 0, 0], [0, 255, 0], [0, 0, 255], [120, 200, 30]]
                .into_iter()
                .enumerate()
            {
                let found = rgba(&frame, bar * 16 + 8, 20);
                for channel in 0..3 {
                    // Lossy WebP halves the colours.
                    let slack = if container == Container::WebP { 12 } else { 4 };
                    let off = i32::from(found[channel]) - wanted[channel];
                    assert!(
                        off.abs() <= slack,
                        "{container:?} {matrix:?} {range:?}: {found:?} instead of {wanted:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn transparency_is_kept_whole_or_as_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let format = PixelFormat {
        planes: Planes::Gbr,
        bits: 8,
        alpha: true,
    };
    let list = bars(&ColorInfo::default(), format, 3);
    for (container, quality, low) in [
        (Container::Gif, Quality::Good, 0),
        (Container::Apng, Quality::Good, 100),
        (Container::WebP, Quality::Good, 100),
        (Container::WebP, Quality::Lossless, 100),
    ] {
        let spec = spec(container, quality, &list[0]);
        let list = list.iter().map(|f| f.share().unwrap());
        let parts = parts_of(folder.path(), &spec, list, 2);
        let output = folder
            .path()
            .join("out")
            .with_extension(container.extension());
        write(&parts, &output, quality, 0, None);
        let mut reader = reader(&output);
        assert!(reader.info().main_video().unwrap().1.alpha);
        while let Some(frame) = reader.next_frame().unwrap() {
            assert_eq!(rgba(&frame, 8, 5)[3], 255, "{container:?}");
            assert!(rgba(&frame, 8, 40)[3].abs_diff(low) <= 2, "{container:?}");
            if low > 0 {
                let seen = rgba(&frame, 8, 40);
                assert!(seen[0] > 240 && seen[1] < 15, "{container:?}: {seen:?}");
            }
        }
    }
}

#[test]
fn sixteen_bits_and_lossless_pictures_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let rgb = |bits, alpha| PixelFormat {
        planes: Planes::Gbr,
        bits,
        alpha,
    };
    for (container, format) in [
        (Container::Apng, rgb(8, false)),
        (Container::Apng, rgb(8, true)),
        (Container::Apng, rgb(16, false)),
        (Container::Apng, rgb(16, true)),
        (Container::WebP, rgb(8, false)),
    ] {
        let list: Vec<Frame> = (0..3)
            .map(|n| {
                let mut frame = Frame::new(format, 70, 50).unwrap();
                paint(&mut frame, n as u32);
                frame.set_timing(n * 40_000, 40_000);
                frame
            })
            .collect();
        let wanted: Vec<u64> = list.iter().map(Frame::content_hash).collect();
        let spec = spec(container, Quality::Lossless, &list[0]);
        let parts = parts_of(folder.path(), &spec, list, 2);
        let output = folder
            .path()
            .join("out")
            .with_extension(container.extension());
        write(&parts, &output, Quality::Lossless, 0, None);
        let found: Vec<u64> = frames(&output).into_iter().map(|(_, hash)| hash).collect();
        assert_eq!(found, wanted, "{container:?} {format}");
    }
}

#[test]
fn a_gif_leaves_out_what_no_player_shows_and_says_how_much() {
    let folder = tempfile::tempdir().unwrap();
    if !ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=64x48:r=60:d=1 -c:v ffv1 fast.mkv",
    ) {
        return;
    }
    let report = animate(
        &folder.path().join("fast.mkv"),
        &folder.path().join("fast.gif"),
        Quality::Draft,
        0,
    );
    assert!(report.times.len() < 60);
    let [Warning::Dropped { what, .. }] = &report.warnings[..] else {
        panic!("{:?}", report.warnings);
    };
    assert!(what.contains("of 60 frames"), "{what}");
    let facts = animation_facts(&folder.path().join("fast.gif"))
        .unwrap()
        .unwrap();
    assert!(facts.lengths.iter().all(|l| l.to_f64() >= 0.02));
    let length: f64 = facts.lengths.iter().map(|l| l.to_f64()).sum();
    assert!((length - 1.0).abs() < 0.011, "{length}");
}

#[test]
fn a_damaged_or_foreign_result_does_not_pass_its_check() {
    let folder = tempfile::tempdir().unwrap();
    let list = bars(&ColorInfo::default(), PixelFormat::YUV420P8, 5);
    for container in ANIMATIONS {
        let spec = spec(container, Quality::Good, &list[0]);
        let parts = parts_of(
            folder.path(),
            &spec,
            list.iter().map(|f| f.share().unwrap()),
            5,
        );
        let output = folder
            .path()
            .join("out")
            .with_extension(container.extension());
        let report = write(&parts, &output, Quality::Good, 2, None);
        // Another picture in the place of one.
        let mut other: Vec<Frame> = list.iter().map(|f| f.share().unwrap()).collect();
        let mut dark = Frame::new(PixelFormat::YUV420P8, 64, 48).unwrap();
        dark.copy_props_from(&other[3]).unwrap();
        other[3] = dark;
        let changed = |frames: Vec<Frame>, plays| {
            let parts = parts_of(folder.path(), &spec, frames, 5);
            let path = folder
                .path()
                .join("other")
                .with_extension(container.extension());
            write(&parts, &path, Quality::Good, plays, None);
            let checked = check_animation(&path, &report, &go(), &mut |_| {});
            match checked {
                Err(MediaError::Verification { what, .. }) => what,
                other => panic!("{container:?}: {other:?}"),
            }
        };
        assert!(changed(other, 2).contains("frame 3 is not the picture"));
        let share = |range: std::ops::Range<usize>| list[range].iter().map(|f| f.share().unwrap());
        assert!(changed(share(0..4).collect(), 2).contains("4 frames instead of 5"));
        assert!(changed(share(0..5).collect(), 3).contains("played"));
        let mut late: Vec<Frame> = share(0..5).collect();
        late[4].set_timing(200_000, 40_000);
        assert!(changed(late, 2).contains("frame 4 is at"));
    }
}

#[test]
fn colours_of_wide_primaries_look_the_same_in_an_animation_which_means_srgb() {
    let folder = tempfile::tempdir().unwrap();
    // What sRGB red, green, blue, orange and grey are in each.
    let srgb = [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 128, 0],
        [128, 128, 128],
    ];
    let bt2020 = [
        [208, 74, 35],
        [155, 246, 84],
        [59, 28, 243],
        [218, 141, 53],
        [128, 128, 128],
    ];
    let p3 = [
        [234, 51, 35],
        [117, 251, 76],
        [0, 0, 245],
        [239, 135, 51],
        [128, 128, 128],
    ];
    for (primaries, coded) in [("bt2020", bt2020), ("smpte432", p3), ("bt709", srgb)] {
        let color = ColorInfo {
            primaries: Some(primaries.to_owned()),
            transfer: Some("bt709".to_owned()),
            ..ColorInfo::default()
        };
        let gbr = PixelFormat {
            planes: Planes::Gbr,
            bits: 8,
            alpha: false,
        };
        let list: Vec<Frame> = (0..2)
            .map(|n| {
                let mut frame = Frame::new(gbr, 80, 48).unwrap();
                for (plane, channel) in [1, 2, 0].into_iter().enumerate() {
                    let AnyPlaneMut::U8(mut plane) = frame.plane_mut(plane).unwrap() else {
                        panic!("made with 8 bits")
                    };
                    for y in 0..48 {
                        for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                            *sample = coded[x / 16][channel];
                        }
                    }
                }
                frame.set_color(&color);
                frame.set_timing(n * 40_000, 40_000);
                frame
            })
            .collect();
        for container in ANIMATIONS {
            let quality = match container {
                Container::Gif => Quality::Archive,
                _ => Quality::Lossless,
            };
            let spec = spec(container, quality, &list[0]);
            let shared = list.iter().map(|f| f.share().unwrap());
            let parts = parts_of(folder.path(), &spec, shared, 2);
            let output = folder
                .path()
                .join("out")
                .with_extension(container.extension());
            write(&parts, &output, quality, 0, None);
            let frame = reader(&output).next_frame().unwrap().unwrap();
            for (bar, wanted) in srgb.iter().enumerate() {
                let found = rgba(&frame, bar * 16 + 8, 24);
                let off = wanted.iter().zip(found).map(|(a, b)| a.abs_diff(b)).max();
                // A step of 8 bits in the dark of a wide space is several of the narrow one.
                let most = if primaries == "bt709" { 2 } else { 14 };
                assert!(
                    off <= Some(most),
                    "{container:?} {primaries} {wanted:?} {found:?}"
                );
            }
        }
    }
}

#[test]
fn what_an_animation_cannot_hold_is_refused_or_said_before_it_is_made() {
    let input = AnimationInput {
        width: 640,
        height: 360,
        format: PixelFormat::YUV420P8,
        color: ColorInfo::default(),
        frame_rate: FrameRate::new(25, 1),
        sample_aspect_ratio: Rational { num: 1, den: 1 },
    };
    let hdr = AnimationInput {
        color: ColorInfo {
            transfer: Some("smpte2084".to_owned()),
            ..ColorInfo::default()
        },
        ..input.clone()
    };
    for container in ANIMATIONS {
        let plan = plan_animation(container, Quality::Good, &input).unwrap();
        assert_eq!(plan.warnings, []);
        let refused = plan_animation(container, Quality::Good, &hdr).unwrap_err();
        assert!(refused.to_string().contains("_%05d.png"), "{refused}");
        let wide = AnimationInput {
            color: ColorInfo {
                primaries: Some("bt2020".to_owned()),
                ..ColorInfo::default()
            },
            ..input.clone()
        };
        let plan = plan_animation(container, Quality::Good, &wide).unwrap();
        let [Warning::Dropped { what, .. }] = &plan.warnings[..] else {
            panic!("{:?}", plan.warnings);
        };
        assert!(what.contains("converted from bt2020"), "{what}");
    }
    let refused = plan_animation(Container::Gif, Quality::Lossless, &input).unwrap_err();
    assert!(refused.to_string().contains(".apng or .webp"), "{refused}");
    let large = AnimationInput {
        width: 16_384,
        ..input.clone()
    };
    assert!(plan_animation(Container::WebP, Quality::Good, &large).is_err());
    assert!(plan_animation(Container::Apng, Quality::Good, &large).is_ok());
    let fast = AnimationInput {
        frame_rate: FrameRate::new(60, 1),
        format: PixelFormat {
            alpha: true,
            bits: 10,
            ..input.format
        },
        ..input
    };
    assert_eq!(
        plan_animation(Container::Gif, Quality::Good, &fast)
            .unwrap()
            .warnings
            .len(),
        3
    );
    assert_eq!(
        plan_animation(Container::Apng, Quality::Good, &fast)
            .unwrap()
            .warnings,
        []
    );
}
