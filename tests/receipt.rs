//! Receipts: what a finished job says of itself, and how a changed result is found out.

use e2e::*;
use serde_json::Value;
use std::fs;

fn finding<'a>(verification: &'a Value, what: &str) -> &'a Value {
    verification["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|finding| finding["what"] == what)
        .unwrap_or_else(|| panic!("nothing is said of {what}: {verification}"))
}

#[test]
fn a_result_verifies_itself_and_a_changed_one_is_found_out() {
    let cli = Cli::new();
    let folder = cli.folder();
    let source = folder.join("source.mp4");
    fs::copy(demo_clip(), &source).unwrap();
    let output = folder.join("larger.mkv");
    let job = cli
        .run([
            "upscale".as_ref(),
            source.as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
            "--quality".as_ref(),
            "draft".as_ref(),
            "--json".as_ref(),
        ])
        .expect_code(0)
        .json();
    let id = job["id"].as_str().unwrap();

    let receipt = cli
        .run(["jobs", "show", id, "--receipt"])
        .expect_code(0)
        .json();
    assert_eq!(receipt["input"]["name"], "source.mp4");
    assert_eq!(receipt["output"]["name"], "larger.mkv");
    assert_eq!(
        receipt["output"]["size_bytes"],
        output.metadata().unwrap().len()
    );
    assert!(
        !receipt.to_string().contains(folder.to_str().unwrap()),
        "a receipt may be given away and must not tell where things lie: {receipt}"
    );
    let frames = frames(&source).unwrap().len() as u64;
    assert_eq!(receipt["checks"]["frames"], frames);
    assert_eq!(receipt["checks"]["pictures"]["compared"], frames);
    assert!(receipt["models"][0]["sha256"].as_str().unwrap().len() == 64);

    let verify = |arguments: &[&str], code: i32| {
        let words = ["verify", "--json"].iter().chain(arguments);
        cli.run(words).expect_code(code).json()
    };
    let path = output.to_str().unwrap();
    let genuine = verify(&[path], 0);
    assert_eq!(genuine["genuine"], true);
    for what in ["output", "frames", "times", "streams", "input"] {
        assert_eq!(finding(&genuine, what)["verdict"], "same", "{what}");
    }

    // Moved and renamed it is still that result; a source that changed since is told.
    let moved = folder.join("renamed.mkv");
    fs::rename(&output, &moved).unwrap();
    fs::write(&source, "another file").unwrap();
    let elsewhere = verify(&[moved.to_str().unwrap()], 0);
    assert_eq!(finding(&elsewhere, "input")["verdict"], "differs");

    // One byte less, and a receipt that came by another way.
    let kept = folder.join("receipt.json");
    fs::write(&kept, receipt.to_string()).unwrap();
    let mut bytes = fs::read(&moved).unwrap();
    bytes.pop();
    fs::write(&output, &bytes).unwrap();
    let cut = verify(&[path, "--receipt", kept.to_str().unwrap()], 4);
    assert_eq!(cut["genuine"], false);
    assert_eq!(finding(&cut, "output")["verdict"], "differs");
    assert_eq!(verify(&[path], 4)["genuine"], false);

    // A file that nobody made here.
    let stranger = cli.run(["verify".as_ref(), demo_clip().as_os_str()]);
    assert_eq!(stranger.code, Some(2), "{stranger:?}");
    assert!(stranger.stderr.contains("--receipt"), "{stranger:?}");
}
