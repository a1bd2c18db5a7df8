//! OpenVINO's plug-in for ONNX Runtime: for the tests and the measurements of a second provider.
//!
//! It is optional, in the product as here: where it cannot be got, what needs it skips by name.

use super::machine::Machine;
use super::onnxruntime::{fetch_wheel, python, this_platform};
use super::stamps::{self, Stamps};
use crate::exec::say;
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};

/// A pinned wheel.
struct Source {
    platform: &'static str,
    wheel_platform: &'static str,
    wheel_sha256: &'static str,
    plugin: &'static str,
    plugin_sha256: &'static str,
}

const VERSION: &str = "1.8.1";
/// Folder of the libraries inside of the wheel.
const FOLDER: &str = "onnxruntime_ep_openvino";

const SOURCES: &[Source] = &[
    Source {
        platform: "linux-x86_64",
        wheel_platform: "manylinux_2_28_x86_64",
        wheel_sha256: "3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924",
        plugin: "libonnxruntime_providers_openvino_plugin.so",
        plugin_sha256: "99644306dea90173d2fac5e2ad8d10c9574ecf6e6e71ca30e426531abd5a717f",
    },
    Source {
        platform: "windows-x86_64",
        wheel_platform: "win_amd64",
        wheel_sha256: "1acd878be173b02bb8b953460f2f59b121e5f6e47ebc6aad490c0590cf6718fb",
        plugin: "onnxruntime_providers_openvino_plugin.dll",
        plugin_sha256: "ff8d1e432d5efd36132da91ac9e4e069db39ef29c4d6e059302b33dddb0e6613",
    },
];

/// Fetches the plug-in into `plugins/openvino` beside ONNX Runtime, where it is missing. Says why
/// where that is not possible: nothing depends on it.
pub fn ensure(machine: &Machine, onnxruntime: &Path, stamps: &mut Stamps) {
    // A runtime of somebody's own is left as it is.
    if std::env::var_os("FRAMELOOM_ONNXRUNTIME").is_some() {
        return;
    }
    let platform = this_platform();
    let Some(source) = SOURCES.iter().find(|source| source.platform == platform) else {
        return;
    };
    let Some(beside) = onnxruntime.parent() else {
        return;
    };
    let plugins = beside.join("plugins");
    if let Err(error) = ensure_in(source, &plugins, machine, stamps) {
        say(&format!(
            "OpenVINO's plug-in is not there, its tests will be skipped: {error:#}"
        ));
    }
}

fn ensure_in(
    source: &Source,
    plugins: &Path,
    machine: &Machine,
    stamps: &mut Stamps,
) -> anyhow::Result<()> {
    let own = plugins.join("openvino");
    if is_intact(source, &own.join(source.plugin), stamps)? {
        return Ok(());
    }
    say(&format!("fetching OpenVINO's plug-in {VERSION}"));
    let download = plugins.join(format!("download-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&download);
    std::fs::create_dir_all(&download)
        .with_context(|| format!("cannot create {}", download.display()))?;
    let result = fetch(source, machine, &download).and_then(|libraries| {
        if own.exists() {
            std::fs::remove_dir_all(&own)
                .with_context(|| format!("cannot replace {}", own.display()))?;
        }
        std::fs::rename(&libraries, &own).with_context(|| format!("cannot write {}", own.display()))
    });
    let _ = std::fs::remove_dir_all(&download);
    result?;
    if !is_intact(source, &own.join(source.plugin), stamps)? {
        bail!("the plug-in is not the one that was pinned");
    }
    Ok(())
}

fn is_intact(source: &Source, file: &Path, stamps: &mut Stamps) -> anyhow::Result<bool> {
    let Some(mark) = stamps::file_mark(file) else {
        return Ok(false);
    };
    let name = format!("openvino {VERSION}");
    let stamp = format!("{mark} {}", source.plugin_sha256);
    if stamps.has(&name, &stamp) {
        return Ok(true);
    }
    let intact = stamps::file_sha256(file)? == source.plugin_sha256;
    if intact {
        stamps.set(&name, stamp);
    }
    Ok(intact)
}

/// Downloads and unpacks the wheel; pip checks its hash. Gives the folder of the libraries.
fn fetch(source: &Source, machine: &Machine, folder: &Path) -> anyhow::Result<PathBuf> {
    let python = python(machine).context("there is no Python with pip")?;
    let pinned = format!(
        "onnxruntime-ep-openvino=={VERSION} --hash=sha256:{}",
        source.wheel_sha256
    );
    fetch_wheel(machine, python, &pinned, source.wheel_platform, folder)?;
    let libraries = folder.join(FOLDER);
    // The same library under further names, which a wheel cannot hold as links.
    for entry in std::fs::read_dir(&libraries)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(source.plugin) && name != source.plugin {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(libraries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_of_openvino_is_a_sha256() {
        for source in SOURCES {
            for hash in [source.wheel_sha256, source.plugin_sha256] {
                let digits = hash.bytes().filter(u8::is_ascii_hexdigit).count();
                assert!(digits == 64 && hash.len() == 64, "{}", source.platform);
            }
        }
    }
}
