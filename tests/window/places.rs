//! The places beside the first: what was done is found again, and nobody is told of it.

use super::*;
use e2e::torture::processes;

/// Processes that this data folder belongs to: the window's own and those that it started.
fn family(stage: &Stage) -> Vec<u32> {
    let data = stage.data().display().to_string();
    let of_window = processes(|_| true).into_iter().filter(|pid| {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|all| String::from_utf8_lossy(&all).contains(&data))
    });
    of_window.collect()
}

/// Ends of the connections that a process has to other machines, as the kernel writes them.
fn strangers(pid: u32) -> Vec<String> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd"));
    let sockets: Vec<String> = links
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|link| {
            let name = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(name.to_owned())
        })
        .collect();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (Some(remote), Some(inode)) = (words.get(2), words.get(9)) else {
                continue;
            };
            let address = remote.split(':').next().unwrap_or_default();
            // Nobody yet, or this machine: 127.0.0.1, also as a part of IPv6, and ::1.
            let here = address.chars().all(|digit| digit == '0')
                || address.ends_with("0100007F")
                || address == "00000000000000000000000001000000";
            if !here && sockets.iter().any(|socket| socket == inode) {
                found.push(format!("{table} {remote}"));
            }
        }
    }
    found
}

#[test]
fn what_was_done_is_found_in_the_library_and_stays_there_over_a_kill() -> anyhow::Result<()> {
    if !webdriver::possible() {
        return Ok(());
    }
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let picture = stage.media().join("tấm ảnh ngõ nhỏ.png");
    write_png(&picture, 61, 43, e2e::pattern)?;
    let window = stage.open(&[&picture])?;
    select(&window, "tấm ảnh ngõ nhỏ.png")?;
    window.click("#start")?;
    window.wait(
        "the result",
        "document.querySelectorAll('.layer img').length === 2",
        JOB,
    )?;
    for pid in family(&stage) {
        let found = strangers(pid);
        assert!(found.is_empty(), "process {pid} is connected: {found:?}");
    }

    let cells = "document.querySelectorAll('[role=grid] [data-index]').length";
    window.press(&[key::CONTROL, "2"])?;
    window.wait("source and result", &format!("{cells} === 2"), SOON)?;
    // Typed without accents, found with them.
    window.script("document.querySelector('#library-search').focus()")?;
    for letter in "ngo nho".chars() {
        window.press(&[&letter.to_string()])?;
    }
    window.wait("both are found", &format!("{cells} === 2"), SOON)?;
    window.press(&["z"])?;
    window.wait("nothing is called that", &format!("{cells} === 0"), SOON)?;
    // In a field, this chooses the text and not what the library lists.
    window.press(&[key::CONTROL, "a"])?;
    window.press(&[key::BACKSPACE])?;
    window.wait("all of them again", &format!("{cells} === 2"), SOON)?;
    window.click("[data-index='0']")?;
    window.script("document.querySelector('[role=grid]').focus()")?;
    window.press(&["4"])?;
    let starred = "[...document.querySelectorAll('[role=gridcell], [role=grid] [data-index]')].some(e => /4/.test(e.querySelector('.stars')?.innerText ?? ''))";
    window.wait("four stars", starred, SOON)?;
    window.wait(
        "the picture is shown",
        "[...document.querySelectorAll('[role=grid] img')].some(i => i.naturalWidth > 0)",
        SOON,
    )?;
    shot(&window, "9-library.png")?;
    for pid in family(&stage) {
        let _ = e2e::torture::send_kill(pid);
    }
    drop(window);

    let window = stage.open(&[])?;
    window.press(&[key::CONTROL, "2"])?;
    window.wait("both are still there", &format!("{cells} === 2"), SOON)?;
    window.wait("and the stars", starred, SOON)?;
    window.press(&[key::CONTROL, "5"])?;
    window.wait(
        "the job in the history",
        "document.querySelector('main').innerText.includes('tấm ảnh ngõ nhỏ')",
        SOON,
    )?;
    shot(&window, "10-history.png")?;
    Ok(())
}

#[test]
fn a_start_right_behind_a_crash_waits_for_the_end_of_the_one_before() -> anyhow::Result<()> {
    if !webdriver::possible() {
        return Ok(());
    }
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let window = stage.open(&[])?;
    let first = family(&stage);
    // It has the window's name on the bus and does not answer, as one that is about to end.
    for pid in &first {
        e2e::signal(*pid, "STOP");
    }
    let mut second = Command::new(program("frameloom-studio", "frameloom-studio"))
        .env("FRAMELOOM_DATA_DIR", stage.data())
        .spawn()?;
    std::thread::sleep(Duration::from_secs(2));
    ensure!(second.try_wait()?.is_none(), "it waits for an answer");
    for pid in &first {
        let _ = e2e::torture::send_kill(*pid);
    }
    drop(window);
    let since = Instant::now();
    // The page has a process of its own.
    while family(&stage).len() < 2 {
        if let Some(ended) = second.try_wait()? {
            anyhow::bail!("it ended with {ended} instead of opening a window");
        }
        ensure!(since.elapsed() < SOON, "no window was opened");
        std::thread::sleep(Duration::from_millis(100));
    }
    second.kill()?;
    second.wait()?;
    for pid in family(&stage) {
        let _ = e2e::torture::send_kill(pid);
    }
    Ok(())
}
