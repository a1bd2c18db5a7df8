//! The queue through the door that the window uses: real workers, real media.

use e2e::*;
use frameloom_app::settings::AtStart;
use frameloom_app::{
    App, HistoryQuery, JobEdit, Lane, Places, QueueEvent, QueueOptions, Retry, Settings,
    UpscaleRequest,
};
use frameloom_core::job::{Job, JobId, JobState, Precision, Quality, VideoCodec};
use frameloom_core::media::{Caution, MediaKind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn open(cli: &Cli) -> Arc<App> {
    let places = Places {
        data: cli.data(),
        worker: program("frameloom", "frameloom-cli"),
        extra_models: vec![root().join("models")],
    };
    App::open(places).expect("the data folder opens")
}

fn request(input: &Path, output: &Path) -> UpscaleRequest {
    UpscaleRequest {
        input: input.to_owned(),
        output: Some(output.to_owned()),
        quality: Quality::Draft,
        ..UpscaleRequest::default()
    }
}

#[track_caller]
fn submit(app: &App, input: &Path, output: &Path) -> JobId {
    let job = app.submit_upscale(&request(input, output), Lane::Queue);
    job.expect("the job is taken").id
}

#[track_caller]
fn job(app: &App, id: &JobId) -> Job {
    app.job(id).expect("the job is there")
}

#[track_caller]
fn waiting(app: &App) -> Vec<JobId> {
    app.queue().expect("the queue is read").waiting
}

/// Waits for the end of jobs, and for it to be a good one.
#[track_caller]
fn wait_for(app: &App, ids: &[&JobId]) {
    for id in ids {
        wait_until("the end of a job", || job(app, id).state.is_terminal());
        let job = job(app, id);
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    }
}

fn options(at_once: u32) -> QueueOptions {
    QueueOptions {
        at_once,
        ..QueueOptions::default()
    }
}

fn events(app: &App) -> Receiver<QueueEvent> {
    let (sender, events) = channel();
    app.listen_to_queue(move |event| sender.send(event.clone()).is_ok());
    events
}

/// A clip of several segments that is soon done; `None` where there is no ffmpeg.
fn clip(cli: &Cli) -> Option<PathBuf> {
    let path = cli.folder().join("clip.mp4");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg("testsrc2=size=128x72:rate=25:duration=12")
        .args(["-c:v", "libx264", "-preset", "ultrafast"])
        .arg(&path)
        .status();
    match made {
        Ok(status) if status.success() => Some(path),
        _ => {
            eprintln!("skipped: no ffmpeg that makes the clip");
            None
        }
    }
}

fn picture(cli: &Cli, name: &str) -> PathBuf {
    let path = cli.folder().join(name);
    write_png(&path, 96, 64, pattern).expect("the picture can be written");
    path
}

#[test]
fn two_jobs_at_once_overlap_and_each_result_is_that_of_a_job_alone() {
    let cli = Cli::new();
    let Some(clip) = clip(&cli) else { return };
    let app = open(&cli);
    let file = |name: &str| cli.folder().join(name);
    app.set_queue_options(&options(2)).unwrap();
    let events = events(&app);
    let most = Arc::new(Mutex::new(0));
    let first = submit(&app, &clip, &file("a.mp4"));
    let second = submit(&app, &clip, &file("b.mp4"));
    let third = submit(&app, &clip, &file("c.mp4"));
    app.start_queue().unwrap();
    wait_until("two running jobs", || {
        let running = [&first, &second, &third]
            .iter()
            .filter(|id| job(&app, id).state == JobState::Running)
            .count();
        let mut most = most.lock().unwrap();
        *most = running.max(*most);
        running == 2
    });
    assert_eq!(job(&app, &third).state, JobState::Queued);
    // Both move, not one after the other.
    wait_until("frames of both", || {
        [&first, &second]
            .iter()
            .all(|id| job(&app, id).progress.done > 0)
    });
    wait_for(&app, &[&first, &second, &third]);
    assert_eq!(*most.lock().unwrap(), 2);
    // The third ran alone in the end, or nearly so; whatever ran beside, the frames are the same.
    let alone = frames(&file("c.mp4")).unwrap();
    assert!(alone.len() > 50);
    assert_eq!(frames(&file("a.mp4")).unwrap(), alone);
    assert_eq!(frames(&file("b.mp4")).unwrap(), alone);
    let mut ends = Vec::new();
    wait_until("the end of the queue", || {
        ends.extend(events.try_iter().filter_map(|event| match event {
            QueueEvent::Done { end, .. } => Some(end),
            _ => None,
        }));
        !ends.is_empty()
    });
    assert_eq!((ends.len(), ends[0].succeeded, ends[0].failed), (1, 3, 0));
}

#[test]
fn the_order_is_kept_over_a_restart_and_nothing_begins_before_the_user_says_so() {
    let cli = Cli::new();
    let names = ["a", "b", "c", "d"];
    let ids: Vec<JobId> = {
        let app = open(&cli);
        let ids = names.map(|name| {
            let output = cli.folder().join(format!("{name}-out.png"));
            submit(&app, &picture(&cli, &format!("{name}.png")), &output)
        });
        app.move_jobs(&[ids[3].clone()], Some(&ids[0])).unwrap();
        app.move_jobs(&[ids[1].clone()], None).unwrap();
        ids.to_vec()
    };
    let order = [&ids[3], &ids[0], &ids[2], &ids[1]].map(Clone::clone);
    let app = open(&cli);
    assert_eq!(waiting(&app), order);
    app.start_queue().unwrap();
    assert!(app.queue().unwrap().asks);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(waiting(&app), order, "nobody has answered");
    app.answer_left_over(true).unwrap();
    wait_for(&app, &order.iter().collect::<Vec<_>>());
    let ended = order
        .each_ref()
        .map(|id| job(&app, id).finished_millis.unwrap());
    assert!(ended.is_sorted(), "{ended:?}");
}

#[test]
fn what_was_left_over_pauses_where_the_user_does_not_want_it_now() {
    let cli = Cli::new();
    let id = submit(
        &open(&cli),
        &picture(&cli, "a.png"),
        &cli.folder().join("out.png"),
    );
    let app = open(&cli);
    app.start_queue().unwrap();
    app.answer_left_over(false).unwrap();
    assert_eq!(job(&app, &id).state, JobState::Paused);
    // What is started now is done.
    let new = submit(&app, &picture(&cli, "b.png"), &cli.folder().join("b2.png"));
    wait_for(&app, &[&new]);
    assert_eq!(job(&app, &id).state, JobState::Paused);
    drop(app);
    let app = open(&cli);
    app.set_settings(&Settings {
        at_start: AtStart::Resume,
        ..Settings::default()
    })
    .unwrap();
    app.hold_queue(true);
    let again = submit(&app, &picture(&cli, "c.png"), &cli.folder().join("c2.png"));
    drop(app);
    let app = open(&cli);
    app.start_queue().unwrap();
    assert!(!app.queue().unwrap().asks);
    wait_for(&app, &[&again]);
}

#[test]
fn a_paused_queue_keeps_its_order_and_goes_on_to_the_very_same_result() {
    let cli = Cli::new();
    let Some(source) = clip(&cli) else { return };
    let app = open(&cli);
    let output = cli.folder().join("a.mp4");
    let clip = submit(&app, &source, &output);
    let next = submit(&app, &picture(&cli, "b.png"), &cli.folder().join("b2.png"));
    app.start_queue().unwrap();
    wait_until("a finished segment", || cli.parts() > 0);
    let paused = QueueOptions {
        paused: true,
        ..options(1)
    };
    app.set_queue_options(&paused).unwrap();
    wait_until("the pause", || waiting(&app).len() == 2);
    assert_eq!(waiting(&app), [clip.clone(), next.clone()]);
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(job(&app, &clip).state, JobState::Queued);
    app.set_queue_options(&options(1)).unwrap();
    wait_for(&app, &[&clip, &next]);
    // The same once more, undisturbed, beside the first.
    let twin = app.duplicate(&clip).unwrap();
    assert_ne!(twin.spec.output, output);
    wait_for(&app, &[&twin.id]);
    let whole = frames(&twin.spec.output).unwrap();
    assert!(whole.len() > 50);
    assert_eq!(frames(&output).unwrap(), whole);
}

#[test]
fn a_waiting_job_is_changed_and_planned_anew_and_one_that_began_is_not() {
    let cli = Cli::new();
    let Some(source) = clip(&cli) else { return };
    let app = open(&cli);
    let output = cli.folder().join("a.mp4");
    let first = submit(&app, &source, &output);
    let second = submit(&app, &picture(&cli, "b.png"), &cli.folder().join("b2.png"));
    let edit = JobEdit {
        codec: Some(VideoCodec::Ffv1),
        quality: Some(Quality::Lossless),
        output: Some(cli.folder().join("elsewhere/renamed.mp4")),
        ..JobEdit::default()
    };
    let changed = app.edit(&first, &edit).unwrap();
    // MP4 has no FFV1: the container follows the codec.
    assert_eq!(
        changed.spec.output,
        cli.folder().join("elsewhere/renamed.mkv")
    );
    assert_eq!(waiting(&app), [first.clone(), second.clone()]);
    let refused = app.edit(
        &second,
        &JobEdit {
            output: Some(cli.folder().join("b.mp4")),
            ..JobEdit::default()
        },
    );
    assert!(refused.is_err(), "a picture is no film");
    assert_eq!(
        job(&app, &second).spec.output,
        cli.folder().join("b2.png"),
        "it stays as it was"
    );
    app.start_queue().unwrap();
    // It may be over before anybody looked: that is as late.
    wait_until("the first job", || {
        job(&app, &first).state != JobState::Queued
    });
    let late = app.edit(&first, &JobEdit::default()).unwrap_err();
    assert!(late.message.contains("cannot be changed"), "{late:?}");
    wait_for(&app, &[&first, &second]);
    let info = probe(&changed.spec.output);
    assert_eq!(info.kind, MediaKind::Video);
    assert_eq!(info.main_video().unwrap().0.codec, "ffv1");
    assert!(!output.exists());
}

#[test]
fn what_failed_or_was_cancelled_is_tried_again_as_it_was_or_more_safely() {
    let cli = Cli::new();
    let app = open(&cli);
    let source = picture(&cli, "a.png");
    let output = cli.folder().join("out.png");
    let id = submit(&app, &source, &output);
    let away = cli.folder().join("away.png");
    std::fs::rename(&source, &away).unwrap();
    app.start_queue().unwrap();
    wait_until("the failure", || job(&app, &id).state == JobState::Failed);
    assert!(app.retry(&id, Retry::AsItWas).is_err(), "it is still away");
    assert_eq!(job(&app, &id).state, JobState::Failed);
    std::fs::rename(&away, &source).unwrap();
    app.put_away(&id).unwrap();
    app.retry(&id, Retry::Safer).unwrap();
    wait_for(&app, &[&id]);
    let safer = job(&app, &id);
    assert_eq!(safer.spec.compute.precision, Precision::Exact);
    assert!(
        Caution::of(&safer.warnings) >= Caution::SmallTiles,
        "{:?}",
        safer.warnings
    );
    assert!(output.exists());
    let at_hand = app.jobs_at_hand().unwrap();
    assert!(at_hand.iter().any(|job| job.id == id), "it is seen again");

    app.set_queue_options(&QueueOptions {
        paused: true,
        ..options(1)
    })
    .unwrap();
    let cancelled = submit(&app, &source, &cli.folder().join("second.png"));
    app.cancel(&cancelled).unwrap();
    let again = app.retry(&cancelled, Retry::AsItWas).unwrap();
    assert_ne!(again.id, cancelled);
    assert_eq!(waiting(&app), std::slice::from_ref(&again.id));
    app.set_queue_options(&options(1)).unwrap();
    wait_for(&app, &[&again.id]);
    let at_hand = app.jobs_at_hand().unwrap();
    assert!(at_hand.iter().all(|job| job.id != cancelled));
    let history = app
        .history(&HistoryQuery {
            outcome: Some(JobState::Cancelled),
            limit: 10,
            ..HistoryQuery::default()
        })
        .unwrap();
    assert_eq!(history.found, 1);
    assert_eq!(history.jobs[0].id, cancelled);
    assert_eq!((history.succeeded, history.cancelled), (2, 1));
}

#[test]
fn the_queue_foresees_jobs_that_are_like_earlier_ones_and_says_where_it_cannot() {
    let cli = Cli::new();
    let app = open(&cli);
    let first = submit(&app, &picture(&cli, "a.png"), &cli.folder().join("1.png"));
    let forecast = app.queue().unwrap().forecast.unwrap();
    assert_eq!((forecast.unknown, forecast.remaining_micros), (1, 0));
    app.start_queue().unwrap();
    assert!(!app.queue().unwrap().asks, "nothing was left over");
    wait_for(&app, &[&first]);
    assert_eq!(app.queue().unwrap().forecast, None);
    let took = job(&app, &first).progress.elapsed_micros;
    app.set_queue_options(&QueueOptions {
        paused: true,
        ..options(1)
    })
    .unwrap();
    wait_until("the end of the first", || {
        submit(&app, &picture(&cli, "b.png"), &cli.folder().join("2.png"));
        app.queue()
            .unwrap()
            .forecast
            .is_some_and(|forecast| forecast.unknown == 0)
    });
    let forecast = app.queue().unwrap();
    let left = forecast.forecast.unwrap().remaining_micros;
    let expected = took * forecast.waiting.len() as u64;
    assert!(left.abs_diff(expected) <= 2, "{left} and {expected}");
}
