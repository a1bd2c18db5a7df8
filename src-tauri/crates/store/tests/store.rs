//! The database through its public face.

use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::Graph;
use frameloom_core::job::*;
use frameloom_core::media::Warning;
use frameloom_store::{DATABASE_FILE, KeepVersions, Lane, Outcome, SegmentRow, Store, StoreError};
use std::collections::BTreeSet;
use std::time::Duration;

fn job(id: &str, created_millis: i64) -> Job {
    Job {
        id: JobId(id.into()),
        spec: JobSpec {
            version: JOB_SPEC_VERSION,
            input: "/video/été 日本.mp4".into(),
            pictures: None,
            output: "/video/out.mp4".into(),
            overwrite: false,
            graph: Graph::chain([]),
            encode: EncodeSpec::default(),
            device: Device::Auto,
            inputs: Default::default(),
            input_pictures: Default::default(),
            compute: Default::default(),
            upright: false,
            sample: false,
        },
        state: JobState::Queued,
        progress: JobProgress::default(),
        error: None,
        warnings: vec![],
        provider: None,
        sizes: None,
        created_millis,
        finished_millis: None,
    }
}

fn segment(position: u64) -> SegmentRow {
    SegmentRow {
        position,
        clip: 1,
        source_frames: 24,
        frames: 48,
        part: format!("{position:05}.part"),
        part_bytes: 1000,
        last_source_pts: -7,
        last_source_hash: u64::MAX - position,
        picture_check: format!("{{\"compared\":{position}}}"),
        sides: format!("[{position}]"),
    }
}

#[test]
fn a_job_is_read_back_as_it_was_stored_by_another_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut wanted = job("a", 5);
    store.insert_job(&wanted, Lane::Direct, "{}").unwrap();
    wanted.warnings = vec![Warning::DamagedFrames { frames: 3 }];
    wanted.provider = Some(ProviderChoice {
        provider: "CPUExecutionProvider".into(),
        fallback_reason: Some("no card".into()),
        device: Device::Cpu,
        arithmetic: Arithmetic::F32,
        on_processor: true,
        reason: None,
        fallback_said: None,
        said: None,
    });
    wanted.sizes = Some(PictureSizes {
        input: (1, 2),
        output: (2, 4),
    });
    store.set_warnings(&wanted.id, &wanted.warnings).unwrap();
    store
        .set_provider(&wanted.id, wanted.provider.as_ref().unwrap())
        .unwrap();
    store.set_sizes(&wanted.id, &wanted.sizes.unwrap()).unwrap();

    let (other, _) = Store::open(folder.path()).unwrap();
    let row = other.job(&wanted.id).unwrap();
    assert_eq!(row.job, wanted);
    assert_eq!(row.lane, Lane::Direct);
    assert_eq!(row.plan.as_deref(), Some("{}"));
}

#[test]
fn a_state_changes_only_from_the_states_that_were_named() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let job = job("a", 1);
    store.insert_job(&job, Lane::Queue, "{}").unwrap();
    let failure = AppError::new(ErrorCode::DiskFull, "The disk is full.");
    assert!(
        !store
            .change_state(
                &job.id,
                &[JobState::Running],
                JobState::Failed,
                Some(&failure),
                9
            )
            .unwrap()
    );
    assert_eq!(store.job(&job.id).unwrap().job.state, JobState::Queued);
    assert!(
        store
            .change_state(
                &job.id,
                &[JobState::Queued],
                JobState::Failed,
                Some(&failure),
                9
            )
            .unwrap()
    );
    let failed = store.job(&job.id).unwrap().job;
    assert_eq!(
        (failed.state, failed.finished_millis),
        (JobState::Failed, Some(9))
    );
    assert_eq!(failed.error, Some(failure));
    // A resumed job has no error and no end.
    store
        .change_state(&job.id, &[JobState::Failed], JobState::Queued, None, 10)
        .unwrap();
    let again = store.job(&job.id).unwrap().job;
    assert_eq!((again.error, again.finished_millis), (None, None));
}

#[test]
fn the_queue_gives_the_oldest_queued_job_and_leaves_direct_ones_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    store
        .insert_job(&job("direct", 1), Lane::Direct, "{}")
        .unwrap();
    store
        .insert_job(&job("late", 3), Lane::Queue, "{}")
        .unwrap();
    store
        .insert_job(&job("early", 2), Lane::Queue, "{}")
        .unwrap();
    assert_eq!(
        store
            .next_queued(&BTreeSet::new())
            .unwrap()
            .unwrap()
            .job
            .id
            .0,
        "early"
    );
    store.delete_job(&JobId("early".into())).unwrap();
    store.delete_job(&JobId("late".into())).unwrap();
    assert!(store.next_queued(&BTreeSet::new()).unwrap().is_none());
}

#[test]
fn segments_are_recorded_once_and_go_with_their_job() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let job = job("a", 1);
    store.insert_job(&job, Lane::Queue, "{}").unwrap();
    store.record_segment(&job.id, &segment(1), 1).unwrap();
    store.record_segment(&job.id, &segment(0), 1).unwrap();
    assert!(store.record_segment(&job.id, &segment(0), 1).is_err());
    assert_eq!(store.segments(&job.id).unwrap(), [segment(0), segment(1)]);
    store.forget_segments_from(&job.id, 1).unwrap();
    assert_eq!(store.segments(&job.id).unwrap(), [segment(0)]);
    store.delete_job(&job.id).unwrap();
    assert!(store.segments(&job.id).unwrap().is_empty());
    assert!(matches!(
        store.delete_job(&job.id),
        Err(StoreError::NoJob(_))
    ));
    assert!(
        store.record_segment(&job.id, &segment(0), 1).is_err(),
        "a segment without a job would never be cleaned up"
    );
}

#[test]
fn a_damaged_database_is_set_aside_and_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(DATABASE_FILE);
    std::fs::write(&path, "this was a database once, before the disk failed").unwrap();
    let (store, aside) = Store::open(folder.path()).unwrap();
    let aside = aside.expect("the damage must be told");
    assert_eq!(
        std::fs::read(&aside.path).unwrap(),
        b"this was a database once, before the disk failed"
    );
    store.insert_job(&job("a", 1), Lane::Queue, "{}").unwrap();
    drop(store);
    let (store, aside) = Store::open(folder.path()).unwrap();
    assert!(aside.is_none());
    assert_eq!(store.jobs().unwrap().0.len(), 1);
}

#[test]
fn a_database_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    let path = folder.path().join(DATABASE_FILE);
    // The user version is the big-endian word at byte 60 of the header (SQLite file format).
    let mut bytes = std::fs::read(&path).unwrap();
    assert!(bytes[60..63] == [0, 0, 0] && bytes[63] < 99);
    bytes[63] = 99;
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(
        Store::open(folder.path()),
        Err(StoreError::Newer { found: 99, .. })
    ));
}

/// Breaks a long text of one letter: its first page that is nothing but text loses the number of
/// the next one (SQLite file format, 1.6).
fn break_text(folder: &std::path::Path, letter: u8) {
    let path = folder.join(DATABASE_FILE);
    let mut bytes = std::fs::read(&path).expect("the database is there");
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    let at = (0..bytes.len())
        .step_by(page)
        .find(|at| bytes[at + 4..at + page].iter().all(|byte| *byte == letter))
        .expect("the text fills a page");
    bytes[at..at + 4].fill(0);
    std::fs::write(&path, bytes).expect("it can be written");
}

#[test]
fn only_what_work_depends_on_is_looked_through_and_not_by_every_worker() {
    let folder = tempfile::tempdir().unwrap();
    let long = |letter: &str| letter.repeat(40_000);
    {
        let (store, _) = Store::open(folder.path()).unwrap();
        store
            .insert_job(&job("a", 1), Lane::Queue, &long("p"))
            .unwrap();
        let keep = KeepVersions {
            apart_millis: 0,
            most: 9,
        };
        store.save_graph("g", "", &long("g"), 1, keep).unwrap();
    }
    break_text(folder.path(), b'g');
    let (store, aside) = Store::open(folder.path()).unwrap();
    assert!(aside.is_none(), "jobs are worth more than a graph");
    assert!(matches!(store.graph("g"), Err(StoreError::Damaged { .. })));
    drop(store);
    break_text(folder.path(), b'p');
    Store::join(folder.path()).unwrap();
    assert!(Store::open(folder.path()).unwrap().1.is_some());
}

#[test]
fn a_database_is_never_set_aside_under_the_process_that_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(DATABASE_FILE);
    std::fs::write(&path, "this was a database once, before the disk failed").unwrap();
    let joined = Store::join(folder.path());
    assert!(matches!(joined, Err(StoreError::Damaged { .. })));
    assert!(path.exists());
}

#[test]
fn a_setting_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    assert_eq!(store.setting("theme").unwrap(), None);
    store.set_setting("theme", "dark").unwrap();
    store.set_setting("theme", "light").unwrap();
    assert_eq!(store.setting("theme").unwrap().as_deref(), Some("light"));
}

#[test]
fn a_job_that_is_done_gets_its_state_its_name_and_its_receipt_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let wanted = job("a", 5);
    store.insert_job(&wanted, Lane::Direct, "{}").unwrap();
    let spec = JobSpec {
        output: "/video/out (2).mp4".into(),
        ..wanted.spec.clone()
    };
    let outcome = Outcome {
        spec: &spec,
        receipt: Some("{}"),
    };
    let running = [JobState::Running];
    assert!(!store.succeed(&wanted.id, &running, &outcome, 6).unwrap());
    assert_eq!(store.receipt(&wanted.id).unwrap(), None, "it was not begun");
    let queued = [JobState::Queued];
    store
        .change_state(&wanted.id, &queued, JobState::Running, None, 6)
        .unwrap();
    assert!(store.succeed(&wanted.id, &running, &outcome, 7).unwrap());
    let (other, _) = Store::open(folder.path()).unwrap();
    let done = other.job(&wanted.id).unwrap().job;
    assert_eq!(done.state, JobState::Succeeded);
    assert_eq!((done.spec, done.finished_millis), (spec, Some(7)));
    assert_eq!(other.receipt(&wanted.id).unwrap().as_deref(), Some("{}"));
}

#[test]
fn only_jobs_that_are_not_over_promise_an_output() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut promised = Vec::new();
    for state in [
        JobState::Queued,
        JobState::Running,
        JobState::Paused,
        JobState::Interrupted,
        JobState::Succeeded,
        JobState::Failed,
        JobState::Cancelled,
    ] {
        let mut job = job(state.as_str(), 5);
        job.spec.output = state.as_str().into();
        job.state = state;
        store.insert_job(&job, Lane::Queue, "{}").unwrap();
        if !state.is_terminal() {
            promised.push(job.spec.output);
        }
    }
    let mut found: Vec<_> = store.unfinished().unwrap();
    found.sort_by_key(|spec| promised.iter().position(|path| *path == spec.output));
    let found: Vec<_> = found.into_iter().map(|spec| spec.output).collect();
    assert_eq!(found, promised);
}

#[test]
fn programs_that_start_together_all_get_the_database() {
    for _ in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let together = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    together.wait();
                    Store::open(folder.path()).unwrap().0.jobs().unwrap();
                });
            }
        });
    }
}

#[test]
fn a_database_that_another_keeps_to_itself_can_be_read_and_is_said_to_be_busy() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    store.insert_job(&job("a", 5), Lane::Direct, "{}").unwrap();
    let other = rusqlite::Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.wait_at_most(Some(Duration::from_millis(50))).unwrap();
    let id = JobId("a".into());
    let pause = || store.change_state(&id, &[JobState::Queued], JobState::Paused, None, 9);
    let error = pause().unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)), "{error}");
    assert_eq!(error.code(), ErrorCode::StoreBusy);
    assert_eq!(store.job(&id).unwrap().job.state, JobState::Queued);
    other.execute_batch("COMMIT").unwrap();
    assert!(pause().unwrap());
}

fn names(store: &Store) -> Vec<String> {
    let order = store.queue_order().expect("the queue is read");
    order.into_iter().map(|id| id.0).collect()
}

#[test]
fn the_order_of_the_queue_is_the_users_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let id = |name: &str| JobId(name.into());
    // Two of the same millisecond, and one of a command.
    for (name, created) in [("a", 1), ("b", 2), ("c", 2), ("d", 9)] {
        store
            .insert_job(&job(name, created), Lane::Queue, "{}")
            .unwrap();
    }
    store
        .insert_job(&job("direct", 0), Lane::Direct, "{}")
        .unwrap();
    assert_eq!(names(&store), ["a", "b", "c", "d"]);
    store.move_jobs(&[id("d")], Some(&id("a"))).unwrap();
    assert_eq!(names(&store), ["d", "a", "b", "c"]);
    // Some together, in the order that they are given in; one that is gone is passed over.
    store
        .move_jobs(&[id("b"), id("gone"), id("d")], Some(&id("c")))
        .unwrap();
    assert_eq!(names(&store), ["a", "b", "d", "c"]);
    store.move_jobs(&[id("a")], None).unwrap();
    drop(store);
    let (store, _) = Store::open(folder.path()).unwrap();
    assert_eq!(names(&store), ["b", "d", "c", "a"]);
    let taken = BTreeSet::from([id("b")]);
    assert_eq!(store.next_queued(&taken).unwrap().unwrap().job.id, id("d"));
    // What is submitted now comes last, and so does what is put there.
    store.insert_job(&job("e", 20), Lane::Queue, "{}").unwrap();
    assert_eq!(names(&store), ["b", "d", "c", "a", "e"]);
    store.put_last(&id("d"), 15).unwrap();
    assert_eq!(names(&store), ["b", "c", "a", "e", "d"]);
}

#[test]
fn a_row_that_cannot_be_read_is_none_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    for (name, created) in [("damaged", 1), ("whole", 2)] {
        store
            .insert_job(&job(name, created), Lane::Queue, "{}")
            .unwrap();
    }
    rusqlite::Connection::open(folder.path().join(DATABASE_FILE))
        .unwrap()
        .execute("UPDATE jobs SET spec = '{}' WHERE id = 'damaged'", [])
        .unwrap();
    assert_eq!(names(&store), ["whole"]);
}

#[test]
fn a_job_that_is_not_over_is_on_the_list_whatever_was_put_away() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let failed = Job {
        state: JobState::Failed,
        ..job("a", 1)
    };
    store.insert_job(&failed, Lane::Queue, "{}").unwrap();
    let at_hand = || store.at_hand().unwrap().len();
    assert!(store.put_away(&failed.id).unwrap());
    assert_eq!(at_hand(), 0);
    let change = |from, to| {
        store
            .change_state(&failed.id, &[from], to, None, 5)
            .unwrap()
    };
    assert!(change(JobState::Failed, JobState::Queued));
    assert_eq!(at_hand(), 1);
    assert!(change(JobState::Queued, JobState::Failed));
    assert_eq!(at_hand(), 1, "it is seen until it is put away again");
    // A version that was killed between two steps left such rows.
    assert!(store.put_away(&failed.id).unwrap());
    rusqlite::Connection::open(folder.path().join(DATABASE_FILE))
        .unwrap()
        .execute("UPDATE jobs SET state = 'queued'", [])
        .unwrap();
    assert_eq!(at_hand(), 1);
}

#[test]
fn only_a_job_of_which_nothing_is_done_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let mut wanted = job("a", 1);
    store.insert_job(&wanted, Lane::Queue, "{}").unwrap();
    wanted.spec.encode.quality = Quality::Archive;
    assert!(store.replace_waiting(&wanted, "{\"new\":1}").unwrap());
    let row = store.job(&wanted.id).unwrap();
    assert_eq!(row.job.spec.encode.quality, Quality::Archive);
    assert_eq!(row.plan.as_deref(), Some("{\"new\":1}"));
    store.record_segment(&wanted.id, &segment(0), 1).unwrap();
    assert!(!store.replace_waiting(&wanted, "{}").unwrap());
    store.forget_segments_from(&wanted.id, 0).unwrap();
    let queued = [JobState::Queued];
    store
        .change_state(&wanted.id, &queued, JobState::Running, None, 2)
        .unwrap();
    assert!(!store.replace_waiting(&wanted, "{}").unwrap());
}

#[test]
fn the_history_is_newest_first_and_keeps_what_was_put_away() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let queued = [JobState::Queued];
    for (name, end, ended) in [
        ("a", JobState::Succeeded, 50),
        ("b", JobState::Failed, 70),
        ("c", JobState::Succeeded, 60),
        ("d", JobState::Running, 0),
    ] {
        let mut job = job(name, 5);
        job.spec.graph = Graph::chain([frameloom_core::graph::Op::Upscale {
            model: "loom-x2".into(),
        }]);
        store.insert_job(&job, Lane::Queue, "{}").unwrap();
        store
            .change_state(&job.id, &queued, end, None, ended)
            .unwrap();
    }
    let ids = |outcome, skip, limit| -> Vec<String> {
        let rows = store.history(outcome, skip, limit).unwrap();
        rows.into_iter().map(|row| row.job.id.0).collect()
    };
    assert_eq!(ids(None, 0, 10), ["b", "c", "a"]);
    assert_eq!(ids(None, 1, 1), ["c"]);
    assert_eq!(ids(Some(JobState::Succeeded), 0, 10), ["c", "a"]);
    let keys = store.history_keys().unwrap();
    assert_eq!((keys.len(), keys[0].id.0.as_str()), (3, "b"));
    assert_eq!(keys[0].text, "/video/été 日本.mp4\n/video/out.mp4\nloom-x2");
    let outcomes = store.outcomes().unwrap();
    assert_eq!((outcomes.succeeded, outcomes.failed), (2, 1));
    assert!(store.put_away(&JobId("b".into())).unwrap());
    assert!(
        !store.put_away(&JobId("d".into())).unwrap(),
        "a running job stays where it is seen"
    );
    let at_hand = store.at_hand().unwrap();
    assert!(at_hand.iter().all(|row| row.job.id.0 != "b"));
    assert_eq!(ids(None, 0, 10), ["b", "c", "a"]);
    store.take_out(&JobId("b".into())).unwrap();
    assert_eq!(store.at_hand().unwrap().len(), 4);
}

#[test]
fn a_graph_keeps_what_it_was_from_time_to_time_and_no_more_than_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let keep = KeepVersions {
        apart_millis: 60_000,
        most: 2,
    };
    let save = |document: &str, at| {
        store
            .save_graph("g", "Holiday", document, at, keep)
            .unwrap()
    };
    let versions = || -> Vec<String> {
        let all = store.graph_versions("g").unwrap().into_iter();
        all.map(|(_, document)| document).collect()
    };
    save("a", 0);
    assert!(versions().is_empty());
    // The first document is always worth keeping; what follows within the minute is not.
    save("b", 1_000);
    save("c", 2_000);
    assert_eq!(versions(), ["a"]);
    save("c", 70_000);
    assert_eq!(versions(), ["a"], "nothing has changed");
    save("d", 80_000);
    assert_eq!(versions(), ["c", "a"]);
    save("e", 200_000);
    assert_eq!(versions(), ["c", "a"]);
    save("f", 210_000);
    assert_eq!(versions(), ["e", "c"], "the oldest goes first");
    let graph = store.graph("g").unwrap().unwrap();
    assert_eq!(
        (
            graph.document.as_str(),
            graph.created_millis,
            graph.changed_millis
        ),
        ("f", 0, 210_000)
    );
    assert!(store.remove_graph("g").unwrap());
    assert!(versions().is_empty());
    assert!(!store.remove_graph("g").unwrap());
}
