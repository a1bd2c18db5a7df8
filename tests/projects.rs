//! Projects on the real command line: made, moved, locked, verified, collected, and found again after
//! whoever changed them was killed.

use e2e::graphs::{chain, wired};
use e2e::models::install;
use e2e::*;
use frameloom_app::project::{ProjectProgress, ProjectSave, ProjectStep, Watch};
use frameloom_app::{App, Places};
use frameloom_core::error::ErrorCode;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

static NEVER: AtomicBool = AtomicBool::new(false);

fn text(path: &Path) -> &str {
    path.to_str().expect("test files have plain names")
}

fn app(cli: &Cli) -> Arc<App> {
    let places = Places {
        data: cli.data(),
        worker: program("frameloom", "frameloom-cli"),
        extra_models: vec![root().join("models")],
    };
    App::open(places).expect("the data folder opens")
}

/// A copy of the demo clip for this test.
fn clip(cli: &Cli, name: &str) -> PathBuf {
    let path = cli.folder().join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
    fs::copy(demo_clip(), &path).expect("the clip can be copied");
    path
}

/// A project that makes a clip smaller and turns it.
fn small(cli: &Cli, name: &str, clip: &Path) -> PathBuf {
    let ops = [
        ("resize", json!({"width": 160, "height": 90})),
        ("flip", json!({"axis": "horizontal"})),
    ];
    let graph = chain(cli, "graph.json", &ops);
    let project = cli.folder().join(name);
    cli.run(
        ["project", "new", text(&project), "--graph", text(&graph)]
            .into_iter()
            .chain([
                "--in",
                text(clip),
                "--out",
                "small.mp4",
                "--quality",
                "draft",
            ]),
    )
    .expect_code(0);
    project
}

fn verify(cli: &Cli, project: &Path, code: i32) -> Value {
    cli.run(["verify", text(project), "--json"])
        .expect_code(code)
        .json()
}

#[track_caller]
fn verdict<'a>(found: &'a Value, what: &str) -> &'a str {
    let all = found["findings"].as_array().expect("findings");
    let finding = all.iter().find(|finding| finding["what"] == what);
    let finding = finding.unwrap_or_else(|| panic!("nothing is said of {what}: {found}"));
    finding["verdict"].as_str().expect("a verdict")
}

fn frames_of(found: &Value) -> Vec<&Value> {
    let all = found["findings"].as_array().expect("findings");
    let is_frame = |finding: &&Value| {
        finding["what"]
            .as_str()
            .is_some_and(|w| w.starts_with("frame ") && w.ends_with(" s"))
    };
    all.iter().filter(is_frame).collect()
}

/// Opens a project as the window does, changes its document, and saves it.
fn change(cli: &Cli, project: &Path, change: impl FnOnce(&mut Value)) {
    let app = app(cli);
    let opened = app
        .open_project(project, &Watch::quiet())
        .expect("the project opens");
    let mut document = opened.document;
    change(&mut document);
    let save = ProjectSave {
        path: opened.path,
        from: None,
        id: None,
        title: opened.title,
        graph: document["graph"].clone(),
        document,
    };
    app.save_project(&save, &Watch::new(&|_| (), &NEVER))
        .expect("the project is saved");
}

#[test]
fn a_locked_project_verifies_until_its_input_or_its_graph_changes_and_says_which() {
    let cli = Cli::new();
    let source = clip(&cli, "clip.mp4");
    let project = small(&cli, "film.frameloom", &source);
    let unlocked = cli.run(["verify", text(&project)]).expect_code(2);
    assert!(unlocked.stderr.contains("project lock"), "{unlocked:?}");
    cli.run(["project", "lock", text(&project)]).expect_code(0);

    let same = verify(&cli, &project, 0);
    assert_eq!(same["same"], true);
    let frames = frames_of(&same);
    assert!(frames.len() >= 6, "the beginning of each segment: {same}");
    assert!(same.to_string().contains("frame 5.040 s"), "{same}");
    assert_eq!(same["rendered"], frames.len());
    for what in [
        "input main",
        "graph",
        "settings",
        "frameloom",
        "system",
        "processor",
        "libavcodec",
    ] {
        assert_eq!(verdict(&same, what), "same", "{what}");
    }
    let leftover = walk(&cli.data().join("projects/rendering"));
    assert!(leftover.is_empty(), "{leftover:?}");

    // A parameter: the lock stays, and names it.
    let width = |document: &mut Value, width: u32| {
        let nodes = document["graph"]["nodes"].as_array_mut().expect("nodes");
        let node = nodes
            .iter_mut()
            .find(|node| node["op"] == "resize")
            .expect("it is there");
        node["params"]["width"] = json!(width);
    };
    change(&cli, &project, |document| width(document, 162));
    let other = verify(&cli, &project, 4);
    assert_eq!(other["same"], false);
    assert_eq!(verdict(&other, "graph"), "differs");
    assert!(
        other.to_string().contains("width 160 then, 162 now"),
        "{other}"
    );
    assert_eq!(verdict(&other, "input main"), "same");
    assert!(
        frames_of(&other).iter().all(|f| f["verdict"] == "differs"),
        "{other}"
    );
    change(&cli, &project, |document| width(document, 160));
    assert_eq!(verify(&cli, &project, 0)["same"], true);

    // How it is encoded is no picture before the encoder, and named all the same.
    change(&cli, &project, |document| {
        document["run"]["quality"] = json!("archive")
    });
    let other = verify(&cli, &project, 4);
    assert_eq!(verdict(&other, "settings"), "differs");
    assert!(
        frames_of(&other).iter().all(|f| f["verdict"] == "same"),
        "{other}"
    );
    change(&cli, &project, |document| {
        document["run"]["quality"] = json!("draft")
    });

    // One byte in the middle of the clip.
    let mut bytes = fs::read(&source).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&source, &bytes).expect("it can be written");
    let other = verify(&cli, &project, 4);
    assert_eq!(verdict(&other, "input main"), "differs");
    assert_eq!(verdict(&other, "graph"), "same");
    let run = cli.run(["run", text(&project)]).expect_code(3);
    assert!(run.stderr.contains("clip.mp4"), "{run:?}");

    fs::remove_file(&source).expect("it can be removed");
    let gone = verify(&cli, &project, 4);
    assert_eq!(verdict(&gone, "input main"), "absent");
    assert_eq!(gone["rendered"], 0);
}

#[test]
fn a_model_that_changed_since_the_lock_is_named() {
    let cli = Cli::new();
    let models = cli.folder().join("models");
    install(&models, "net", &onnx::pictures("Identity", 3), 256);
    let source = clip(&cli, "clip.mp4");
    let graph = chain(&cli, "graph.json", &[("upscale", json!({"model": "net"}))]);
    let project = cli.folder().join("film.frameloom");
    let run = |words: &[&str], code: i32| {
        let mut command = cli.command(words);
        let output = command.env("FRAMELOOM_MODELS_DIR", &models).output();
        let output = output.expect("the command starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let all = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{words:?}: {all}");
        said
    };
    let new = ["project", "new", text(&project), "--graph", text(&graph)];
    let with = ["--in", text(&source), "--out", "out.mkv"];
    run(&[&new[..], &with[..]].concat(), 0);
    run(&["project", "lock", text(&project)], 0);
    let verified = |code| -> Value {
        serde_json::from_str(&run(&["verify", text(&project), "--json"], code)).expect("JSON")
    };
    let same = verified(0);
    assert_eq!(verdict(&same, "model net"), "same");
    assert_eq!(verdict(&same, "onnxruntime"), "same");
    fs::remove_dir_all(models.join("net")).expect("it can be removed");
    install(&models, "net", &onnx::pictures("Abs", 3), 256);
    assert_eq!(verdict(&verified(4), "model net"), "differs");
    fs::remove_dir_all(models.join("net")).expect("it can be removed");
    assert_eq!(verdict(&verified(4), "model net"), "absent");
}

#[test]
fn a_picture_is_locked_by_its_finished_file() {
    let cli = Cli::new();
    let source = cli.folder().join("picture.png");
    write_png(&source, 120, 80, pattern).expect("the picture can be written");
    let graph = chain(
        &cli,
        "graph.json",
        &[("upscale", json!({"model": "loom-x2"}))],
    );
    let project = cli.folder().join("still.frameloom");
    cli.run(
        ["project", "new", text(&project), "--graph", text(&graph)]
            .into_iter()
            .chain(["--in", text(&source), "--out", "larger.png"]),
    )
    .expect_code(0);
    cli.run(["project", "lock", text(&project)]).expect_code(0);
    let same = verify(&cli, &project, 0);
    assert_eq!(verdict(&same, "picture"), "same");
    assert_eq!(verdict(&same, "model loom-x2"), "same");
}

#[test]
fn a_project_runs_where_it_was_moved_to_and_names_what_is_missing() {
    let cli = Cli::new();
    let source = clip(&cli, "here/clip.mp4");
    let project = small(&cli, "here/film.frameloom", &source);
    let there = cli.folder().join("đây");
    fs::rename(cli.folder().join("here"), &there).expect("the folder moves");
    let (project, source) = (
        there.join(project.file_name().expect("a name")),
        there.join("clip.mp4"),
    );
    cli.run(["run", text(&project)]).expect_code(0);
    assert_eq!(
        probe(&there.join("small.mp4"))
            .main_video()
            .expect("pictures")
            .1
            .width,
        160
    );
    let bytes = fs::read(&project).expect("it is there");
    let has = |word: &[u8]| bytes.windows(word.len()).any(|found| found == word);
    assert!(
        has(b"clip.mp4") && !has(b"small.mp4/"),
        "names without folders"
    );

    let shown = cli
        .run(["project", "show", text(&project), "--json"])
        .expect_code(0)
        .json();
    assert_eq!(shown["sources"][0]["state"], "same");
    let away = cli.folder().join("away.mp4");
    fs::rename(&source, &away).expect("the clip moves");
    let gone = cli.run(["run", text(&project)]).expect_code(3);
    assert!(
        gone.stderr.contains("clip.mp4") && gone.stderr.contains("relink"),
        "{gone:?}"
    );
    let shown = cli
        .run(["project", "show", text(&project), "--json"])
        .expect_code(0)
        .json();
    assert_eq!(shown["sources"][0]["state"], "missing");

    let other = cli.folder().join("other.mp4");
    fs::write(&other, "another file").expect("it can be written");
    let relink = |file: &Path, more: &[&str]| {
        let role = format!("input:main={}", text(file));
        let words = ["project", "relink", text(&project), &role];
        cli.run(words.into_iter().chain(more.iter().copied()))
    };
    relink(&other, &[]).expect_code(3);
    relink(&away, &[]).expect_code(0);
    let shown = cli
        .run(["project", "show", text(&project), "--json"])
        .expect_code(0)
        .json();
    assert_eq!(shown["sources"][0]["state"], "same");
}

#[test]
fn a_project_of_a_job_makes_the_same_result_again() {
    let cli = Cli::new();
    let source = clip(&cli, "clip.mp4");
    let graph = chain(
        &cli,
        "graph.json",
        &[("resize", json!({"width": 160, "height": 90}))],
    );
    let first = cli.folder().join("first.mkv");
    let words = [
        "run",
        text(&graph),
        "--in",
        text(&source),
        "--out",
        text(&first),
    ];
    let job = cli
        .run(words.into_iter().chain(["--deterministic", "--json"]))
        .expect_code(0)
        .json();
    let project = cli.folder().join("again");
    let id = job["id"].as_str().expect("an id");
    cli.run(["project", "new", text(&project), "--job", id])
        .expect_code(0);
    let project = project.with_extension("frameloom");
    let again = cli.folder().join("again.mkv");
    cli.run(["run", text(&project), "--out", text(&again)])
        .expect_code(0);
    assert_eq!(
        frames(&first).expect("frames"),
        frames(&again).expect("frames")
    );
}

#[test]
fn a_collected_project_has_all_it_needs_in_one_folder_under_names_of_their_own() {
    let cli = Cli::new();
    let (a, b) = (clip(&cli, "a/clip.mp4"), cli.folder().join("b/clip.mp4"));
    fs::create_dir_all(b.parent().expect("a folder")).expect("the folder can be made");
    let logo = cli.folder().join("mark.png");
    write_png(&logo, 32, 32, pattern).expect("the picture can be written");
    fs::rename(&logo, &b).expect("a picture may be called so");
    let look = cli.folder().join("look.cube");
    fs::write(
        &look,
        "LUT_3D_SIZE 2\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n",
    )
    .expect("the table");
    let nodes = [
        ("in", "source", json!({})),
        ("mark", "source", json!({"name": "mark"})),
        ("small", "resize", json!({"width": 160, "height": 90})),
        ("table", "color", json!({"lut": look})),
        ("over", "overlay", json!({})),
        ("out", "sink", json!({})),
    ];
    let wires = [
        "in small",
        "small table",
        "table over",
        "mark over.over",
        "over out",
    ];
    let graph = wired(&cli, "graph.json", &nodes, &wires);
    let project = cli.folder().join("film.frameloom");
    let mark = format!("mark={}", text(&b));
    cli.run(
        ["project", "new", text(&project), "--graph", text(&graph)]
            .into_iter()
            .chain([
                "--in",
                text(&a),
                "--in",
                &mark,
                "--out",
                "out.mp4",
                "--quality",
                "draft",
            ]),
    )
    .expect_code(0);
    let folder = cli.folder().join("all");
    let words = [
        "project",
        "collect",
        text(&project),
        text(&folder),
        "--json",
    ];
    let forecast = cli
        .run(words.into_iter().chain(["--dry-run"]))
        .expect_code(0)
        .json();
    assert_eq!(forecast["files"], 3);
    assert!(!folder.exists(), "nothing was done");
    let collected = cli.run(words).expect_code(0).json();
    assert_eq!(collected["bytes"], forecast["bytes"]);
    let names: Vec<String> = walk(&folder)
        .iter()
        .map(|path| {
            path.strip_prefix(&folder)
                .expect("below")
                .display()
                .to_string()
        })
        .collect();
    assert_eq!(
        names,
        [
            "film.frameloom",
            "media/clip (2).mp4",
            "media/clip.mp4",
            "media/look.cube"
        ]
    );

    // A file has its name only when it is whole, so that a kill leaves nothing that passes for it.
    let half = cli.folder().join("half");
    let told = |progress: &ProjectProgress| {
        if progress.step == ProjectStep::Copying && progress.name == "look.cube" {
            assert!(!half.join("media/look.cube").exists());
        }
    };
    app(&cli)
        .collect_project(&project, &half, &Watch::new(&told, &NEVER))
        .expect("it is collected");
    assert!(half.join("media/look.cube").is_file());
    let left = walk(&half).len();
    assert_eq!(left, 4, "and nothing else is left");

    // The originals are gone, and the folder is somewhere else.
    for path in [&a, &b, &look, &project] {
        fs::remove_file(path).expect("it can be removed");
    }
    let there = cli.folder().join("elsewhere");
    fs::rename(&folder, &there).expect("the folder moves");
    let copy = there.join("film.frameloom");
    let bytes = fs::read(&copy).expect("it is there");
    let home = text(cli.folder().parent().expect("a folder"))
        .as_bytes()
        .to_owned();
    assert!(
        !bytes.windows(home.len()).any(|found| found == home),
        "it tells of no folder"
    );
    cli.run(["run", text(&copy)]).expect_code(0);
    assert!(there.join("out.mp4").is_file());
    // A second time there is something in the way; nothing of it is touched.
    let again = cli
        .run(["project", "collect", text(&copy), text(&there)])
        .expect_code(2);
    assert!(again.stderr.contains("film.frameloom"), "{again:?}");
}

fn saved(project: &Path, id: Option<&str>, title: &str, document: &Value) -> ProjectSave {
    ProjectSave {
        path: project.to_owned(),
        from: None,
        id: id.map(str::to_owned),
        title: title.to_owned(),
        document: document.clone(),
        graph: document["graph"].clone(),
    }
}

#[test]
fn what_is_saved_while_a_project_is_locked_or_relinked_is_not_lost() {
    let cli = Cli::new();
    let source = clip(&cli, "clip.mp4");
    let project = small(&cli, "film.frameloom", &source);
    let app = app(&cli);
    let document = app
        .open_project(&project, &Watch::quiet())
        .expect("it opens")
        .document;
    let save = |title: &str| saved(&project, None, title, &document);
    let quiet = Watch::new(&|_| (), &NEVER);
    // Somebody saves as soon as anything is told of what takes its time.
    let meanwhile = std::cell::Cell::new(Some("saved while it was locked"));
    let told = |_: &ProjectProgress| {
        if let Some(title) = meanwhile.take() {
            app.save_project(&save(title), &quiet).expect("it is saved");
        }
    };
    let watch = Watch::new(&told, &NEVER);
    let refused = app.lock_project(&project, &watch).expect_err("it changed");
    assert_eq!(refused.code, ErrorCode::InputChanged);
    let opened = app
        .open_project(&project, &Watch::quiet())
        .expect("it opens");
    assert_eq!(opened.title, "saved while it was locked");
    assert_eq!(opened.locked_millis, None);

    meanwhile.set(Some("saved while it was relinked"));
    let relinked = app.relink_project(&project, "input:main", &source, false, &watch);
    assert_eq!(
        relinked.expect("it is the same file").title,
        "saved while it was relinked"
    );

    // What is not in the file is newer than it, also when that gets a lock.
    app.autosave_project(&save("not saved"))
        .expect("it is noted");
    let locked = app.lock_project(&project, &quiet).expect("it is locked");
    assert!(locked.locked_millis.is_some());
    let offered = locked.recovery.expect("what was not saved is offered");
    assert_eq!(offered.title, "not saved");
}

#[test]
fn a_project_that_replaces_another_takes_nothing_of_it_and_none_is_replaced_unnamed() {
    let cli = Cli::new();
    let source = clip(&cli, "clip.mp4");
    let project = small(&cli, "film.frameloom", &source);
    cli.run(["project", "lock", text(&project)]).expect_code(0);
    let app = app(&cli);
    let quiet = Watch::new(&|_| (), &NEVER);
    let before = app
        .open_project(&project, &Watch::quiet())
        .expect("it opens");
    let bytes = fs::read(&project).expect("it is there");
    // A dialog that asks for a name asks about the name that was typed.
    let typed = project.with_extension("");
    let other = |path: &Path| saved(path, Some("of-another"), "Other", &before.document);
    let refused = app.save_project(&other(&typed), &quiet);
    assert_eq!(
        refused.expect_err("it is there").code,
        ErrorCode::OutputUnwritable
    );
    assert_eq!(fs::read(&project).expect("it is there"), bytes);

    let written = app.save_project(&other(&project), &quiet).expect("saved");
    assert_eq!(written.id, "of-another");
    let opened = app
        .open_project(&project, &Watch::quiet())
        .expect("it opens");
    assert_eq!(
        opened.locked_millis, None,
        "the lock was of another project"
    );
    assert_eq!(
        app.project_backups(&project).len(),
        2,
        "what it was is kept, before the lock and before it was replaced"
    );
}

#[test]
fn a_damaged_and_a_newer_project_are_refused_with_a_remedy() {
    let cli = Cli::new();
    let source = clip(&cli, "clip.mp4");
    let project = small(&cli, "film.frameloom", &source);
    let whole = fs::read(&project).expect("it is there");
    let refused = |bytes: &[u8], remedy: &str| {
        fs::write(&project, bytes).expect("it can be written");
        let said = cli.run(["project", "show", text(&project)]).expect_code(3);
        assert!(said.stderr.contains(remedy), "{said:?}");
    };
    refused(&whole[..whole.len() / 2], "projects/backups");
    refused(b"a text", "ends in .frameloom");
    let mut newer = whole.clone();
    newer[63] = 2;
    refused(&newer, "newest Frameloom");
}

/// What the window would be in the middle of, in a process that can be killed.
const VICTIM: &str = "FRAMELOOM_TEST_VICTIM";

#[test]
fn a_window_at_work_until_it_is_killed() {
    let Ok(what) = std::env::var(VICTIM) else {
        // Only the tests below start it, in a process of its own.
        return;
    };
    let [kind, data, project] = what.split('\n').collect::<Vec<_>>()[..] else {
        panic!("{what}");
    };
    let places = Places {
        data: PathBuf::from(data),
        worker: PathBuf::from("unused"),
        extra_models: Vec::new(),
    };
    let app = App::open(places).expect("the data folder opens");
    let project = PathBuf::from(project);
    let opened = app
        .open_project(&project, &Watch::quiet())
        .expect("the project opens");
    let ready = project.with_extension("ready");
    for round in 0.. {
        let save = ProjectSave {
            path: project.clone(),
            from: None,
            id: None,
            title: format!("round {round}"),
            document: opened.document.clone(),
            graph: opened.document["graph"].clone(),
        };
        if kind == "autosave" {
            app.autosave_project(&save).expect("it is noted");
        } else {
            app.save_project(&save, &Watch::new(&|_| (), &NEVER))
                .expect("it is saved");
        }
        fs::write(&ready, "").expect("it can be written");
    }
}

fn victim(cli: &Cli, kind: &str, project: &Path) -> std::process::Child {
    let this = std::env::current_exe().expect("a program knows its own file");
    let child = std::process::Command::new(this)
        .args(["--exact", "a_window_at_work_until_it_is_killed"])
        .env(
            VICTIM,
            format!("{kind}\n{}\n{}", text(&cli.data()), text(project)),
        )
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the test starts again");
    let ready = project.with_extension("ready");
    let _ = fs::remove_file(&ready);
    wait_until("the first save", || ready.exists());
    child
}

#[test]
fn what_was_not_saved_when_the_window_was_killed_is_offered_and_never_taken() {
    let cli = Cli::new();
    let source = clip(&cli, "clip.mp4");
    let project = small(&cli, "film.frameloom", &source);
    let before = fs::read(&project).expect("it is there");
    let mut child = victim(&cli, "autosave", &project);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");

    assert_eq!(
        fs::read(&project).expect("it is there"),
        before,
        "the file is as it was"
    );
    let beside: Vec<_> = fs::read_dir(cli.folder())
        .expect("a folder")
        .flatten()
        .collect();
    assert!(
        beside
            .iter()
            .all(|e| !e.file_name().to_string_lossy().contains("saving")),
        "nothing in the user's folder: {beside:?}"
    );
    // Killed between writing and naming, it leaves a whole file of another name.
    let recovery = cli.data().join("projects/recovery");
    let kept = fs::read_dir(&recovery)
        .expect("it is there")
        .flatten()
        .find(|entry| entry.path().extension().is_some_and(|e| e == "frameloom"))
        .expect("it was noted");
    let [fresh, old] = ["fresh", "old"].map(|n| recovery.join(format!(".frameloom-{n}.saving")));
    for left in [&fresh, &old] {
        fs::copy(kept.path(), left).expect("it can be copied");
    }
    let hour = std::time::Duration::from_secs(3600);
    fs::File::options()
        .write(true)
        .open(&old)
        .and_then(|file| file.set_modified(std::time::SystemTime::now() - hour))
        .expect("its time can be set");
    let app = app(&cli);
    let offered = app.project_recoveries();
    assert_eq!(offered.len(), 1, "{offered:?}");
    assert!(offered[0].title.starts_with("round "), "{offered:?}");
    let opened = app
        .open_project(&project, &Watch::quiet())
        .expect("it opens");
    assert_eq!(opened.title, "film", "as it was saved");
    assert_eq!(opened.recovery.as_ref(), offered.first());
    let recovered = app
        .recover_project(&project, &Watch::quiet())
        .expect("it is there");
    assert_eq!(recovered.title, offered[0].title);
    assert_eq!(
        recovered.document["run"], opened.document["run"],
        "with all its files"
    );

    // Saved, it is not offered again; and thrown away neither.
    let save = ProjectSave {
        path: project.clone(),
        from: None,
        id: None,
        title: recovered.title.clone(),
        graph: recovered.document["graph"].clone(),
        document: recovered.document,
    };
    app.save_project(&save, &Watch::new(&|_| (), &NEVER))
        .expect("it is saved");
    assert!(app.project_recoveries().is_empty());
    assert_eq!(
        app.open_project(&project, &Watch::quiet())
            .expect("it opens")
            .title,
        recovered.title
    );
    let mut changed = save.clone();
    changed.title = "another".to_owned();
    app.autosave_project(&changed).expect("it is noted");
    assert!(
        fresh.exists() && !old.exists(),
        "only what is surely left behind goes"
    );
    assert_eq!(app.project_recoveries().len(), 1);
    app.autosave_project(&save).expect("it is noted");
    assert!(
        app.project_recoveries().is_empty(),
        "it was brought back to what is saved"
    );
    app.autosave_project(&changed).expect("it is noted");
    app.drop_recovery(&project);
    assert!(app.project_recoveries().is_empty());
}

#[test]
fn a_save_that_is_killed_leaves_a_whole_project_and_earlier_ones_are_kept() {
    let cli = Cli::new();
    let source = clip(&cli, "clip.mp4");
    let project = small(&cli, "film.frameloom", &source);
    for pause in [0, 7, 23, 51] {
        let mut child = victim(&cli, "save", &project);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        let app = app(&cli);
        let opened = app
            .open_project(&project, &Watch::quiet())
            .expect("it is whole");
        assert!(opened.title.starts_with("round "), "{}", opened.title);
        let kept = app.project_backups(&project);
        assert!((1..=10).contains(&kept.len()), "{kept:?}");
        for backup in &kept {
            app.open_project(backup, &Watch::quiet())
                .expect("an earlier state is whole");
        }
    }
}
