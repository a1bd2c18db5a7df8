//! What is around the window through the public door: storage, details of failures, its place.

use frameloom_app::{App, CanvasSave, KeptKind, Places, WindowPlace};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Graph, Op};
use frameloom_core::job::*;
use frameloom_store::{Lane, Store};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn job(id: &str, input: &str, output: &Path, state: JobState, sample: bool) -> Job {
    Job {
        id: JobId(id.to_owned()),
        spec: JobSpec {
            version: JOB_SPEC_VERSION,
            input: input.into(),
            pictures: None,
            output: output.to_owned(),
            overwrite: false,
            graph: Graph::chain([Op::Upscale {
                model: "loom-x2".to_owned(),
            }]),
            encode: EncodeSpec::default(),
            device: Device::Auto,
            inputs: Default::default(),
            input_pictures: Default::default(),
            compute: ComputeSpec::default(),
            upright: false,
            sample,
        },
        state,
        progress: JobProgress::default(),
        error: None,
        warnings: Vec::new(),
        provider: None,
        sizes: None,
        created_millis: 1,
        finished_millis: Some(2),
    }
}

fn open(folder: &Path) -> Arc<App> {
    App::open(Places {
        data: folder.to_owned(),
        worker: folder.join("no worker is needed"),
        extra_models: Vec::new(),
    })
    .expect("the data folder opens")
}

fn size_of(app: &App, kind: KeptKind) -> u64 {
    let kept = app.kept().expect("the folders can be read");
    let found = kept.iter().find(|kept| kept.kind == kind);
    found.expect("every kind is listed").size_bytes
}

#[test]
fn samples_that_are_over_and_old_logs_are_cleared_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["samples", "logs", "jobs/running"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    for (name, size) in [
        ("samples/done.mp4", 1000),
        ("samples/waits.mp4", 200),
        ("result.mp4", 10),
        ("logs/studio.2026-11-01.log", 30),
        ("logs/studio.2026-11-22.log", 4),
    ] {
        fs::write(at(name), vec![0; size]).unwrap();
    }
    let (store, _) = Store::open(folder.path()).unwrap();
    for job in [
        job(
            "done",
            "/a.mp4",
            &at("samples/done.mp4"),
            JobState::Succeeded,
            true,
        ),
        job(
            "waits",
            "/b.mp4",
            &at("samples/waits.mp4"),
            JobState::Paused,
            true,
        ),
        job(
            "real",
            "/c.mp4",
            &at("result.mp4"),
            JobState::Succeeded,
            false,
        ),
    ] {
        store.insert_job(&job, Lane::Queue, "null").unwrap();
    }
    drop(store);
    let app = open(folder.path());
    assert_eq!(size_of(&app, KeptKind::Samples), 1200);
    assert_eq!(size_of(&app, KeptKind::Logs), 34);
    assert!(size_of(&app, KeptKind::Models) > 100_000, "bundled models");
    app.clear_kept(KeptKind::Samples).unwrap();
    app.clear_kept(KeptKind::Logs).unwrap();
    app.clear_kept(KeptKind::Previews).unwrap();
    assert_eq!(size_of(&app, KeptKind::Samples), 200);
    assert_eq!(size_of(&app, KeptKind::Logs), 4);
    assert!(at("result.mp4").is_file() && at("samples/waits.mp4").is_file());
    let ids: Vec<String> = app
        .jobs_at_hand()
        .unwrap()
        .into_iter()
        .map(|job| job.id.0)
        .collect();
    assert_eq!(ids, ["real", "waits"]);
    for kind in [KeptKind::Parts, KeptKind::Models, KeptKind::Database] {
        let refused = app.clear_kept(kind).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidRequest);
        assert!(refused.hint.is_some());
    }
    assert!(at("models/loom-x2/manifest.json").is_file());
}

#[test]
fn previews_are_counted_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let app = open(folder.path());
    assert_eq!(size_of(&app, KeptKind::Previews), 0);
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/specimen.jpg");
    app.thumbnail(&picture, 320).unwrap();
    assert!(size_of(&app, KeptKind::Previews) > 1000);
    app.clear_kept(KeptKind::Previews).unwrap();
    assert_eq!(size_of(&app, KeptKind::Previews), 0);
}

#[test]
fn what_is_copied_of_a_failure_tells_what_happened_and_no_name_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("logs")).unwrap();
    let log: String = (0..30)
        .map(|n| {
            format!(
                "2026-11-22T10:00:{n:02}.000000Z  WARN a worker ended job={n} details=\"/home/mai/Phim/đám cưới Lan.mp4: it was killed\" what=đám cưới Lan\n"
            )
        })
        .collect();
    fs::write(folder.path().join("logs/studio.2026-11-22.log"), log).unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let input = "/home/mai/Phim/đám cưới Lan.mp4";
    let output = Path::new("/home/mai/Kết quả/đám cưới Lan_2x.mp4");
    store
        .insert_job(
            &job("one", input, output, JobState::Failed, false),
            Lane::Queue,
            "null",
        )
        .unwrap();
    drop(store);
    let app = open(folder.path());
    let error = AppError::new(
        ErrorCode::WorkerCrashed,
        format!("`{input}` could not be finished."),
    )
    .details("the worker of đám cưới Lan was killed (signal 9), output /home/mai/Kết quả/x");
    let told = app.details_of(&error);
    assert!(told.starts_with("Frameloom "), "{told}");
    assert!(
        told.contains("WorkerCrashed: `[path]` could not be finished."),
        "{told}"
    );
    assert!(told.contains("was killed (signal 9)"), "{told}");
    assert_eq!(told.matches("a worker ended").count(), 10, "{told}");
    assert!(
        told.contains("job=29") && !told.contains("job=19 "),
        "{told}"
    );
    for name in ["Lan", "mai", "Phim", "Kết", "cưới"] {
        assert!(!told.contains(name), "{name} is in: {told}");
    }
}

#[test]
fn the_place_of_the_window_outlives_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let place = WindowPlace {
        x: -7,
        y: 12,
        width: 1200,
        height: 800,
        maximised: true,
    };
    let app = open(folder.path());
    assert_eq!(app.window_place(), None);
    app.set_window_place(place).unwrap();
    drop(app);
    assert_eq!(open(folder.path()).window_place(), Some(place));
}

#[test]
fn pasted_pictures_that_nothing_names_are_cleared_and_those_of_today_stay() {
    let folder = tempfile::tempdir().unwrap();
    let pasted = folder.path().join("pasted");
    fs::create_dir_all(&pasted).unwrap();
    let at = |name: &str| pasted.join(name);
    let specimen = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/specimen.jpg");
    let picture = fs::read(specimen).unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 24 * 3600);
    for name in [
        "job.jpg",
        "Ảnh 1.jpg",
        "earlier.jpg",
        "entry.jpg",
        "gone.jpg",
        "today.jpg",
    ] {
        fs::write(at(name), &picture).unwrap();
        if name != "today.jpg" {
            let file = fs::File::options().append(true).open(at(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
    }
    let (store, _) = Store::open(folder.path()).unwrap();
    let of = at("job.jpg").display().to_string();
    let done = job(
        "done",
        &of,
        &folder.path().join("out.png"),
        JobState::Cancelled,
        false,
    );
    store.insert_job(&done, Lane::Queue, "null").unwrap();
    drop(store);
    let app = open(folder.path());
    app.import(&[at("entry.jpg")]).unwrap();
    let graph = serde_json::to_value(Graph::chain([Op::Upscale {
        model: "loom-x2".to_owned(),
    }]));
    let document = |input: &str| {
        serde_json::json!({
            "version": 1,
            "graph": graph.as_ref().unwrap(),
            "run": {"inputs": {"main": at(input)}},
        })
    };
    let save = |id: Option<String>, input: &str| {
        let save = CanvasSave {
            id,
            name: "Ảnh".to_owned(),
            document: document(input),
            keep: true,
        };
        app.save_canvas(&save).unwrap().id
    };
    // Its first state named another picture, and can be had again.
    let id = save(None, "earlier.jpg");
    save(Some(id), "Ảnh 1.jpg");
    let size = picture.len() as u64;
    let found = |app: &App| {
        let kept = app.kept().unwrap();
        let kept = kept.iter().find(|kept| kept.kind == KeptKind::Pasted);
        kept.map(|kept| (kept.size_bytes, kept.clearable_bytes))
            .unwrap()
    };
    assert_eq!(found(&app), (6 * size, size));
    app.clear_kept(KeptKind::Pasted).unwrap();
    assert_eq!(found(&app), (5 * size, 0));
    assert!(!at("gone.jpg").exists() && at("today.jpg").exists());
}
