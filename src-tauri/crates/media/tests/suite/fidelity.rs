//! Every row of the table in [`frameloom_media::fidelity`], on real files and on made-up ones:
//! through reader, encoder, parts and muxer, and then by the stream-inventory diff.

use crate::support::{Pass, data, ffmpeg, frames, keys, reader};
use frameloom_core::job::{Quality, TrackChoice, VideoCodec};
use frameloom_core::media::Warning;
use frameloom_core::time::Timestamp;
use frameloom_media::{
    Container, Inventory, MediaError, Scope, StreamEntry, choose_container, plan_mux, probe,
};
use std::path::{Path, PathBuf};
use tempfile::tempdir;

/// What coding the pictures anew and writing the file anew changes in any case. Presentation
/// times, ends, counts, tags of people, and everything of copied streams are not among it.
const CODED_ANEW: &[&str] = &[
    "video:codec",
    "video:profile",
    "video:setup",
    "video:content",
    "video:dts",
    "video:packet_durations",
    // A multiple of the source's, in which every time is the same moment.
    "video:time_base",
    // What the container makes of the lengths of the streams; the ends are compared.
    "video:frame_rate",
    "file:duration",
    "tags.duration",
    // Pictures without fields are marked so; fields are the business of the engine.
    "video:field_order",
    "video:tags.encoder",
    "video:tags.vendor_id",
    "file:tags.encoder",
    "file:tags.major_brand",
    "file:tags.minor_version",
    "file:tags.compatible_brands",
];

/// Sends `source` through and gives what differs beyond [`CODED_ANEW`].
fn differing(
    source: &Path,
    name: &str,
    codec: Option<VideoCodec>,
    slack_micros: i64,
) -> Vec<String> {
    let folder = tempdir().unwrap();
    let output = folder.path().join(name);
    let pass = Pass {
        codec,
        cuts: &[7, 11],
        quality: match codec {
            Some(VideoCodec::Ffv1) => Quality::Lossless,
            _ => Quality::Draft,
        },
        ..Pass::new(source, &output)
    };
    pass.run(folder.path());
    println!("{} to {name}:", source.display());
    let mut found = keys(source, &output, CODED_ANEW, slack_micros);
    if ends_match(source, &output) {
        found.retain(|key| !key.ends_with(":end"));
    }
    found
}

/// Every stream ends where it did, within one of its own packets.
fn ends_match(a: &Path, b: &Path) -> bool {
    let take = |path: &Path| Inventory::take(path, &Default::default()).unwrap();
    let (a, b) = (take(a), take(b));
    let micros = |t: Option<Timestamp>| t.map_or(0, Timestamp::micros);
    a.streams.iter().all(|stream| {
        let twin = b.streams.iter().find(|other| {
            let same = |s: &StreamEntry| (s.scope, s.info.language.clone(), s.packets.len());
            same(other) == same(stream)
                || other.scope == stream.scope && stream.scope == Scope::Video
        });
        let times = stream.presentation_times();
        let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_unstable();
        let step = steps.get(steps.len() / 2).copied().unwrap_or(0);
        let step = Timestamp::new(step, stream.time_base()).micros();
        twin.is_none_or(|twin| (micros(twin.end()) - micros(stream.end())).abs() <= step)
    })
}

/// Tags in which Matroska's tools write down what they counted.
fn is_count(key: &str) -> bool {
    key.starts_with("video:tags.") && (key.ends_with("-eng") || key.ends_with("creation_time"))
        || key == "video:tags.language"
}

/// Real clips with the container of the result and what differs. Each entry is a promise and its
/// limits.
fn check(table: &[(&str, &str, &[&str])]) {
    let Some(folder) = data("media/video") else {
        return;
    };
    let mut wrong = Vec::new();
    for (name, output, wanted) in table {
        // Matroska and WebM count milliseconds.
        let slack = if output.ends_with("mkv") || output.ends_with("webm") {
            501
        } else {
            0
        };
        let found = differing(&folder.join(name), output, None, slack);
        let mut wanted: Vec<&str> = wanted.to_vec();
        wanted.sort_unstable();
        let found: Vec<String> = found.into_iter().filter(|key| !is_count(key)).collect();
        if found != wanted {
            wrong.push(format!(
                "{name} to {output}: {found:?} instead of {wanted:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn frames_of_uneven_clips_keep_their_times_to_the_tick() {
    check(&[
        ("cursed_vfr_3026x1386.mp4", "o.mp4", &[]),
        ("slowmo_vfr_120fps-tagged.mp4", "o.mp4", &[]),
        ("syncclock_29.917fps.mp4", "o.mp4", &[]),
        ("hdr10_pq_phone.mp4", "o.mp4", &["video:dynamic_hdr"]),
        // FFmpeg 5.1 reads the last packet shorter by the late start; the samples are the same.
        (
            "h264_aac_17s_640x360.mp4",
            "o.mp4",
            &["audio:packet_durations"],
        ),
        ("phone_portrait_4k60_rot90.mp4", "o.mp4", &[]),
    ]);
}

#[test]
fn offsets_and_edit_lists_leave_pictures_and_sound_where_they_were() {
    check(&[
        ("preroll_5s_640x360.mp4", "o.mp4", &[]),
        ("slowmo_samsung_sef.mp4", "o.mp4", &["video:preroll"]),
        // The muxer writes a place with four decimals.
        (
            "h264_aac_face_1s.mp4",
            "o.mp4",
            &["file:tags.location", "file:tags.location-eng"],
        ),
        (
            "fragmented_bogus_duration.mp4",
            "o.mp4",
            &["audio:packet_durations"],
        ),
        ("mkv_htc_rotation.mkv", "o.mkv", &[]),
    ]);
}

#[test]
fn aspect_turn_and_tracks_of_real_clips_are_kept() {
    check(&[
        ("sar_2x1.mp4", "o.mp4", &[]),
        ("rotate90_5.1.mp4", "o.mp4", &["audio:packet_durations"]),
        ("hundred_subtitle_tracks.mp4", "o.mp4", &[]),
        ("mkv_srt.mkv", "o.mkv", &[]),
        // What a muxer counted, and dates of single streams, which Matroska has no place for.
        (
            "mkv_ass.mkv",
            "o.mkv",
            &[
                "audio:tags.creation_time",
                "audio:tags.language",
                "file:tags.creation_time",
            ],
        ),
        (
            "phone_hevc_rot90_metadata-track.mp4",
            "o.mp4",
            &[
                "data:stream",
                "file:tags.location",
                "file:tags.location-eng",
            ],
        ),
    ]);
}

#[test]
fn colour_and_hdr_of_real_clips_are_kept() {
    check(&[
        (
            "hlg_rot90_phone.mp4",
            "o.mp4",
            &["data:stream", "video:dynamic_hdr"],
        ),
        // Read from HEVC and H.264 without a tag, chroma is on the left.
        ("hdr10_av1.mp4", "o.mp4", &["video:chroma_location"]),
        ("h264_1080p_full-range.mp4", "o.mp4", &[]),
        // A limited range alone is what H.264 means without a tag.
        (
            "av1_aac.mp4",
            "o.mp4",
            &["video:chroma_location", "video:range"],
        ),
        ("vp9_10bit.webm", "o.webm", &["video:preroll"]),
        ("vp9_odd_161x121.webm", "o.webm", &[]),
        (
            "dolbyvision_rot90.mov",
            "o.mov",
            &[
                "audio:tags.language",
                "data:stream",
                "video:dynamic_hdr",
                "video:preroll",
            ],
        ),
    ]);
}

#[test]
fn transparency_of_real_clips_is_kept() {
    check(&[
        ("vp8_alpha.webm", "o.webm", &[]),
        // The track of time codes is made anew; the encoder takes ten bits.
        (
            "prores_4444_alpha.mov",
            "o.mov",
            &[
                "data:dispositions",
                "data:setup",
                "data:tags.creation_time",
                "data:tags.handler_name",
                "data:time_base",
                "video:pixel_format",
            ],
        ),
    ]);
}

/// Makes a clip by ffmpeg and sends it through.
#[track_caller]
fn made(arguments: &str, source: &str, output: &str, codec: Option<VideoCodec>, wanted: &[&str]) {
    let folder = tempdir().unwrap();
    if ffmpeg(folder.path(), &format!("{arguments} {source}")) {
        let found = differing(&folder.path().join(source), output, codec, 0);
        assert_eq!(found, wanted, "{arguments}");
    }
}

const PICTURES: &str = "-f lavfi -i testsrc2=s=96x64:r=30000/1001:d=1";
const X264: &str = "-c:v libx264 -preset veryfast";

#[test]
fn b_frames_open_groups_and_negative_decoding_times_change_nothing() {
    for coding in [
        "-bf 3 -b_strategy 0",
        "-x264-params open-gop=1:keyint=10:bframes=3:b-adapt=0",
        "-bf 0 -g 1",
    ] {
        for name in ["a.mp4", "a.mov", "a.mkv"] {
            let made_by = format!("{PICTURES} {X264} {coding}");
            made(&made_by, name, &format!("o{name}"), None, &[]);
        }
    }
    let dts = format!("{PICTURES} {X264} -bf 3 -movflags +negative_cts_offsets");
    made(&dts, "a.mp4", "o.mp4", None, &[]);
}

#[test]
fn a_late_start_of_either_stream_is_kept_to_the_sample() {
    let sound = "-f lavfi -i sine=440:d=1:sample_rate=48000";
    for (first, second) in [("0", "0.33710417"), ("0.33710417", "0"), ("2.5", "2.6")] {
        let both = format!(
            "-itsoffset {first} {PICTURES} -itsoffset {second} {sound} {X264} -c:a pcm_s16le \
             -copyts -avoid_negative_ts disabled"
        );
        // A clock in which the pause before a stream is exact.
        let exact = format!("{both} -movie_timescale 48000 -video_track_timescale 48000");
        made(&exact, "a.mov", "o.mov", None, &[]);
        made(&both, "a.mkv", "o.mkv", None, &[]);
    }
}

#[test]
fn a_clip_cut_without_coding_keeps_its_edit_list() {
    let folder = tempdir().unwrap();
    let cut = ffmpeg(
        folder.path(),
        &format!("{PICTURES} {X264} -g 30 -bf 2 whole.mp4"),
    ) && ffmpeg(folder.path(), "-ss 0.5 -i whole.mp4 -c copy cut.mp4");
    if !cut {
        return;
    }
    let source = folder.path().join("cut.mp4");
    let hidden = Inventory::take(&source, &Default::default()).unwrap();
    let hidden = hidden.streams[0]
        .packets
        .iter()
        .filter(|p| !p.shown)
        .count();
    assert!(hidden > 3, "the cut must fall between two key frames");
    assert_eq!(differing(&source, "o.mp4", None, 0), ["video:preroll"]);
}

/// The smallest presentation of a bitmap subtitle (PGS): a 2x2 square, and its end.
fn pgs(path: &Path) {
    let mut bytes = Vec::new();
    let mut segment = |time: u32, kind: u8, payload: &[u8]| {
        bytes.extend(b"PG");
        bytes.extend((time * 90).to_be_bytes());
        bytes.extend([0; 4]);
        bytes.push(kind);
        bytes.extend((payload.len() as u16).to_be_bytes());
        bytes.extend(payload);
    };
    let screen = [0, 96, 0, 64, 0x10];
    let place = [0, 0, 0, 0, 0, 10, 0, 10];
    let shown = [&screen[..], &[0, 1, 0x80, 0, 0, 1], &place].concat();
    segment(100, 0x16, &shown);
    segment(100, 0x17, &[1, 0, 0, 10, 0, 10, 0, 2, 0, 2]);
    segment(100, 0x14, &[0, 0, 1, 235, 128, 128, 255]);
    let picture = [1, 1, 0, 0, 1, 1, 0, 0];
    let object = [&[0, 0, 0, 0xc0, 0, 0, 12, 0, 2, 0, 2][..], &picture].concat();
    segment(100, 0x15, &object);
    segment(100, 0x80, &[]);
    segment(700, 0x16, &[&screen[..], &[0, 2, 0, 0, 0, 0]].concat());
    segment(700, 0x80, &[]);
    std::fs::write(path, bytes).unwrap();
}

/// A film with everything that a container can hold.
fn film(folder: &Path) -> Option<PathBuf> {
    pgs(&folder.join("s.sup"));
    std::fs::write(
        folder.join("s.srt"),
        "1\n00:00:00,100 --> 00:00:00,700\nHello\n\n",
    )
    .unwrap();
    std::fs::write(folder.join("font.ttf"), vec![7u8; 999]).unwrap();
    std::fs::write(
        folder.join("chapters.txt"),
        ";FFMETADATA1\ntitle=Film été 日本\nartist=Nobody\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\n\
         END=401\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=401\nEND=1000\ntitle=Two\n",
    )
    .unwrap();
    let made = ffmpeg(folder, "-f lavfi -i testsrc2=s=32x32 -frames:v 1 cover.png")
        && ffmpeg(
            folder,
            &format!(
                "{PICTURES} -f lavfi -i sine=440:d=1 -f lavfi -i sine=880:d=1 -i s.srt -i s.sup \
                 -i chapters.txt -map 0 -map 1 -map 2 -map 3 -map 4 -map_metadata 5 -map_chapters 5 \
                 -attach font.ttf -metadata:s:t:0 mimetype=font/ttf \
                 -attach cover.png -metadata:s:t:1 mimetype=image/png \
                 -metadata:s:a:0 language=eng -metadata:s:a:0 title=Main \
                 -metadata:s:a:1 language=fra -metadata:s:s:0 language=vie \
                 -metadata:s:s:1 language=deu -disposition:a:0 default \
                 -disposition:a:1 hearing_impaired -disposition:s:0 forced \
                 {X264} -bf 2 -c:a:0 aac -c:a:1 flac -c:s:0 srt -c:s:1 copy film.mkv"
            ),
        );
    made.then(|| folder.join("film.mkv"))
}

#[test]
fn every_track_chapter_font_cover_tag_and_disposition_of_a_film_is_kept() {
    let folder = tempdir().unwrap();
    let Some(film) = film(folder.path()) else {
        return;
    };
    let info = Inventory::take(&film, &Default::default()).unwrap();
    assert_eq!((info.streams.len(), info.chapters.len()), (7, 2));
    assert_eq!(differing(&film, "o.mkv", None, 0), [""; 0]);
}

#[test]
fn an_mp4_keeps_its_texts_its_chapters_and_its_cover() {
    let folder = tempdir().unwrap();
    if film(folder.path()).is_none() {
        return;
    }
    let made = ffmpeg(
        folder.path(),
        "-i film.mkv -i cover.png -map 0:v:0 -map 0:a -map 0:s:0 -map 1 -c copy -c:s mov_text \
         -disposition:v:1 attached_pic -strict -2 film.mp4",
    );
    if made {
        let film = folder.path().join("film.mp4");
        // The track that holds the chapters' titles is made anew.
        let wanted = ["audio:packet_durations", "data:setup", "data:time_base"];
        assert_eq!(differing(&film, "o.mp4", None, 0), wanted);
    }
}

#[test]
fn what_a_container_cannot_hold_is_refused_with_both_remedies() {
    let folder = tempdir().unwrap();
    let Some(film) = film(folder.path()) else {
        return;
    };
    let info = probe(&film).unwrap();
    assert_eq!(choose_container(&info, None, &[]).unwrap(), Container::Mkv);
    let plan = |container, drop: &[TrackChoice]| {
        plan_mux(&info, container, drop).and_then(|plan| plan.complete(&info, drop))
    };
    assert!(plan(Container::Mkv, &[]).is_ok());
    let error = plan(Container::Mp4, &[]).unwrap_err();
    let MediaError::TracksDoNotFit { tracks, others, .. } = &error else {
        panic!("{error}");
    };
    // Both subtitles and the font; the cover and the sounds do fit.
    assert_eq!(tracks.len(), 3, "{tracks:?}");
    assert_eq!(others, &["mkv"]);
    let hint = error.hint().unwrap();
    assert!(hint.contains(".mkv") && hint.contains("--drop 3"), "{hint}");
    let drop: Vec<TrackChoice> = ["subtitles", "attachments"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    let plan_without = plan(Container::Mp4, &drop).unwrap();
    assert!(plan_without.dropped.is_empty() && plan_without.copied.len() == 3);
    for wrong in [0, 99] {
        let error = plan(Container::Mkv, &[TrackChoice::Stream(wrong)]).unwrap_err();
        assert!(
            matches!(error, MediaError::InvalidRequest { .. }),
            "{error}"
        );
    }
}

/// Puts a matrix into the header of the first track of an MP4.
fn turn(path: &Path, matrix: [i32; 9]) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|w| w == b"tkhd").unwrap() + 44;
    for (place, number) in matrix.iter().enumerate() {
        bytes[at + place * 4..][..4].copy_from_slice(&number.to_be_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn every_turn_and_flip_is_kept_and_never_lost_in_silence() {
    let folder = tempdir().unwrap();
    if !ffmpeg(
        folder.path(),
        &format!("{PICTURES} {X264} -metadata:s:v language=eng -frames:v 5 a.mp4"),
    ) {
        return;
    }
    let path = folder.path().join("a.mp4");
    let one = 1 << 16;
    let mut seen = Vec::new();
    for (a, b, c, d) in [
        (1, 0, 0, 1),
        (0, 1, -1, 0),
        (-1, 0, 0, -1),
        (0, -1, 1, 0),
        (-1, 0, 0, 1),
        (1, 0, 0, -1),
        (0, 1, 1, 0),
        (0, -1, -1, 0),
    ] {
        let x = if a < 0 {
            96
        } else if c < 0 {
            64
        } else {
            0
        };
        let y = if b < 0 {
            96
        } else if d < 0 {
            64
        } else {
            0
        };
        turn(
            &path,
            [
                a * one,
                b * one,
                0,
                c * one,
                d * one,
                0,
                x * one,
                y * one,
                1 << 30,
            ],
        );
        for name in ["o.mp4", "o.mov"] {
            assert_eq!(differing(&path, name, None, 0), [""; 0], "{a} {b} {c} {d}");
        }
        let info = probe(&path).unwrap();
        let video = info.main_video().unwrap().1;
        seen.push((video.rotation_degrees, video.mirrored));
        let plan = plan_mux(&info, Container::Mkv, &[]).unwrap();
        let turned = (video.rotation_degrees, video.mirrored) != (0, false);
        let other = Inventory::take(&path, &Default::default()).unwrap();
        assert_eq!(other.streams[0].display_matrix.is_some(), turned);
        if !plan.refused.is_empty() {
            assert!(turned);
            let error = plan.complete(&info, &[]).unwrap_err();
            assert!(error.to_string().contains("rotation"), "{error}");
            let drop = [TrackChoice::Rotation];
            let plan = plan_mux(&info, Container::Mkv, &drop).unwrap();
            assert!(plan.refused.is_empty() && !plan.keeps_turn);
        } else if turned {
            assert_eq!(differing(&path, "o.mkv", None, 501), [""; 0]);
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 8, "{seen:?}");
}

#[test]
fn the_shape_of_pixels_and_the_crop_of_the_stream_are_kept() {
    for (sar, names) in [
        ("64/45", &["a.mp4", "a.mov", "a.mkv", "a.webm"][..]),
        ("1/2", &["a.mp4", "a.mkv"]),
    ] {
        for name in names {
            let coding = if name.ends_with("webm") {
                "-c:v libvpx-vp9 -cpu-used 8 -deadline realtime"
            } else {
                X264
            };
            let arguments = format!("{PICTURES} -vf setsar={sar} -frames:v 4 {coding}");
            made(&arguments, name, &format!("o{name}"), None, &[]);
        }
    }
    let folder = tempdir().unwrap();
    let crop = "-bsf:v h264_metadata=crop_left=4:crop_right=6:crop_bottom=2";
    if ffmpeg(
        folder.path(),
        &format!("{PICTURES} -frames:v 4 {X264} {crop} a.mp4"),
    ) {
        let source = folder.path().join("a.mp4");
        let first = reader(&source).next_frame().unwrap().unwrap();
        assert_eq!((first.width(), first.height()), (86, 62));
        let found = differing(&source, "o.mp4", None, 0);
        assert_eq!(found, [""; 0]);
    }
}

#[test]
fn colour_tags_and_the_place_of_chroma_are_kept_in_every_codec() {
    let tags = |primaries, transfer, matrix, range| {
        format!(
            "-color_primaries {primaries} -color_trc {transfer} -colorspace {matrix} \
             -color_range {range}"
        )
    };
    let x264 = |more: &str| format!("{PICTURES} -frames:v 3 {X264} {more}");
    for (name, range) in [("a.mp4", "tv"), ("a.mkv", "pc"), ("a.mov", "tv")] {
        for (primaries, transfer, matrix) in [
            ("bt709", "bt709", "bt709"),
            ("smpte170m", "smpte170m", "smpte170m"),
            ("bt470bg", "gamma28", "bt470bg"),
            ("bt2020", "bt2020-10", "bt2020nc"),
            ("smpte432", "iec61966-2-1", "bt709"),
        ] {
            let all = tags(primaries, transfer, matrix, range);
            let pixels = if range == "pc" {
                "-pix_fmt yuvj420p"
            } else {
                ""
            };
            made(
                &x264(&format!("{all} {pixels}")),
                name,
                &format!("o{name}"),
                None,
                &[],
            );
        }
    }
    for place in ["left", "center", "topleft", "top", "bottomleft", "bottom"] {
        let tag = format!("-chroma_sample_location {place}");
        made(&x264(&tag), "a.mp4", "o.mp4", None, &[]);
        let hevc = Some(VideoCodec::Hevc);
        // Without a tag, HEVC is read as limited range.
        made(&x264(&tag), "a.mkv", "o.mkv", hevc, &["video:range"]);
    }
    let all = tags("bt709", "bt709", "bt709", "tv");
    for (codec, name) in [
        (VideoCodec::Hevc, "o.mp4"),
        (VideoCodec::Av1, "o.mp4"),
        (VideoCodec::Vp9, "o.webm"),
        (VideoCodec::Prores, "o.mov"),
        (VideoCodec::Ffv1, "o.mkv"),
    ] {
        let folder = tempdir().unwrap();
        if !ffmpeg(folder.path(), &format!("{} a.mkv", x264(&all))) {
            return;
        }
        let found = differing(&folder.path().join("a.mkv"), name, Some(codec), 0);
        let color = ["primaries", "transfer", "matrix", "range"].map(|tag| format!("video:{tag}"));
        let lost: Vec<_> = found.iter().filter(|key| color.contains(key)).collect();
        assert!(lost.is_empty(), "{codec:?}: {lost:?}");
    }
}

#[test]
fn a_guessed_matrix_is_told_and_never_written() {
    let folder = tempdir().unwrap();
    if !ffmpeg(
        folder.path(),
        &format!("{PICTURES} -frames:v 3 {X264} a.mp4"),
    ) {
        return;
    }
    let source = folder.path().join("a.mp4");
    let info = probe(&source).unwrap();
    let guessed = |w: &Warning| matches!(w, Warning::GuessedMatrix { .. });
    assert!(info.warnings.iter().any(guessed), "{:?}", info.warnings);
    for (codec, name) in [
        (None, "o.mp4"),
        (Some(VideoCodec::Hevc), "o.mp4"),
        (Some(VideoCodec::Ffv1), "o.mkv"),
    ] {
        let found = differing(&source, name, codec, 501);
        // Without a tag, HEVC is read as limited range: that is its rule, and no guess.
        let wanted: &[&str] = match (codec, name) {
            (_, "o.mkv") => &["file:container"],
            (Some(VideoCodec::Hevc), _) => &["video:range"],
            _ => &[],
        };
        let found: Vec<_> = found.iter().filter(|k| !k.contains("tags")).collect();
        assert_eq!(found, wanted, "{codec:?} {name}");
    }
}

#[test]
fn hdr10_and_hlg_keep_their_tags_their_depth_and_their_static_data() {
    let folder = tempdir().unwrap();
    let params = "hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:\
         master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):\
         max-cll=1000,400:log-level=none";
    let made = ffmpeg(
        folder.path(),
        &format!(
            "{PICTURES} -frames:v 6 -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast \
                  -x265-params {params} -tag:v hvc1 a.mp4"
        ),
    );
    if !made {
        return;
    }
    let source = folder.path().join("a.mp4");
    let info = Inventory::take(&source, &Default::default()).unwrap();
    assert!(
        info.streams[0]
            .hdr
            .as_ref()
            .is_some_and(|h| h.mastering.is_some())
    );
    assert_eq!(differing(&source, "o.mp4", None, 0), [""; 0]);
    // QuickTime has no word for an unknown language.
    assert_eq!(
        differing(&source, "o.mov", None, 0),
        ["video:tags.language"]
    );
    let found = differing(&source, "o.mkv", None, 501);
    assert!(
        !found
            .iter()
            .any(|k| k.contains("hdr") || k.contains("transfer")),
        "{found:?}"
    );
}

#[test]
fn dynamic_hdr_is_reported_as_dropped() {
    let Some(folder) = data("media/video") else {
        return;
    };
    for (name, what) in [
        ("hdr10_pq_phone.mp4", "HDR10+"),
        ("dolbyvision_rot90.mov", "Dolby Vision"),
        ("hlg_rot90_phone.mp4", "Dolby Vision"),
    ] {
        let mut reader = reader(&folder.join(name));
        while reader.next_frame().unwrap().is_some() {}
        let mut told = reader.report().warnings();
        told.extend(reader.info().warnings.clone());
        let wanted = Warning::HdrMetadataDropped { what: what.into() };
        assert!(told.contains(&wanted), "{name}: {told:?}");
    }
}

#[test]
fn transparency_is_bit_exact_through_a_codec_without_loss() {
    let Some(folder) = data("media/video") else {
        return;
    };
    let source = folder.join("vp8_alpha.webm");
    let temporary = tempdir().unwrap();
    let output = temporary.path().join("o.mkv");
    let pass = Pass {
        codec: Some(VideoCodec::Ffv1),
        quality: Quality::Lossless,
        limit: 20,
        ..Pass::new(&source, &output)
    };
    pass.run(temporary.path());
    let pictures = |path: &Path| -> Vec<u64> {
        frames(path)
            .into_iter()
            .take(20)
            .map(|(_, hash)| hash)
            .collect()
    };
    assert_eq!(pictures(&output), pictures(&source));
}
