//! Killed, interrupted and resumed: the result is the one of a run that was left alone.

#[cfg(target_os = "linux")]
use e2e::torture::{torture, workers_of};
use e2e::*;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

fn start(cli: &Cli, output: &Path) -> Child {
    cli.start([
        "upscale".as_ref(),
        demo_clip().as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
        "--quality".as_ref(),
        "draft".as_ref(),
    ])
}

fn undisturbed() -> (Cli, PathBuf) {
    let cli = Cli::new();
    let output = cli.folder().join("whole.mp4");
    let status = start(&cli, &output).wait().expect("the command ends");
    assert!(status.success());
    (cli, output)
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_job_resumes_to_the_very_same_file() {
    let (_whole, expected) = undisturbed();
    let cli = Cli::new();
    let output = cli.folder().join("resumed.mp4");
    let mut child = start(&cli, &output);
    wait_until("a finished segment", || cli.parts() > 0);
    // The command itself is killed: its worker must notice and end, not go on as an orphan.
    signal(child.id(), "KILL");
    child.wait().unwrap();
    wait_until("the end of the worker", || workers_of(&cli).is_empty());
    assert!(!output.exists());

    let jobs = cli.jobs();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0]["state"], "interrupted");
    assert!(jobs[0]["progress"].as_f64().unwrap() < 1.0);
    let id = jobs[0]["id"].as_str().unwrap().to_owned();
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(cli.jobs()[0]["state"], "succeeded");
    assert_eq!(
        std::fs::read(&output).unwrap(),
        std::fs::read(&expected).unwrap(),
        "a resumed result must equal an undisturbed one, byte for byte"
    );
    assert_eq!(walk(&cli.folder()), [output]);
    assert!(walk(&cli.data().join("jobs")).is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_worker_is_started_again_where_it_was() {
    let (_whole, expected) = undisturbed();
    let cli = Cli::new();
    let output = cli.folder().join("resumed.mp4");
    let mut child = start(&cli, &output);
    wait_until("a finished segment", || cli.parts() > 0);
    for pid in workers_of(&cli) {
        signal(pid, "KILL");
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let job = &cli.jobs()[0];
    assert_eq!(job["state"], "succeeded");
    let [note] = &job["warnings"].as_array().unwrap()[..] else {
        panic!("{job}");
    };
    assert_eq!(note["to"], "usual", "{job}");
    assert!(
        note["reason"]
            .as_str()
            .is_some_and(|why| why.contains("was killed")),
        "{job}"
    );
    assert_eq!(
        std::fs::read(&output).unwrap(),
        std::fs::read(&expected).unwrap()
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_worker_that_freezes_is_ended_and_its_job_goes_on() {
    let (_whole, expected) = undisturbed();
    let cli = Cli::new();
    let output = cli.folder().join("resumed.mp4");
    let mut command = cli.command([
        "upscale".as_ref(),
        demo_clip().as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
        "--quality".as_ref(),
        "draft".as_ref(),
    ]);
    let mut child = command
        .env("FRAMELOOM_STALL_SECONDS", "5")
        .spawn()
        .expect("the command starts");
    wait_until("a finished segment", || cli.parts() > 0);
    for pid in workers_of(&cli) {
        signal(pid, "STOP");
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(workers_of(&cli).is_empty());
    assert_eq!(
        std::fs::read(&output).unwrap(),
        std::fs::read(&expected).unwrap()
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_worker_that_always_dies_steps_down_and_then_gives_up_with_the_reason() {
    let cli = Cli::new();
    let output = cli.folder().join("never.mp4");
    let mut child = start(&cli, &output);
    let since = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        assert!(since.elapsed() < PATIENCE, "it is started again for ever");
        for pid in workers_of(&cli) {
            signal_quietly(pid, "KILL");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(code, Some(5));
    let job = &cli.jobs()[0];
    assert_eq!(job["state"], "interrupted");
    assert_eq!(job["error"]["code"], "worker_crashed");
    assert!(
        job["error"]["message"]
            .as_str()
            .is_some_and(|message| message.contains("killed")),
        "{job}"
    );
    let steps: Vec<&str> = job["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|warning| warning["kind"] == "stepped_down")
        .filter_map(|warning| warning["to"].as_str())
        .collect();
    assert_eq!(steps[..2], ["usual", "small_tiles"]);
    let id = job["id"].as_str().unwrap().to_owned();
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert!(output.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_joined_fails_with_the_reason_and_is_not_done_again() {
    let cli = Cli::new();
    let folder = cli.folder();
    let output = folder.join("never.mp4");
    let mut child = start(&cli, &output);
    let since = Instant::now();
    // Whatever is joined loses its beginning while it is written, as on a bad disk.
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        assert!(since.elapsed() < PATIENCE, "it is joined for ever");
        for path in walk(&folder) {
            if let Ok(file) = std::fs::OpenOptions::new().write(true).open(path) {
                let _ = file.set_len(0);
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(code, Some(4));
    let job = &cli.jobs()[0];
    assert_eq!(job["state"], "failed");
    assert_eq!(job["error"]["code"], "verification_failed");
    assert!(
        job["error"]["message"]
            .as_str()
            .is_some_and(|message| message.contains("joined")),
        "{job}"
    );
    assert_eq!(
        job["warnings"],
        serde_json::json!([]),
        "nothing to step down"
    );
    assert!(walk(&folder).is_empty());
    // The parts are good: with a good disk nothing but the last step is left.
    assert!(cli.parts() > 0);
    let id = job["id"].as_str().unwrap().to_owned();
    cli.run(["jobs", "resume", &id]).expect_code(0);
    let (_whole, expected) = undisturbed();
    assert_eq!(
        std::fs::read(&output).unwrap(),
        std::fs::read(&expected).unwrap()
    );
}

#[test]
fn what_a_kill_right_behind_the_end_leaves_is_removed_by_the_next_start() {
    let cli = Cli::new();
    let picture = cli.folder().join("small.png");
    write_png(&picture, 20, 12, pattern).unwrap();
    cli.run(["upscale".as_ref(), picture.as_os_str()])
        .expect_code(0);
    let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
    // As if it had been killed after its end was noted and before its folder was removed.
    let folder = cli.data().join("jobs").join(&id);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("000002.part"), "a part").unwrap();
    assert_eq!(cli.jobs()[0]["state"], "succeeded");
    assert!(!folder.exists());
    assert!(cli.folder().join("small_2x.png").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn two_who_resume_one_job_do_it_once() {
    let cli = Cli::new();
    let output = cli.folder().join("once.mp4");
    let mut child = start(&cli, &output);
    wait_until("a finished segment", || cli.parts() > 0);
    signal(child.id(), "KILL");
    child.wait().unwrap();
    wait_until("the end of the worker", || workers_of(&cli).is_empty());
    let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
    let mut both: Vec<Child> = (0..2).map(|_| cli.start(["jobs", "resume", &id])).collect();
    let mut codes: Vec<Option<i32>> = both
        .iter_mut()
        .map(|child| child.wait().unwrap().code())
        .collect();
    codes.sort();
    assert_eq!(codes, [Some(0), Some(2)]);
    assert_eq!(cli.jobs()[0]["state"], "succeeded");
    assert_eq!(walk(&cli.folder()), [output]);
}

#[test]
fn a_lost_database_is_made_again_from_the_folders_of_the_jobs() {
    let (_whole, expected) = undisturbed();
    let cli = Cli::new();
    let output = cli.folder().join("resumed.mp4");
    let mut child = start(&cli, &output);
    wait_until("a finished segment", || cli.parts() > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    #[cfg(target_os = "linux")]
    wait_until("the end of the worker", || workers_of(&cli).is_empty());
    let database = cli.data().join("frameloom.db");
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", database.display()));
    }
    std::fs::write(&database, "the disk wrote something else here").unwrap();
    let listed = cli.run(["jobs", "list"]);
    assert!(
        listed.stderr.contains("damaged") && listed.stderr.contains("found again"),
        "{listed:?}"
    );
    let job = &cli.jobs()[0];
    assert_eq!(job["state"], "interrupted");
    assert!(job["frames_done"].as_u64().unwrap() > 0, "segments count");
    cli.run(["jobs", "resume", job["id"].as_str().unwrap()])
        .expect_code(0);
    assert_eq!(
        std::fs::read(&output).unwrap(),
        std::fs::read(&expected).unwrap()
    );
}

#[test]
#[cfg(unix)]
fn ctrl_c_finishes_the_segment_and_a_second_one_does_not_wait() {
    let cli = Cli::new();
    let output = cli.folder().join("out.mp4");
    let mut child = start(&cli, &output);
    wait_until("the first frames", || {
        walk(&cli.data().join("jobs"))
            .iter()
            .any(|p| p.extension().is_some_and(|e| e == "writing"))
    });
    signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(cli.parts(), 1, "the running segment was finished");
    let job = &cli.jobs()[0];
    assert_eq!(job["state"], "interrupted");
    let id = job["id"].as_str().unwrap().to_owned();

    let mut child = cli.start(["jobs", "resume", &id]);
    wait_until("the resumed run", || {
        walk(&cli.data().join("jobs"))
            .iter()
            .any(|p| p.extension().is_some_and(|e| e == "writing"))
    });
    signal(child.id(), "INT");
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    // The segment may just have been finished.
    let _ = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    child.wait().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(20));
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert!(output.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn another_command_can_pause_a_job_and_resuming_ends_in_the_very_same_file() {
    let (_whole, expected) = undisturbed();
    let cli = Cli::new();
    let output = cli.folder().join("paused.mp4");
    let mut child = start(&cli, &output);
    // In its first segment: behind the last there would be nothing left to pause.
    wait_until("a running job", || {
        cli.jobs()
            .first()
            .is_some_and(|job| job["state"] == "running")
    });
    let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
    cli.run(["jobs", "pause", &id]).expect_code(0);
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(cli.jobs()[0]["state"], "paused");
    assert!(!output.exists());
    cli.run(["jobs", "pause", &id]).expect_code(2);
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(
        std::fs::read(&output).unwrap(),
        std::fs::read(&expected).unwrap()
    );
}

#[test]
fn a_changed_input_is_refused_by_name() {
    let cli = Cli::new();
    let source = cli.folder().join("mine.mp4");
    std::fs::copy(demo_clip(), &source).unwrap();
    let mut child = cli.start(["upscale".as_ref(), source.as_os_str()]);
    wait_until("a finished segment", || cli.parts() > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut bytes = std::fs::read(&source).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&source, bytes).unwrap();
    wait_until("the end of the worker", || {
        cli.jobs()[0]["state"] == "interrupted"
    });
    let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
    let ran = cli.run(["jobs", "resume", &id]).expect_code(3);
    assert!(ran.stderr.contains("mine.mp4"), "{}", ran.stderr);
    std::fs::remove_file(&source).unwrap();
    let gone = cli.run(["jobs", "resume", &id]).expect_code(3);
    for part in ["it is missing", "mine.mp4", "Put the original file back"] {
        assert!(gone.stderr.contains(part), "{part}: {}", gone.stderr);
    }
    cli.run(["jobs", "cancel", &id]).expect_code(0);
    assert_eq!(cli.parts(), 0);
    cli.run(["jobs", "remove", &id]).expect_code(0);
    assert!(cli.jobs().is_empty());
    cli.run(["jobs", "show", &id]).expect_code(2);
}

#[test]
#[cfg(target_os = "linux")]
fn kills_at_random_moments_never_change_the_result() {
    // The long version is `cargo xtask torture`.
    let seed = 7;
    let report = torture(8, seed, &mut |line| println!("{line}"))
        .unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
    assert_eq!(report.total(), 8);
    assert!(report.scenes.len() >= 4, "several kinds: {report:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_job_that_another_version_planned_otherwise_is_refused_by_naming_the_program() {
    let cli = Cli::new();
    let output = cli.folder().join("out.mp4");
    let mut child = start(&cli, &output);
    wait_until("a finished segment", || cli.parts() > 0);
    signal(child.id(), "KILL");
    child.wait().unwrap();
    wait_until("the end of the worker", || workers_of(&cli).is_empty());
    let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
    // The list of jobs is lost, and comes back with what lies beside the parts: a plan of a program
    // that did not cut off what the file asks to cut off.
    let stored = cli.data().join("jobs").join(&id).join("job.json");
    let text = std::fs::read_to_string(&stored).unwrap();
    let mut job: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut plan: serde_json::Value = serde_json::from_str(job["plan"].as_str().unwrap()).unwrap();
    plan.as_object_mut().unwrap().remove("program");
    plan["sizes"]["input"] = serde_json::json!([640, 368]);
    job["plan"] = plan.to_string().into();
    std::fs::write(&stored, job.to_string()).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(cli.data().join(format!("frameloom.db{suffix}")));
    }
    std::fs::write(cli.data().join("frameloom.db"), "no database at all").unwrap();
    let refused = cli.run(["jobs", "resume", &id]).expect_code(3);
    assert!(
        refused.stderr.contains("the program changed"),
        "{refused:?}"
    );
    assert!(refused.stderr.contains("run it again"), "{refused:?}");
    assert!(!refused.stderr.contains("the input changed"), "{refused:?}");
    assert!(cli.parts() > 0, "nothing is thrown away");
}
