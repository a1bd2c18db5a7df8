//! A process of its own: the environment of the others is left alone.

use frameloom_infer::{InferError, Runtime};
use std::process::Command;

#[test]
fn a_runtime_that_would_report_its_use_is_not_loaded() {
    const NAME: &str = "a_runtime_that_would_report_its_use_is_not_loaded";
    const CHILD: &str = "FRAMELOOM_TEST_CHILD";
    let program = std::env::current_exe().unwrap();
    if std::env::var_os(CHILD).is_some() {
        // Refused before it is looked whether the file is the runtime at all.
        let refused = Runtime::load(&program).err().unwrap();
        assert!(matches!(refused, InferError::RuntimeNotSilent), "{refused}");
        return;
    }
    for asked in [None, Some("0")] {
        let mut child = Command::new(&program);
        child
            .args(["--exact", NAME])
            .env(CHILD, "1")
            .env_remove("ORT_DISABLE_TELEMETRY")
            .envs(asked.map(|value| ("ORT_DISABLE_TELEMETRY", value)));
        let ran = child.output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }
}
