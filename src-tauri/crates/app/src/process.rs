//! A process, known again by its number and the moment of its start: numbers are given anew.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::OnceLock;

/// Which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProcessMark {
    pid: u32,
    /// When it was started, in what the system counts: ticks since the machine was started on
    /// Linux, which no change of the clock moves, elsewhere seconds since 1970.
    started: u64,
}

impl ProcessMark {
    /// This very process; `None` where the system does not tell enough.
    pub(crate) fn of_this() -> Option<Self> {
        static THIS: OnceLock<Option<ProcessMark>> = OnceLock::new();
        *THIS.get_or_init(|| Self::of(std::process::id()))
    }

    fn of(pid: u32) -> Option<Self> {
        Some(Self {
            pid,
            started: started(pid)?,
        })
    }

    /// Ends the process, also one that is frozen; false if it is gone already.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn kill(self) -> io::Result<bool> {
        // Held on to before it is looked at: whatever gets its number then is not met.
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{
                Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal,
            };
            let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
                return Ok(false);
            };
            let held = pidfd_open(pid, PidfdFlags::empty());
            if Self::of(self.pid) != Some(self) {
                return Ok(false);
            }
            match held {
                Ok(held) => pidfd_send_signal(held, Signal::KILL)?,
                // Kernels before 5.3 have no such handles.
                Err(_) => kill_process(pid, Signal::KILL)?,
            }
            Ok(true)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let system = look_at(self.pid);
            let process = system.process(sysinfo::Pid::from_u32(self.pid));
            match process.filter(|process| process.start_time() == self.started) {
                Some(process) if process.kill() => Ok(true),
                Some(_) => Err(io::Error::other("the process cannot be ended")),
                None => Ok(false),
            }
        }
    }
}

impl fmt::Display for ProcessMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pid, self.started)
    }
}

impl FromStr for ProcessMark {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (pid, started) = text.trim().split_once(' ').unwrap_or_default();
        Ok(Self {
            pid: pid.parse()?,
            started: started.parse()?,
        })
    }
}

/// Field 22 of `/proc/PID/stat` (`proc_pid_stat(5)`), counted from the name, which may hold spaces
/// and is closed by the last bracket.
#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn started(pid: u32) -> Option<u64> {
    let system = look_at(pid);
    let process = system.process(sysinfo::Pid::from_u32(pid))?;
    Some(process.start_time())
}

#[cfg(not(target_os = "linux"))]
fn look_at(pid: u32) -> sysinfo::System {
    let mut system = sysinfo::System::new();
    let it = [sysinfo::Pid::from_u32(pid)];
    system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&it), true);
    system
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_is_ended_by_its_mark_and_one_that_has_its_number_now_is_not() {
        let mut child = Command::new("sleep")
            .arg("600")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mark = ProcessMark::of(child.id()).unwrap();
        assert_eq!(mark.to_string().parse(), Ok(mark));
        let other = ProcessMark {
            started: mark.started + 1,
            ..mark
        };
        assert!(!other.kill().unwrap());
        assert_eq!(child.try_wait().unwrap(), None, "it is left alone");
        assert!(mark.kill().unwrap());
        assert!(!child.wait().unwrap().success());
        assert!(!mark.kill().unwrap(), "it is gone");
        assert!("12".parse::<ProcessMark>().is_err());
    }
}
