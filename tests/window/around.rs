//! What is around the page: a second start, the place of the window, the menu in another language.

use super::{SCREEN, SOON, Stage, select, shot};
use crate::webdriver::{self, Window, key};
use anyhow::{Context, ensure};
use e2e::{demo_clip, program};
use frameloom_app::{App, Places, WindowPlace};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// A session bus of its own, so that no other test and no desktop is asked.
struct Bus {
    process: Child,
    address: String,
}

impl Bus {
    /// `None` where there is no program for it, which is said.
    fn start() -> anyhow::Result<Option<Self>> {
        let process = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut process) = process else {
            eprintln!("skipped: no dbus-daemon (Debian package dbus)");
            return Ok(None);
        };
        let mut address = String::new();
        let output = process.stdout.take().context("the bus has no output")?;
        BufReader::new(output).read_line(&mut address)?;
        let address = address.trim().to_owned();
        ensure!(!address.is_empty(), "the bus has no address");
        Ok(Some(Self { process, address }))
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_second_start_hands_its_file_to_the_window_that_is_open_and_ends() -> anyhow::Result<()> {
    if !webdriver::possible() {
        return Ok(());
    }
    let Some(bus) = Bus::start()? else {
        return Ok(());
    };
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let clip = stage.media().join("mở lần hai.mp4");
    std::fs::copy(demo_clip(), &clip)?;
    let studio = program("frameloom-studio", "frameloom-studio");
    let environment = [
        ("FRAMELOOM_DATA_DIR", stage.data().into_os_string()),
        ("DBUS_SESSION_BUS_ADDRESS", bus.address.clone().into()),
        ("LANGUAGE", "en".into()),
    ];
    let borrowed: Vec<(&str, &OsStr)> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_os_str()))
        .collect();
    let window = Window::open(&studio, (1280, 860), &borrowed)?;
    window.wait("the window", "document.querySelector('main')", SOON)?;

    // The path is one of the folder that the second one is started in.
    let mut second = Command::new(&studio)
        .arg("mở lần hai.mp4")
        .current_dir(stage.media())
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("DISPLAY", window.display())
        .env_remove("WAYLAND_DISPLAY")
        .stderr(Stdio::null())
        .spawn()?;
    let begun = Instant::now();
    let ended = loop {
        if let Some(status) = second.try_wait()? {
            break status;
        }
        if begun.elapsed() > SOON {
            second.kill()?;
            anyhow::bail!("the second start opened a window of its own");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(ended.success(), "{ended}");
    select(&window, "mở lần hai.mp4")?;
    shot(&window, "9-second-start.png")?;
    Ok(())
}

#[test]
fn the_window_is_where_it_was_and_notes_where_it_goes() -> anyhow::Result<()> {
    if !webdriver::possible() {
        return Ok(());
    }
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let app = App::open(Places {
        data: stage.data(),
        worker: program("frameloom-studio", "frameloom-studio"),
        extra_models: Vec::new(),
    })
    .map_err(|error| anyhow::anyhow!("{error}"))?;
    let place = WindowPlace {
        x: 60,
        y: 40,
        width: 1000,
        height: 700,
        maximised: false,
    };
    app.set_window_place(place)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let there = "innerWidth === 1000 && innerHeight === 700 && screenX === 60 && screenY === 40";
    for time in ["first", "second"] {
        let window = stage.open(&[])?;
        window.wait(&format!("its place, the {time} time"), there, SOON)?;
        // Long enough for it to be noted, where something moved by itself.
        std::thread::sleep(Duration::from_secs(2));
        drop(window);
        assert_eq!(
            app.window_place(),
            Some(place),
            "it drifted, the {time} time"
        );
    }

    // A screen that is smaller than the one it was on.
    let gone = WindowPlace {
        x: 3000,
        y: 200,
        width: 2400,
        height: 1400,
        maximised: false,
    };
    app.set_window_place(gone)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let window = stage.open(&[])?;
    window.wait(
        "a window that fits the screen",
        "innerWidth === 1280 && innerHeight === 860 && screenX >= 0 && screenX < 1280",
        SOON,
    )?;
    let begun = Instant::now();
    while app.window_place() == Some(gone) {
        ensure!(begun.elapsed() < SOON, "the new place is not noted");
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

#[test]
fn the_menu_lists_commands_in_the_language_that_was_chosen_and_does_them() -> anyhow::Result<()> {
    if !webdriver::possible() {
        return Ok(());
    }
    let _screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new()?;
    let window = stage.open(&[])?;
    let first = "return document.querySelector('[role=menuitem]')?.innerText.split('\\n')[0] ?? ''";
    window.click("header button[aria-haspopup=menu]")?;
    window.wait("the menu", "document.querySelector('[role=menu]')", SOON)?;
    assert_eq!(window.script(first)?, json!("Add files"));
    shot(&window, "10-menu.png")?;
    window.press(&[key::ESCAPE])?;
    window.press(&[key::CONTROL, ","])?;
    window.click("label:has(input[name=language][value=vi])")?;
    window.wait("Vietnamese", "document.documentElement.lang === 'vi'", SOON)?;
    window.click("header button[aria-haspopup=menu]")?;
    window.wait("the menu", "document.querySelector('[role=menu]')", SOON)?;
    let name = window.script(first)?;
    assert_ne!(name, json!("Add files"));
    assert_ne!(name, Value::Null);
    // To the account by its first letters.
    window.press(&[key::END])?;
    window.press(&["t"])?;
    window.press(&[key::ESCAPE])?;
    window.press(&[key::CONTROL, "8"])?;
    window.wait(
        "the account",
        "document.querySelector('main h1')?.innerText === 'Tài khoản'",
        SOON,
    )?;
    shot(&window, "11-account.png")?;
    Ok(())
}
