//! Projects through the public door, as far as no worker is needed for them.

use frameloom_app::project::{ProjectProgress, ProjectSave, ProjectStep, SourceState, Watch};
use frameloom_app::{App, Places};
use frameloom_core::error::ErrorCode;
use frameloom_core::graph::{FlipAxis, FlipParams, Graph, Op};
use serde_json::json;
use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

fn open(folder: &Path) -> Arc<App> {
    App::open(Places {
        data: folder.to_owned(),
        worker: folder.join("no worker is needed"),
        extra_models: Vec::new(),
    })
    .expect("the data folder opens")
}

#[test]
fn the_files_of_a_copied_project_are_read_once_with_progress_and_that_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("here")).unwrap();
    fs::create_dir_all(at("there")).unwrap();
    let specimen = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/specimen.jpg");
    fs::copy(specimen, at("here/ảnh.jpg")).unwrap();
    let graph = Graph::chain([Op::Flip(FlipParams {
        axis: FlipAxis::Horizontal,
    })]);
    let graph = serde_json::to_value(graph).unwrap();
    let save = ProjectSave {
        path: at("here/film.frameloom"),
        from: None,
        id: None,
        title: "Film".to_owned(),
        document: json!({
            "version": 1,
            "graph": graph,
            "run": {"inputs": {"main": at("here/ảnh.jpg")}},
        }),
        graph,
    };
    open(&at("data"))
        .save_project(&save, &Watch::quiet())
        .unwrap();
    for name in ["film.frameloom", "ảnh.jpg"] {
        fs::copy(at("here").join(name), at("there").join(name)).unwrap();
    }
    // As a copy from another disk has it.
    let copied = fs::File::options()
        .append(true)
        .open(at("there/ảnh.jpg"))
        .unwrap();
    copied
        .set_modified(SystemTime::now() - Duration::from_secs(999))
        .unwrap();
    let size = copied.metadata().unwrap().len();

    let app = open(&at("data of another computer"));
    let project = at("there/film.frameloom");
    let stop = AtomicBool::new(false);
    let stopping = |_: &ProjectProgress| stop.store(true, Ordering::SeqCst);
    let stopped = app.open_project(&project, &Watch::new(&stopping, &stop));
    assert_eq!(stopped.unwrap_err().code, ErrorCode::Cancelled);
    assert_eq!(app.recent_projects().unwrap(), []);

    let told = RefCell::new(Vec::new());
    let note = |progress: &ProjectProgress| told.borrow_mut().push(progress.clone());
    let never = AtomicBool::new(false);
    let watch = Watch::new(&note, &never);
    let opened = app.open_project(&project, &watch).unwrap();
    assert_eq!(opened.sources[0].state, SourceState::Same);
    let at_end = ProjectProgress {
        step: ProjectStep::Reading,
        name: "ảnh.jpg".to_owned(),
        done: size,
        total: size,
    };
    assert_eq!(told.borrow().last(), Some(&at_end));
    told.borrow_mut().clear();
    app.open_project(&project, &watch).unwrap();
    assert_eq!(*told.borrow(), []);
}
