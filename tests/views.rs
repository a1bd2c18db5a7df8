//! What leaves a node of a graph, through the one door: made by a process of its own.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::graphs::{chain, run_of};
use e2e::*;
use frameloom_app::{
    App, ComputeWish, GraphRequest, NodeView, PicturesRequest, Places, ViewRequest,
};
use frameloom_core::error::ErrorCode;
use frameloom_core::graph::Graph;
use frameloom_core::job::{Device, Quality};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The application as the window has it: pictures of nodes come from the built program.
fn app(cli: &Cli) -> Arc<App> {
    let mut places = Places::discover(Some(cli.data())).unwrap();
    places.worker = program("frameloom", "frameloom-cli");
    App::open(places).unwrap()
}

fn wish(graph: Value, source: &Path, at_micros: i64) -> ViewRequest {
    ViewRequest {
        run: GraphRequest {
            graph: Graph::parse(&graph.to_string()).unwrap(),
            inputs: BTreeMap::from([("main".to_owned(), source.to_owned())]),
            output: Default::default(),
            codec: None,
            quality: Quality::Good,
            device: Device::Auto,
            compute: ComputeWish::default(),
            overwrite: false,
            drop: Vec::new(),
            pictures: PicturesRequest::default(),
            commercial: false,
        },
        at_micros,
        max_side: 320,
    }
}

/// A chain of operations as the canvas writes it.
fn line(ops: &[(&str, Value)]) -> Value {
    let mut nodes = vec![json!({"id": "in", "op": "source", "params": {}})];
    for (index, (op, params)) in ops.iter().enumerate() {
        nodes.push(json!({"id": format!("{op}{index}"), "op": op, "params": params}));
    }
    nodes.push(json!({"id": "out", "op": "sink"}));
    let edges: Vec<Value> = nodes
        .windows(2)
        .map(|pair| json!({"from": pair[0]["id"], "to": pair[1]["id"]}))
        .collect();
    json!({"version": 2, "nodes": nodes, "edges": edges})
}

fn key_of(view: &NodeView) -> &str {
    match view {
        NodeView::Picture { key, .. } => key,
        outside => panic!("{outside:?}"),
    }
}

#[test]
fn what_leaves_a_node_is_to_the_pixel_what_a_job_of_that_graph_makes() {
    let cli = Cli::new();
    let ops = [
        (
            "crop",
            json!({"width": 400, "height": 300, "x": 100, "y": 20}),
        ),
        ("color", json!({"exposure": 0.5, "temperature": 4500.0})),
        ("resize", json!({"width": 480, "height": 360})),
    ];
    let document = chain(&cli, "graph.json", &ops);
    let output = cli.folder().join("made.mkv");
    let lossless: &[&str] = &["--codec", "ffv1", "--quality", "lossless"];
    cli.run(run_of(&document, &demo_clip(), &output, lossless))
        .expect_code(0);
    let app = app(&cli);
    for at in [0, 1_400_000] {
        let view = app.view_node(&wish(line(&ops), &demo_clip(), at)).unwrap();
        let picture = app.node_picture(key_of(&view)).unwrap();
        let seen = image::load_from_memory(&picture.bytes).unwrap().to_rgb8();
        let made =
            frameloom_media::thumbnail(&output, Some(at), 320, frameloom_media::Tones::Shown)
                .unwrap();
        assert_eq!((seen.width(), seen.height()), (made.width, made.height));
        assert!(seen.into_raw() == made.data, "it differs at {at}");
        let NodeView::Picture { size, partial, .. } = view else {
            panic!("no picture");
        };
        assert_eq!((size, partial), ((480, 360), false));
    }
    // What was asked for before is there at once, and what is not is said to be gone.
    assert!(app.node_picture("0123").is_err());
    let moved = wish(
        line(&[("trim", json!({"start": {"num": 1, "den": 1}}))]),
        &demo_clip(),
        0,
    );
    assert!(matches!(
        app.view_node(&moved).unwrap(),
        NodeView::Outside {
            from_micros: 1_000_000,
            to_micros: None
        }
    ));
}

#[test]
fn a_model_is_seen_as_far_as_a_second_allows_and_a_model_that_is_not_there_is_named() {
    let cli = Cli::new();
    let app = app(&cli);
    let upscale = |model: &str| {
        wish(
            line(&[("upscale", json!({"model": model}))]),
            &demo_clip(),
            0,
        )
    };
    if std::env::var_os("FRAMELOOM_ONNXRUNTIME").is_some() || app.places().onnxruntime().is_ok() {
        let view = app.view_node(&upscale("loom-x2")).unwrap();
        let NodeView::Picture { size, .. } = view else {
            panic!("no picture");
        };
        assert_eq!(size, (1280, 720));
    } else {
        eprintln!("skipped: no ONNX Runtime");
    }
    let missing = app.view_node(&upscale("not-there")).unwrap_err();
    assert_eq!(missing.code, ErrorCode::ModelNotFound);
    let crop = json!({"width": 9000, "height": 20, "x": 0, "y": 0});
    let refused = app.view_node(&wish(line(&[("crop", crop)]), &demo_clip(), 0));
    let refused = refused.unwrap_err();
    assert!(refused.message.contains("`crop0`"), "{refused}");
    let gone = app.view_node(&wish(line(&[]), Path::new("/not/there.mp4"), 0));
    assert_eq!(gone.unwrap_err().code, ErrorCode::InputNotFound);
}

/// Something that takes long enough to be met in the middle.
fn slow() -> Vec<(&'static str, Value)> {
    vec![
        ("resize", json!({"width": 7680, "height": 4320})),
        ("denoise", json!({"sigma": 8.0})),
        ("denoise", json!({"sigma": 9.0})),
        ("denoise", json!({"sigma": 10.0})),
        ("denoise", json!({"sigma": 11.0})),
        ("resize", json!({"width": 640, "height": 360})),
    ]
}

#[test]
fn a_newer_wish_ends_the_one_before_it() {
    let cli = Cli::new();
    let app = app(&cli);
    let quick = wish(
        line(&[("flip", json!({"axis": "vertical"}))]),
        &demo_clip(),
        0,
    );
    std::thread::scope(|scope| {
        let long = scope.spawn(|| app.view_node(&wish(line(&slow()), &demo_clip(), 0)));
        std::thread::sleep(Duration::from_millis(400));
        app.view_node(&quick).unwrap();
        let ended = long.join().unwrap().unwrap_err();
        assert_eq!(ended.code, ErrorCode::Cancelled);
        let left = scope.spawn(|| app.view_node(&wish(line(&slow()), &demo_clip(), 40_000)));
        std::thread::sleep(Duration::from_millis(400));
        app.stop_viewing();
        assert_eq!(left.join().unwrap().unwrap_err().code, ErrorCode::Cancelled);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_dies_costs_one_picture_and_ends_with_whoever_asked() {
    use e2e::torture::{send_kill, workers_in};
    let cli = Cli::new();
    let app = app(&cli);
    let quick = |at| wish(line(&[]), &demo_clip(), at);
    app.view_node(&quick(0)).unwrap();
    let at_hand = || workers_in(&cli.data());
    let kill = || {
        for pid in at_hand() {
            assert!(send_kill(pid).unwrap());
        }
        // What is dead and not yet waited for has no command line.
        wait_until("its end", || at_hand().is_empty());
    };
    assert_eq!(at_hand().len(), 1);
    // While nobody waits, nobody notices.
    kill();
    app.view_node(&quick(40_000)).unwrap();
    let died = std::thread::scope(|scope| {
        let long = scope.spawn(|| app.view_node(&wish(line(&slow()), &demo_clip(), 0)));
        std::thread::sleep(Duration::from_millis(400));
        kill();
        long.join().unwrap().unwrap_err()
    });
    assert_eq!(died.code, ErrorCode::WorkerCrashed);
    assert!(died.message.contains("killed"), "{died}");
    app.view_node(&quick(80_000)).unwrap();
    drop(app);
    wait_until("the end of the process", || at_hand().is_empty());
}
