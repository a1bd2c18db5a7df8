//! Faults behind nodes that turn, cut, cover and recolour pictures.

use super::*;

/// Chains that turn, cut, cover and recolour pictures, with the faults that show in spite of it.
fn chains(frame: &Frame, subtitles: &Path) -> Vec<(&'static str, Vec<Op>, Vec<Fault>)> {
    let (width, height) = (frame.width(), frame.height());
    let turn = |degrees| Op::Rotate(RotateParams { degrees });
    let pad = Op::Pad(PadParams {
        width: width + 60,
        height: height + 40,
        x: 20,
        y: 30,
        color: "#204060".into(),
    });
    let upside_down = Op::Flip(FlipParams {
        axis: FlipAxis::Vertical,
    });
    // Behind a size of two: an odd place in the source.
    let cut = Op::Crop(CropParams {
        x: width / 8 * 2,
        y: 6,
        width: width / 2 * 2,
        height: height / 2 * 2,
    });
    let some = |left_out: &[Fault]| -> Vec<Fault> {
        FAULTS
            .iter()
            .copied()
            .filter(|f| !left_out.contains(f))
            .collect()
    };
    let tones = [
        // One of the clips is nearly the same upside down.
        Fault::Flip,
        Fault::SwapChannels,
        Fault::StretchRange,
        Fault::SqueezeRange,
        Fault::WrongRangeTag,
        Fault::DarkTile,
    ];
    // Where text may lie anywhere, only what spoils most of the picture shows.
    let places = [
        Fault::Flip,
        Fault::Drop,
        Fault::Delay,
        Fault::Shift(8),
        Fault::DarkTile,
        Fault::SwapChannels,
        Fault::StretchRange,
        Fault::SqueezeRange,
    ];
    vec![
        ("a turn", vec![turn(90)], some(&[])),
        ("two turns", vec![turn(270), upside_down.clone()], some(&[])),
        (
            "everything",
            vec![
                doubled(frame),
                cut,
                turn(90),
                Op::Flip(FlipParams {
                    axis: FlipAxis::Horizontal,
                }),
            ],
            some(&[]),
        ),
        ("bars", vec![pad, turn(180)], some(&[])),
        (
            "less noise",
            vec![Op::Denoise(DenoiseParams::default())],
            some(&[]),
        ),
        (
            "more light",
            vec![
                Op::Color(ColorParams {
                    exposure: 0.4,
                    temperature: Some(5000.0),
                    ..ColorParams::default()
                }),
                upside_down,
            ],
            some(&tones),
        ),
        (
            "text",
            vec![
                Op::Text(TextParams {
                    text: Some("A line of text\nand another".into()),
                    size: 12.0,
                    ..TextParams::default()
                }),
                turn(90),
            ],
            some(&[]),
        ),
        (
            "subtitles",
            vec![Op::Text(TextParams {
                file: Some(subtitles.to_string_lossy().into_owned()),
                ..TextParams::default()
            })],
            some(&places),
        ),
    ]
}

/// Subtitles that are always there.
fn write_subtitles(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("a.srt");
    std::fs::write(&path, "1\n00:00:00,000 --> 01:00:00,000\nA line of text\n").unwrap();
    path
}

#[test]
fn faults_are_caught_behind_nodes_that_turn_cut_cover_and_recolour() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let subtitles = write_subtitles(&folder);
    let mut missed = Vec::new();
    for clip in ["h264_aac_17s_640x360.mp4", "sar_2x1.mp4"] {
        let sources = frames(&data.join(clip), 24);
        for (name, ops, faults) in chains(&sources[0], &subtitles) {
            let line = Line::new(&sources, &ops);
            for fault in faults {
                match line.judge(Some(fault)).1 {
                    Ok(()) => missed.push(format!("{clip}, {name}: {fault:?}")),
                    Err(reason) => println!("{clip}, {name}: {fault:?}: {reason}"),
                }
            }
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}");
}

#[test]
fn no_real_clip_raises_a_false_alarm_behind_such_nodes() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let subtitles = write_subtitles(&folder);
    let mut alarms = Vec::new();
    for file in files_in(&data) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let sources = frames(&file, 8);
        let Some(first) = sources.first() else {
            continue;
        };
        if first.width() * first.height() > 1280 * 720 {
            continue;
        }
        for (what, ops, _) in chains(first, &subtitles) {
            let large = first.width() * first.height() > 320 * 240;
            if first.color().is_hdr() && what == "more light" || large && what == "less noise" {
                continue;
            }
            let (verifier, judged) = Line::new(&sources, &ops).judge(None);
            println!("{name}, {what}: {:?}", verifier.found());
            if let Err(reason) = judged {
                alarms.push(format!("{name}, {what}: {reason}"));
            }
        }
    }
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn a_cut_out_part_is_compared_with_its_place_in_the_source() {
    let Some(data) = data() else { return };
    let sources = frames(&data.join("h264_aac_17s_640x360.mp4"), 10);
    let crop = |x| {
        Op::Crop(CropParams {
            x,
            y: 64,
            width: 320,
            height: 200,
        })
    };
    let (verifier, judged) = Line::new(&sources, &[crop(128)]).judge(None);
    assert_eq!(judged, Ok(()));
    assert_eq!(verifier.found().compared, sources.len() as u64);
    // The same cut, judged as if it had been made elsewhere.
    let input = format_of(&sources[0], Rational { num: 1, den: 1 }, Pace::STILL);
    let wrong = crop(160);
    let mut node = filter(&crop(128), &input);
    let passed = Passed::plain(&wrong, &input, node.output());
    let mut verifier = Verifier::new(&input, &[passed]);
    let mut alarm = false;
    for source in &sources {
        let before = verifier.watcher().before(source);
        alarm |= verifier
            .after(before, &node.process(source).unwrap())
            .is_err();
    }
    assert!(alarm || verifier.end_segment().is_err());
}
