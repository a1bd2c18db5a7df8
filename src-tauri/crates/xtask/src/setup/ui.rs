//! `ui/`: its packages and its build.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::stamps::{self, Stamps};
use crate::exec::{self, say};
use crate::place::Place;

/// Folders of `ui/` that are made, not written.
const MADE: &[&str] = &[
    "node_modules",
    "dist",
    ".svelte-kit",
    "test-results",
    "playwright-report",
];

/// `npm ci`, where the installed packages are not those of the lock file.
pub fn ensure_packages(place: &Place) -> anyhow::Result<()> {
    let ui = place.ui();
    let lock_file = ui.join("package-lock.json");
    let lock =
        read_json(&lock_file).with_context(|| format!("{} cannot be read", lock_file.display()))?;
    // npm writes this file last, so it stands for a finished installation.
    let installed = read_json(&ui.join("node_modules/.package-lock.json"));
    if installed.is_ok_and(|installed| is_installed(&lock, &installed)) {
        return Ok(());
    }
    if exec::which("npm").is_none() {
        bail!("npm is not in PATH: install Node.js 20.19 or newer (it brings npm)");
    }
    say("getting the packages of ui/");
    exec::run(
        exec::tool("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&ui),
    )
}

fn read_json(file: &Path) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(file)?)?)
}

/// Whether every package of the lock is installed in its version, and no other is. Optional
/// ones (builds for other systems) may be absent.
fn is_installed(lock: &Value, installed: &Value) -> bool {
    let (Some(wanted), Some(found)) = (
        lock["packages"].as_object(),
        installed["packages"].as_object(),
    ) else {
        return false;
    };
    let is_same = |name: &String, value: &Value| value["version"] == found[name]["version"];
    // The entry with the empty name is `ui/` itself.
    wanted
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .all(|(name, value)| match found.contains_key(name) {
            true => is_same(name, value),
            false => value["optional"] == true,
        })
        && found.keys().all(|name| wanted.contains_key(name))
}

/// `npm run build`, where a source changed since the last one or its result is not there.
pub fn ensure_built(place: &Place, stamps: &mut Stamps) -> anyhow::Result<()> {
    let ui = place.ui();
    let hash = sources_sha256(&ui)?;
    let index = ui.join("dist/index.html");
    // The mark tells our build from the page that the Rust build puts there when none was made.
    let built = |index: &Path| stamps::file_mark(index).map(|mark| format!("{hash} {mark}"));
    if built(&index).is_some_and(|stamp| stamps.has("ui build", &stamp)) {
        return Ok(());
    }
    say("building ui/");
    exec::run(exec::tool("npm").args(["run", "build"]).current_dir(&ui))?;
    let stamp = built(&index).with_context(|| format!("{} was not written", index.display()))?;
    stamps.set("ui build", stamp);
    Ok(())
}

/// One hash over the names and contents of all sources of `ui/`.
fn sources_sha256(ui: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    collect(ui, &mut files)?;
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let name = file.strip_prefix(ui)?;
        hasher.update(name.as_os_str().as_encoded_bytes());
        hasher.update(stamps::file_sha256(&file)?);
    }
    Ok(stamps::hex(&hasher.finalize()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !MADE.iter().any(|name| entry.file_name() == *name) {
                collect(&entry.path(), files)?;
            }
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_when_names_and_versions_agree_and_only_optional_ones_lack() {
        let lock = serde_json::json!({"packages": {
            "": {"version": "0.1.0"},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/a-windows": {"version": "1.0.0", "optional": true},
        }});
        let of = |packages: Value| serde_json::json!({"packages": packages});
        let a = |version: &str| serde_json::json!({ "version": version });
        assert!(is_installed(
            &lock,
            &of(serde_json::json!({"node_modules/a": a("1.0.0")}))
        ));
        assert!(!is_installed(
            &lock,
            &of(serde_json::json!({"node_modules/a": a("1.0.1")}))
        ));
        assert!(!is_installed(&lock, &of(serde_json::json!({}))));
        assert!(!is_installed(
            &lock,
            &of(serde_json::json!({"node_modules/a": a("1.0.0"), "node_modules/b": a("1.0.0")}))
        ));
        assert!(!is_installed(&lock, &Value::Null));
    }

    #[test]
    fn what_is_made_does_not_count_as_a_source_and_a_rename_does() {
        let ui = std::env::temp_dir().join(format!("xtask-ui-{}", std::process::id()));
        for folder in ["src", "dist", "node_modules"] {
            std::fs::create_dir_all(ui.join(folder)).unwrap();
        }
        std::fs::write(ui.join("src/a.ts"), "1").unwrap();
        let first = sources_sha256(&ui).unwrap();
        std::fs::write(ui.join("dist/index.html"), "built").unwrap();
        std::fs::write(ui.join("node_modules/x.js"), "x").unwrap();
        assert_eq!(sources_sha256(&ui).unwrap(), first);
        std::fs::rename(ui.join("src/a.ts"), ui.join("src/b.ts")).unwrap();
        assert_ne!(sources_sha256(&ui).unwrap(), first);
        std::fs::remove_dir_all(&ui).unwrap();
    }
}
