//! Real files, most of them from phones, cameras and other people's test suites.

use crate::support::{data, frames, reader};
use frameloom_core::color::{Matrix, Range};
use frameloom_core::media::{FieldOrder, MediaKind};
use frameloom_media::{MediaError, Reader, ReaderOptions, Tones, probe};

/// File, width, height, frames: what the reference decoder of FFmpeg 5.1 counts.
const CLIPS: &[(&str, u32, u32, u64)] = &[
    ("av1_aac.mp4", 1080, 720, 30),
    ("cineform_422_10bit.avi", 720, 480, 10),
    ("cursed_vfr_3026x1386.mp4", 3026, 1386, 63),
    ("dnxhr_hqx_12bit.mov", 1920, 1080, 1),
    ("dolbyvision_rot90.mov", 1280, 720, 4),
    ("fragmented_bogus_duration.mp4", 1080, 720, 30),
    ("h264_1080p_full-range.mp4", 1920, 1080, 30),
    ("h264_aac.flv", 1080, 720, 30),
    ("h264_aac_16s_320x240_60fps.mp4", 320, 240, 932),
    ("h264_aac_17s_640x360.mp4", 640, 360, 512),
    ("h264_aac_face_1s.mp4", 1080, 720, 30),
    ("h264_mp2_short.ts", 640, 426, 3),
    ("hdr10_av1.mp4", 1920, 1080, 60),
    ("hdr10_pq_phone.mp4", 1920, 1080, 28),
    ("hevc_720p25_4s.ts", 1280, 720, 100),
    ("hlg_rot90_phone.mp4", 1920, 1080, 9),
    ("hundred_subtitle_tracks.mp4", 640, 360, 101),
    ("interlaced_bff.mkv", 720, 484, 11),
    ("interlaced_mpeg2_fields.mpg", 720, 576, 31),
    ("interlaced_tff_640x360.mp4", 640, 360, 126),
    ("mkv_ass.mkv", 1080, 720, 30),
    ("mkv_htc_rotation.mkv", 1080, 720, 30),
    ("mkv_srt.mkv", 1080, 720, 30),
    ("mpeg2_1080.ts", 1920, 1080, 58),
    ("mpeg4_mp3.avi", 960, 400, 96),
    ("phone_hevc_rot90_metadata-track.mp4", 1920, 1080, 3),
    ("phone_portrait_4k60_rot90.mp4", 3840, 2160, 18),
    ("preroll_5s_640x360.mp4", 640, 360, 125),
    ("prores_422.mov", 1920, 1080, 2),
    ("prores_422_proxy.mov", 1920, 1080, 2),
    ("prores_4444_alpha.mov", 1888, 1062, 1),
    ("rotate90_5.1.mp4", 1920, 1080, 45),
    ("sar_2x1.mp4", 640, 360, 150),
    ("slowmo_samsung_sef.mp4", 320, 240, 63),
    ("slowmo_vfr_120fps-tagged.mp4", 1280, 720, 7),
    ("syncclock_29.917fps.mp4", 480, 360, 30),
    ("ts_eng_es_audio.ts", 1280, 720, 13),
    ("vp8_alpha.webm", 320, 213, 120),
    ("vp9_10bit.webm", 426, 240, 72),
    ("vp9_odd_161x121.webm", 161, 121, 30),
    ("xavc_422_10bit_interlaced_4audio.mp4", 1920, 1080, 6),
];

#[test]
fn every_clip_gives_the_frames_that_the_reference_decoder_gives() {
    let Some(folder) = data("media/video") else {
        return;
    };
    let mut wrong = Vec::new();
    for (name, width, height, count) in CLIPS {
        let mut reader = reader(&folder.join(name));
        let mut last = i64::MIN;
        let mut found = 0;
        while let Some(frame) = reader.next_frame().unwrap() {
            assert_eq!((frame.width(), frame.height()), (*width, *height), "{name}");
            assert!(frame.pts() > last, "{name}: times do not rise");
            last = frame.pts();
            found += 1;
        }
        let report = reader.report();
        assert_eq!(report.frames, found);
        if found != *count {
            wrong.push(format!("{name}: {found} frames instead of {count}"));
        }
        println!("{name}: {report:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_clip_that_changes_its_size_is_brought_to_the_first_one() {
    let Some(path) = data("media/video/frame_size_change.webm") else {
        return;
    };
    let mut reader = reader(&path);
    let mut count = 0;
    while let Some(frame) = reader.next_frame().unwrap() {
        assert_eq!((frame.width(), frame.height()), (1920, 1080));
        count += 1;
    }
    assert_eq!(count, 300);
    assert!(reader.report().converted_frames > 0);
}

#[test]
fn a_probe_says_what_phones_and_cameras_wrote() {
    let Some(folder) = data("media/video") else {
        return;
    };
    let video = |name: &str| {
        let info = probe(&folder.join(name)).unwrap();
        let (stream, video) = info
            .main_video()
            .map(|(s, v)| (s.clone(), v.clone()))
            .unwrap();
        (info, stream, video)
    };
    let (info, _, v) = video("phone_portrait_4k60_rot90.mp4");
    assert_eq!(info.kind, MediaKind::Video);
    assert_eq!((v.rotation_degrees, v.mirrored), (90, false));
    assert_eq!(v.color.range, Range::Full);
    assert_eq!(v.color.matrix, Matrix::Bt601);
    let (_, _, v) = video("hdr10_pq_phone.mp4");
    assert!(v.color.is_hdr() && v.hdr_metadata && v.bit_depth == 10);
    assert_eq!(v.color.matrix, Matrix::Bt2020);
    let (_, _, v) = video("hlg_rot90_phone.mp4");
    assert_eq!(v.color.transfer.as_deref(), Some("arib-std-b67"));
    let (_, _, v) = video("dolbyvision_rot90.mov");
    assert!(v.dolby_vision);
    let (_, _, v) = video("vp9_alpha_9s.webm");
    assert!(v.alpha);
    let (_, _, v) = video("h264_aac_face_1s.mp4");
    assert!(!v.alpha && v.variable_frame_rate == Some(false));
    let (_, _, v) = video("interlaced_tff_640x360.mp4");
    assert_eq!(v.field_order, FieldOrder::TopFirst);
    let (_, _, v) = video("interlaced_bff.mkv");
    assert_eq!(v.field_order, FieldOrder::BottomFirst);
    let (_, _, v) = video("sar_2x1.mp4");
    assert_eq!(
        (v.sample_aspect_ratio.num, v.sample_aspect_ratio.den),
        (2, 1)
    );
    for name in ["cursed_vfr_3026x1386.mp4", "slowmo_vfr_120fps-tagged.mp4"] {
        assert_eq!(video(name).2.variable_frame_rate, Some(true), "{name}");
    }
    for name in [
        "mkv_srt.mkv",
        "h264_aac.flv",
        "vp9_10bit.webm",
        "hevc_720p25_4s.ts",
    ] {
        assert_eq!(video(name).2.variable_frame_rate, Some(false), "{name}");
    }
    let (info, _, _) = video("fragmented_bogus_duration.mp4");
    let micros = info.duration_micros.unwrap();
    assert!((900_000..1_200_000).contains(&micros), "{micros}");
    let (info, _, _) = video("hundred_subtitle_tracks.mp4");
    assert_eq!(info.streams.len(), 101);
}

#[test]
fn a_probe_of_every_file_ends_quickly_and_without_a_panic() {
    for folder in [
        "media/video",
        "media/bad",
        "media/audio",
        "images/avif",
        "images/gif",
    ] {
        let Some(folder) = data(folder) else { return };
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let start = std::time::Instant::now();
            let result = probe(&path);
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            println!(
                "{:>5} ms {name}: {:?}",
                start.elapsed().as_millis(),
                result.is_ok()
            );
            assert!(start.elapsed().as_secs() < 20, "{name}");
        }
    }
}

#[test]
fn damaged_files_are_refused_or_read_as_far_as_they_go() {
    let Some(folder) = data("media/bad") else {
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut reader = match Reader::open(&path, &ReaderOptions::default()) {
            Ok(reader) => reader,
            Err(error) => {
                println!("{name}: {error} ({:?})", error.code());
                match name.as_str() {
                    "encrypted_clearkey.mp4" => {
                        assert!(matches!(error, MediaError::BrokenIndex { .. }), "{error}");
                    }
                    "malformed_join.mp3" => {
                        assert!(matches!(error, MediaError::NoVideo { .. }), "{error}");
                    }
                    "sideloaded_track.mp4" => {}
                    _ => panic!("{name} was refused: {error}"),
                }
                continue;
            }
        };
        let mut last = i64::MIN;
        let end = loop {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    assert!(frame.pts() > last, "{name}");
                    last = frame.pts();
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        println!("{name}: {:?} {end:?}", reader.report());
        match name.as_str() {
            "vp9_invalid_bitstream.webm" => {
                assert!(matches!(end, Some(MediaError::NoFrames { .. })), "{end:?}");
            }
            "broken_sps.flv" => assert_eq!(reader.report().frames, 79),
            "hevc_camera_vfr_partial_31s.mp4" => {
                assert!(reader.report().truncated.is_some());
                assert!(reader.report().frames >= 30);
            }
            "wrong_extension_is_webm.mp4" => assert_eq!(reader.report().frames, 70),
            _ => {}
        }
    }
}

#[test]
fn transparency_of_vp8_vp9_and_prores_is_decoded() {
    let Some(folder) = data("media/video") else {
        return;
    };
    for name in [
        "vp9_alpha_9s.webm",
        "vp8_alpha.webm",
        "prores_4444_alpha.mov",
    ] {
        let mut reader = reader(&folder.join(name));
        let frame = reader.next_frame().unwrap().unwrap();
        let alpha = frame.format().alpha_plane();
        assert!(alpha.is_some(), "{name} came as {}", frame.format());
        let max = frame.format().max_value();
        let mut seen = (false, false);
        let mut look = |sample: u16| {
            seen.0 |= sample < max / 8;
            seen.1 |= sample > max - max / 8;
        };
        for _ in 0..3 {
            match frame.plane(alpha.unwrap()) {
                frameloom_core::pixel::AnyPlane::U8(p) => (0..p.height)
                    .flat_map(|y| p.row(y).iter())
                    .for_each(|s| look(u16::from(*s))),
                frameloom_core::pixel::AnyPlane::U16(p) => (0..p.height)
                    .flat_map(|y| p.row(y).iter())
                    .for_each(|s| look(*s)),
            }
        }
        assert!(seen.0 || seen.1, "{name}: no transparency in the plane");
    }
}

#[test]
fn a_seek_leads_to_the_very_frames_of_a_reading_from_the_start() {
    let Some(folder) = data("media/video") else {
        return;
    };
    let clips = [
        "h264_aac_17s_640x360.mp4",
        "preroll_5s_640x360.mp4",
        "h264_aac_16s_320x240_60fps.mp4",
        "hevc_720p25_4s.ts",
        "vp9_10bit.webm",
        "vp9_odd_161x121.webm",
        "hevc_720p25_4s.ts",
        "mpeg4_mp3.avi",
        "interlaced_tff_640x360.mp4",
        "mkv_srt.mkv",
        "cursed_vfr_3026x1386.mp4",
        "interlaced_mpeg2_fields.mpg",
        "vp8_alpha.webm",
        "h264_aac.flv",
    ];
    for name in clips {
        let path = folder.join(name);
        let all = frames(&path);
        let mut reader = reader(&path);
        for share in [3, 7, 5, 1, 9] {
            let from = all.len() * share / 10;
            reader.seek_before(all[from].0).unwrap();
            let mut place = from;
            let mut first = None;
            while let Some(frame) = reader.next_frame().unwrap() {
                if frame.pts() < all[from].0 {
                    continue;
                }
                first.get_or_insert(frame.pts());
                let (pts, hash) = all[place];
                assert_eq!(frame.pts(), pts, "{name} from frame {from}, frame {place}");
                assert_eq!(
                    frame.content_hash(),
                    hash,
                    "{name} from frame {from}, frame {place}"
                );
                place += 1;
                if place == (from + 12).min(all.len()) {
                    break;
                }
            }
            assert_eq!(first, Some(all[from].0), "{name}");
        }
    }
}

#[test]
fn a_matroska_file_that_was_cut_off_is_read_and_reported() {
    let Some(path) = data("media/video/vp9_10bit.webm") else {
        return;
    };
    let whole = std::fs::read(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.webm");
    std::fs::write(&cut, &whole[..whole.len() * 6 / 10]).unwrap();
    let mut reader = reader(&cut);
    while reader.next_frame().unwrap().is_some() {}
    let report = reader.report();
    let truncated = report.truncated.unwrap();
    assert!(report.frames > 10 && report.frames < 72, "{report:?}");
    assert!(
        truncated.read_micros < truncated.stated_micros,
        "{report:?}"
    );
    assert_eq!(report.warnings().len(), 1, "{report:?}");
    let mut whole = crate::support::reader(&path);
    while whole.next_frame().unwrap().is_some() {}
    assert_eq!(whole.report().truncated, None);
}

#[test]
fn thumbnails_stand_upright_and_have_square_pixels() {
    let Some(folder) = data("media/video") else {
        return;
    };
    let size = |name: &str| {
        let image =
            frameloom_media::thumbnail(&folder.join(name), None, 320, Tones::Shown).unwrap();
        assert_eq!(image.data.len(), (image.width * image.height * 3) as usize);
        (image.width, image.height)
    };
    assert_eq!(size("phone_portrait_4k60_rot90.mp4"), (180, 320));
    assert_eq!(size("sar_2x1.mp4"), (320, 90));
    assert_eq!(size("h264_aac_17s_640x360.mp4"), (320, 180));
    let full = frameloom_media::frame_at(&folder.join("rotate90_5.1.mp4"), 500_000).unwrap();
    assert_eq!((full.width, full.height), (1080, 1920));
}

#[test]
fn an_avif_still_is_read_through_ffmpeg() {
    let Some(path) = data("images/avif/hopper.avif") else {
        return;
    };
    let (frame, info) = frameloom_media::read_still(&path).unwrap();
    assert_eq!((frame.width(), frame.height()), (128, 128));
    assert_eq!(info.kind, MediaKind::Still);
}

#[test]
fn hdr_is_shown_in_the_light_and_colours_of_a_screen_without_it() {
    // Coded for another screen, it looks pale on this one.
    for name in ["hdr10_pq_phone.mp4", "hlg_rot90_phone.mp4", "hdr10_av1.mp4"] {
        let Some(path) = data(&format!("media/video/{name}")) else {
            return;
        };
        let [shown, coded] = [Tones::Shown, Tones::Coded]
            .map(|tones| frameloom_media::thumbnail(&path, None, 640, tones).unwrap());
        assert_eq!((shown.width, shown.height), (coded.width, coded.height));
        // How far the channels of a pixel are from each other, on average.
        let colour = |image: &frameloom_media::RgbImage| {
            let spread = |p: &[u8]| f64::from(p.iter().max().unwrap() - p.iter().min().unwrap());
            image.data.chunks_exact(3).map(spread).sum::<f64>() / (image.data.len() / 3) as f64
        };
        assert!(colour(&shown) > 2.0 * colour(&coded), "{name}");
    }
}
