//! Names, files and references that try to be something else.

use crate::support::{frames, y4m};
use frameloom_core::error::ErrorCode;
use frameloom_core::media::MediaKind;
use frameloom_media::{MediaError, probe};
use std::fs;
use std::path::Path;
use tempfile::tempdir;

#[test]
fn any_name_that_a_file_can_have_opens_that_file() {
    let folder = tempdir().unwrap();
    for name in [
        "with space.y4m",
        "éàü 日本語 видео 🎬.y4m",
        "-i.y4m",
        "frame%03d.y4m",
        "http:example.y4m",
        "concat:a|b.y4m",
        "a'b\"c;d&e#f?.y4m",
        "[x]*{y}.y4m",
    ] {
        let path = folder.path().join(name);
        y4m(&path, 32, 16, 2, "25:1");
        assert_eq!(frames(&path).len(), 2, "{name}");
    }
}

#[test]
fn each_way_of_not_being_a_video_has_its_own_error() {
    let folder = tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let error = |path: &Path| probe(path).unwrap_err();
    assert!(matches!(
        error(&folder.path().join("missing.mp4")),
        MediaError::NotFound { .. }
    ));
    assert!(matches!(error(folder.path()), MediaError::NotAFile { .. }));
    assert!(matches!(
        error(&file("empty.mp4", b"")),
        MediaError::Empty { .. }
    ));
    for name in ["text.mp4", "text.txt", "text.mkv", "text.nfo"] {
        let text = "This is a letter to my grandmother.\n".repeat(200);
        let error = error(&file(name, text.as_bytes()));
        assert!(
            matches!(error, MediaError::NotMedia { .. }),
            "{name}: {error}"
        );
        assert_eq!(error.code(), ErrorCode::InputUnreadable);
    }
    let mut cut = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41\0\x01\0\0mdat".to_vec();
    cut.extend(vec![0x5a; 50_000]);
    assert!(matches!(
        error(&file("cut.mp4", &cut)),
        MediaError::MissingIndex { .. }
    ));
    let noise: Vec<u8> = (0..60_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for name in ["noise.mp4", "noise.mkv", "noise.bin"] {
        let _ = probe(&file(name, &noise));
    }
}

#[test]
fn playlists_and_lists_open_nothing_else() {
    let folder = tempdir().unwrap();
    y4m(&folder.path().join("secret.y4m"), 32, 16, 2, "25:1");
    let cases = [
        ("a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.y4m\n#EXT-X-ENDLIST\n".to_owned()),
        ("b.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n".to_owned()),
        ("c.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.y4m\n#EXT-X-ENDLIST\n".to_owned()),
        ("d.txt", "ffconcat version 1.0\nfile secret.y4m\n".to_owned()),
        ("e.ffconcat", "ffconcat version 1.0\nfile 'secret.y4m'\n".to_owned()),
        ("f.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n".to_owned()),
    ];
    for (name, text) in cases {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let result = probe(&path);
        let pictures = result.is_ok_and(|info| info.main_video().is_some());
        assert!(!pictures, "{name} led to another file");
    }
}

#[test]
fn a_file_without_pictures_is_known_as_sound() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let samples = vec![0u8; 16_000];
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + samples.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8_000u32.to_le_bytes());
    wav.extend(16_000u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((samples.len() as u32).to_le_bytes());
    wav.extend(&samples);
    fs::write(&path, wav).unwrap();
    assert_eq!(probe(&path).unwrap().kind, MediaKind::Audio);
    let error = frameloom_media::Reader::open(&path, &Default::default()).unwrap_err();
    assert!(matches!(error, MediaError::NoVideo { .. }));
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let path = folder.path().join("locked.y4m");
    y4m(&path, 32, 16, 2, "25:1");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read everything.
    if fs::File::open(&path).is_err() {
        assert!(matches!(
            probe(&path).unwrap_err(),
            MediaError::NotReadable { .. }
        ));
    }
}

#[test]
fn an_mp4_that_was_cut_off_is_read_as_far_as_it_goes_or_named_for_what_it_is() {
    let folder = tempdir().unwrap();
    let source = folder.path().join("in.y4m");
    y4m(&source, 320, 240, 100, "25:1");
    let whole = folder.path().join("whole.mp4");
    crate::support::Pass::new(&source, &whole).run(folder.path());
    let bytes = fs::read(&whole).unwrap();
    let cut = folder.path().join("cut.mp4");
    // The index is in front: half of the pictures are there.
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let mut reader = crate::support::reader(&cut);
    while reader.next_frame().unwrap().is_some() {}
    let report = reader.report();
    assert!((10..100).contains(&report.frames), "{report:?}");
    assert!(report.truncated.is_some(), "{report:?}");
    // Not even the index is whole.
    fs::write(&cut, &bytes[..200]).unwrap();
    assert!(matches!(
        probe(&cut).unwrap_err(),
        MediaError::MissingIndex { .. }
    ));
}

#[test]
fn a_raised_flag_ends_reading() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("in.y4m");
    y4m(&path, 32, 16, 50, "25:1");
    let options = frameloom_media::ReaderOptions::default();
    let mut reader = frameloom_media::Reader::open(&path, &options).unwrap();
    assert!(reader.next_frame().unwrap().is_some());
    options
        .cancel
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(
        reader.next_frame().unwrap_err(),
        MediaError::Cancelled
    ));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_known_as_one() {
    use frameloom_media::{Container, PartWriter, VideoEncoder, plan_encoder};
    let full = Path::new("/dev/full");
    let folder = tempdir().unwrap();
    let source = folder.path().join("in.y4m");
    y4m(&source, 64, 64, 3, "25:1");
    let mut reader = crate::support::reader(&source);
    let first = reader.next_frame().unwrap().unwrap();
    let spec = crate::support::spec_for(&reader, &first, Container::Mkv);
    let plan = plan_encoder(&spec).unwrap();
    let encoder = VideoEncoder::open(&spec, &plan).unwrap();
    let writer = PartWriter::create(full, &encoder.part_header()).unwrap();
    let error = writer.finish().unwrap_err();
    assert_eq!(error.code(), ErrorCode::DiskFull, "{error}");

    let whole = folder.path().join("out.mkv");
    crate::support::Pass::new(&source, &whole).run(folder.path());
    let parts = [folder.path().join("0000.part")];
    let info = probe(&source).unwrap();
    let error = frameloom_media::mux(
        &frameloom_media::MuxSpec {
            source: &source,
            video_stream: 0,
            parts: &parts,
            output_tmp: full,
            plan: &frameloom_media::plan_mux(&info, Container::Mkv, &[]).unwrap(),
            hdr: None,
            cut: None,
            holes: &[],
            slow: None,
            upright: false,
            added: &[],
        },
        &Default::default(),
        &mut |_| {},
    )
    .unwrap_err();
    assert_eq!(error.code(), ErrorCode::DiskFull, "{error}");
}

#[test]
fn altered_bytes_anywhere_never_panic_and_never_hang() {
    let clips = [
        "media/video/vp9_odd_161x121.webm",
        "media/video/h264_mp2_short.ts",
        "media/video/syncclock_29.917fps.mp4",
        "media/video/mpeg4_mp3.avi",
        "media/video/mkv_srt.mkv",
        "images/gif/iss634.gif",
    ];
    let folder = tempdir().unwrap();
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for name in clips {
        let Some(path) = crate::support::data(name) else {
            return;
        };
        let good = fs::read(&path).unwrap();
        let bad = folder
            .path()
            .join("bad")
            .with_extension(path.extension().unwrap());
        for round in 0..12u64 {
            let mut bytes = good.clone();
            // The headers in half of the rounds, anywhere in the others.
            let span = if round % 2 == 0 { 2_000 } else { bytes.len() };
            for _ in 0..1 << (round / 2) {
                let at = (random() % span.min(bytes.len()) as u64) as usize;
                bytes[at] ^= (random() % 255 + 1) as u8;
            }
            if round % 3 == 2 {
                bytes.truncate((random() % good.len() as u64) as usize);
            }
            fs::write(&bad, &bytes).unwrap();
            let options = frameloom_media::ReaderOptions {
                threads: 1,
                ..Default::default()
            };
            let Ok(mut reader) = frameloom_media::Reader::open(&bad, &options) else {
                continue;
            };
            let mut last = i64::MIN;
            for _ in 0..40 {
                let Ok(Some(frame)) = reader.next_frame() else {
                    break;
                };
                assert!(frame.pts() > last, "{name} round {round}");
                last = frame.pts();
                std::hint::black_box(frame.content_hash());
            }
        }
    }
}
