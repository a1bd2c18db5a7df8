//! The direction of dependencies: which of our crates names which other, and who may name the
//! libraries that are to stay behind one crate. A new edge is a line in the diff of this file,
//! and its commit says why it is there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Edges between our crates, `*` for one that only tests have.
const EDGES: &str = "\
e2e: app core media net
frameloom-app: core engine infer media net still store
frameloom-cli: app core
frameloom-core:
frameloom-engine: core infer media still
frameloom-infer: core
frameloom-media: core
frameloom-net:
frameloom-still: core
frameloom-store: core
frameloom-studio: app core
xtask:
";

/// Libraries that belong to one crate.
const GUARDED: &str = "\
ffmpeg-next:
ffmpeg-sys-next: frameloom-media
ort: frameloom-infer
reqwest: frameloom-net
rusqlite: frameloom-store
tauri: frameloom-studio
";

fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn dependencies(package: &Value) -> &[Value] {
    package["dependencies"]
        .as_array()
        .map_or(&[], Vec::as_slice)
}

fn lines(map: BTreeMap<String, Vec<String>>) -> String {
    map.into_iter()
        .map(|(name, mut others)| {
            others.sort();
            others.dedup();
            let line = format!("{name}: {}", others.join(" "));
            format!("{}\n", line.trim_end())
        })
        .collect()
}

/// Fails with the lines that differ, as a diff shows them.
fn assert_same(found: &str, expected: &str, what: &str) {
    let mark = |sign: char, of: &str, other: &str| -> String {
        of.lines()
            .filter(|line| !other.lines().any(|known| known == *line))
            .map(|line| format!("{sign} {line}\n"))
            .collect()
    };
    assert!(
        found == expected,
        "{what}:\n{}{}",
        mark('-', expected, found),
        mark('+', found, expected)
    );
}

#[test]
fn our_crates_depend_on_each_other_in_one_direction() {
    let edges = packages()
        .iter()
        .map(|package| {
            let others = dependencies(package)
                .iter()
                .filter(|dependency| dependency["path"].is_string())
                .map(|dependency| {
                    let name = text(dependency, "name").trim_start_matches("frameloom-");
                    let mark = if text(dependency, "kind") == "dev" {
                        "*"
                    } else {
                        ""
                    };
                    format!("{name}{mark}")
                })
                .collect();
            (text(package, "name").to_owned(), others)
        })
        .collect();
    assert_same(&lines(edges), EDGES, "an edge came or went");
}

#[test]
fn each_guarded_library_is_named_by_its_own_crate_only() {
    let mut users: BTreeMap<String, Vec<String>> = GUARDED
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| (name.to_owned(), Vec::new()))
        .collect();
    for package in packages() {
        for dependency in dependencies(&package) {
            if let Some(list) = users.get_mut(text(dependency, "name")) {
                list.push(text(&package, "name").to_owned());
            }
        }
    }
    assert_same(
        &lines(users),
        GUARDED,
        "the users of a guarded library changed",
    );
}
