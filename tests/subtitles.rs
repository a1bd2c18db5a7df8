//! Subtitles converted, moved, added as tracks and burned in, through the real command line, on real
//! clips.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::graphs::{run_with, wired};
use e2e::*;
use frameloom_app::{App, Lane, Places, PresetId, SubtitlePlace, SubtitleWish, UpscaleRequest};
use frameloom_core::job::JobState;
use frameloom_core::media::StreamKind;
use frameloom_core::pixel::AnyPlane;
use frameloom_core::time::Timestamp;
use frameloom_media::{DiffOptions, Inventory};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// As Windows writes it, with a mark at its beginning, an overlap, tags and no number before the last.
const LINES: &str = "\u{feff}1\r\n00:00:00,500 --> 00:00:02,000\r\n<i>Xin chào</i> các bạn\r\nHai dòng\r\n\r\n\
     2\r\n00:00:01,500 --> 00:00:03,250\r\n<font color=\"#ff0000\">Rouge</font> à côté\r\n\r\n\
     00:00:04,000 --> 00:00:05,000\r\n{\\an8}שלום <b>bold</b>\r\n\r\n";

fn lines(cli: &Cli) -> PathBuf {
    let path = cli.folder().join("lời thoại's, [1]: 100%.srt");
    std::fs::write(&path, LINES).unwrap();
    path
}

fn convert(cli: &Cli, input: &Path, to: &str, more: &[&str]) -> String {
    let output = cli.folder().join(to);
    let (from, to) = (text(input), text(&output));
    let all = [&["subtitles", &from, "-o", &to, "--overwrite"], more].concat();
    cli.run(all).expect_code(0);
    std::fs::read_to_string(&output).unwrap()
}

/// The lines with times of a file.
fn times(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains("-->")).collect()
}

#[test]
fn every_format_comes_of_every_other_with_its_times_and_words() {
    let cli = Cli::new();
    let source = lines(&cli);
    let vtt = convert(&cli, &source, "a.vtt", &[]);
    assert!(
        vtt.starts_with(
            "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n<i>Xin chào</i> các bạn\nHai dòng\n"
        ),
        "{vtt}"
    );
    let ass = convert(&cli, &cli.folder().join("a.vtt"), "b.ass", &[]);
    assert!(ass.contains("Dialogue: 0,0:00:00.50,0:00:02.00,Default,,0,0,0,,{\\i1}Xin chào{\\i0} các bạn\\NHai dòng\n"), "{ass}");
    let back = convert(&cli, &cli.folder().join("b.ass"), "c.srt", &[]);
    assert_eq!(
        times(&back),
        [
            "00:00:00,500 --> 00:00:02,000",
            "00:00:01,500 --> 00:00:03,250",
            "00:00:04,000 --> 00:00:05,000"
        ]
    );
    assert!(back.contains("<i>Xin chào</i> các bạn\nHai dòng"), "{back}");
    assert!(back.contains("שלום"), "{back}");
    // What keeps its format keeps its words.
    let same = convert(&cli, &source, "d.srt", &["--shift", "0.25"]);
    assert!(
        same.contains(
            "2\n00:00:01,750 --> 00:00:03,500\n<font color=\"#ff0000\">Rouge</font> à côté\n"
        ),
        "{same}"
    );
    assert!(same.contains("{\\an8}שלום <b>bold</b>"), "{same}");
}

#[test]
fn times_are_shifted_and_stretched_exactly_and_what_is_over_before_the_start_is_left_out() {
    let cli = Cli::new();
    let source = lines(&cli);
    let earlier = convert(&cli, &source, "a.srt", &["--shift", "-2"]);
    assert_eq!(
        times(&earlier),
        [
            "00:00:00,000 --> 00:00:01,250",
            "00:00:02,000 --> 00:00:03,000"
        ]
    );
    let film = convert(&cli, &source, "b.srt", &["--rate", "25:23.976"]);
    assert_eq!(times(&film)[2], "00:00:04,171 --> 00:00:05,214");
    let fixed = ["--sync", "0:00:00.5=0:00:10.5", "--sync", "4=21"];
    let synced = convert(&cli, &source, "c.srt", &fixed);
    assert_eq!(times(&synced)[0], "00:00:10,500 --> 00:00:15,000");
    assert_eq!(times(&synced)[2], "00:00:21,000 --> 00:00:24,000");
    let gone = cli.run(["subtitles", &text(&source), "-o", "-", "--shift", "-60"]);
    assert!(gone.expect_code(2).stderr.contains("over before"));
}

#[test]
fn what_is_no_subtitles_or_in_another_character_set_is_refused_with_a_remedy() {
    let cli = Cli::new();
    let write = |name: &str, bytes: &[u8]| {
        let path = cli.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        text(&path)
    };
    let mut latin = b"1\n00:00:01,000 --> 00:00:02,000\n".to_vec();
    latin.extend(b"D\xe9j\xe0 vu, gar\xe7on; \xe7a va bien \xe0 No\xebl.\n");
    let latin = write("latin.srt", &latin);
    let noise: Vec<u8> = (0u32..4000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut crowd = "WEBVTT\n\n".to_owned();
    for n in 0..40 {
        crowd.push_str(&format!(
            "00:0{}:00.000 --> 00:59:00.000\nline {n}\n\n",
            n % 10
        ));
    }
    for (name, says) in [
        (latin.clone(), "--charset windows-1252"),
        (write("noise.srt", &noise), ""),
        (
            write("prose.srt", b"Nothing but words.\nNo time among them.\n"),
            "SRT, WebVTT and ASS",
        ),
        (write("empty.vtt", b"WEBVTT\n\n"), "no line"),
        (write("nothing.ass", b""), "empty"),
    ] {
        let ran = cli.run(["subtitles", &name, "-o", "-"]).expect_code(3);
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    let read = cli.run(["subtitles", &latin, "-o", "-", "--charset", "windows-1252"]);
    assert!(read.expect_code(0).stdout.contains("Déjà vu, garçon"));
    let Some(clip) = test_data("media/video/h264_aac_17s_640x360.mp4") else {
        return;
    };
    let crowd = write("crowd.vtt", crowd.as_bytes());
    let ran = cli.run([
        "subtitles",
        &text(&clip),
        "--add",
        &crowd,
        "-o",
        &text(&cli.folder().join("a.mp4")),
    ]);
    assert!(ran.expect_code(3).stderr.contains(".mkv"));
    let ran = cli.run(["subtitles", &text(&clip), "--export", "srt", "-o", "-"]);
    assert!(ran.expect_code(3).stderr.contains("no subtitles"));
}

/// Every stream of `before` is in `after` as it was.
fn assert_kept(before: &Path, after: &Path) {
    let take = |path: &Path| Inventory::take(path, &Default::default()).unwrap();
    let options = DiffOptions {
        ignore: Vec::new(),
        tolerance_micros: 1_000,
    };
    let compared = take(before).compare(&take(after), &options);
    let kept = compared.streams.iter().filter(|pair| pair.a.is_some());
    assert!(kept.clone().all(|pair| pair.b.is_some()), "a track is gone");
    let changed: Vec<String> = compared
        .differences
        .iter()
        .filter(|d| {
            let pair = d.pair.and_then(|pair| compared.streams.get(pair));
            pair.is_some_and(|pair| pair.a.is_some() && pair.b.is_some())
        })
        .map(|d| d.key())
        .filter(|key| key.contains(":packets") || key.contains(":content") || key.contains(":pts"))
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[test]
fn a_track_is_added_to_every_container_and_the_others_stay_to_the_byte() {
    let cli = Cli::new();
    let source = lines(&cli);
    let mut styled = String::from(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: 640\nPlayResY: 360\n\n[V4+ Styles]\n\
         Format: Name, Fontname, Fontsize, PrimaryColour, Alignment\nStyle: Sign,Serif,30,&H00FF8000,8\n\n\
         [Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n",
    );
    styled.push_str(
        "Dialogue: 3,0:00:01.00,0:00:02.50,Sign,Mai,0,0,0,,{\\pos(100,50)}A sign, with a comma\n",
    );
    let ass = cli.folder().join("signs.ass");
    std::fs::write(&ass, styled).unwrap();
    for (clip, to, file, codec) in [
        ("h264_aac_17s_640x360.mp4", "a.mp4", &source, "mov_text"),
        ("prores_422_proxy.mov", "b.mov", &source, "mov_text"),
        ("mkv_srt.mkv", "c.mkv", &source, "subrip"),
        ("mkv_ass.mkv", "d.mkv", &ass, "ass"),
        ("vp9_odd_161x121.webm", "e.webm", &source, "webvtt"),
        ("h264_aac.flv", "f.mkv", &source, "subrip"),
    ] {
        let Some(clip) = test_data(&format!("media/video/{clip}")) else {
            continue;
        };
        let made = cli.folder().join(to);
        cli.run([
            "subtitles",
            &text(&clip),
            "--add",
            &text(file),
            "--language",
            "vi",
            "-o",
            &text(&made),
        ])
        .expect_code(0);
        assert_kept(&clip, &made);
        let track = probe(&made)
            .streams
            .into_iter()
            .rfind(|s| s.kind == frameloom_core::media::StreamKind::Subtitle);
        let track = track.unwrap();
        assert_eq!(
            (track.codec.as_str(), track.language.as_deref()),
            (codec, Some("vie")),
            "{to}"
        );
        let read = cli.run([
            "subtitles",
            &text(&made),
            "--track",
            &track.index.to_string(),
            "--export",
            "srt",
            "-o",
            "-",
        ]);
        let read = read.expect_code(0).stdout;
        if codec == "ass" {
            let out = convert(
                &cli,
                &made,
                "again.ass",
                &["--track", &track.index.to_string()],
            );
            assert!(out.contains("Style: Sign,Serif,30,&H00FF8000,8"), "{out}");
            assert!(out.contains("Dialogue: 3,0:00:01.00,0:00:02.50,Sign,Mai,0,0,0,,{\\pos(100,50)}A sign, with a comma"), "{out}");
        } else {
            // MP4 shows one sample at a time: what overlaps is there in three.
            let count = if codec == "mov_text" { 4 } else { 3 };
            assert_eq!(times(&read).len(), count, "{to}: {read}");
            assert!(
                read.contains("các bạn") && read.contains("à côté"),
                "{to}: {read}"
            );
            assert_eq!(
                times(&read)[0].split(" --> ").next(),
                Some("00:00:00,500"),
                "{to}: {read}"
            );
        }
    }
}

/// Rows in which two pictures differ, of the first plane.
fn differing_rows(a: &frameloom_media::Frame, b: &frameloom_media::Frame) -> Vec<usize> {
    let (AnyPlane::U8(a), AnyPlane::U8(b)) = (a.plane(0), b.plane(0)) else {
        panic!("8 bits were expected");
    };
    (0..a.height).filter(|y| a.row(*y) != b.row(*y)).collect()
}

#[test]
fn burned_lines_are_seen_where_and_when_they_belong_and_nowhere_else() {
    let cli = Cli::new();
    let Some(clip) = test_data("media/video/h264_aac_17s_640x360.mp4") else {
        return;
    };
    let source = lines(&cli);
    let burned = cli.folder().join("burned.mkv");
    let plain = cli.folder().join("plain.mkv");
    // Without loss, so that every pixel that is not drawn upon is the same.
    cli.run([
        "subtitles",
        &text(&clip),
        "--burn",
        &text(&source),
        "-q",
        "lossless",
        "--codec",
        "ffv1",
        "-o",
        &text(&burned),
    ])
    .expect_code(0);
    assert!(ffmpeg(&[
        "-i",
        &text(&clip),
        "-map",
        "0:v",
        "-c:v",
        "ffv1",
        "-fps_mode",
        "passthrough",
        &text(&plain)
    ]));
    let (with, without) = (frames_of(&burned), frames_of(&plain));
    assert_eq!(with.len(), without.len());
    let base = probe(&burned).main_video().unwrap().0.time_base;
    let first = with[0].pts();
    for (a, b) in with.iter().zip(&without) {
        let at = Timestamp::new(a.pts() - first, base).micros() as f64 / 1e6;
        let rows = differing_rows(a, b);
        let near = |time: f64| (at - time).abs() < 0.06;
        if [0.5, 3.25, 4.0, 5.0].iter().any(|edge| near(*edge)) {
            continue;
        }
        match at {
            at if (0.5..3.25).contains(&at) => {
                assert!(!rows.is_empty(), "nothing at {at}");
                assert!(
                    rows.iter().all(|row| *row > 180),
                    "above the middle at {at}: {rows:?}"
                );
            }
            at if (4.0..5.0).contains(&at) => {
                assert!(!rows.is_empty(), "nothing at {at}");
                assert!(
                    rows.iter().all(|row| *row < 180),
                    "below the middle at {at}: {rows:?}"
                );
            }
            _ => assert!(rows.is_empty(), "something at {at}: {rows:?}"),
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_job_resumes_to_the_very_same_pictures_though_lines_overlap() {
    let cli = Cli::new();
    let Some(clip) = test_data("media/video/h264_aac_17s_640x360.mp4") else {
        return;
    };
    let long = cli.folder().join("long.mp4");
    if !ffmpeg(&[
        "-stream_loop",
        "2",
        "-i",
        &text(&clip),
        "-c",
        "copy",
        &text(&long),
    ]) {
        return;
    }
    let clip = long;
    // Lines that push each other up all the time: where one lies depends on all before it.
    let mut words = String::new();
    for n in 0..120u64 {
        let (from, to) = (n * 400, n * 400 + 1_100 + n % 3 * 300);
        let clock = |ms: u64| format!("00:00:{:02},{:03}", ms / 1000, ms % 1000);
        words.push_str(&format!(
            "{}\n{} --> {}\nLine {n} of many\n\n",
            n + 1,
            clock(from),
            clock(to)
        ));
    }
    let file = cli.folder().join("many.srt");
    std::fs::write(&file, words).unwrap();
    let whole = cli.folder().join("whole.mkv");
    let arguments = |output: &Path| {
        [
            "subtitles",
            &text(&clip),
            "--burn",
            &text(&file),
            "--box=#203040",
            "-o",
            &text(output),
        ]
        .map(str::to_owned)
    };
    cli.run(arguments(&whole)).expect_code(0);
    let resumed = cli.folder().join("resumed.mkv");
    let id = cli.killed_midway(arguments(&resumed), &resumed);
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(
        std::fs::read(&resumed).unwrap(),
        std::fs::read(&whole).unwrap(),
        "the resumed file differs"
    );
}

/// A clip with the lines of another file as a track, or with its own (`text` leads to no other input).
fn with_track(cli: &Cli, name: &str, more: &[(&str, &str, Value)], wires: &[&str]) -> PathBuf {
    let mut nodes = vec![("clip", "source", json!({})), ("out", "sink", json!({}))];
    nodes.extend_from_slice(more);
    wired(cli, name, &nodes, wires)
}

#[test]
fn a_node_writes_lines_of_a_file_as_a_track_of_what_the_result_can_hold() {
    let cli = Cli::new();
    let (clip, source) = (demo_clip(), lines(&cli));
    let track = json!({"language": "vi", "title": "Tiếng Việt", "show": "always", "shift": {"num": -5, "den": 2}});
    let graph = with_track(
        &cli,
        "track.json",
        &[
            ("text", "source", json!({"name": "text"})),
            ("track", "subtitle_track", track),
        ],
        &["clip out", "text.subtitles track", "track out.subtitles"],
    );
    for (ending, codec) in [("mp4", "mov_text"), ("mov", "mov_text"), ("mkv", "subrip")] {
        let output = cli.folder().join(format!("out.{ending}"));
        let inputs = [("", clip.as_path()), ("text", source.as_path())];
        let job = cli.run(run_with(&graph, &inputs, &output, &["--json"]));
        let job = job.expect_code(0).json();
        let lost = json!({"kind": "lines_too_early", "count": 1});
        assert!(job["warnings"].as_array().unwrap().contains(&lost), "{job}");
        let id = job["id"].as_str().unwrap();
        let receipt = cli.run(["jobs", "show", id, "--receipt", "--json"]).json();
        assert_eq!(receipt["encoder"][0], "copy", "{receipt}");
        let info = frameloom_media::probe(&output).unwrap();
        let found: Vec<_> = info
            .streams
            .iter()
            .filter(|s| s.kind == StreamKind::Subtitle)
            .collect();
        let [found] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(found.codec, codec);
        assert_eq!(found.language.as_deref(), Some("vie"));
        assert_eq!(found.dispositions, ["default"]);
        let read = convert(&cli, &output, &format!("{ending}.srt"), &[]);
        assert_eq!(
            times(&read),
            [
                "00:00:00,000 --> 00:00:00,750",
                "00:00:01,500 --> 00:00:02,500"
            ],
            "{ending}"
        );
        assert!(read.contains("שלום"), "{read}");
    }
    // What an encoder put before the first sample is hidden in MP4, and stays where it is in Matroska.
    let (from, to) = (text(&clip), text(&cli.folder().join("added.mkv")));
    cli.run(["subtitles", &from, "--add", &text(&source), "-o", &to])
        .expect_code(0);
    // It is refused by its node, before anything runs.
    let graph = with_track(
        &cli,
        "language.json",
        &[
            ("text", "source", json!({"name": "text"})),
            (
                "track",
                "subtitle_track",
                json!({"language": "klingonisch"}),
            ),
        ],
        &["clip out", "text.subtitles track", "track out.subtitles"],
    );
    let output = cli.folder().join("refused.mp4");
    let inputs = [("", clip.as_path()), ("text", source.as_path())];
    let refused = cli.run(run_with(&graph, &inputs, &output, &[]));
    let refused = refused.expect_code(2);
    assert!(refused.stderr.contains("`track`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("klingonisch"), "{}", refused.stderr);
}

#[test]
fn lines_of_the_clip_itself_are_cut_and_slowed_with_it_when_they_are_written_anew() {
    let cli = Cli::new();
    let source = lines(&cli);
    let clip = cli.folder().join("clip.mp4");
    let graph = with_track(
        &cli,
        "track.json",
        &[
            ("text", "source", json!({"name": "text"})),
            ("track", "subtitle_track", json!({})),
        ],
        &["clip out", "text.subtitles track", "track out.subtitles"],
    );
    let inputs = [("", &*demo_clip()), ("text", &*source)];
    cli.run(run_with(&graph, &inputs, &clip, &["--quality", "draft"]))
        .expect_code(0);
    let track = ("track", "subtitle_track", json!({}));
    let keep = ("keep", "cut", json!({"keep": "1-1.8, 2-4.4"}));
    let cases = [
        (
            vec![
                (
                    "keep",
                    "trim",
                    json!({"start": {"num": 1, "den": 1}, "end": {"num": 4, "den": 1}}),
                ),
                track.clone(),
            ],
            vec!["clip keep", "keep out"],
            [
                "00:00:00,000 --> 00:00:00,500",
                "00:00:00,500 --> 00:00:01,000",
                "00:00:01,000 --> 00:00:02,250",
            ]
            .to_vec(),
        ),
        (
            vec![keep, track.clone()],
            vec!["clip keep", "keep out"],
            [
                "00:00:00,000 --> 00:00:00,500",
                "00:00:00,500 --> 00:00:00,800",
                "00:00:00,800 --> 00:00:02,050",
                "00:00:02,800 --> 00:00:03,200",
            ]
            .to_vec(),
        ),
        (
            vec![
                ("keep", "interpolate", json!({"slow": {"num": 2, "den": 1}})),
                track.clone(),
            ],
            vec!["clip keep", "keep out"],
            [
                "00:00:01,000 --> 00:00:03,000",
                "00:00:03,000 --> 00:00:04,000",
                "00:00:04,000 --> 00:00:06,500",
                "00:00:08,000 --> 00:00:10,000",
            ]
            .to_vec(),
        ),
    ];
    // MP4 shows one line at a time: what overlaps was brought into one.
    for (number, (nodes, mut wires, expected)) in cases.into_iter().enumerate() {
        wires.extend(["clip.subtitles track", "track out.subtitles"]);
        let graph = with_track(&cli, &format!("{number}.json"), &nodes, &wires);
        let output = cli.folder().join(format!("{number}.mkv"));
        cli.run(run_with(
            &graph,
            &[("", clip.as_path())],
            &output,
            &["--quality", "draft"],
        ))
        .expect_code(0);
        let read = convert(&cli, &output, &format!("{number}.srt"), &[]);
        assert_eq!(times(&read), expected, "{number}");
    }
}

#[test]
fn a_card_adds_a_track_beside_those_that_a_clip_has_and_copies_its_pictures() {
    let Some(clip) = test_data("media/video/mkv_srt.mkv") else {
        return;
    };
    let cli = Cli::new();
    let source = lines(&cli);
    let app = App::open(Places {
        data: cli.data(),
        worker: program("frameloom", "frameloom-cli"),
        extra_models: Vec::new(),
    })
    .unwrap();
    let output = cli.folder().join("out.mkv");
    let wish = SubtitleWish {
        place: SubtitlePlace::Track,
        language: Some("fr".to_owned()),
        ..SubtitleWish::default()
    };
    let request = |file: Option<PathBuf>| UpscaleRequest {
        preset: PresetId::Subtitles,
        input: clip.clone(),
        output: Some(output.clone()),
        subtitles: Some(SubtitleWish {
            file,
            ..wish.clone()
        }),
        ..UpscaleRequest::default()
    };
    let refused = app.plan_upscale(&request(None)).unwrap_err();
    assert!(refused.message.contains("which subtitles"), "{refused:?}");
    let request = request(Some(source));
    let plan = app.plan_upscale(&request).unwrap();
    assert_eq!(plan.encoder.as_deref(), Some("copy"));
    let id = app.submit_upscale(&request, Lane::Direct).unwrap().id;
    let job = app.run_job(&id).unwrap();
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    assert_kept(&clip, &output);
    let tracks = |path: &Path| {
        let info = frameloom_media::probe(path).unwrap();
        let streams = info.streams.into_iter();
        let tracks = streams.filter(|s| s.kind == StreamKind::Subtitle);
        tracks.map(|s| s.language).collect::<Vec<_>>()
    };
    let mut expected = tracks(&clip);
    expected.push(Some("fra".to_owned()));
    assert_eq!(tracks(&output), expected);
}

#[test]
fn an_added_track_is_a_job_with_a_receipt_and_has_all_that_was_asked() {
    let cli = Cli::new();
    let (clip, source) = (demo_clip(), lines(&cli));
    let output = cli.folder().join("out.mkv");
    let (from, to, lines) = (text(&clip), text(&output), text(&source));
    let wishes = [
        "--language",
        "vi",
        "--title",
        "Tiếng Việt",
        "--default",
        "--shift",
        "-2.5",
    ];
    let words = [
        &["subtitles", &from, "--add", &lines, "-o", &to],
        &wishes[..],
    ]
    .concat();

    // What is only looked at is not made.
    let planned = cli
        .run(words.iter().chain(&["--dry-run", "--json"]))
        .expect_code(0);
    assert_eq!(planned.json()[0]["encoder"], "copy", "{planned:?}");
    assert!(!output.exists() && cli.jobs().is_empty());

    let told = cli.run(words.iter().chain(&["--json"])).expect_code(0);
    let warned = told.json_lines("warning");
    assert_eq!(
        warned[0]["warning"],
        json!({"kind": "lines_too_early", "count": 1})
    );
    let told = told.json();
    let added =
        json!({"output": to, "codec": "subrip", "lines": 2, "unreadable": 0, "before_zero": 1});
    assert_eq!((&told["input"], &told["added"]), (&json!(from), &added));
    let info = probe(&output);
    let kinds: Vec<_> = info.streams.iter().map(|stream| stream.kind).collect();
    let last = [StreamKind::Video, StreamKind::Audio, StreamKind::Subtitle];
    assert_eq!(kinds, last, "the others stay where they were");
    let mut tracks = info
        .streams
        .iter()
        .filter(|s| s.kind == StreamKind::Subtitle);
    let track = tracks.next().unwrap();
    assert_eq!(track.language.as_deref(), Some("vie"));
    assert_eq!(
        track.tags.get("title").map(String::as_str),
        Some("Tiếng Việt")
    );
    assert_eq!(track.dispositions, ["default"]);
    let read = convert(&cli, &output, "read.srt", &[]);
    let expected = [
        "00:00:00,000 --> 00:00:00,750",
        "00:00:01,500 --> 00:00:02,500",
    ];
    assert_eq!(times(&read), expected);

    let jobs = cli.jobs();
    assert_eq!((jobs.len(), &jobs[0]["state"]), (1, &json!("succeeded")));
    assert_eq!(jobs[0]["id"], told["job"]);
    let found = cli.run(["verify", &to, "--json"]).expect_code(0).json();
    assert_eq!(found["genuine"], true, "{found}");
    let receipt = &found["receipt"];
    assert_eq!(receipt["encoder"][0], "copy");
    assert_eq!(receipt["others"].as_array().unwrap().len(), 1, "{receipt}");

    // In words it is the name, and the next one is free.
    let told = cli.run(&words).expect_code(0);
    assert_eq!(told.stdout.trim(), text(&cli.folder().join("out (2).mkv")));
    assert!(
        told.stderr.contains("1 line of subtitles would be over"),
        "{told:?}"
    );
}

#[test]
fn a_track_of_another_clip_is_added_to_several_and_what_is_no_clip_does_not_stop_the_others() {
    let (Some(transport), Some(film)) = (
        test_data("media/video/h264_mp2_short.ts"),
        test_data("media/video/mkv_srt.mkv"),
    ) else {
        return;
    };
    let cli = Cli::new();
    let picture = cli.folder().join("a.png");
    write_png(&picture, 64, 48, |_, _| [200, 40, 40]).unwrap();
    let (clip, folder) = (demo_clip(), cli.folder().join("out"));
    let (a, b, c) = (text(&transport), text(&picture), text(&clip));
    let (film, to) = (text(&film), format!("{}/", text(&folder)));
    let told = cli.run(["subtitles", &a, &b, &c, "--add", &film, "-o", &to]);
    let told = told.expect_code(2);
    // A transport stream cannot be written: its copy is Matroska.
    let made = ["h264_mp2_short_subtitled.mkv", "demo_subtitled.mp4"].map(|name| folder.join(name));
    let listed: Vec<_> = told.stdout.lines().map(PathBuf::from).collect();
    assert_eq!(listed, made, "{told:?}");
    assert!(told.stderr.contains("a.png"), "{told:?}");
    assert_kept(&clip, &made[1]);
    for made in &made {
        let found = cli
            .run(["verify", &text(made), "--json"])
            .expect_code(0)
            .json();
        let checks = &found["receipt"]["checks"];
        assert!(checks["copied"].is_u64(), "{found}");
        assert_eq!(checks["copied"], checks["frames"], "{found}");
        let info = probe(made);
        let tracks = info
            .streams
            .iter()
            .filter(|s| s.kind == StreamKind::Subtitle);
        assert_eq!(tracks.count(), 1, "{}", made.display());
    }
    assert_eq!(cli.jobs().len(), 2);
}

#[test]
fn pictures_that_a_copy_would_show_otherwise_are_encoded_and_it_is_said_before() {
    let cli = Cli::new();
    let source = lines(&cli);
    for (clip, why) in [
        ("prores_4444_alpha.mov", "players cut off their edges"),
        ("cineform_422_10bit.avi", "this container cannot hold them"),
    ] {
        let Some(clip) = test_data(&format!("media/video/{clip}")) else {
            return;
        };
        let (from, to) = (text(&clip), format!("{}/", text(&cli.folder().join("out"))));
        let words = ["subtitles", &from, "--add", &text(&source), "-o", &to];
        let planned = cli.run(words.iter().chain(&["--dry-run"])).expect_code(0);
        assert!(planned.stdout.contains(why), "{planned:?}");
        let told = cli.run(words).expect_code(0);
        assert!(told.stderr.contains(why), "{told:?}");
        let jobs = cli.jobs();
        let job = jobs.iter().find(|job| job["input"] == json!(from)).unwrap();
        let id = job["id"].as_str().unwrap();
        let receipt = cli.run(["jobs", "show", id, "--receipt", "--json"]).json();
        assert_ne!(receipt["encoder"][0], "copy", "{receipt}");
        // Who asks for a codec expects nothing else.
        let asked = words.iter().chain(&["--dry-run", "--codec", "ffv1"]);
        let asked = cli.run(asked).expect_code(0);
        assert!(!asked.stdout.contains("encoded anew"), "{asked:?}");
    }
}

#[test]
fn tracks_that_are_left_out_make_room_for_another_and_no_copy_replaces_one_of_the_same_command() {
    let Some(film) = test_data("media/video/mkv_srt.mkv") else {
        return;
    };
    let cli = Cli::new();
    let lines = text(&lines(&cli));
    let own = probe(&film).streams;
    let own = own
        .iter()
        .find(|s| s.kind == StreamKind::Subtitle)
        .unwrap()
        .index;
    for drop in [own.to_string(), "subtitles".to_owned()] {
        let made = cli.folder().join(format!("{drop}.mkv"));
        let (from, to) = (text(&film), text(&made));
        let words = [
            "subtitles",
            &from,
            "--add",
            &lines,
            "--drop",
            &drop,
            "-o",
            &to,
        ];
        cli.run(words).expect_code(0);
        let streams = probe(&made).streams;
        let tracks = streams.iter().filter(|s| s.kind == StreamKind::Subtitle);
        assert_eq!(tracks.count(), 1, "--drop {drop}");
        let read = convert(&cli, &made, &format!("{drop}.srt"), &[]);
        assert!(read.contains("Xin chào"), "--drop {drop}: {read}");
    }
    // Two clips of one name.
    let clips = ["a", "b"].map(|folder| cli.folder().join(folder).join("clip.mp4"));
    for clip in &clips {
        std::fs::create_dir_all(clip.parent().unwrap()).unwrap();
        std::fs::copy(demo_clip(), clip).unwrap();
    }
    let (a, b) = (text(&clips[0]), text(&clips[1]));
    let to = format!("{}/", text(&cli.folder().join("out")));
    let words = [
        "subtitles",
        &a,
        &b,
        "--add",
        &lines,
        "--overwrite",
        "-o",
        &to,
    ];
    let told = cli.run(words).expect_code(0).stdout;
    let names: Vec<_> = told
        .lines()
        .filter_map(|line| line.rsplit('/').next())
        .collect();
    assert_eq!(names, ["clip_subtitled.mp4", "clip_subtitled (2).mp4"]);
}
