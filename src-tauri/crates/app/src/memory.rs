//! How much memory this process has used.

/// The most memory that this process used at a time so far, in bytes; `None` where the system does
/// not tell. Elsewhere than on Linux, the most of all moments at which this was asked.
pub(crate) fn most_used() -> Option<u64> {
    #[cfg(target_os = "linux")]
    return high_water(&std::fs::read_to_string("/proc/self/status").ok()?);
    #[cfg(not(target_os = "linux"))]
    return sampled();
}

/// The mark in `/proc/PID/status` (proc_pid_status(5)).
#[cfg(target_os = "linux")]
fn high_water(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(not(target_os = "linux"))]
fn sampled() -> Option<u64> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static MOST: AtomicU64 = AtomicU64::new(0);
    let this = [sysinfo::get_current_pid().ok()?];
    let mut system = sysinfo::System::new();
    system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&this), true);
    let now = system.process(this[0])?.memory();
    Some(MOST.fetch_max(now, Ordering::Relaxed).max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_and_given_back_counts() {
        let before = most_used().unwrap();
        let block = vec![1u8; 64 << 20];
        assert!(block.iter().all(|&byte| byte == 1));
        let with = most_used().unwrap();
        drop(block);
        assert!(with >= 64 << 20, "{with}");
        // The kernel counts in batches; a page more or less is no matter.
        let slack = 1 << 20;
        assert!(most_used().unwrap() + slack >= with && with >= before);
    }
}
