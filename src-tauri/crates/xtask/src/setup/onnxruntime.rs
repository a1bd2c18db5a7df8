//! The ONNX Runtime shared library: a pinned version, from a pinned archive, checked by hash.
//!
//! It comes from the wheel on the Python package index (one library of 20 to 33 MB). Where pip
//! cannot be used, it comes from the npm package, which holds the libraries of all systems in
//! one archive of 113 MB and is one version behind: still above the least version that the
//! product accepts.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::machine::Machine;
use super::stamps::{self, Stamps};
use crate::exec::{self, say};
use crate::place::Place;

/// One way to get the library for one platform.
#[derive(Debug, Clone, Copy)]
struct Source {
    /// `os-arch` as [`std::env::consts`] names them.
    platform: &'static str,
    version: &'static str,
    /// pip's name of the platform; empty where the source is the npm package.
    wheel_platform: &'static str,
    archive_sha256: &'static str,
    /// Path inside of the archive.
    member: &'static str,
    /// Name of the library in the cache.
    library: &'static str,
    library_sha256: &'static str,
}

const NPM_ARCHIVE_SHA256: &str = "6e3390d6b783e7be946fad629292799da28d0b42f84856e50d2c1b0383291e75";

/// Wheels first: where a platform has two sources, the first is preferred.
const SOURCES: &[Source] = &[
    Source {
        platform: "linux-x86_64",
        version: "1.31.1",
        wheel_platform: "manylinux_2_28_x86_64",
        archive_sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        member: "onnxruntime/capi/libonnxruntime.so.1.31.1",
        library: "libonnxruntime.so.1.31.1",
        library_sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
    },
    Source {
        platform: "linux-aarch64",
        version: "1.31.1",
        wheel_platform: "manylinux_2_28_aarch64",
        archive_sha256: "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3",
        member: "onnxruntime/capi/libonnxruntime.so.1.31.1",
        library: "libonnxruntime.so.1.31.1",
        library_sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
    },
    Source {
        platform: "windows-x86_64",
        version: "1.31.1",
        wheel_platform: "win_amd64",
        archive_sha256: "c3d91b5de31e2fc82d71bd65b2b22bddee8b49057a3a36338e9a868e0ea90c05",
        member: "onnxruntime/capi/onnxruntime.dll",
        library: "onnxruntime.dll",
        library_sha256: "8482d2ee174e28504f99730fb01d6861575870283de4ed3a897ad39170d9a9b9",
    },
    Source {
        platform: "macos-aarch64",
        version: "1.31.1",
        wheel_platform: "macosx_14_0_arm64",
        archive_sha256: "60b6b69bfe580eab576cacc5d132a0e9cf2a37fcfd18d46dd191042b1d1ed0d7",
        member: "onnxruntime/capi/libonnxruntime.1.31.1.dylib",
        library: "libonnxruntime.1.31.1.dylib",
        library_sha256: "f8b06155feece624e55e49124340eea279da812529ae6fbc46a9f2be9c9cad2e",
    },
    Source {
        platform: "linux-x86_64",
        version: "1.30.0",
        wheel_platform: "",
        archive_sha256: NPM_ARCHIVE_SHA256,
        member: "package/bin/napi-v6/linux/x64/libonnxruntime.so.1",
        library: "libonnxruntime.so.1.30.0",
        library_sha256: "ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23",
    },
    Source {
        platform: "linux-aarch64",
        version: "1.30.0",
        wheel_platform: "",
        archive_sha256: NPM_ARCHIVE_SHA256,
        member: "package/bin/napi-v6/linux/arm64/libonnxruntime.so.1",
        library: "libonnxruntime.so.1.30.0",
        library_sha256: "1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76",
    },
    Source {
        platform: "windows-x86_64",
        version: "1.30.0",
        wheel_platform: "",
        archive_sha256: NPM_ARCHIVE_SHA256,
        member: "package/bin/napi-v6/win32/x64/onnxruntime.dll",
        library: "onnxruntime.dll",
        library_sha256: "508c362f5673483dd3a086379c392795b2e42d10d5e6f3f90ebd7ac21c97af67",
    },
    Source {
        platform: "windows-aarch64",
        version: "1.30.0",
        wheel_platform: "",
        archive_sha256: NPM_ARCHIVE_SHA256,
        member: "package/bin/napi-v6/win32/arm64/onnxruntime.dll",
        library: "onnxruntime.dll",
        library_sha256: "6c3a2abf5c6aca11c48a0d338a91af309f2266f25ce2e4084e6a87bbcb0fbfd0",
    },
    Source {
        platform: "macos-aarch64",
        version: "1.30.0",
        wheel_platform: "",
        archive_sha256: NPM_ARCHIVE_SHA256,
        member: "package/bin/napi-v6/darwin/arm64/libonnxruntime.1.30.0.dylib",
        library: "libonnxruntime.1.30.0.dylib",
        library_sha256: "685d2be5dba1309c89d3a5324b7fd06a5c42f1a61bfea32d14c4cc28d072121d",
    },
];

impl Source {
    fn is_wheel(&self) -> bool {
        !self.wheel_platform.is_empty()
    }

    fn destination(&self, place: &Place) -> PathBuf {
        place
            .cache
            .join("onnxruntime")
            .join(self.version)
            .join(self.library)
    }
}

fn sources(platform: &str) -> Vec<Source> {
    SOURCES
        .iter()
        .filter(|source| source.platform == platform)
        .copied()
        .collect()
}

pub(super) fn this_platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

/// Whether the library is still to be fetched, its wheel exists, and pip is not there to fetch it.
pub fn wants_pip(machine: &Machine, place: &Place) -> bool {
    let sources = sources(&this_platform());
    std::env::var_os("FRAMELOOM_ONNXRUNTIME").is_none()
        && !sources
            .iter()
            .any(|source| source.destination(place).is_file())
        && sources.iter().any(Source::is_wheel)
        && python(machine).is_none()
}

/// The Python that has pip, if any.
pub(super) fn python(machine: &Machine) -> Option<&'static str> {
    let names: &[&str] = if cfg!(windows) {
        &["python", "py", "python3"]
    } else {
        // A Python of the user's own may come first in the path and have no pip.
        &["python3", "python", "/usr/bin/python3"]
    };
    names.iter().copied().find(|name| {
        machine.which(name).is_some()
            && exec::succeeds(machine.command(name).args(["-m", "pip", "--version"]))
    })
}

/// Finds the library, or fetches it.
///
/// # Errors
/// There is no build for this platform, or none of the sources could be used.
pub fn ensure(machine: &Machine, place: &Place, stamps: &mut Stamps) -> anyhow::Result<PathBuf> {
    if let Some(file) = std::env::var_os("FRAMELOOM_ONNXRUNTIME") {
        let file = PathBuf::from(file);
        if !file.is_file() {
            bail!(
                "FRAMELOOM_ONNXRUNTIME names a file that is not there: {}",
                file.display()
            );
        }
        return Ok(std::path::absolute(file)?);
    }
    let sources = sources(&this_platform());
    if sources.is_empty() {
        bail!(
            "there is no pinned build of ONNX Runtime for {}: build or install version 1.24 or \
             newer and set FRAMELOOM_ONNXRUNTIME to its library",
            this_platform()
        );
    }
    for source in &sources {
        if is_intact(source, &source.destination(place), stamps)? {
            return Ok(source.destination(place));
        }
    }
    let mut reasons = Vec::new();
    for source in &sources {
        match fetch(source, machine, place) {
            Ok(()) => {
                let file = source.destination(place);
                if is_intact(source, &file, stamps)? {
                    return Ok(file);
                }
                reasons.push(format!("{} vanished after it was written", file.display()));
            }
            Err(error) => {
                say(&format!("ONNX Runtime {}: {error:#}", source.version));
                reasons.push(format!("{error:#}"));
            }
        }
    }
    bail!(
        "ONNX Runtime could not be fetched: {}. Put its library at {} or set \
         FRAMELOOM_ONNXRUNTIME to it",
        reasons.join("; "),
        sources[0].destination(place).display()
    )
}

/// Whether `file` is the pinned library. It is hashed once per size and time of change; one with
/// other content is removed.
fn is_intact(source: &Source, file: &Path, stamps: &mut Stamps) -> anyhow::Result<bool> {
    let Some(mark) = stamps::file_mark(file) else {
        return Ok(false);
    };
    let name = format!("onnxruntime {}", source.version);
    let stamp = format!("{mark} {}", source.library_sha256);
    if stamps.has(&name, &stamp) {
        return Ok(true);
    }
    if stamps::file_sha256(file)? == source.library_sha256 {
        stamps.set(&name, stamp);
        return Ok(true);
    }
    say(&format!(
        "{} is not the library that was pinned: fetching it again",
        file.display()
    ));
    std::fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
    Ok(false)
}

fn fetch(source: &Source, machine: &Machine, place: &Place) -> anyhow::Result<()> {
    let folder = place
        .cache
        .join("onnxruntime")
        .join(format!("download-{}", std::process::id()));
    // Left by a run that was killed.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    say(&format!("fetching ONNX Runtime {}", source.version));
    let result = fetch_into(source, machine, place, &folder);
    let _ = std::fs::remove_dir_all(&folder);
    result
}

fn fetch_into(
    source: &Source,
    machine: &Machine,
    place: &Place,
    folder: &Path,
) -> anyhow::Result<()> {
    if source.is_wheel() {
        let python = python(machine).context("there is no Python with pip")?;
        let pinned = format!(
            "onnxruntime=={} --hash=sha256:{}",
            source.version, source.archive_sha256
        );
        fetch_wheel(machine, python, &pinned, source.wheel_platform, folder)?;
    } else {
        exec::run(
            exec::tool("npm")
                .args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
                .arg(folder)
                .arg(format!("onnxruntime-node@{}", source.version))
                .stdout(std::process::Stdio::null()),
        )?;
        let archive = only_file(folder, "tgz")?;
        let found = stamps::file_sha256(&archive)?;
        if found != source.archive_sha256 {
            bail!(
                "the npm archive has sha256 {found}, expected {}",
                source.archive_sha256
            );
        }
        exec::run(
            Command::new("tar")
                .arg("-xzf")
                .arg(&archive)
                .arg("-C")
                .arg(folder)
                .arg(source.member),
        )?;
    }
    let library = folder.join(source.member);
    let found = stamps::file_sha256(&library)
        .with_context(|| format!("{} is not in the archive", source.member))?;
    if found != source.library_sha256 {
        bail!(
            "the library has sha256 {found}, expected {}",
            source.library_sha256
        );
    }
    let destination = source.destination(place);
    if let Some(parent) = destination.parent() {
        std::fs::create_dir_all(parent)?;
    }
    // The same file system: a half-written library is never seen under its name.
    std::fs::rename(&library, &destination)
        .with_context(|| format!("cannot write {}", destination.display()))?;
    Ok(())
}

fn only_file(folder: &Path, extension: &str) -> anyhow::Result<PathBuf> {
    std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|found| found == extension))
        .with_context(|| format!("no .{extension} file was downloaded"))
}

/// Downloads a package of the index, pinned by version and hash, and unpacks it into `folder`. Any
/// interpreter may ask for the wheel of another: only the libraries inside are used.
pub(super) fn fetch_wheel(
    machine: &Machine,
    python: &str,
    pinned: &str,
    platform: &str,
    folder: &Path,
) -> anyhow::Result<()> {
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, format!("{pinned}\n"))?;
    exec::run(
        machine
            .command(python)
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--only-binary=:all:"])
            .args(["--require-hashes", "--python-version", "3.11"])
            .args(["--platform", platform, "--dest"])
            .arg(folder)
            .arg("--requirement")
            .arg(&requirements),
    )?;
    let wheel = only_file(folder, "whl")?;
    let unpacked = machine
        .command(python)
        .args(["-m", "zipfile", "--extract"])
        .arg(&wheel)
        .arg(folder)
        .status();
    if !unpacked.is_ok_and(|status| status.success()) {
        bail!("{} cannot be unpacked", wheel.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_is_a_sha256_and_wheels_come_before_the_fallback() {
        for source in SOURCES {
            for hash in [source.archive_sha256, source.library_sha256] {
                assert!(
                    hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
                    "{source:?}"
                );
            }
            assert!(
                sources(source.platform)
                    .windows(2)
                    .all(|pair| pair[0].is_wheel() || !pair[1].is_wheel()),
                "{source:?}"
            );
        }
    }

    #[test]
    fn a_library_with_other_content_is_removed_and_a_stamp_never_vouches_for_a_changed_file() {
        let folder = std::env::temp_dir().join(format!("xtask-ort-{}", std::process::id()));
        let place = Place {
            root: folder.clone(),
            cache: folder.clone(),
            target: folder.clone(),
        };
        let content_sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let source = Source {
            library_sha256: content_sha256,
            ..SOURCES[0]
        };
        let file = source.destination(&place);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "hello").unwrap();
        let mut stamps = Stamps::read(&place);
        assert!(is_intact(&source, &file, &mut stamps).unwrap());
        stamps.write();

        std::fs::write(&file, "hello, world").unwrap();
        let mut stamps = Stamps::read(&place);
        assert!(!is_intact(&source, &file, &mut stamps).unwrap());
        assert!(!file.exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
