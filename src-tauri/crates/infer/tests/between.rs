//! Networks that make the picture between two: how they are told apart, fed and read.

mod common;

use common::onnx::{Dim, Told, mixed};
use common::{runtime, specimen};
use frameloom_core::job::Device;
use frameloom_core::model::{Moment, MomentPlanes, Task};
use frameloom_infer::{
    BetweenSession, Hints, InferError, InferenceSession, Inspection, SessionOptions, inspect,
    load_onnx,
};
use std::path::Path;

fn look(path: &Path, task: Option<Task>) -> Result<Inspection, InferError> {
    let hints = Hints {
        task,
        ..Hints::default()
    };
    inspect(&runtime(), path, &hints, &specimen())
}

fn plane() -> Vec<Dim> {
    vec![Dim::Fixed(1), Dim::Fixed(1), Dim::Open("h"), Dim::Open("w")]
}

#[test]
fn every_family_is_found_and_gives_what_its_graph_says() {
    let folder = tempfile::tempdir().unwrap();
    let ones = |count: usize| Told::By((0..count).map(|_| Dim::Fixed(1)).collect());
    let number = |dimensions| {
        Some(Moment::Number {
            input: "t".into(),
            dimensions,
        })
    };
    let channels = |planes| Some(Moment::Channels { planes });
    let families = [
        ("number", ones(1), number(1)),
        ("scalar", ones(0), number(0)),
        ("four", ones(4), number(4)),
        (
            "plane",
            Told::By(plane()),
            Some(Moment::Plane { input: "t".into() }),
        ),
        ("middle", Told::Never, None),
        ("six", Told::Channel(6), None),
        ("seven", Told::Channel(7), channels(MomentPlanes::Moment)),
        (
            "eight",
            Told::Channel(8),
            channels(MomentPlanes::MomentAndScale),
        ),
        (
            "eleven",
            Told::Channel(11),
            channels(MomentPlanes::MomentAndGrid),
        ),
    ];
    for (name, told, moment) in families {
        let path = folder.path().join(format!("{name}.onnx"));
        std::fs::write(&path, mixed(&told, 8, false)).unwrap();
        let found = look(&path, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        let manifest = found.manifest;
        assert_eq!(manifest.task, Task::Between, "{name}");
        let spec = manifest.between.clone().unwrap();
        assert_eq!(spec.moment, moment, "{name}");
        assert_eq!(
            spec.second.is_some(),
            !matches!(told, Told::Channel(_)),
            "{name}"
        );
        assert_eq!(
            (manifest.tile.multiple, manifest.tile.min),
            (8, 64),
            "{name}"
        );
        let model = load_onnx(&path, &manifest).unwrap();
        let options = SessionOptions {
            device: Device::Cpu,
            ..SessionOptions::default()
        };
        let (session, _) = InferenceSession::open(&runtime(), &model, &options).unwrap();
        let mut session = BetweenSession::new(session).unwrap();
        // Sides that the network does not take.
        let size = (77, 131);
        assert_eq!(session.size_for(size), Some((80, 136)));
        let pictures: Vec<Vec<Vec<f32>>> = (0..2)
            .map(|picture| {
                let value = |n: usize| ((n * 7 + picture * 31) % 101) as f32 / 100.0;
                let plane = |c: usize| (0..size.0 * size.1).map(move |n| value(n + c)).collect();
                (0..3).map(plane).collect()
            })
            .collect();
        let rgb = |picture: usize| [0, 1, 2].map(|c| &pictures[picture][c][..]);
        let mut out = <[Vec<f32>; 3]>::default();
        for moment in [0.25, 0.5, 0.9] {
            session
                .run([rgb(0), rgb(1)], size, moment, &mut out)
                .unwrap();
            let way = if session.knows_moments() { moment } else { 0.5 };
            for (channel, made) in out.iter().enumerate() {
                assert_eq!(made.len(), size.0 * size.1);
                let pairs = pictures[0][channel].iter().zip(&pictures[1][channel]);
                for ((a, b), made) in pairs.zip(made) {
                    let wanted = a + (b - a) * way;
                    assert!((made - wanted).abs() < 1e-5, "{name} at {moment}: {made}");
                }
            }
        }
        assert!(
            session
                .run([rgb(0), rgb(1)], (5, 5), 0.5, &mut out)
                .is_err()
        );
    }
}

#[test]
fn what_goes_from_the_second_to_the_first_or_takes_no_pictures_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.onnx");
    std::fs::write(&path, mixed(&Told::By(vec![Dim::Fixed(1)]), 1, true)).unwrap();
    let refused = look(&path, None).unwrap_err().to_string();
    assert!(refused.contains("moment"), "{refused}");
    std::fs::write(&path, common::onnx::pictures("Identity", 3)).unwrap();
    let refused = look(&path, Some(Task::Between)).unwrap_err().to_string();
    assert!(refused.contains("two pictures"), "{refused}");
    // More than two pictures, or a moment of many numbers.
    let many = Told::By(vec![Dim::Fixed(1), Dim::Fixed(5)]);
    std::fs::write(&path, mixed(&many, 1, false)).unwrap();
    let refused = look(&path, None).unwrap_err().to_string();
    assert!(refused.contains("inputs"), "{refused}");
}
