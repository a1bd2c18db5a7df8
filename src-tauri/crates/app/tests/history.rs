//! The history through the public door, with as many jobs as years of work leave behind.

use frameloom_app::{App, HistoryQuery, Places};
use frameloom_core::graph::{Graph, Op};
use frameloom_core::job::*;
use frameloom_store::{Lane, Store};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

const MANY: usize = 3000;

fn job(number: usize) -> Job {
    let name = ["ngõ nhỏ Hà Nội", "Đá và nước", "fête de l’été", "harbour"][number % 4];
    let state = match number % 10 {
        3 => JobState::Failed,
        7 => JobState::Cancelled,
        _ => JobState::Succeeded,
    };
    Job {
        id: JobId(format!("{number:05}")),
        spec: JobSpec {
            version: JOB_SPEC_VERSION,
            input: format!("/phim/{name} {number}.mp4").into(),
            pictures: None,
            output: format!("/ra/{number}.mp4").into(),
            overwrite: false,
            graph: Graph::chain([Op::Upscale {
                model: "loom-x2-web".to_owned(),
            }]),
            encode: EncodeSpec::default(),
            device: Device::Auto,
            inputs: Default::default(),
            input_pictures: Default::default(),
            compute: ComputeSpec::default(),
            upright: false,
            sample: false,
        },
        state,
        progress: JobProgress::default(),
        error: None,
        warnings: Vec::new(),
        provider: None,
        sizes: None,
        created_millis: number as i64,
        finished_millis: Some(1_000_000 + number as i64),
    }
}

fn app_with_a_past() -> (tempfile::TempDir, Arc<App>) {
    let folder = tempfile::tempdir().expect("there is room for a test");
    let places = Places {
        data: folder.path().to_owned(),
        worker: folder.path().join("no worker is needed"),
        extra_models: Vec::new(),
    };
    let (store, _) = Store::open(folder.path()).expect("the database is made");
    for number in 0..MANY {
        let inserted = store.insert_job(&job(number), Lane::Direct, "null");
        inserted.expect("a job is stored");
    }
    drop(store);
    let app = App::open(places).expect("the data folder opens");
    (folder, app)
}

fn query(text: &str, outcome: Option<JobState>, skip: u32, limit: u32) -> HistoryQuery {
    HistoryQuery {
        text: text.to_owned(),
        outcome,
        skip,
        limit,
    }
}

#[test]
fn thousands_of_jobs_are_paged_without_a_gap_and_found_without_their_accents() {
    let (_folder, app) = app_with_a_past();
    let mut seen = BTreeSet::new();
    let mut newest = i64::MAX;
    for skip in (0..MANY as u32).step_by(400) {
        let page = app.history(&query("", None, skip, 400)).unwrap();
        assert_eq!(page.found as usize, MANY);
        for job in page.jobs {
            let ended = job.finished_millis.unwrap();
            assert!(ended < newest, "newest first");
            newest = ended;
            assert!(seen.insert(job.id), "no job is on two pages");
        }
    }
    assert_eq!(seen.len(), MANY);

    let began = Instant::now();
    let page = app.history(&query("DA nuoc", None, 0, 50)).unwrap();
    println!("found among {MANY} in {:?}", began.elapsed());
    assert_eq!((page.found as usize, page.jobs.len()), (MANY / 4, 50));
    assert!(page.jobs.iter().all(|job| {
        let name = job.spec.input.to_string_lossy().into_owned();
        name.contains("Đá và nước")
    }));
    let by_model = app.history(&query("ete web", None, 0, 1)).unwrap();
    assert_eq!(by_model.found as usize, MANY / 4);
    let failed = Some(JobState::Failed);
    let page = app.history(&query("harbour", failed, 0, 500)).unwrap();
    assert!(page.jobs.iter().all(|job| job.state == JobState::Failed));
    assert_eq!(page.jobs.len(), page.found as usize);
    assert_eq!(page.found, 150);
    assert_eq!(
        (page.succeeded, page.failed, page.cancelled),
        (2400, 300, 300)
    );
    assert_eq!(app.history(&query("nowhere", None, 0, 9)).unwrap().found, 0);
}

#[test]
fn a_job_that_is_put_away_leaves_the_list_and_not_the_history_and_one_that_is_removed_leaves_both()
{
    let (_folder, app) = app_with_a_past();
    let id = JobId("00012".to_owned());
    app.put_away(&id).unwrap();
    let on_list = |app: &App| {
        let jobs = app.jobs_at_hand().unwrap();
        jobs.iter().any(|job| job.id == id)
    };
    assert!(!on_list(&app));
    let found = || {
        app.history(&query("NOI /ra/12.mp4", None, 0, 5))
            .unwrap()
            .found
    };
    assert_eq!(found(), 1);
    app.take_out(&id).unwrap();
    assert!(on_list(&app));
    app.remove(&id).unwrap();
    assert!(!on_list(&app));
    assert_eq!(found(), 0);
}
