//! Keeps ONNX Runtime from reporting its use to its maker.
//!
//! Official builds since 1.29 collect events (machine, model names and hashes, timings) in a
//! database in the user's cache folder and upload them, on Linux and macOS as well. Turning events
//! off by the API comes too late for that: the uploader starts with the library. The only switch
//! that it obeys is a variable, read when the library starts; so [`silence`] sets it first thing in
//! `main`, every process that this program starts inherits it, and [`Runtime::load`] refuses to
//! load the library without it.
//!
//! [`Runtime::load`]: crate::Runtime::load

/// What ONNX Runtime reads, and what turns its reports off.
const VARIABLE: (&str, &str) = ("ORT_DISABLE_TELEMETRY", "1");

/// Sets the variable for this process and for those that it starts. Call it first thing in `main`.
///
/// `set` changes the environment, which is sound only while no other thread can read it; where it
/// says by `false` that it did not, the program is started anew in its own place with the variable
/// set.
pub fn silence(set: impl FnOnce(&str, &str) -> bool) {
    if is_silent() || set(VARIABLE.0, VARIABLE.1) {
        return;
    }
    #[cfg(unix)]
    if let Ok(program) = std::env::current_exe() {
        use std::os::unix::process::CommandExt;
        let mut arguments = std::env::args_os();
        let mut again = std::process::Command::new(program);
        if let Some(name) = arguments.next() {
            again.arg0(name);
        }
        // It comes back only if it fails; then the library is refused where it is asked for.
        let error = again.args(arguments).env(VARIABLE.0, VARIABLE.1).exec();
        tracing::warn!(%error, "the program could not be started anew");
    }
}

/// True if the library would read that it must not report.
pub(crate) fn is_silent() -> bool {
    std::env::var_os(VARIABLE.0).is_some_and(|value| value == VARIABLE.1)
}
