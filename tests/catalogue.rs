//! Models of the catalogue: what it says of them is so, and they come from anywhere or not at all.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::server::{Answer, Server};
use e2e::*;
use frameloom_app::{App, KeptKind, Places, Settings};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn picture(cli: &Cli) -> PathBuf {
    let path = cli.folder().join("picture.png");
    let all = image::open(root().join("assets/specimen.jpg")).unwrap();
    all.crop_imm(40, 30, 96, 64).save(&path).unwrap();
    path
}

fn models(cli: &Cli) -> Vec<Value> {
    let catalogue = cli.run(["models", "available", "--json"]).expect_code(0);
    catalogue.json()["models"].as_array().unwrap().clone()
}

/// Rows of the list of test material, by the hash of the file.
fn row(sha256: &str) -> Option<Vec<String>> {
    let rows = fs::read_to_string(test_data("MANIFEST.tsv")?).unwrap();
    let row = rows.lines().find(|row| row.contains(sha256));
    let row = row.unwrap_or_else(|| panic!("nobody has a file {sha256}"));
    Some(row.split('\t').map(str::to_owned).collect())
}

/// The weights of a model of the catalogue.
fn weights(model: &Value) -> Option<PathBuf> {
    let sha256 = model["model"]["manifest"]["sha256"].as_str().unwrap();
    test_data(&row(sha256)?[0])
}

fn known(cli: &Cli, id: &str) -> Value {
    let models = models(cli);
    let model = models.iter().find(|it| it["model"]["manifest"]["id"] == id);
    model.unwrap().clone()
}

fn outgoing(cli: &Cli) -> Vec<Value> {
    let entries = cli.run(["outgoing", "--json"]).expect_code(0).json();
    entries.as_array().unwrap().clone()
}

fn installed(cli: &Cli) -> Vec<String> {
    let entries = cli.run(["models", "list", "--json"]).expect_code(0).json();
    let ids = entries.as_array().unwrap().iter();
    ids.map(|entry| entry["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The same data folder through the door of the window.
fn app(cli: &Cli) -> Arc<App> {
    let places = Places {
        data: cli.data(),
        worker: program("frameloom", "frameloom-cli"),
        extra_models: Vec::new(),
    };
    App::open(places).unwrap()
}

/// What lies under its hash.
fn kept(cli: &Cli) -> Vec<String> {
    let entries = fs::read_dir(cli.data().join("models/.weights"));
    let mut names: Vec<String> = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A small model, and a server that has it.
const SMALL: &str = "espcn-x3";

#[test]
fn every_address_is_one_commit_on_a_host_of_the_list_and_no_host_is_there_in_vain() {
    let cli = Cli::new();
    let hosts = cli.run(["outgoing", "--hosts", "--json"]).expect_code(0);
    let hosts: Vec<String> = serde_json::from_str(&hosts.stdout).unwrap();
    let mut used = Vec::new();
    for model in models(&cli) {
        let origin = &model["model"]["origin"];
        for address in model["model"]["addresses"].as_array().unwrap() {
            let address = address.as_str().unwrap();
            let host = address.split('/').nth(2).unwrap().to_owned();
            assert!(hosts.contains(&host), "{address}");
            for part in ["commit", "path"] {
                assert!(
                    address.contains(origin[part].as_str().unwrap()),
                    "{address}"
                );
            }
            used.push(host);
        }
    }
    for host in hosts {
        assert!(used.contains(&host), "{host} is never asked");
    }
}

#[test]
fn every_model_is_what_the_catalogue_says_and_does_its_work() {
    let cli = Cli::new();
    let source = picture(&cli);
    for model in models(&cli) {
        let entry = &model["model"];
        let manifest = &entry["manifest"];
        let id = manifest["id"].as_str().unwrap();
        let Some(row) = row(manifest["sha256"].as_str().unwrap()) else {
            return;
        };
        let [file, size, _, _, usable, licence, repository, commit, path] = &row[..9] else {
            panic!("a row of another shape: {row:?}");
        };
        assert_eq!(manifest["size_bytes"].to_string(), *size, "{id}");
        assert_eq!(usable, "ok", "{id}");
        assert_eq!(
            manifest["licence"]["spdx"].as_str(),
            Some(licence.as_str()),
            "{id}"
        );
        let origin = &entry["origin"];
        let address = format!("https://github.com/{repository}");
        assert_eq!(
            origin["repository"].as_str(),
            Some(address.as_str()),
            "{id}"
        );
        assert_eq!(origin["commit"].as_str(), Some(commit.as_str()), "{id}");
        assert_eq!(origin["path"].as_str(), Some(path.as_str()), "{id}");

        let file = test_data(file).unwrap();
        let found = cli.run(["models", "inspect", &text(&file), "--json"]);
        let found = &found.expect_code(0).json()["manifest"];
        for part in [
            "scale", "input", "output", "tile", "task", "matte", "places", "depth",
        ] {
            assert_eq!(found[part], manifest[part], "{id}: {part}");
        }
        let get = [
            "models",
            "get",
            id,
            "--yes",
            "--from",
            &text(&file),
            "--json",
        ];
        cli.run(get).expect_code(0);
        // One that only computes on whole screens takes its time; that it is fed rightly was seen.
        if manifest["tile"]["min"].as_u64() > Some(256) {
            continue;
        }
        // These work on sound, and have tests of their own.
        if manifest["task"] == "voice_activity" || manifest["task"] == "speech_cleaning" {
            continue;
        }
        let output = cli.folder().join(format!("{id}.png"));
        let scale = manifest["scale"].to_string();
        let (source, output) = (text(&source), text(&output));
        let work: &[&str] = match manifest["task"].as_str() {
            Some("matte") => &["background", &source, "--color", "#ffffff"],
            Some("faces") => &["redact", &source],
            Some("text") => &["redact", &source, "--text"],
            Some("light") => &["light", &source],
            Some("depth") => &["depth", &source],
            _ => &["upscale", &source, "--scale", &scale],
        };
        let named = ["-o", &output, "--model", id, "--json"];
        let job = cli.run([work, &named[..]].concat());
        let job = job.expect_code(0).json();
        let job = job["id"].as_str().unwrap();
        let receipt = cli.run(["jobs", "show", job, "--receipt", "--json"]);
        let receipt = receipt.expect_code(0).json();
        assert_eq!(receipt["models"][0]["licence"], manifest["licence"], "{id}");
    }
    assert!(
        outgoing(&cli).is_empty(),
        "nothing of this needs the network"
    );
}

#[test]
fn a_model_comes_from_a_server_after_its_licence_was_shown_and_that_is_on_record() {
    let cli = Cli::new();
    let Some(file) = weights(&known(&cli, SMALL)) else {
        return;
    };
    let server = Server::new(fs::read(&file).unwrap(), |turn, _| match turn {
        0 => Answer::CutAfter(100_000),
        _ => Answer::File,
    });
    let mirror = server.address("");
    let asked = cli.run(["models", "get", SMALL, "--mirror", &mirror]);
    let asked = asked.expect_code(2);
    assert!(asked.stderr.contains("MIT"), "{asked:?}");
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    assert!(server.asked().is_empty(), "nobody agreed");
    assert!(outgoing(&cli).is_empty());

    let get = ["models", "get", SMALL, "--yes", "--mirror", &mirror];
    let got = cli.run(get).expect_code(0);
    assert!(got.stderr.contains("MIT"), "{got:?}");
    assert!(installed(&cli).contains(&SMALL.to_owned()));
    let paths: Vec<_> = server.asked().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["/espcn-x3/model.onnx", "/espcn-x3/model.onnx"]);
    assert_eq!(server.ranges()[1].as_deref(), Some("bytes=100000-"));
    let entries = outgoing(&cli);
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_eq!(entries[0]["purpose"]["id"], SMALL);
    assert_eq!(entries[0]["end"]["status"], 206);
    assert_eq!(entries[1]["end"]["received_bytes"], 100_000);
    cli.run(["models", "verify"]).expect_code(0);
    // It is there: nobody is asked again.
    cli.run(get).expect_code(0);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_download_whose_program_is_killed_goes_on_in_the_next_one() {
    let cli = Cli::new();
    let Some(file) = weights(&known(&cli, SMALL)) else {
        return;
    };
    let server = Server::new(fs::read(&file).unwrap(), |turn, _| match turn {
        0 => Answer::SilentAfter(150_000),
        _ => Answer::File,
    });
    let mirror = server.address("");
    let get = ["models", "get", SMALL, "--yes", "--mirror", &mirror];
    let mut first = cli.command(get).spawn().unwrap();
    let part = cli.data().join("models/.weights");
    wait_until("a part of the file", || {
        let files = fs::read_dir(&part).into_iter().flatten().flatten();
        files
            .map(|file| file.metadata().unwrap().len())
            .sum::<u64>()
            == 150_000
    });
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(!installed(&cli).contains(&SMALL.to_owned()));
    assert_eq!(known(&cli, SMALL)["there_bytes"], 150_000);
    assert_eq!(
        outgoing(&cli)[0]["end"],
        Value::Null,
        "its end was not seen"
    );
    cli.run(get).expect_code(0);
    assert_eq!(server.ranges()[1].as_deref(), Some("bytes=150000-"));
    cli.run(["models", "verify"]).expect_code(0);
}

#[test]
fn without_connections_nothing_is_asked() {
    let cli = Cli::new();
    let server = Server::new(b"x".to_vec(), |_, _| Answer::File);
    let app = app(&cli);
    let offline = Settings {
        offline: true,
        ..Settings::default()
    };
    app.set_settings(&offline).unwrap();
    drop(app);
    let get = [
        "models",
        "get",
        SMALL,
        "--yes",
        "--mirror",
        &server.address(""),
    ];
    let refused = cli.run(get).expect_code(4);
    assert!(refused.stderr.contains("no connection"), "{refused:?}");
    assert!(server.asked().is_empty());
    assert!(outgoing(&cli).is_empty());
}

#[test]
fn a_server_with_other_bytes_and_an_address_that_is_not_encrypted_are_refused() {
    let cli = Cli::new();
    let size = known(&cli, SMALL)["model"]["manifest"]["size_bytes"].as_u64();
    let server = Server::new(vec![7; size.unwrap() as usize], |_, _| Answer::File);
    let get = [
        "models",
        "get",
        SMALL,
        "--yes",
        "--mirror",
        &server.address(""),
    ];
    let refused = cli.run(get).expect_code(4);
    assert!(refused.stderr.contains("another file"), "{refused:?}");
    assert!(!installed(&cli).contains(&SMALL.to_owned()));
    let open = [
        "models",
        "get",
        SMALL,
        "--yes",
        "--mirror",
        "http://example.org/",
    ];
    let refused = cli.run(open).expect_code(2);
    assert!(refused.stderr.contains("https"), "{refused:?}");
    cli.run(["models", "get", "no-such-model", "--yes"])
        .expect_code(2);
}

#[test]
fn a_bundle_brings_models_to_a_computer_without_a_connection() {
    let cli = Cli::new();
    let Some(file) = weights(&known(&cli, SMALL)) else {
        return;
    };
    let bundle = cli.folder().join("models.tar");
    let write = ["models", "bundle", SMALL, "--to", &text(&bundle), "--json"];
    let early = cli.run(write).expect_code(2);
    assert!(early.stdout.contains("not installed"), "{early:?}");
    // The folder will do, whatever the file in it is called.
    let folder = text(file.parent().unwrap());
    cli.run(["models", "get", SMALL, "--yes", "--from", &folder])
        .expect_code(0);
    cli.run(write).expect_code(0);
    cli.run(write).expect_code(2);

    let other = Cli::new();
    let take = |id: &str, from: &Path| {
        let from = text(from);
        other.run(["models", "get", id, "--yes", "--from", &from])
    };
    take(SMALL, &bundle).expect_code(0);
    other.run(["models", "verify"]).expect_code(0);
    assert!(outgoing(&other).is_empty());
    let missing = take("span-anime-clean", &bundle).expect_code(2);
    assert!(
        missing.stderr.contains("bundle has no model"),
        "{missing:?}"
    );
    // A bundle that was cut off, and one in which a byte is another.
    let bytes = fs::read(&bundle).unwrap();
    let third = Cli::new();
    for (name, bytes) in [
        ("cut", bytes[..bytes.len() / 2].to_vec()),
        ("changed", {
            let mut bytes = bytes.clone();
            let place = bytes.len() - 50_000;
            bytes[place] ^= 1;
            bytes
        }),
    ] {
        let path = third.folder().join(name);
        fs::write(&path, bytes).unwrap();
        let refused = third.run(["models", "get", SMALL, "--yes", "--from", &text(&path)]);
        assert_ne!(refused.code, Some(0), "{name}: {refused:?}");
        assert!(!installed(&third).contains(&SMALL.to_owned()), "{name}");
        assert!(kept(&third).is_empty(), "{name}: nothing is left");
    }
}

#[test]
fn the_same_weights_lie_there_once_and_go_with_the_last_model_that_has_them() {
    let cli = Cli::new();
    let model = known(&cli, SMALL);
    let Some(file) = weights(&model) else { return };
    let file = text(&file);
    cli.run(["models", "get", SMALL, "--yes", "--from", &file])
        .expect_code(0);
    cli.run(["models", "import", &file, "--id", "mine"])
        .expect_code(0);
    let sha256 = model["model"]["manifest"]["sha256"].as_str().unwrap();
    assert_eq!(kept(&cli), [sha256]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let facts = fs::metadata(cli.data().join("models/.weights").join(sha256)).unwrap();
        assert_eq!(facts.nlink(), 3, "two models and the store");
    }
    let app = app(&cli);
    let counted = app.kept().unwrap();
    let counted = counted.iter().find(|it| it.kind == KeptKind::Models);
    let size = model["model"]["manifest"]["size_bytes"].as_u64().unwrap();
    let bundled = 2 * 99_436;
    let most = bundled + size + 50_000;
    assert!(counted.unwrap().size_bytes < most, "{counted:?} of {most}");
    drop(app);
    cli.run(["models", "remove", SMALL]).expect_code(0);
    assert_eq!(kept(&cli), [sha256]);
    cli.run(["models", "verify"]).expect_code(0);
    cli.run(["models", "remove", "mine"]).expect_code(0);
    assert!(kept(&cli).is_empty());
    // And it comes again.
    cli.run(["models", "get", SMALL, "--yes", "--from", &file])
        .expect_code(0);
}

#[test]
fn a_catalogue_that_nobody_signed_is_not_taken() {
    let cli = Cli::new();
    let folder = root().join("assets/catalogue");
    let copy = cli.folder().join("catalogue.json");
    let beside = cli.folder().join("catalogue.json.minisig");
    fs::copy(folder.join("catalogue.json"), &copy).unwrap();
    fs::copy(folder.join("catalogue.json.minisig"), &beside).unwrap();
    let renew = || cli.run(["models", "renew", &text(&copy)]).expect_code(2);
    let same = renew();
    assert!(same.stderr.contains("known already"), "{same:?}");
    let json = fs::read_to_string(&copy).unwrap();
    fs::write(&copy, json.replace("\"version\": 1,", "\"version\": 9,")).unwrap();
    let changed = renew();
    assert!(changed.stderr.contains("not signed"), "{changed:?}");
    let server = Server::new(json.into_bytes(), |_, request| {
        match request.path.ends_with(".minisig") {
            true => Answer::Other(b"untrusted comment: trust me".to_vec()),
            false => Answer::File,
        }
    });
    let address = server.address("catalogue.json");
    let refused = cli.run(["models", "renew", &address]).expect_code(2);
    assert!(refused.stderr.contains("not signed"), "{refused:?}");
    assert_eq!(outgoing(&cli).len(), 2);
    assert_eq!(outgoing(&cli)[0]["purpose"]["kind"], "catalogue");
}

#[test]
fn commercial_work_refuses_models_that_are_not_for_it_by_their_names() {
    let cli = Cli::new();
    let (file, source) = (root().join("models/loom-x2/loom-x2.onnx"), picture(&cli));
    let import = |id: &str, name: &str, licence: &str| {
        let file = text(&file);
        let range = "studio_255";
        let wish = [
            "models",
            "import",
            &file,
            "--id",
            id,
            "--name",
            name,
            "--licence",
            licence,
            "--range",
            range,
        ];
        cli.run(wish).expect_code(0);
    };
    import("theirs", "Only for fun", "CC-BY-NC-4.0");
    import("free", "For all", "CC-BY-4.0");
    let graph = |model: &str| {
        let path = cli.folder().join(format!("{model}.json"));
        let json = serde_json::json!({
            "version": 2,
            "nodes": [
                {"id": "in", "op": "source"},
                {"id": "up", "op": "upscale", "params": {"model": model}},
                {"id": "out", "op": "sink"},
            ],
            "edges": [{"from": "in", "to": "up"}, {"from": "up", "to": "out"}],
        });
        fs::write(&path, json.to_string()).unwrap();
        path
    };
    let (source, output) = (text(&source), text(&cli.folder().join("large.png")));
    let run = |graph: &Path, more: &[&str]| {
        let graph = text(graph);
        let basic = [
            "run",
            &graph,
            "--in",
            &source,
            "--out",
            &output,
            "--dry-run",
        ];
        cli.run([&basic[..], more].concat())
    };
    run(&graph("theirs"), &[]).expect_code(0);
    run(&graph("free"), &["--commercial"]).expect_code(0);
    let refused = run(&graph("theirs"), &["--commercial"]).expect_code(2);
    for said in ["Only for fun", "CC-BY-NC-4.0"] {
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
    // A project remembers it.
    let project = text(&cli.folder().join("film.frameloom"));
    let new = text(&graph("theirs"));
    let make = [
        "project", "new", &project, "--graph", &new, "--in", &source, "--out", "a.png",
    ];
    cli.run([&make[..], &["--commercial"]].concat())
        .expect_code(0);
    let refused = cli.run(["run", &project, "--dry-run"]).expect_code(2);
    assert!(refused.stderr.contains("Only for fun"), "{refused:?}");
}
