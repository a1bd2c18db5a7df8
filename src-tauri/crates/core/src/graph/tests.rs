use super::*;
use crate::pixel::PixelFormat;
use crate::time::{FrameRate, Rational};
use proptest::prelude::*;
use serde_json::{Value, json};

fn upscale() -> Op {
    Op::Upscale {
        model: "loom-x2".into(),
    }
}

/// One of each operation between source and sink.
fn every_op() -> Vec<Op> {
    let third = Rational::new(1, 3).unwrap();
    vec![
        upscale(),
        Op::Onnx(OnnxParams {
            path: "/models/ink.onnx".into(),
            scale: Some(2),
            layout: Some(crate::model::Layout::Nhwc),
            range: Some(crate::model::TensorRange::Symmetric),
            color: Some(crate::model::TensorColor::Bgr),
            tile: Some(256),
        }),
        Op::Resize(ResizeParams {
            width: 64,
            height: 32,
        }),
        Op::Crop(CropParams {
            x: 0,
            y: 2,
            width: 20,
            height: 10,
        }),
        Op::Pad(PadParams {
            width: 100,
            height: 50,
            x: 4,
            y: 4,
            color: "#102030".into(),
        }),
        Op::Rotate(RotateParams { degrees: 270 }),
        Op::Flip(FlipParams {
            axis: FlipAxis::Vertical,
        }),
        Op::Convert {
            format: PixelFormat::YUV420P8,
        },
        Op::Deinterlace(DeinterlaceParams {
            rate: DeinterlaceRate::Field,
            parity: Parity::Bottom,
            frames: InterlacedFrames::Flagged,
        }),
        Op::Fps {
            rate: FrameRate::new(30_000, 1001).unwrap(),
        },
        Op::Stabilise(StabiliseParams {
            smooth: 1.5,
            border: StabiliseBorder::Mirror,
            zoom: 1.25,
        }),
        Op::Interpolate(InterpolateParams {
            rate: None,
            times: Some(4),
            model: Some("rife".into()),
            slow: Rational::new(3, 2),
            sound: Some(SlowSound::Drop),
        }),
        Op::Trim(TrimParams {
            start: Some(third),
            end: Some(third),
        }),
        Op::Cut(CutParams {
            keep: "0-1.5\n2-".into(),
            fade: 15.0,
            heard_by: Some("speech".into()),
        }),
        Op::Denoise(DenoiseParams {
            sigma: 3.5,
            model: Some("m".into()),
        }),
        Op::Color(ColorParams {
            exposure: 0.5,
            temperature: Some(5000.0),
            tint: 3.0,
            lut: Some("/a b/é.cube".into()),
        }),
        Op::Background(BackgroundParams {
            mode: BackgroundMode::Color,
            color: "#00ff00".into(),
            ..BackgroundParams::new("people")
        }),
        Op::Reframe(ReframeParams {
            shape: ReframeShape::Square,
            keys: Some("0 50\n2 30".into()),
            ..ReframeParams::default()
        }),
        Op::Light(LightParams {
            model: Some("lamp".into()),
            strength: 0.5,
            ..LightParams::default()
        }),
        Op::Style(StyleParams {
            colors: StyleColors::Source,
            size: 512,
            ..StyleParams::new("candy")
        }),
        Op::Depth(DepthParams {
            show: DepthShow::Blur,
            side: DepthSide::Both,
            focus: Some(0.25),
            ..DepthParams::new("depth")
        }),
        Op::Redact(RedactParams {
            model: Some("faces".into()),
            cover: RedactMode::Pixelate,
            areas: Some("0 0 10 10 to 3".into()),
            keep: Some("1 0 0 10 10\n\n3 5 5 1 1".into()),
            ..RedactParams::default()
        }),
        Op::Text(TextParams {
            text: Some("hello".into()),
            ..TextParams::default()
        }),
        Op::Subtitles(Box::new(SubtitlesParams {
            back: Some("#102030".into()),
            ..SubtitlesParams::new("/a.srt")
        })),
    ]
}

/// The operations that have other ports, too.
fn every_other_op() -> Vec<Op> {
    vec![
        Op::Source(SourceParams {
            name: Some("logo".into()),
        }),
        Op::Overlay(OverlayParams {
            width: Some(0.25),
            ..OverlayParams::default()
        }),
        Op::Concat,
        Op::Mux(MuxParams::default()),
        Op::Loudness(LoudnessParams::default()),
        Op::AudioDenoise(AudioDenoiseParams::default()),
        Op::AudioRedact(AudioRedactParams {
            ranges: "1-2.5".into(),
            cover: SoundCover::Beep,
        }),
        Op::SplitChannels(SplitChannelsParams::default()),
        Op::SubtitleTrack(Box::new(SubtitleTrackParams {
            language: Some("vi".into()),
            shift: Some(Rational { num: -3, den: 2 }),
            ..SubtitleTrackParams::default()
        })),
        Op::Sink,
    ]
}

#[test]
fn a_chain_of_every_operation_survives_json_and_keeps_its_order() {
    let graph = Graph::chain(every_op());
    let json = serde_json::to_string(&graph).unwrap();
    let back: Graph = serde_json::from_str(&json).unwrap();
    assert_eq!(back, graph);
    let ops: Vec<&Op> = back.ordered_ops().unwrap().iter().map(|o| o.1).collect();
    assert_eq!(ops.len(), every_op().len() + 2);
    assert_eq!(ops[1..ops.len() - 1], every_op().iter().collect::<Vec<_>>());
}

#[test]
fn the_table_names_every_operation_and_every_parameter_that_is_written() {
    let ops = every_op().into_iter().chain(every_other_op());
    let nodes: Vec<Value> = ops
        .map(|op| serde_json::to_value(Node { id: "n".into(), op }).unwrap())
        .collect();
    let mut written: Vec<&str> = nodes.iter().map(|n| n["op"].as_str().unwrap()).collect();
    let mut known: Vec<&str> = shape::ops().map(|s| s.name).collect();
    written.sort_unstable();
    known.sort_unstable();
    assert_eq!(written, known);
    for node in &nodes {
        let shape = shape::find(node["op"].as_str().unwrap()).unwrap();
        let none = serde_json::Map::new();
        let params = node["params"].as_object().unwrap_or(&none);
        let mut written: Vec<&str> = params.keys().map(String::as_str).collect();
        let mut known: Vec<&str> = shape.params.iter().map(|p| p.name).collect();
        written.sort_unstable();
        known.sort_unstable();
        assert_eq!(written, known, "{}", shape.name);
    }
    // And the schema says the same.
    let schema = schema();
    let branches = schema["properties"]["nodes"]["items"]["oneOf"].as_array();
    assert_eq!(branches.unwrap().len(), shape::ops().count());
}

#[test]
fn what_the_table_lets_pass_is_read_with_its_defaults() {
    for shape in shape::ops() {
        // Only what is required, at its limits.
        let mut params = serde_json::Map::new();
        for param in shape.params.iter().filter(|p| p.required) {
            let value = match param.kind {
                shape::Kind::Int { min, .. } => json!(min),
                shape::Kind::Signed { min, .. } => json!(min),
                shape::Kind::Number { min, .. } => json!(min),
                shape::Kind::Choice(words) => json!(words[0]),
                shape::Kind::OneOf(numbers) => json!(numbers[0]),
                shape::Kind::Text
                | shape::Kind::Lines
                | shape::Kind::File(_)
                | shape::Kind::Model => json!("x"),
                shape::Kind::Areas => json!("0 0 10 10"),
                shape::Kind::Paths => json!("0 0 0 10 10"),
                shape::Kind::Keys => json!("0 50"),
                shape::Kind::Color => json!("#ffffff"),
                shape::Kind::Fraction { min, .. } => json!({"num": min, "den": 1}),
                shape::Kind::PixelFormat => {
                    json!({"planes": "gbr", "bits": 8, "alpha": false})
                }
                shape::Kind::Stretches => json!("0-"),
            };
            params.insert(param.name.into(), value);
        }
        if shape.name == "text" {
            params.insert("text".into(), json!("x"));
        }
        let document = json!({
            "version": 2,
            "nodes": [{"id": "a", "op": shape.name, "params": params}],
            "edges": []
        });
        Graph::try_from(document).unwrap_or_else(|e| panic!("{}: {e}", shape.name));
    }
}

#[test]
fn a_document_of_version_one_is_migrated() {
    let old = r##"{"version":1,"nodes":[{"id":"n0","op":"source"},
        {"id":"n1","op":"upscale","params":{"model":"loom-x2"}},{"id":"n2","op":"sink"}],
        "edges":[{"from":"n0","to":"n1"},{"from":"n1","to":"n2"}]}"##;
    assert_eq!(Graph::parse(old).unwrap(), Graph::chain([upscale()]));
}

#[test]
fn a_newer_version_is_refused_before_its_nodes_are_looked_at() {
    let newer = json!({"version": 3, "nodes": [{"hyper": "node"}], "edges": 7});
    assert_eq!(
        Graph::try_from(newer),
        Err(GraphError::Version { found: 3 })
    );
}

#[track_caller]
fn refused(node: Value, parts: &[&str]) {
    let document = json!({"version": 2, "nodes": [node], "edges": []});
    let message = Graph::try_from(document).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

#[test]
fn a_refusal_names_the_node_and_the_remedy() {
    refused(
        json!({"id": "big", "op": "enlarge"}),
        &["`big`", "`enlarge`", "upscale"],
    );
    refused(
        json!({"id": "c", "op": "crop", "params": {"x": 0, "y": 0, "width": 9, "heigth": 9}}),
        &["`c`", "`heigth`", "`height`"],
    );
    refused(
        json!({"id": "c", "op": "resize", "params": {"width": 9}}),
        &["`c`", "`height` is missing", "1 to 65535"],
    );
    refused(
        json!({"id": "r", "op": "resize", "params": {"width": "9", "height": 4}}),
        &["`width` must be a whole number"],
    );
    refused(
        json!({"id": "r", "op": "resize", "params": {"width": 1e9, "height": 4}}),
        &["`width` must be"],
    );
    refused(
        json!({"id": "t", "op": "rotate", "params": {"degrees": 100}}),
        &["90, 180 or 270"],
    );
    refused(
        json!({"id": "f", "op": "fps", "params": {"rate": {"num": 1, "den": 0}}}),
        &["`rate` must be a fraction"],
    );
    refused(
        json!({"id": "p", "op": "pad", "params":
            {"width": 9, "height": 9, "x": 0, "y": 0, "color": "red"}}),
        &["`color`", "#ff8000"],
    );
    refused(json!({"id": "s", "op": "source", "speed": 9}), &["`speed`"]);
    refused(json!({"op": "source"}), &["`id`"]);
}

#[test]
fn absurd_sizes_are_refused() {
    let nodes: Vec<Value> = (0..MAX_NODES + 1)
        .map(|i| json!({"id": format!("{i}"), "op": "source"}))
        .collect();
    let many = json!({"version": 2, "nodes": nodes, "edges": []});
    assert!(
        Graph::try_from(many)
            .unwrap_err()
            .to_string()
            .contains("256")
    );
    refused(
        json!({"id": "m", "op": "upscale", "params": {"model": "x".repeat(5000)}}),
        &["4096"],
    );
    assert!(Graph::parse(&"[".repeat(100_000)).is_err());
    assert!(Graph::parse(&" ".repeat(MAX_DOCUMENT_BYTES + 1)).is_err());
}

#[test]
fn a_circle_is_named_instead_of_running_for_ever() {
    let mut graph = Graph::chain([]);
    for id in ["a", "b"] {
        graph.nodes.push(Node {
            id: id.into(),
            op: upscale(),
        });
    }
    graph.edges.push(Edge::new("a", "b"));
    graph.edges.push(Edge::new("b", "a"));
    assert_eq!(
        graph.ordered_ops(),
        Err(GraphError::Circle {
            ids: "a -> b -> a".into()
        })
    );
    // A node that feeds itself, beside the wire that it has already.
    let mut graph = Graph::chain([upscale()]);
    graph.edges.push(Edge::new("n1", "n1"));
    assert_eq!(
        graph.layout(),
        Err(GraphError::Circle {
            ids: "n1 -> n1".into()
        })
    );
}

#[test]
fn a_document_with_a_byte_order_mark_is_read_and_a_key_given_twice_is_refused_by_name() {
    let json = serde_json::to_string(&Graph::chain([upscale()])).unwrap();
    let marked = format!("\u{feff}{json}");
    assert_eq!(Graph::parse(&marked), Graph::parse(&json));
    assert!(Graph::parse(&marked).is_ok());
    let twice = json.replacen("\"id\":", "\"id\":\"first\",\"id\":", 1);
    let error = Graph::parse(&twice).unwrap_err().to_string();
    assert!(error.contains("`id` is given twice"), "{error}");
}

#[test]
fn a_newer_graph_a_crowded_input_and_a_loose_wire_are_refused() {
    let mut graph = Graph::chain([upscale()]);
    graph.version = 3;
    assert_eq!(graph.layout(), Err(GraphError::Version { found: 3 }));
    let mut graph = Graph::chain([upscale()]);
    graph.edges.push(Edge::new("n0", "n2"));
    assert_eq!(
        graph.layout(),
        Err(GraphError::Crowded {
            id: "n2".into(),
            port: "video"
        })
    );
    let mut graph = Graph::chain([upscale()]);
    graph.edges.pop();
    assert_eq!(
        graph.layout(),
        Err(GraphError::Unconnected {
            id: "n1".into(),
            direction: "output",
            port: "out"
        })
    );
    graph.edges.push(Edge::new("n1", "nowhere"));
    assert!(matches!(
        graph.layout(),
        Err(GraphError::UnknownNode { .. })
    ));
}

#[test]
fn ports_are_found_by_name_and_must_be_of_one_kind() {
    let wire = |from_port: &str, to_port: &str| {
        let mut graph = Graph::chain([]);
        graph.edges.push(Edge {
            from: "n0".into(),
            from_port: Some(from_port.into()),
            to: "n1".into(),
            to_port: Some(to_port.into()),
        });
        graph
    };
    assert!(wire("audio", "audio").layout().is_ok());
    let mixed = wire("audio", "video").layout().unwrap_err();
    assert_eq!(
        mixed.to_string(),
        "`n0.audio` gives sound and `n1.video` takes pictures; connect ports of the same kind"
    );
    let unknown = wire("chapters", "audio").layout().unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the node `n0` has no output `chapters`; it has video, audio, subtitles"
    );
}

/// A graph of nodes with ids and wires `from.port to.port`.
fn wired(nodes: &[(&str, Op)], wires: &[&str]) -> Graph {
    let end = |text: &str| {
        let (id, port) = text.split_once('.').unwrap_or((text, ""));
        (id.to_owned(), (!port.is_empty()).then(|| port.to_owned()))
    };
    Graph {
        version: GRAPH_VERSION,
        nodes: nodes
            .iter()
            .map(|(id, op)| Node {
                id: (*id).into(),
                op: op.clone(),
            })
            .collect(),
        edges: wires
            .iter()
            .map(|wire| {
                let (from, to) = wire.split_once(' ').unwrap();
                let ((from, from_port), (to, to_port)) = (end(from), end(to));
                Edge {
                    from,
                    from_port,
                    to,
                    to_port,
                }
            })
            .collect(),
    }
}

fn source(name: &str) -> Op {
    Op::Source(SourceParams {
        name: Some(name.into()),
    })
}

#[test]
fn clips_that_are_joined_share_the_steps_behind_the_joint() {
    let graph = wired(
        &[
            ("a", source("intro")),
            ("b", Op::Source(SourceParams::default())),
            ("up", upscale()),
            ("both", Op::Concat),
            ("logo", source("logo")),
            ("over", Op::Overlay(OverlayParams::default())),
            ("loud", Op::Loudness(LoudnessParams::default())),
            ("out", Op::Sink),
        ],
        &[
            "a up",
            "up both",
            "b both",
            "a.audio both.audio",
            "b.audio both.audio",
            "both over",
            "logo over.over",
            "over out",
            "both.audio loud",
            "loud out.audio",
        ],
    );
    let layout = graph.layout().unwrap();
    let steps: Vec<Vec<&str>> = layout
        .pictures
        .iter()
        .map(|line| line.steps.iter().map(|step| step.id).collect())
        .collect();
    assert_eq!(steps, [vec!["up", "both", "over"], vec!["both", "over"]]);
    assert_eq!(layout.inputs(), ["intro", "logo", "main"]);
    assert_eq!(layout.main_input(), "intro");
    let side = layout.pictures[1].steps[1].side.as_ref().unwrap();
    assert_eq!((side.source, side.input), ("logo", "logo"));
    let Some(Tracks::Node { id: "loud", of, .. }) = &layout.sound else {
        panic!("{:?}", layout.sound);
    };
    let [Tracks::Node { id: "both", of, .. }] = &of[..] else {
        panic!("{of:?}");
    };
    assert_eq!(of[..], [Tracks::Input("intro"), Tracks::Input("main")]);
    let ids: Vec<&str> = graph.ordered_ops().unwrap().iter().map(|o| o.0).collect();
    assert_eq!(ids, ["a", "up", "both", "over", "out"]);
}

#[test]
fn a_picture_behind_a_foreground_needs_its_wire_and_a_wire_its_mode() {
    let graph = |mode, wires: &[&str]| {
        wired(
            &[
                ("s", Op::Source(SourceParams::default())),
                ("beach", source("beach")),
                (
                    "cut",
                    Op::Background(BackgroundParams {
                        mode,
                        ..BackgroundParams::new("people")
                    }),
                ),
                ("out", Op::Sink),
            ],
            wires,
        )
    };
    let both = ["s cut", "beach cut.behind", "cut out"];
    let right = graph(BackgroundMode::Picture, &both);
    let layout = right.layout().unwrap();
    let side = layout.pictures[0].steps[0].side.as_ref().unwrap();
    assert_eq!((side.source, side.input), ("beach", "beach"));
    assert_eq!(layout.inputs(), ["main", "beach"]);
    let refused = |graph: &Graph| graph.layout().unwrap_err().to_string();
    let message = refused(&graph(BackgroundMode::Blur, &both));
    assert!(message.contains("`cut`") && message.contains("remove the wire"));
    let mut bare = graph(BackgroundMode::Picture, &["s cut", "cut out"]);
    bare.nodes.retain(|node| node.id != "beach");
    assert!(refused(&bare).contains("nothing leads to its input `behind`"));
}

#[test]
fn tracks_of_other_files_are_named_in_the_order_of_their_wires() {
    let graph = wired(
        &[
            ("v", Op::Source(SourceParams::default())),
            ("m", source("music")),
            ("t", source("text")),
            ("mux", Op::Mux(MuxParams::default())),
            ("out", Op::Sink),
        ],
        &[
            "v out",
            "v.audio mux",
            "m.audio mux",
            "t.subtitles mux.subtitles",
            "mux out.audio",
            "mux.subtitles out.subtitles",
        ],
    );
    let layout = graph.layout().unwrap();
    assert_eq!(layout.inputs(), ["main", "music", "text"]);
    let as_it_is = Captions {
        input: "text",
        written: None,
    };
    assert_eq!(layout.subtitles, Some(vec![as_it_is]));
    let Some(Tracks::Node { of, .. }) = &layout.sound else {
        panic!("{:?}", layout.sound);
    };
    assert_eq!(of[..], [Tracks::Input("main"), Tracks::Input("music")]);
}

#[test]
fn a_circle_on_the_way_to_the_sink_is_named() {
    let graph = wired(
        &[
            ("s", Op::Source(SourceParams::default())),
            ("a", Op::Overlay(OverlayParams::default())),
            ("b", upscale()),
            ("out", Op::Sink),
        ],
        &["s a", "b a.over", "a b", "a out"],
    );
    assert_eq!(
        graph.layout(),
        Err(GraphError::Circle {
            ids: "a -> b -> a".into()
        })
    );
}

#[test]
fn branches_that_double_at_every_node_are_refused_instead_of_filling_the_memory() {
    let mut nodes = vec![("s".to_owned(), Op::Source(SourceParams::default()))];
    let mut wires = Vec::new();
    for i in 0..40 {
        let before = nodes.last().unwrap().0.clone();
        let id = format!("o{i}");
        wires.extend([format!("{before} {id}"), format!("{before} {id}.over")]);
        nodes.push((id, Op::Overlay(OverlayParams::default())));
    }
    wires.push("o39 out".to_owned());
    nodes.push(("out".to_owned(), Op::Sink));
    let nodes: Vec<(&str, Op)> = nodes
        .iter()
        .map(|(id, op)| (id.as_str(), op.clone()))
        .collect();
    let wires: Vec<&str> = wires.iter().map(String::as_str).collect();
    assert_eq!(
        wired(&nodes, &wires).layout(),
        Err(GraphError::TooManySteps)
    );
}

/// JSON of any shape, with the words of graphs in it now and then.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("version".to_owned()),
        Just("nodes".to_owned()),
        Just("edges".to_owned()),
        Just("id".to_owned()),
        Just("op".to_owned()),
        Just("params".to_owned()),
        Just("source".to_owned()),
        Just("crop".to_owned()),
        Just("width".to_owned()),
        "\\PC{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0u64..4).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(word.clone(), inner, 0..6)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_the_reader_panic(value in any_json(), nodes in any_json(), edges in any_json()) {
        for document in [value, json!({"version": 2, "nodes": nodes, "edges": edges})] {
            if let Ok(graph) = Graph::try_from(document) {
                let _ = graph.ordered_ops();
            }
        }
    }

    #[test]
    fn no_wiring_makes_the_check_panic_or_run_for_ever(
        wires in proptest::collection::vec((0usize..9, 0usize..9, 0usize..4, 0usize..4), 0..20)
    ) {
        let some = every_op().into_iter().take(4).chain(every_other_op().into_iter().take(4));
        let mut graph = Graph::chain(some);
        let ports = [None, Some("over"), Some("audio"), Some("in")];
        graph.edges = wires
            .into_iter()
            .map(|(from, to, out, into)| Edge {
                from: format!("n{from}"),
                from_port: ports[out].map(str::to_owned),
                to: format!("n{to}"),
                to_port: ports[into].map(str::to_owned),
            })
            .collect();
        let _ = graph.ordered_ops();
    }
}

#[test]
fn what_is_left_out_of_a_source_is_added_up_along_its_line() {
    let trim = |start: i64| {
        Op::Trim(TrimParams {
            start: Rational::new(start, 1000),
            end: None,
        })
    };
    assert_eq!(Graph::chain([]).skipped_micros(), 0);
    let graph = Graph::chain([trim(1500), Op::Deinterlace(Default::default()), trim(250)]);
    assert_eq!(graph.skipped_micros(), 1_750_000);
}

#[test]
fn a_default_of_the_table_is_what_the_program_takes_where_nothing_is_given() {
    for shape in shape::ops() {
        for param in shape.params {
            let Some(default) = param.default else {
                continue;
            };
            let value: serde_json::Value = serde_json::from_str(default).unwrap();
            let given = serde_json::Map::from_iter([(param.name.to_owned(), value.clone())]);
            let wrong: Vec<String> = shape.faults(&given).into_iter().map(|f| f.reason).collect();
            assert!(
                wrong
                    .iter()
                    .all(|reason| !reason.contains(&format!("`{}` must", param.name))),
                "{}: {wrong:?}",
                shape.name
            );
        }
        // Where nothing is required, what the reader makes of nothing is the same.
        if shape.params.is_empty()
            || shape.params.iter().any(|p| p.required)
            || shape.name == "text"
        {
            continue;
        }
        let node = json!({"id": "a", "op": shape.name});
        let node = read::node(node).unwrap();
        let written = serde_json::to_value(&node).unwrap();
        for param in shape.params {
            if let (Some(default), Some(value)) = (param.default, written["params"].get(param.name))
            {
                let default: serde_json::Value = serde_json::from_str(default).unwrap();
                assert_eq!(&default, value, "{}.{}", shape.name, param.name);
            }
        }
    }
}

/// What the window's tests know of the operations is what the program says of them.
#[test]
fn the_kinds_of_nodes_that_the_window_is_tested_with_are_fresh() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../ui/src/ipc/canvas-kinds.json");
    let fresh = serde_json::to_string_pretty(&kinds()).unwrap() + "\n";
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed.replace("\r\n", "\n") != fresh {
        std::fs::write(&path, fresh).unwrap();
        panic!("canvas-kinds.json was stale and has been written anew; commit it");
    }
}
