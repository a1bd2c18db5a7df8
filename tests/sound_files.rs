//! Files of sound alone through the real command line: what comes in, what comes out, and what of a file
//! is kept beside its sound.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::graphs::{chain, run_of, run_with, wired};
use e2e::*;
use frameloom_core::media::{MediaInfo, MediaKind, StreamKind};
use frameloom_media::{Inventory, SoundReader};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Half a minute that rises and falls, at 44,100 a second, in two channels.
const TONE: &str = "aevalsrc='0.3*sin(2*PI*440*t)*(0.5+0.5*sin(2*PI*t/3))|\
                    0.2*sin(2*PI*330*t)*(0.5+0.5*sin(2*PI*t/5))':s=44100:d=30";

/// An episode as podcasters have it: tags, a cover where there can be one, two chapters.
fn episode(cli: &Cli, ending: &str, codec: &[&str]) -> Option<PathBuf> {
    let (cover, notes) = (cli.folder().join("cover.png"), cli.folder().join("notes"));
    let to = cli.folder().join(format!("episode.{ending}"));
    std::fs::write(
        &notes,
        ";FFMETADATA1\ntitle=Folge 7: Café\nartist=Anna & Bob\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=10000\ntitle=Anfang\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=10000\nEND=30000\ntitle=Thema\n",
    )
    .unwrap();
    let (cover, notes, made) = (text(&cover), text(&notes), text(&to));
    let square = ["-f", "lavfi", "-i", "testsrc2=s=64x64"];
    if !ffmpeg(&[&square[..], &["-frames:v", "1", &cover]].concat()) {
        return None;
    }
    let mut arguments = vec!["-f", "lavfi", "-i", TONE, "-i", &notes, "-i", &cover];
    arguments.extend(["-map", "0", "-map_metadata", "1", "-map_chapters", "1"]);
    if !matches!(ending, "wav" | "ogg" | "opus") {
        arguments.extend([
            "-map",
            "2",
            "-c:v",
            "copy",
            "-disposition:v",
            "attached_pic",
        ]);
    }
    arguments.extend(codec);
    arguments.push(&made);
    ffmpeg(&arguments).then_some(to)
}

/// Samples of each channel of the only track, and the rate.
fn heard(path: &Path) -> (usize, u32) {
    let info = probe(path);
    let tracks: Vec<_> = info.streams.iter().filter(|s| s.audio.is_some()).collect();
    assert_eq!(tracks.len(), 1, "{path:?}");
    let mut reader = SoundReader::open(path, tracks[0].index, &Arc::default()).unwrap();
    let mut count = 0;
    while let Some(block) = reader.next_block().unwrap() {
        count += block.len();
    }
    (count, reader.format().rate)
}

fn title(info: &MediaInfo) -> Option<String> {
    let tags = info.streams.iter().map(|s| &s.tags).chain([&info.tags]);
    let mut all = tags.flatten();
    let found = all.find(|(key, _)| key.eq_ignore_ascii_case("title"));
    found.map(|(_, value)| value.clone())
}

/// Moments at which chapters begin, in thousandths of a second.
fn chapters(info: &MediaInfo) -> Vec<i64> {
    let starts = info.chapters.iter().map(|chapter| chapter.start_micros);
    starts.map(|micros| (micros + 500) / 1_000).collect()
}

#[test]
fn an_episode_keeps_its_format_its_tags_its_cover_and_its_chapters() {
    let cli = Cli::new();
    for (ending, codec, has_cover, has_chapters) in [
        ("mp3", &["-c:a", "libmp3lame"][..], true, true),
        ("m4a", &["-c:a", "aac"], true, true),
        ("flac", &["-c:a", "flac"], true, false),
        ("wav", &["-c:a", "pcm_s24le"], false, false),
        ("ogg", &["-c:a", "libvorbis"], false, true),
    ] {
        let Some(source) = episode(&cli, ending, codec) else {
            return;
        };
        let ran = cli.run(["do", "loudness", &text(&source)]).expect_code(0);
        let made = cli.folder().join(format!("episode_even.{ending}"));
        let (before, after) = (probe(&source), probe(&made));
        assert_eq!(after.kind, MediaKind::Audio, "{ending}");
        let codec = |info: &MediaInfo| {
            let mut tracks = info.streams.iter().filter(|s| s.kind == StreamKind::Audio);
            tracks.next().unwrap().codec.clone()
        };
        assert_eq!(codec(&after), codec(&before), "{ending}");
        assert_eq!(title(&after).as_deref(), Some("Folge 7: Café"), "{ending}");
        let covers = after.streams.iter().filter(|s| s.video.is_some()).count();
        assert_eq!(covers, usize::from(has_cover), "{ending}");
        // Some formats have no place for chapters, or ffmpeg finds none there.
        if has_chapters && !before.chapters.is_empty() {
            assert_eq!(chapters(&after), [0, 10_000], "{ending}");
        }
        let (samples, rate) = heard(&made);
        let (wanted, _) = heard(&source);
        assert_eq!((samples, rate), (wanted, 44_100), "{ending}");
        let told = cli
            .run(["jobs", "compare", &job_of(&cli, &made)])
            .expect_code(0);
        assert!(told.stdout.contains("-16."), "{ending}: {told:?}");
        assert!(ran.stderr.contains("worked on"), "{ending}: {ran:?}");
        cli.run(["verify", &text(&made)]).expect_code(0);
    }
}

fn job_of(cli: &Cli, output: &Path) -> String {
    let jobs = cli.jobs();
    let found = jobs.iter().find(|job| job["output"] == json!(text(output)));
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn chapters_follow_what_is_cut_out_before_them() {
    let cli = Cli::new();
    let Some(source) = episode(&cli, "mp3", &["-c:a", "libmp3lame"]) else {
        return;
    };
    let cut = json!({"keep": "0-4\n6.5-20\n22.25-", "fade": 10});
    let graph = wired(
        &cli,
        "cut.json",
        &[
            ("in", "source", json!({})),
            ("cut", "cut", cut),
            ("out", "sink", json!({})),
        ],
        &["in.video cut", "cut out.video"],
    );
    for ending in ["mp3", "m4a"] {
        let made = cli.folder().join(format!("cut.{ending}"));
        cli.run(run_of(&graph, &source, &made, &[])).expect_code(0);
        assert_eq!(chapters(&probe(&made)), [0, 7_500], "{ending}");
    }
    // To the sample: 4.75 seconds are gone.
    let made = cli.folder().join("cut.wav");
    let told = cli.run(run_of(&graph, &source, &made, &[])).expect_code(0);
    assert_eq!(heard(&made).0, heard(&source).0 - 44_100 * 475 / 100);
    assert!(told.stderr.contains("the chapters"), "{told:?}");
}

#[test]
fn the_sound_of_a_clip_is_taken_out_as_it_is_coded() {
    let Some(clip) = test_data("media/video/h264_aac_17s_640x360.mp4") else {
        return;
    };
    let cli = Cli::new();
    let told = cli
        .run(["do", "sound", &text(&clip), "-o", &text(&cli.folder())])
        .expect_code(0);
    assert!(!told.stderr.contains("note:"), "{told:?}");
    let made = cli.folder().join("h264_aac_17s_640x360.m4a");
    let packets = |path: &Path| -> Vec<u64> {
        let all = Inventory::take(path, &Arc::default()).unwrap();
        let sound = all.streams.iter().find(|s| s.info.audio.is_some()).unwrap();
        sound.packets.iter().map(|packet| packet.hash).collect()
    };
    assert_eq!(packets(&made), packets(&clip));
    assert_eq!(probe(&made).kind, MediaKind::Audio);
    // In another format it is encoded, at a rate that the format has.
    cli.run(
        ["do", "sound", &text(&clip), "--format", "opus", "-o"]
            .map(str::to_owned)
            .into_iter()
            .chain([text(&cli.folder())]),
    )
    .expect_code(0);
    let (samples, rate) = heard(&cli.folder().join("h264_aac_17s_640x360.opus"));
    assert_eq!(rate, 48_000);
    assert!(samples.abs_diff(heard(&clip).0) < 4_800, "{samples}");
}

#[test]
fn an_intro_is_put_before_an_episode_to_the_sample() {
    let cli = Cli::new();
    let Some(main) = episode(&cli, "wav", &["-c:a", "pcm_s16le"]) else {
        return;
    };
    let intro = cli.folder().join("intro.flac");
    let tone = "sine=f=200:r=48000:d=3";
    if !ffmpeg(&["-f", "lavfi", "-i", tone, "-c:a", "flac", &text(&intro)]) {
        return;
    }
    let trim = json!({"start": {"num": 1, "den": 1}, "end": {"num": 5, "den": 2}});
    let graph = wired(
        &cli,
        "join.json",
        &[
            ("first", "source", json!({"name": "intro"})),
            ("trim", "trim", trim),
            ("then", "source", json!({})),
            ("joined", "concat", json!({})),
            ("out", "sink", json!({})),
        ],
        &[
            "first.video trim",
            "trim joined.in",
            "then.video joined.in",
            "first.audio joined.audio",
            "then.audio joined.audio",
            "joined.out out.video",
            "joined.audio out.audio",
        ],
    );
    let made = cli.folder().join("joined.flac");
    let inputs = [("intro", intro.as_path()), ("main", main.as_path())];
    cli.run(run_with(&graph, &inputs, &made, &[]))
        .expect_code(0);
    // The rate is that of the first.
    assert_eq!(heard(&made), (48_000 * 3 / 2 + 48_000 * 30, 48_000));
}

#[cfg(unix)]
#[test]
fn a_job_of_sound_that_is_killed_goes_on_to_the_same_bytes() {
    let Some(model) = test_data("models/audio/gtcrn_simple.onnx") else {
        return;
    };
    let Some(speech) = test_data("media/speech/silero_vad_test_60s.wav") else {
        return;
    };
    let cli = Cli::new();
    cli.run(["models", "import", &text(&model), "--id", "cleaner"])
        .expect_code(0);
    let source = cli.folder().join("tracks.mka");
    let (from, to) = (text(&speech), text(&source));
    if !ffmpeg(&[
        "-i", &from, "-map", "0", "-map", "0", "-map", "0", "-c:a", "flac", &to,
    ]) {
        return;
    }
    let whole = cli.folder().join("whole.mka");
    let killed = cli.folder().join("killed.mka");
    let words = |to: &Path| ["voice".to_owned(), text(&source), "-o".to_owned(), text(to)];
    cli.run(words(&whole)).expect_code(0);

    let mut child = cli.start(words(&killed));
    wait_until("a finished track", || {
        let files = walk(&cli.data().join("jobs"));
        files.iter().any(|path| path.ends_with("sound-00.sound"))
    });
    signal(child.id(), "KILL");
    child.wait().unwrap();
    wait_until("the end of the worker", || {
        torture::workers_of(&cli).is_empty()
    });
    assert!(!killed.exists(), "it was killed too late");
    let id = job_of(&cli, &killed);
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(
        std::fs::read(&killed).unwrap(),
        std::fs::read(&whole).unwrap()
    );
    assert_eq!(probe(&killed).streams.len(), 3);
}

#[test]
fn what_cannot_be_done_to_sound_is_refused_in_a_sentence() {
    let cli = Cli::new();
    let Some(source) = episode(&cli, "mp3", &["-c:a", "libmp3lame"]) else {
        return;
    };
    let source = text(&source);
    let refused = |words: &[&str], says: &str| {
        let all = words.iter().map(|word| (*word).to_owned());
        let told = cli.run(all);
        assert!(told.stderr.contains(says), "{words:?}: {told:?}");
        assert_ne!(told.code, Some(0), "{words:?}");
    };
    refused(&["do", "enlarge", &source], "holds sound and no picture");
    refused(
        &["do", "voice", &source, "-o", "a.png"],
        "cannot write `.png`",
    );
    refused(
        &["do", "voice", &source, "--name", "{name}_{width}"],
        "no size in pixels",
    );
    let graph = chain(
        &cli,
        "small.json",
        &[("resize", json!({"width": 64, "height": 64}))],
    );
    let out = cli.folder().join("small.mp3");
    let told = cli.run(run_of(&graph, Path::new(&source), &out, &[]));
    assert!(told.stderr.contains("works on pictures"), "{told:?}");
    let tracks = text(&cli.folder().join("tracks.mka"));
    let both = [
        "-i", &source, "-map", "0:a", "-map", "0:a", "-c:a", "flac", &tracks,
    ];
    assert!(ffmpeg(&both));
    refused(&["do", "sound", &tracks, "--format", "wav"], "--drop 1");
    assert!(!cli.folder().join("tracks.wav").exists());
}

#[test]
fn a_folder_gives_its_sound_to_what_is_for_sound_only() {
    let cli = Cli::new();
    let Some(source) = episode(&cli, "mp3", &["-c:a", "libmp3lame"]) else {
        return;
    };
    let folder = cli.folder().join("mixed");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&source, folder.join("a.mp3")).unwrap();
    std::fs::copy(demo_clip(), folder.join("b.mp4")).unwrap();
    let out = cli.folder().join("out");
    let words = |preset: &str| {
        let folder = text(&folder);
        ["do", preset, &folder, "-o", &text(&out)].map(str::to_owned)
    };
    cli.run(words("sound")).expect_code(0);
    let names = |path: &Path| -> Vec<String> {
        let files = walk(path).into_iter();
        let names = files.map(|file| file.file_name().unwrap().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    assert_eq!(names(&out), ["a.m4a", "b.m4a"]);
    cli.run(words("share")).expect_code(0);
    assert_eq!(names(&out), ["a.m4a", "b.m4a", "b_small.mp4"]);
}
