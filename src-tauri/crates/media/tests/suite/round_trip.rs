//! Decode, encode into parts, join, and read back.

use crate::support::{Pass, data, frames, one, paint, reader, y4m};
use frameloom_core::job::{Quality, VideoCodec};
use frameloom_core::pixel::PixelFormat;
use frameloom_core::time::{FrameRate, TimeBase, Timestamp};
use frameloom_media::{
    Container, EncoderSpec, Expectation, Frame, MediaError, PartReader, PartWriter, VideoEncoder,
    plan_encoder, probe, verify_output,
};
use std::path::Path;
use tempfile::tempdir;

fn check(output: &Path, times: &[i64], base: TimeBase, size: (u32, u32), streams: u32) -> i64 {
    let expected = Expectation {
        pts: times,
        time_base: base,
        size,
        streams,
    };
    verify_output(output, &expected).unwrap().offset_micros
}

#[test]
fn uneven_times_come_back_to_the_tick_with_b_frames_and_any_cut() {
    let folder = tempdir().unwrap();
    let source = folder.path().join("in.y4m");
    y4m(&source, 96, 64, 60, "90000:1");
    // A clip whose frames come at 30, 7 and 120 per second by turns, from a start that is not 0.
    let steps = [3000, 12_857, 750, 1, 90_000];
    let mut times = vec![4_321];
    for n in 0..59 {
        times.push(times[n] + steps[n % steps.len()]);
    }
    for (round, cuts) in [&[usize::MAX][..], &[1, 7, 2, 33, 100], &[20]]
        .iter()
        .enumerate()
    {
        for name in ["out.mp4", "out.mov"] {
            let output = folder.path().join(format!("{round}{name}"));
            let pass = Pass {
                cuts,
                times: Some(&times),
                ..Pass::new(&source, &output)
            };
            let (sent, report) = pass.run(folder.path());
            assert_eq!(sent, times);
            assert_eq!(report.pts, times);
            let base = reader(&source).time_base();
            assert_eq!(check(&output, &times, base, (96, 64), 1), 0);
            let read: Vec<i64> = frames(&output)
                .iter()
                .map(|(pts, _)| {
                    let own = reader(&output).time_base();
                    Timestamp::new(*pts, own).rescaled(base).ticks
                })
                .collect();
            assert_eq!(read, times, "{name} cut at {cuts:?}");
        }
    }
}

#[test]
fn equal_input_gives_equal_bytes() {
    let folder = tempdir().unwrap();
    let source = folder.path().join("in.y4m");
    y4m(&source, 96, 64, 30, "25:1");
    for name in ["out.mp4", "out.mkv", "out.webm"] {
        let mut bytes = Vec::new();
        for round in 0..2 {
            let output = folder.path().join(format!("{round}-{name}"));
            Pass {
                cuts: &[11],
                ..Pass::new(&source, &output)
            }
            .run(folder.path());
            bytes.push(std::fs::read(&output).unwrap());
        }
        assert!(bytes[0] == bytes[1], "{name} differs between two runs");
    }
}

#[test]
fn every_usable_encoder_gives_every_frame_back_at_its_time() {
    let folder = tempdir().unwrap();
    let source = folder.path().join("in.y4m");
    y4m(&source, 96, 64, 24, "25:1");
    // DNxHR has no smaller pictures.
    let larger = folder.path().join("larger.y4m");
    y4m(&larger, 256, 144, 24, "25:1");
    let base = reader(&source).time_base();
    for (codec, name) in [
        (VideoCodec::H264, "a.mp4"),
        (VideoCodec::Hevc, "b.mp4"),
        (VideoCodec::Av1, "c.mp4"),
        (VideoCodec::Vp9, "d.webm"),
        (VideoCodec::Vp9, "d.mp4"),
        (VideoCodec::Ffv1, "e.mkv"),
        (VideoCodec::Prores, "f.mov"),
        (VideoCodec::Dnxhr, "g.mov"),
    ] {
        let usable = frameloom_media::usable_encoders();
        if !usable
            .iter()
            .any(|e| e.codec == Some(codec) && e.refused.is_none())
        {
            println!("skipped: no encoder for {codec:?}");
            continue;
        }
        let output = folder.path().join(name);
        let (source, size) = match codec {
            VideoCodec::Dnxhr => (&larger, (256, 144)),
            _ => (&source, (96, 64)),
        };
        let pass = Pass {
            codec: Some(codec),
            cuts: &[5, 9],
            ..Pass::new(source, &output)
        };
        let (times, _) = pass.run(folder.path());
        check(&output, &times, base, size, 1);
        assert_eq!(frames(&output).len(), 24, "{codec:?}");
    }
}

#[test]
fn lossless_is_lossless() {
    let folder = tempdir().unwrap();
    let source = folder.path().join("in.y4m");
    y4m(&source, 96, 64, 8, "25:1");
    let hashes = |path: &Path| frames(path).iter().map(|f| f.1).collect::<Vec<_>>();
    for (codec, name) in [
        (Some(VideoCodec::Ffv1), "a.mkv"),
        (Some(VideoCodec::Hevc), "b.mp4"),
        (Some(VideoCodec::Vp9), "c.webm"),
        (None, "d.mp4"),
    ] {
        let output = folder.path().join(name);
        let pass = Pass {
            codec,
            quality: Quality::Lossless,
            ..Pass::new(&source, &output)
        };
        pass.run(folder.path());
        assert_eq!(hashes(&output), hashes(&source), "{name}");
    }
}

#[test]
fn sound_subtitles_and_chapters_are_copied_bit_for_bit() {
    let Some(folder) = data("media/video") else {
        return;
    };
    for (name, output, streams) in [
        ("h264_aac_face_1s.mp4", "a.mp4", 2),
        ("h264_aac_face_1s.mp4", "b.mkv", 2),
        ("mkv_ass.mkv", "c.mkv", 3),
        ("mkv_srt.mkv", "d.mkv", 3),
        ("rotate90_5.1.mp4", "e.mp4", 2),
        ("xavc_422_10bit_interlaced_4audio.mp4", "f.mov", 5),
        ("h264_mp2_short.ts", "g.mp4", 2),
    ] {
        let source = folder.join(name);
        let temporary = tempdir().unwrap();
        let output = temporary.path().join(output);
        let (times, report) = Pass::new(&source, &output).run(temporary.path());
        assert!(report.copied_packets > 0, "{name}");
        let base = reader(&source).time_base();
        let (width, height) = size(&source);
        let found = probe(&output).unwrap();
        println!(
            "{name}: {} streams, {:?}",
            found.streams.len(),
            report.warnings
        );
        check(&output, &times, base, (width, height), streams);
        assert_eq!(audio_bytes(&source), audio_bytes(&output), "{name}");
    }
}

/// How much later than the pictures each other stream begins, in microseconds.
fn lags(path: &Path) -> Vec<i64> {
    let info = probe(path).unwrap();
    let start = |s: &frameloom_core::media::StreamInfo| {
        Timestamp::new(s.start_ticks.unwrap_or(0), s.time_base).micros()
    };
    let video = start(info.main_video().unwrap().0);
    let sound = info.streams.iter().filter(|s| s.audio.is_some());
    sound.map(|s| start(s) - video).collect()
}

#[test]
fn sound_stays_where_it_was_against_the_pictures() {
    let Some(folder) = data("media/video") else {
        return;
    };
    for (name, output, slack) in [
        ("h264_aac_face_1s.mp4", "a.mp4", 30),
        ("h264_aac_17s_640x360.mp4", "b.mp4", 30),
        ("h264_aac_17s_640x360.mp4", "c.mkv", 1_100),
        ("h264_mp2_short.ts", "d.mp4", 30),
        ("h264_aac.flv", "e.mp4", 30),
        ("h264_aac.flv", "f.mkv", 1_100),
        ("ts_eng_es_audio.ts", "g.mkv", 1_100),
        ("preroll_5s_640x360.mp4", "h.mp4", 30),
    ] {
        let source = folder.join(name);
        let temporary = tempdir().unwrap();
        let output = temporary.path().join(output);
        let pass = Pass {
            limit: 40,
            ..Pass::new(&source, &output)
        };
        pass.run(temporary.path());
        let (before, after) = (lags(&source), lags(&output));
        println!("{name}: {before:?} {after:?}");
        assert_eq!(before.len(), after.len(), "{name}");
        for (a, b) in before.iter().zip(&after) {
            assert!(
                (a - b).abs() <= slack,
                "{name}: {before:?} became {after:?}"
            );
        }
    }
}

#[test]
fn the_smallest_pictures_are_encoded() {
    let folder = tempdir().unwrap();
    for (width, height) in [(1, 1), (2, 2), (16, 1), (17, 33)] {
        let source = folder.path().join("in.y4m");
        y4m(&source, width, height, 3, "25:1");
        let output = folder.path().join("out.mp4");
        Pass::new(&source, &output).run(folder.path());
        assert_eq!(frames(&output).len(), 3, "{width}x{height}");
    }
}

fn size(path: &Path) -> (u32, u32) {
    let info = probe(path).unwrap();
    let (_, video) = info.main_video().unwrap();
    (video.width, video.height)
}

/// The coded sound of a file as the system's ffmpeg reads it, where there is one. (The crate's
/// own tests compare the bytes with its own demuxer.)
fn audio_bytes(path: &Path) -> Option<String> {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args([
            "-map",
            "0:a",
            "-c",
            "copy",
            "-f",
            "streamhash",
            "-hash",
            "md5",
            "-",
        ])
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn turn_aspect_and_colour_tags_are_kept() {
    let Some(folder) = data("media/video") else {
        return;
    };
    for (name, output) in [
        ("phone_portrait_4k60_rot90.mp4", "a.mp4"),
        ("sar_2x1.mp4", "b.mp4"),
        ("sar_2x1.mp4", "c.mkv"),
        ("hlg_rot90_phone.mp4", "d.mp4"),
        ("hdr10_pq_phone.mp4", "e.mp4"),
        ("h264_1080p_full-range.mp4", "f.mkv"),
        ("rotate90_5.1.mp4", "g.mkv"),
    ] {
        let source = folder.join(name);
        let temporary = tempdir().unwrap();
        let output = temporary.path().join(output);
        let pass = Pass {
            limit: 3,
            ..Pass::new(&source, &output)
        };
        pass.run(temporary.path());
        let (before, after) = (probe(&source).unwrap(), probe(&output).unwrap());
        let (a, b) = (
            before.main_video().unwrap().1,
            after.main_video().unwrap().1,
        );
        assert_eq!(a.sample_aspect_ratio, b.sample_aspect_ratio, "{name}");
        if !(name.contains("rotate90") && b.rotation_degrees == 0) {
            assert_eq!(a.rotation_degrees, b.rotation_degrees, "{name}");
        }
        assert_eq!(a.color.range, b.color.range, "{name}");
        assert_eq!(a.color.primaries, b.color.primaries, "{name}");
        assert_eq!(a.color.transfer, b.color.transfer, "{name}");
        assert_eq!(a.color.matrix, b.color.matrix, "{name}");
        assert_eq!(a.bit_depth, b.bit_depth, "{name}");
        assert_eq!(a.hdr_metadata, b.hdr_metadata, "{name}");
    }
}

#[test]
fn transparency_goes_through_vp9_prores_and_ffv1() {
    let Some(source) = data("media/video/vp8_alpha.webm") else {
        return;
    };
    for (codec, name) in [
        (VideoCodec::Vp9, "a.webm"),
        (VideoCodec::Ffv1, "b.mkv"),
        (VideoCodec::Prores, "c.mov"),
    ] {
        let temporary = tempdir().unwrap();
        let output = temporary.path().join(name);
        let pass = Pass {
            codec: Some(codec),
            limit: 6,
            ..Pass::new(&source, &output)
        };
        pass.run(temporary.path());
        let info = probe(&output).unwrap();
        assert!(info.main_video().unwrap().1.alpha, "{name}");
        let mut reader = reader(&output);
        let mut count = 0;
        while let Some(frame) = reader.next_frame().unwrap() {
            assert!(frame.format().alpha, "{name}");
            count += 1;
        }
        assert_eq!(count, 6, "{name}");
    }
}

fn spec(container: Container, width: u32, height: u32, format: PixelFormat) -> EncoderSpec {
    EncoderSpec {
        codec: None,
        quality: Quality::Good,
        container,
        width,
        height,
        format,
        time_base: TimeBase::new(1, 90_000).unwrap(),
        frame_rate: FrameRate::new(30, 1),
        color: Default::default(),
        sample_aspect_ratio: one(),
        threads: 1,
        hdr: None,
    }
}

#[test]
fn transparency_is_not_promised_where_it_would_be_lost() {
    let clear = PixelFormat {
        alpha: true,
        ..PixelFormat::YUV420P8
    };
    let mp4 = spec(Container::Mp4, 128, 128, clear);
    let plan = plan_encoder(&mp4).unwrap();
    assert!(!plan.input_format.alpha);
    assert_eq!(plan.warnings(&mp4).len(), 1);
    let webm = spec(Container::Webm, 128, 128, clear);
    let plan = plan_encoder(&webm).unwrap();
    assert!(plan.input_format.alpha);
    assert!(plan.warnings(&webm).is_empty());
}

#[test]
fn a_clock_finer_than_the_encoder_knows_is_kept() {
    let Some(source) = data("media/video/h264_aac_17s_640x360.mp4") else {
        return;
    };
    // 23,040,000 ticks a second.
    let base = reader(&source).time_base();
    for name in ["a.webm", "b.mp4"] {
        let temporary = tempdir().unwrap();
        let output = temporary.path().join(name);
        let pass = Pass {
            limit: 12,
            ..Pass::new(&source, &output)
        };
        let (times, _) = pass.run(temporary.path());
        check(&output, &times, base, (640, 360), 1);
    }
}

#[test]
fn odd_sides_are_padded_where_the_codec_needs_even_ones() {
    let folder = tempdir().unwrap();
    let spec = EncoderSpec {
        codec: Some(VideoCodec::H264),
        ..spec(Container::Mp4, 161, 121, PixelFormat::YUV420P8)
    };
    let Ok(plan) = plan_encoder(&spec) else {
        println!("skipped: no encoder for H.264");
        return;
    };
    assert_eq!(plan.padded_size, Some((162, 122)));
    let mut encoder = VideoEncoder::open(&spec, &plan).unwrap();
    let path = folder.path().join("a.part");
    let mut writer = PartWriter::create(&path, &encoder.part_header()).unwrap();
    let mut frame = Frame::new(PixelFormat::YUV420P8, 161, 121).unwrap();
    paint(&mut frame, 3);
    let mut sink = |packet| writer.write(&packet);
    encoder.send(&frame, &mut sink).unwrap();
    encoder.finish(&mut sink).unwrap();
    writer.finish().unwrap();
    let back = frameloom_media::decode_first(&path).unwrap();
    assert_eq!((back.width(), back.height()), (162, 122));
}

#[test]
fn ten_bits_stay_ten_bits_and_no_colour_is_invented() {
    let ten = PixelFormat {
        bits: 10,
        ..PixelFormat::YUV420P8
    };
    let plan = plan_encoder(&spec(Container::Mkv, 128, 128, ten)).unwrap();
    assert_eq!(plan.input_format, ten);
    let plain = plan_encoder(&spec(Container::Mp4, 128, 128, PixelFormat::YUV420P8)).unwrap();
    assert_eq!(plain.input_format, PixelFormat::YUV420P8);
    let folder = tempdir().unwrap();
    let source = folder.path().join("in.y4m");
    y4m(&source, 96, 64, 2, "25:1");
    let output = folder.path().join("out.mp4");
    Pass::new(&source, &output).run(folder.path());
    let info = probe(&output).unwrap();
    let color = &info.main_video().unwrap().1.color;
    assert_eq!((&color.primaries, &color.transfer), (&None, &None));
}

#[test]
fn a_codec_that_does_not_fit_is_refused_with_a_reason() {
    let wrong = EncoderSpec {
        codec: Some(VideoCodec::H264),
        ..spec(Container::Webm, 128, 128, PixelFormat::YUV420P8)
    };
    let error = plan_encoder(&wrong).unwrap_err();
    assert!(
        matches!(error, MediaError::InvalidRequest { .. }),
        "{error}"
    );
    let lossless = EncoderSpec {
        codec: Some(VideoCodec::Prores),
        quality: Quality::Lossless,
        ..spec(Container::Mov, 128, 128, PixelFormat::YUV420P8)
    };
    let error = plan_encoder(&lossless).unwrap_err();
    assert!(error.to_string().contains("lossless"), "{error}");
}

#[test]
fn an_encoder_refuses_frames_of_another_kind_or_out_of_order() {
    let spec = spec(Container::Mkv, 128, 128, PixelFormat::YUV420P8);
    let plan = plan_encoder(&spec).unwrap();
    let mut encoder = VideoEncoder::open(&spec, &plan).unwrap();
    let mut sink = |_| Ok(());
    let small = Frame::new(PixelFormat::YUV420P8, 64, 64).unwrap();
    assert!(encoder.send(&small, &mut sink).is_err());
    let mut frame = Frame::new(PixelFormat::YUV420P8, 128, 128).unwrap();
    frame.set_timing(10, 0);
    encoder.send(&frame, &mut sink).unwrap();
    assert!(encoder.send(&frame, &mut sink).is_err());
}

#[test]
fn a_part_that_was_cut_or_altered_anywhere_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.part");
    let spec = spec(Container::Mkv, 128, 128, PixelFormat::YUV420P8);
    let plan = plan_encoder(&spec).unwrap();
    let mut encoder = VideoEncoder::open(&spec, &plan).unwrap();
    let mut writer = PartWriter::create(&path, &encoder.part_header()).unwrap();
    let mut sink = |packet| writer.write(&packet);
    for n in 0..5 {
        let mut frame = Frame::new(PixelFormat::YUV420P8, 128, 128).unwrap();
        paint(&mut frame, n);
        frame.set_timing(i64::from(n) * 3_000, 3_000);
        encoder.send(&frame, &mut sink).unwrap();
    }
    encoder.finish(&mut sink).unwrap();
    assert_eq!(writer.finish().unwrap(), 5);
    let good = std::fs::read(&path).unwrap();
    assert_eq!(PartReader::open(&path).unwrap().entries().len(), 5);
    let step = (good.len() / 300).max(1);
    for at in (0..good.len()).step_by(step) {
        std::fs::write(&path, &good[..at]).unwrap();
        assert!(PartReader::open(&path).is_err(), "cut at {at}");
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&path, &bad).unwrap();
        assert!(PartReader::open(&path).is_err(), "altered at {at}");
    }
    let mut longer = good;
    longer.push(0);
    std::fs::write(&path, &longer).unwrap();
    assert!(PartReader::open(&path).is_err(), "longer");
}

#[test]
fn verification_notices_a_missing_and_a_moved_frame() {
    let folder = tempdir().unwrap();
    let source = folder.path().join("in.y4m");
    y4m(&source, 96, 64, 10, "25:1");
    let output = folder.path().join("out.mp4");
    let (times, _) = Pass::new(&source, &output).run(folder.path());
    let base = reader(&source).time_base();
    let expect = |pts: &[i64], size| {
        let expected = Expectation {
            pts,
            time_base: base,
            size,
            streams: 1,
        };
        verify_output(&output, &expected)
    };
    assert!(expect(&times, (96, 64)).is_ok());
    assert!(expect(&times[1..], (96, 64)).is_err());
    assert!(expect(&times, (96, 66)).is_err());
    let mut moved = times.clone();
    moved[4] += 1;
    moved[3] -= 1;
    assert!(expect(&moved, (96, 64)).is_err());
}
