//! `frameloom run`: a graph of nodes on a real clip, refusals, and a kill in the middle.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::graphs::{chain, run_of};
use e2e::*;
use frameloom_core::media::StreamKind;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Child;

const LOSSLESS: &[&str] = &["--codec", "ffv1", "--quality", "lossless"];

#[test]
fn an_empty_graph_is_bit_exact_and_four_quarter_turns_are_too() {
    let cli = Cli::new();
    let source = frames(&demo_clip()).unwrap();
    let quarter = ("rotate", json!({"degrees": 90}));
    for (name, ops) in [
        ("nothing", vec![]),
        (
            "round",
            vec![
                quarter.clone(),
                quarter.clone(),
                ("flip", json!({"axis": "vertical"})),
                quarter.clone(),
                quarter,
                ("flip", json!({"axis": "vertical"})),
            ],
        ),
        (
            "padded",
            vec![
                (
                    "pad",
                    json!({"width": 700, "height": 400, "x": 20, "y": 10, "color": "#336699"}),
                ),
                (
                    "crop",
                    json!({"width": 640, "height": 360, "x": 20, "y": 10}),
                ),
            ],
        ),
    ] {
        let document = chain(&cli, &format!("{name}.json"), &ops);
        let output = cli.folder().join(format!("{name}.mkv"));
        let job = cli
            .run(run_of(
                &document,
                &demo_clip(),
                &output,
                &[LOSSLESS, &["--json"]].concat(),
            ))
            .expect_code(0)
            .json();
        assert_eq!(job["state"], "succeeded");
        let result = frames(&output).unwrap();
        assert_eq!(result.len(), source.len(), "{name}");
        for (n, (a, b)) in source.iter().zip(&result).enumerate() {
            assert_eq!(a.1, b.1, "{name}: frame {n}");
        }
    }
}

#[test]
fn a_trimmed_clip_is_cut_to_the_frame_with_its_sound() {
    let cli = Cli::new();
    let (start, end) = (1.0, 2.5);
    let document = chain(
        &cli,
        "trim.json",
        &[(
            "trim",
            json!({"start": {"num": 1, "den": 1}, "end": {"num": 5, "den": 2}}),
        )],
    );
    let output = cli.folder().join("trimmed.mkv");
    cli.run(run_of(&document, &demo_clip(), &output, LOSSLESS))
        .expect_code(0);
    let info = probe(&demo_clip());
    let base = info.main_video().unwrap().0.time_base.ratio().to_f64();
    let expected: Vec<u64> = frames(&demo_clip())
        .unwrap()
        .into_iter()
        .filter(|(t, _)| (start..end).contains(&(*t as f64 * base)))
        .map(|(_, hash)| hash)
        .collect();
    let found: Vec<u64> = frames(&output).unwrap().into_iter().map(|f| f.1).collect();
    assert!(!expected.is_empty());
    assert_eq!(found, expected);
    let result = probe(&output);
    let length = result.duration_micros.unwrap() as f64 / 1e6;
    assert!((length - (end - start)).abs() < 0.06, "{length} s");
    let sounds = |info: &frameloom_core::media::MediaInfo| {
        let audio = info.streams.iter().filter(|s| s.kind == StreamKind::Audio);
        audio.count()
    };
    assert_eq!(sounds(&result), sounds(&info));
}

#[test]
fn an_interlaced_clip_is_deinterlaced_by_default_and_left_alone_when_told() {
    let Some(source) = test_data("media/video/interlaced_tff_640x360.mp4") else {
        return;
    };
    let cli = Cli::new();
    let mut combing = Vec::new();
    for choice in ["auto", "off"] {
        let output = cli.folder().join(format!("{choice}.mkv"));
        let job = cli
            .run([
                "upscale",
                source.to_str().unwrap(),
                "-o",
                output.to_str().unwrap(),
                "--deinterlace",
                choice,
                "--codec",
                "ffv1",
                "--quality",
                "lossless",
                "--json",
            ])
            .expect_code(0)
            .json();
        let kinds: Vec<&str> = job["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w["kind"].as_str().unwrap())
            .collect();
        let wanted = if choice == "auto" {
            "deinterlaced"
        } else {
            "interlaced"
        };
        assert!(kinds.contains(&wanted), "{choice}: {kinds:?}");
        assert_eq!(
            frames(&output).unwrap().len(),
            frames(&source).unwrap().len()
        );
        combing.push(combed_rows(&output));
    }
    assert!(
        combing[0] * 2.0 < combing[1],
        "deinterlacing must take the combs out: {combing:?}"
    );
}

/// How much more two neighbouring lines differ than lines of the same field do, in a clip that
/// was enlarged twice.
fn combed_rows(path: &Path) -> f64 {
    use frameloom_core::pixel::AnyPlane;
    let mut reader = frameloom_media::Reader::open(path, &Default::default()).unwrap();
    let (mut combed, mut all) = (0u64, 0u64);
    while let Some(frame) = reader.next_frame().unwrap() {
        let AnyPlane::U8(luma) = frame.plane(0) else {
            panic!("8 bits");
        };
        for y in (4..luma.height - 4).step_by(4) {
            let rows = [luma.row(y - 2), luma.row(y), luma.row(y + 2)];
            for x in 0..luma.width {
                let [above, here, below] = rows.map(|row| i32::from(row[x]));
                all += 1;
                // Both neighbours far away on the same side: a comb.
                combed += u64::from((above - here) * (below - here) > 900);
            }
        }
    }
    combed as f64 / all as f64
}

#[test]
fn a_turned_phone_clip_is_worked_on_as_it_is_shown() {
    let Some(source) = test_data("media/video/hlg_rot90_phone.mp4") else {
        return;
    };
    let info = probe(&source);
    let video = info.main_video().unwrap().1;
    assert_ne!(video.rotation_degrees, 0);
    let cli = Cli::new();
    let document = chain(
        &cli,
        "flip.json",
        &[("flip", json!({"axis": "horizontal"}))],
    );
    let output = cli.folder().join("flipped.mkv");
    cli.run(run_of(&document, &source, &output, &["--quality", "draft"]))
        .expect_code(0);
    let result = probe(&output);
    let turned = result.main_video().unwrap().1;
    assert_eq!((turned.rotation_degrees, turned.mirrored), (0, false));
    let shown = |path: &Path| {
        frameloom_media::thumbnail(path, Some(0), 240, frameloom_media::Tones::Shown).unwrap()
    };
    let (before, after) = (shown(&source), shown(&output));
    assert_eq!((after.width, after.height), (before.width, before.height));
    let (mut same, mut mirrored) = (0i64, 0i64);
    for y in 0..before.height as usize {
        for x in 0..before.width as usize {
            let at = |image: &frameloom_media::RgbImage, x: usize| {
                i64::from(image.data[(y * image.width as usize + x) * 3 + 1])
            };
            let here = at(&after, x);
            same += (here - at(&before, x)).abs();
            mirrored += (here - at(&before, before.width as usize - 1 - x)).abs();
        }
    }
    assert!(mirrored * 4 < same, "mirrored {mirrored}, same {same}");
}

fn start(cli: &Cli, document: &Path, output: &Path) -> Child {
    cli.start(run_of(
        document,
        &demo_clip(),
        output,
        &["--quality", "draft"],
    ))
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_run_with_temporal_nodes_resumes_to_the_very_same_file() {
    let ops = [
        ("deinterlace", json!({"rate": "field"})),
        ("fps", json!({"rate": {"num": 30000, "den": 1001}})),
        ("upscale", json!({"model": "loom-x2"})),
    ];
    let whole = Cli::new();
    let document = chain(&whole, "graph.json", &ops);
    let expected = whole.folder().join("whole.mp4");
    assert!(
        start(&whole, &document, &expected)
            .wait()
            .unwrap()
            .success()
    );

    let cli = Cli::new();
    let document = chain(&cli, "graph.json", &ops);
    let output = cli.folder().join("resumed.mp4");
    let mut child = start(&cli, &document, &output);
    let since = std::time::Instant::now();
    while cli.parts() == 0 {
        assert!(since.elapsed().as_secs() < 300, "no segment was finished");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while cli.jobs()[0]["state"] == "running" {
        assert!(since.elapsed().as_secs() < 300, "the worker goes on");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert!(
        fs::read(&output).unwrap() == fs::read(&expected).unwrap(),
        "a resumed result must equal an undisturbed one, byte for byte"
    );
}

#[test]
fn graphs_that_cannot_run_are_refused_before_anything_is_done() {
    let cli = Cli::new();
    let output = cli.folder().join("out/never.mp4");
    let refused = |name: &str, document: String, code: i32, parts: &[&str]| {
        let path = cli.folder().join(format!("{name}.json"));
        fs::write(&path, document).unwrap();
        let ran = cli
            .run(run_of(&path, &demo_clip(), &output, &[]))
            .expect_code(code);
        assert!(ran.stderr.contains("hint: "), "{name}: {}", ran.stderr);
        let (message, rest) = ran.stderr.split_once('\n').unwrap();
        let message = message.trim_start_matches("error: ").trim_end_matches('.');
        let cause = message.split_once(": ").map_or(message, |(_, cause)| cause);
        assert!(!rest.contains(cause), "said twice: {}", ran.stderr);
        for part in parts {
            assert!(
                ran.stderr.contains(part),
                "{name}: {part:?} is missing in {}",
                ran.stderr
            );
        }
    };
    let one = |middle: Value| {
        json!({"version": 2, "nodes": [
            {"id": "a", "op": "source"}, middle, {"id": "z", "op": "sink"}],
            "edges": [{"from": "a", "to": "m"}, {"from": "m", "to": "z"}]})
        .to_string()
    };
    refused("text", "Dear graph".into(), 2, &["JSON"]);
    refused(
        "newer",
        r#"{"version":3,"nodes":[],"edges":[]}"#.into(),
        2,
        &["version 3"],
    );
    refused(
        "unknown",
        one(json!({"id": "m", "op": "teleport"})),
        2,
        &["`m`", "`teleport`"],
    );
    refused(
        "outside",
        one(json!({"id": "m", "op": "crop",
            "params": {"x": 600, "y": 0, "width": 600, "height": 100}})),
        2,
        &["`m`", "640 x 360"],
    );
    refused(
        "late-trim",
        json!({"version": 2, "nodes": [
            {"id": "a", "op": "source"}, {"id": "r", "op": "rotate", "params": {"degrees": 90}},
            {"id": "m", "op": "trim", "params": {}}, {"id": "z", "op": "sink"}],
            "edges": [{"from": "a", "to": "r"}, {"from": "r", "to": "m"}, {"from": "m", "to": "z"}]})
        .to_string(),
        2,
        &["`m`", "right after the source"],
    );
    refused(
        "circle",
        json!({"version": 2, "nodes": [
            {"id": "a", "op": "source"}, {"id": "z", "op": "sink"},
            {"id": "x", "op": "rotate", "params": {"degrees": 90}},
            {"id": "y", "op": "rotate", "params": {"degrees": 90}}],
            "edges": [{"from": "a", "to": "z"}, {"from": "x", "to": "y"}, {"from": "y", "to": "x"}]})
        .to_string(),
        2,
        &["x -> y -> x", "circle"],
    );
    refused(
        "self",
        json!({"version": 2, "nodes": [
            {"id": "a", "op": "source"}, {"id": "z", "op": "sink"},
            {"id": "x", "op": "rotate", "params": {"degrees": 90}}],
            "edges": [{"from": "a", "to": "x"}, {"from": "x", "to": "x"}, {"from": "x", "to": "z"}]})
        .to_string(),
        2,
        &["x -> x", "circle"],
    );
    refused(
        "tiny",
        one(json!({"id": "m", "op": "resize", "params": {"width": 1, "height": 1}})),
        2,
        &["`m`", "1 x 1"],
    );
    refused(
        "odd",
        one(json!({"id": "m", "op": "crop",
            "params": {"x": 3, "y": 1, "width": 100, "height": 100}})),
        2,
        &["(2, 0)"],
    );
    refused(
        "behind",
        one(json!({"id": "m", "op": "trim", "params": {"start": {"num": 900, "den": 1}}})),
        2,
        &["`m`", "900.00 s", "the clip ends at"],
    );
    refused(
        "twice",
        r#"{"version":2,"nodes":[{"id":"a","op":"source","op":"sink"}],"edges":[]}"#.into(),
        2,
        &["`op` is given twice"],
    );
    refused(
        "no-lut",
        one(json!({"id": "m", "op": "color", "params": {"lut": "/nowhere/x.cube"}})),
        2,
        &["/nowhere/x.cube"],
    );
    assert!(cli.jobs().is_empty());
    assert!(!output.exists());
    // Wrong names are usage errors, wrong inputs are refused as everywhere.
    let document = chain(&cli, "fine.json", &[]);
    let marked = format!("\u{feff}{}", fs::read_to_string(&document).unwrap());
    fs::write(&document, marked).unwrap();
    cli.run(run_of(&document, Path::new("/nowhere.mp4"), &output, &[]))
        .expect_code(3);
    cli.run(run_of(&document, &demo_clip(), Path::new("x.docx"), &[]))
        .expect_code(2);
}

#[test]
fn the_schema_is_printed_and_names_every_operation() {
    let cli = Cli::new();
    let schema = cli.run(["run", "--schema"]).expect_code(0).json();
    assert_eq!(schema["properties"]["version"]["const"], 2);
    let text = schema.to_string();
    for op in ["upscale", "deinterlace", "fps", "trim", "pad", "color"] {
        assert!(text.contains(&format!("\"const\":\"{op}\"")), "{op}");
    }
    assert!(!cli.data().exists(), "nothing is made for it");
}

#[test]
fn a_still_picture_goes_through_the_same_nodes() {
    let cli = Cli::new();
    let source = cli.folder().join("a.png");
    write_png(&source, 20, 10, |x, y| [x as u8 * 10, y as u8 * 20, 7]).unwrap();
    let document = chain(
        &cli,
        "still.json",
        &[
            ("rotate", json!({"degrees": 90})),
            (
                "pad",
                json!({"width": 14, "height": 22, "x": 2, "y": 1, "color": "#ff8000"}),
            ),
        ],
    );
    let output = cli.folder().join("b.png");
    cli.run(run_of(&document, &source, &output, &[]))
        .expect_code(0);
    let picture = image::open(&output).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (14, 22));
    assert_eq!(picture.get_pixel(0, 0).0, [255, 128, 0]);
    // The lower left corner of the source comes to the upper left.
    assert_eq!(picture.get_pixel(2, 1).0, [0, 180, 7]);
    assert_eq!(picture.get_pixel(11, 20).0, [190, 0, 7]);
    let moving = chain(
        &cli,
        "fps.json",
        &[("fps", json!({"rate": {"num": 9, "den": 1}}))],
    );
    let ran = cli
        .run(run_of(&moving, &source, &cli.folder().join("c.png"), &[]))
        .expect_code(2);
    assert!(ran.stderr.contains("fps-0"), "{}", ran.stderr);
}
