//! Sound through decoders, encoders and containers, to the sample.

use crate::support::{Pass, data, ffmpeg, y4m};
use frameloom_core::job::Quality;
use frameloom_media::{
    AddedTrack, Container, SoundBlock, SoundEncoderPlan, SoundFilter, SoundFormat, SoundPartWriter,
    SoundReader, SoundSource, SourceCut, TrackFrom, plan_sound_encoder,
};
use std::path::Path;

fn format(rate: u32, layout: &str) -> SoundFormat {
    SoundFormat {
        rate,
        layout: layout.to_owned(),
    }
}

/// Everything of a track, and where it begins.
fn all(mut reader: SoundReader) -> SoundBlock {
    let mut whole: Option<SoundBlock> = None;
    while let Some(block) = reader.next_block().unwrap() {
        match &mut whole {
            None => whole = Some(block),
            Some(whole) => {
                assert_eq!(block.start, whole.end(), "blocks follow each other");
                for (all, more) in whole.channels.iter_mut().zip(block.channels) {
                    all.extend(more);
                }
            }
        }
    }
    whole.unwrap()
}

fn read(path: &Path, stream: u32) -> SoundBlock {
    all(SoundReader::open(path, stream, &Default::default()).unwrap())
}

/// Bursts of tones that fade, each unlike the others: where one lies can be told to the sample.
fn bursts(rate: u32, count: usize, channels: usize) -> Vec<Vec<f64>> {
    (0..channels)
        .map(|channel| {
            (0..count)
                .map(|n| {
                    let every = rate as usize / 4;
                    let (burst, at) = (n / every, (n % every) as f64 / f64::from(rate));
                    let tone = 400.0 + 130.0 * (burst % 7) as f64 + 90.0 * channel as f64;
                    0.4 * (-at * 30.0).exp() * (std::f64::consts::TAU * tone * at).sin()
                })
                .collect()
        })
        .collect()
}

/// By how many samples `b` is later than `a`, at most `most`.
fn lag(a: &[f64], b: &[f64], most: i64) -> i64 {
    lag_near(a, b, 0, most)
}

fn lag_near(a: &[f64], b: &[f64], near: i64, most: i64) -> i64 {
    let fit = |lag: i64| -> f64 {
        a.iter()
            .enumerate()
            .filter_map(|(n, v)| Some(v * b.get(usize::try_from(n as i64 + lag).ok()?)?))
            .sum()
    };
    (near - most..=near + most)
        .max_by(|x, y| fit(*x).total_cmp(&fit(*y)))
        .unwrap()
}

fn write_part(path: &Path, plan: &SoundEncoderPlan, start: i64, sound: &[Vec<f64>]) -> u64 {
    let mut writer = SoundPartWriter::create(path, plan, start).unwrap();
    let count = sound[0].len();
    let mut at = 0;
    while at < count {
        let end = (at + 777).min(count);
        let piece: Vec<Vec<f64>> = sound.iter().map(|c| c[at..end].to_vec()).collect();
        writer.write(&piece).unwrap();
        at = end;
    }
    writer.finish().unwrap()
}

#[test]
fn every_codec_gives_sound_back_at_its_place_and_at_its_length() {
    let folder = tempfile::tempdir().unwrap();
    for (codec, layout, rate, container) in [
        ("aac", "stereo", 48_000, Container::Mp4),
        ("aac", "5.1", 48_000, Container::Mp4),
        ("aac", "mono", 44_100, Container::Mp4),
        ("opus", "stereo", 48_000, Container::Webm),
        ("opus", "5.1", 48_000, Container::Mkv),
        ("vorbis", "stereo", 44_100, Container::Webm),
        ("ac3", "5.1(side)", 48_000, Container::Mkv),
        ("eac3", "stereo", 48_000, Container::Mp4),
        ("mp3", "stereo", 44_100, Container::Mp4),
        ("flac", "stereo", 96_000, Container::Mkv),
        ("alac", "stereo", 44_100, Container::Mov),
        ("pcm_s16le", "stereo", 48_000, Container::Mov),
        ("pcm_s24le", "5.1", 48_000, Container::Mov),
        ("pcm_f32le", "mono", 16_000, Container::Mkv),
    ] {
        let source = SoundSource {
            codec: codec.to_owned(),
            format: format(rate, layout),
            bit_rate: None,
            bits: match codec {
                "pcm_s16le" => Some(16),
                "flac" | "alac" | "pcm_s24le" => Some(24),
                _ => None,
            },
        };
        let plan = plan_sound_encoder(&source, container, Quality::Good).unwrap();
        assert_eq!(plan.codec, codec);
        let channels = plan.format.channels().unwrap();
        // No whole number of frames of any codec, and one of AC-3.
        let lengths = [rate as usize + 1_234, 31 * 1_536];
        for length in lengths {
            let sound = bursts(rate, length, channels);
            let path = folder.path().join(format!("{codec}-{channels}.sound"));
            let start = 12_345;
            let count = write_part(&path, &plan, start, &sound);
            assert_eq!(count, sound[0].len() as u64, "{codec}");
            let reader = SoundReader::open_part(&path, &Default::default()).unwrap();
            let format = reader.format().clone();
            let found = all(reader);
            assert_eq!(format.rate, rate, "{codec}");
            assert_eq!(found.start, start, "{codec}");
            assert_eq!(found.len(), sound[0].len(), "{codec}");
            let names = plan.format.channel_names().unwrap();
            for ((a, b), name) in sound.iter().zip(&found.channels).zip(names) {
                // Codecs leave little of tones in the channel for the bass.
                if name != "LFE" {
                    assert_eq!(lag(a, b, 300), 0, "{codec} {layout} {name}");
                }
            }
        }
    }
}

#[test]
fn sound_without_loss_comes_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    for (codec, bits) in [
        ("flac", 24),
        ("flac", 16),
        ("alac", 24),
        ("pcm_s24le", 24),
        ("pcm_s16le", 16),
        ("pcm_s32le", 32),
    ] {
        let source = SoundSource {
            codec: codec.to_owned(),
            format: format(48_000, "stereo"),
            bit_rate: None,
            bits: Some(bits),
        };
        let plan = plan_sound_encoder(&source, Container::Mkv, Quality::Good).unwrap();
        let scale = 2f64.powi(bits as i32 - 1);
        let sound: Vec<Vec<f64>> = bursts(48_000, 30_001, 2)
            .into_iter()
            .map(|c| c.into_iter().map(|v| (v * scale).round() / scale).collect())
            .collect();
        let path = folder.path().join("a.sound");
        write_part(&path, &plan, 0, &sound);
        let found = all(SoundReader::open_part(&path, &Default::default()).unwrap());
        assert!(found.channels == sound, "{codec} {bits}");
    }
}

#[test]
fn a_change_of_rate_moves_nothing() {
    let sound = bursts(48_000, 48_000, 1);
    let mut there =
        SoundFilter::open(&format(48_000, "mono"), &format(16_000, "mono"), &[]).unwrap();
    let mut back =
        SoundFilter::open(&format(16_000, "mono"), &format(48_000, "mono"), &[]).unwrap();
    let mut found: Vec<f64> = Vec::new();
    there.send(&sound).unwrap();
    there.finish().unwrap();
    let mut between = 0;
    while let Some(channels) = there.receive().unwrap() {
        between += channels[0].len();
        back.send(&channels).unwrap();
    }
    back.finish().unwrap();
    while let Some(channels) = back.receive().unwrap() {
        found.extend(&channels[0]);
    }
    assert_eq!(between, 16_000);
    assert_eq!(lag(&sound[0], &found, 400), 0);
    assert!(found.len().abs_diff(48_000) <= 3, "{}", found.len());
}

#[test]
fn the_delay_of_an_encoder_is_not_part_of_the_sound() {
    let folder = tempfile::tempdir().unwrap();
    let sound = bursts(48_000, 48_000, 1);
    // Where the first sample lies. Matroska has no place for the delay of most codecs, so writers
    // move everything else; MP3 has none for a time before zero.
    for (arguments, name, place) in [
        ("-c:a aac", "a.m4a", 0),
        ("-c:a aac", "a.mkv", 1_024),
        ("-c:a libopus", "a.webm", 0),
        ("-c:a libopus", "a.ogg", 0),
        ("-c:a libmp3lame", "a.mp3", 1_105),
        ("-c:a libvorbis", "a.ogg", 0),
        ("-c:a ac3", "a.mkv", 256),
        ("-c:a pcm_s16le", "a.wav", 0),
    ] {
        let mut bytes = Vec::new();
        for v in &sound[0] {
            bytes.extend(((v * 32_768.0) as i16).to_le_bytes());
        }
        std::fs::write(folder.path().join("in.pcm"), bytes).unwrap();
        if !ffmpeg(
            folder.path(),
            &format!("-f s16le -ar 48000 -ac 1 -i in.pcm {arguments} {name}"),
        ) {
            continue;
        }
        let found = read(&folder.path().join(name), 0);
        let at = lag_near(&sound[0], &found.channels[0], 600, 600) + found.start;
        assert_eq!(at, place, "{name} {arguments}");
    }
}

#[test]
fn real_sound_is_read_without_gaps() {
    for name in [
        "media/audio/sample.flac",
        "media/audio/two_aac_5.1_tracks.mp4",
        "media/audio/eac3_5.1_atmos.mp4",
        "media/audio/oversized_id3.wav",
        "media/audio/aac_ac3_two_tracks.mp4",
        "media/speech/libri_1272-141231-0002.mp3",
        "media/speech/silero_vad_test_8s.opus",
        "media/video/ts_eng_es_audio.ts",
        "media/video/h264_aac_16s_320x240_60fps.mp4",
        "media/video/slowmo_samsung_sef.mp4",
        "media/video/rotate90_5.1.mp4",
        "media/video/hdr10_pq_phone.mp4",
    ] {
        let Some(path) = data(name) else { return };
        let info = frameloom_media::probe(&path).unwrap();
        for stream in info.streams.iter().filter(|s| s.audio.is_some()) {
            let mut reader = SoundReader::open(&path, stream.index, &Default::default()).unwrap();
            let (start, source) = (reader.start(), reader.source());
            let mut samples = 0;
            while let Some(block) = reader.next_block().unwrap() {
                samples += block.len();
            }
            let report = reader.report();
            assert_eq!(
                (report.filled, report.overlapped, report.damaged),
                (0, 0, 0),
                "{name}"
            );
            // What the container states, give or take a packet.
            let stated = stream.duration_ticks.map_or(0, |ticks| {
                (ticks as f64 * stream.time_base.ratio().to_f64() * f64::from(source.format.rate))
                    as u64
            });
            println!(
                "{name} {}: {start} {samples} of {stated} {source:?}",
                stream.index
            );
            assert!(
                (samples as u64).abs_diff(stated) <= 2_304,
                "{name}: {samples} of {stated}"
            );
        }
    }
}

/// Joins the pictures of a clip of one second with `added`, from the parts that `Pass` left.
fn join_with(folder: &Path, output: &str, added: &[AddedTrack<'_>]) -> frameloom_media::MuxReport {
    let source = folder.join("in.y4m");
    y4m(&source, 64, 48, 30, "30:1");
    let output = folder.join(output);
    Pass::new(&source, &folder.join("plain.mkv")).run(folder);
    let info = frameloom_media::probe(&source).unwrap();
    let container = Container::from_path(&output).unwrap();
    frameloom_media::mux(
        &frameloom_media::MuxSpec {
            source: &source,
            video_stream: 0,
            parts: &[folder.join("0000.part")],
            output_tmp: &output,
            plan: &frameloom_media::plan_mux(&info, container, &[]).unwrap(),
            hdr: None,
            cut: None,
            holes: &[],
            slow: None,
            upright: false,
            added,
        },
        &Default::default(),
        &mut |_| {},
    )
    .unwrap()
}

#[test]
fn worked_out_sound_lies_in_the_file_where_it_lay_before() {
    let folder = tempfile::tempdir().unwrap();
    for (codec, output) in [
        ("aac", "a.mp4"),
        ("aac", "a.mov"),
        ("aac", "a.mkv"),
        ("opus", "b.mkv"),
        ("opus", "b.mp4"),
        ("ac3", "b.mp4"),
        ("mp3", "b.mp4"),
        ("flac", "c.mkv"),
        ("flac", "c.mp4"),
        ("vorbis", "c.mkv"),
    ] {
        for start in [0, 300, 9_600] {
            let source = SoundSource {
                codec: codec.to_owned(),
                format: format(48_000, "stereo"),
                bit_rate: None,
                bits: (codec == "flac").then_some(16),
            };
            let container = Container::from_path(Path::new(output)).unwrap();
            let plan = plan_sound_encoder(&source, container, Quality::Good).unwrap();
            assert_eq!(plan.codec, codec, "{output}");
            let sound = bursts(48_000, 40_000, 2);
            let part = folder.path().join("0.sound");
            write_part(&part, &plan, start, &sound);
            let track = AddedTrack {
                from: TrackFrom::Sound { part: &part },
                tags: [("language".to_owned(), "vie".to_owned())].into(),
                dispositions: vec!["default".to_owned()],
            };
            let report = join_with(folder.path(), output, &[track]);
            assert_eq!((report.frames, report.streams), (30, 2));
            let path = folder.path().join(output);
            let info = frameloom_media::probe(&path).unwrap();
            let track = &info.streams[1];
            assert_eq!(
                (track.codec.as_str(), track.language.as_deref()),
                (codec, Some("vie"))
            );
            assert_eq!(track.dispositions, ["default"]);
            // Against the pictures: containers without negative times move everything together.
            let video = &info.streams[0];
            let pictures =
                frameloom_core::time::Timestamp::new(video.start_ticks.unwrap(), video.time_base);
            let found = read(&path, 1);
            let moved = (pictures.micros() as f64 * 0.048).round() as i64;
            let near = start + moved - found.start;
            let place = lag_near(&sound[0], &found.channels[0], near, 200) + found.start;
            // Matroska counts in milliseconds, and the delay of Opus is rounded by itself.
            let tolerance = match (output.ends_with("mkv"), codec) {
                (true, "opus") => 96,
                (true, _) => 48,
                (false, _) => 0,
            };
            assert!(
                (place - moved - start).abs() <= tolerance,
                "{codec} {output} {start}: {place}, pictures moved {moved}"
            );
        }
    }
}

#[test]
fn tracks_of_other_files_come_in_the_order_asked_for_and_stay_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(aac), Some(flac)) = (
        data("media/audio/two_aac_5.1_tracks.mp4"),
        data("media/audio/sample.flac"),
    ) else {
        return;
    };
    let cues =
        "1\n00:00:00,200 --> 00:00:00,700\nXin chào\n\n2\n00:00:02,000 --> 00:00:03,000\nout\n";
    let srt = folder.path().join("a.srt");
    std::fs::write(&srt, cues).unwrap();
    let from = |path, stream, shift_micros| TrackFrom::File {
        path,
        stream,
        shift_micros,
        cut: Some(SourceCut {
            from_micros: i64::MIN,
            to_micros: Some(1_000_000 - shift_micros),
        }),
        holes: &[],
        slow: None,
    };
    let track = |from, language: &str, default: bool| AddedTrack {
        from,
        tags: [("language".to_owned(), language.to_owned())].into(),
        dispositions: default.then(|| "default".to_owned()).into_iter().collect(),
    };
    join_with(
        folder.path(),
        "all.mkv",
        &[
            track(from(&flac, 0, 250_000), "eng", true),
            track(from(&aac, 1, 0), "vie", false),
            track(from(&aac, 0, 0), "fra", false),
            track(from(&srt, 0, 0), "vie", false),
        ],
    );
    let take = |path: &Path| frameloom_media::Inventory::take(path, &Default::default()).unwrap();
    let found = take(&folder.path().join("all.mkv"));
    let facts: Vec<(&str, Option<&str>, usize)> = found
        .streams
        .iter()
        .map(|s| {
            (
                s.info.codec.as_str(),
                s.info.language.as_deref(),
                s.info.dispositions.len(),
            )
        })
        .collect();
    assert_eq!(
        &facts[1..],
        [
            ("flac", Some("eng"), 1),
            ("aac", Some("vie"), 0),
            ("aac", Some("fra"), 0),
            ("subrip", Some("vie"), 0)
        ]
    );
    let source = take(&flac);
    let (a, b) = (&source.streams[0].packets, &found.streams[1].packets);
    assert!(b.len() > 5 && b.len() < a.len(), "cut with the pictures");
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a.hash, b.hash, "copied bit for bit");
    }
    assert_eq!(b[0].pts, Some(250), "and moved");
    assert_eq!(
        found.streams[4].packets.len(),
        1,
        "the second cue is too late"
    );
}
