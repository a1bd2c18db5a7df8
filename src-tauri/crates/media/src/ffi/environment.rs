//! The environment of this process, from which some libraries read settings that they take in no
//! other way.

/// Sets a variable for this process and for those that it starts, where that is sound; false, and
/// nothing is done, where another thread might read the environment meanwhile.
pub(crate) fn set_variable(name: &str, value: &str) -> bool {
    // Windows orders the accesses itself.
    if !cfg!(windows) && !is_single_threaded() {
        return false;
    }
    // SAFETY: no other thread reads or writes the environment meanwhile: there is none, or the
    // system orders the accesses.
    unsafe { std::env::set_var(name, value) };
    true
}

/// True if the system says that this process has one thread; false where it cannot be asked.
fn is_single_threaded() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
