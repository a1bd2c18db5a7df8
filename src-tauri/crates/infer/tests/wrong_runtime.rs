//! Libraries that are not the right ONNX Runtime. A process keeps the first one that loads, so this
//! is a test binary of its own with one test.

mod common;

use common::{library, runtime};
use frameloom_core::error::ErrorCode;
use frameloom_infer::{InferError, Runtime};
use std::path::Path;
use std::process::Command;

/// A library with the one entry point that is looked for, which tells an old version.
const OLD_RUNTIME: &str = r#"
#[repr(C)]
pub struct Base(extern "C" fn(u32) -> *const u8, extern "C" fn() -> *const u8);
extern "C" fn api(_: u32) -> *const u8 { core::ptr::null() }
extern "C" fn version() -> *const u8 { b"1.17.3\0".as_ptr() }
static BASE: Base = Base(api, version);
#[unsafe(no_mangle)]
pub extern "C" fn OrtGetApiBase() -> *const Base { &BASE }
"#;

#[test]
fn a_wrong_library_is_refused_with_the_reason_and_the_right_one_still_loads() {
    let dir = tempfile::tempdir().unwrap();

    let missing = Runtime::load(&dir.path().join("libonnxruntime.so")).unwrap_err();
    assert!(
        matches!(missing, InferError::RuntimeMissing { .. }),
        "{missing}"
    );
    assert_eq!(missing.code(), ErrorCode::RuntimeUnavailable);

    let text = dir.path().join("text.so");
    std::fs::write(&text, "not a library").unwrap();
    let refused = Runtime::load(&text).unwrap_err();
    assert!(
        matches!(refused, InferError::RuntimeInvalid { .. }),
        "{refused}"
    );

    if cfg!(target_os = "linux") {
        let libc = Command::new("sh")
            .args([
                "-c",
                "ldd /bin/sh | sed -n 's/.*=> \\(.*libc.so[^ ]*\\).*/\\1/p'",
            ])
            .output()
            .unwrap();
        let libc = String::from_utf8(libc.stdout).unwrap();
        let refused = Runtime::load(Path::new(libc.trim())).unwrap_err();
        assert!(
            matches!(&refused, InferError::RuntimeInvalid { reason, .. } if reason.contains("OrtGetApiBase")),
            "{refused}"
        );
    }

    let source = dir.path().join("old.rs");
    let old = dir.path().join("libold.so");
    std::fs::write(&source, OLD_RUNTIME).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(rustc)
        .args(["--edition=2024", "--crate-type=cdylib", "-o"])
        .args([&old, &source])
        .status()
        .unwrap();
    assert!(built.success());
    match Runtime::load(&old).unwrap_err() {
        InferError::RuntimeTooOld { found, needed, .. } => {
            assert_eq!((found.as_str(), needed.as_str()), ("1.17.3", "1.24"));
        }
        other => panic!("{other}"),
    }

    let runtime = runtime();
    assert_eq!(runtime.version(), "1.31.1");
    let again = Runtime::load(&library()).unwrap();
    assert!(std::sync::Arc::ptr_eq(&runtime, &again));
    let other = Runtime::load(&text).unwrap_err();
    assert!(
        matches!(other, InferError::RuntimeAlreadyLoaded { .. }),
        "{other}"
    );
}
