//! What the user chose for the program as a whole.

use crate::{App, KeptLimit, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::ComputeSpec;
use frameloom_core::said;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use ts_rs::TS;

/// Settings of the window. Unknown or missing values are the defaults, so that an older program
/// can open the settings of a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Settings {
    /// Language of the window.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
    /// Where results go; beside the source where `None`.
    #[ts(type = "string | null")]
    pub output_dir: Option<PathBuf>,
    /// How jobs compute that do not say it themselves.
    pub compute: ComputeSpec,
    /// What becomes of jobs that were cut short, when the window is opened again.
    pub at_start: AtStart,
    /// Size of everything in the window, in per cent.
    pub scale_percent: ScalePercent,
    /// Keys that the user chose, by the name of the command; an empty text takes its keys away.
    pub shortcuts: BTreeMap<String, String>,
    /// When the program has an icon in the system's tray.
    pub tray: TrayUse,
    /// How connections are made.
    pub proxy: Proxy,
    /// No connection is made at all.
    pub offline: bool,
    /// So much is kept of what can be made again, in gigabytes.
    pub kept_limit: KeptLimit,
}

/// When the program has an icon in the system's tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TrayUse {
    /// Never.
    Never,
    /// Always, and the program stays there when its window is closed.
    Stay,
    /// While the queue runs.
    #[default]
    #[serde(other)]
    WhileBusy,
}

/// How connections to other machines are made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proxy {
    /// Directly.
    Direct,
    /// Through the proxy at an address.
    Address {
        /// As `http://proxy.example:8080` or `socks5://127.0.0.1:1080`.
        url: String,
    },
    /// As the system says.
    #[default]
    #[serde(other)]
    System,
}

impl Proxy {
    /// Is the address one that a proxy can have?
    ///
    /// # Errors
    /// It is not, in a sentence.
    pub fn check(&self) -> Result<(), AppError> {
        let Self::Address { url } = self else {
            return Ok(());
        };
        let refused = || {
            AppError::new(
                ErrorCode::InvalidRequest,
                said!("settings.proxy", "This is not the address of a proxy."),
            )
            .hint("Write it as http://proxy.example:8080 or socks5://127.0.0.1:1080.")
        };
        let (scheme, place) = url.split_once("://").ok_or_else(refused)?;
        let place = place.strip_suffix('/').unwrap_or(place);
        // A password in plain text would lie in the settings, where anybody can read it.
        let (host, port) = place.rsplit_once(':').ok_or_else(refused)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let host_fits = !bare.is_empty()
            && bare
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | ':'));
        // A colon inside belongs to an address of IPv6, which stands in brackets.
        let brackets_fit = bare.contains(':') == (host.starts_with('[') && host.ends_with(']'));
        let port_fits = port.parse::<u16>().is_ok_and(|port| port > 0);
        let scheme_fits = ["http", "https", "socks5"].contains(&scheme);
        if scheme_fits && host_fits && brackets_fit && port_fits {
            Ok(())
        } else {
            Err(refused())
        }
    }
}

/// Size of everything in the window, in per cent: 80 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(from = "i64")]
pub struct ScalePercent(#[ts(type = "number")] i64);

impl Default for ScalePercent {
    fn default() -> Self {
        Self(100)
    }
}

impl ScalePercent {
    /// 1 for the usual size.
    pub fn factor(self) -> f64 {
        self.0 as f64 / 100.0
    }
}

impl From<i64> for ScalePercent {
    fn from(percent: i64) -> Self {
        Self(percent.clamp(80, 200))
    }
}

/// What becomes of jobs that were cut short, when the window is opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AtStart {
    /// They go on.
    Resume,
    /// They stay as they are.
    Leave,
    /// The user is asked.
    #[default]
    #[serde(other)]
    Ask,
}

/// Language of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// Vietnamese.
    Vi,
    /// French.
    Fr,
    /// As the system is.
    #[default]
    #[serde(other)]
    System,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Dark: pictures are judged on a dark ground.
    #[default]
    Dark,
    /// Light.
    Light,
    /// As the system is.
    #[serde(other)]
    System,
}

const NAME: &str = "settings";

impl App {
    /// The settings; the defaults if none were stored or the stored ones cannot be read.
    ///
    /// # Errors
    /// The database refuses.
    pub fn settings(&self) -> Result<Settings, AppError> {
        let stored = self.store.setting(NAME).map_err(explain::store)?;
        Ok(stored
            .and_then(|json| {
                serde_json::from_str(&json)
                    .inspect_err(|error| tracing::warn!(%error, "stored settings cannot be read"))
                    .ok()
            })
            .unwrap_or_default())
    }

    /// Stores the settings.
    ///
    /// # Errors
    /// The address of the proxy is none, or the database refuses.
    pub fn set_settings(&self, settings: &Settings) -> Result<(), AppError> {
        settings.proxy.check()?;
        let json = serde_json::to_string(settings).map_err(explain::internal)?;
        self.store
            .set_setting(NAME, &json)
            .map_err(explain::store)?;
        self.keeper.wake();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_newer_program_fall_back_value_by_value() {
        let settings: Settings =
            serde_json::from_str(r#"{"language":"tlh","theme":"light","new":1}"#).unwrap();
        assert_eq!(settings.language, Language::System);
        assert_eq!(settings.theme, Theme::Light);
        assert_eq!(settings.output_dir, None);
        assert_eq!(settings.scale_percent, ScalePercent(100));
        let settings: Settings = serde_json::from_str(r#"{"scale_percent":9000}"#).unwrap();
        assert_eq!(settings.scale_percent, ScalePercent(200), "still legible");
        let settings: Settings =
            serde_json::from_str(r#"{"tray":"on mars","proxy":{"kind":"pigeon","url":"x"}}"#)
                .unwrap();
        assert_eq!(settings.tray, TrayUse::WhileBusy);
        assert_eq!(settings.proxy, Proxy::System);
    }

    #[test]
    fn a_proxy_is_an_address_with_a_port_and_without_a_password() {
        let check = |url: &str| {
            let url = url.to_owned();
            Proxy::Address { url }.check().is_ok()
        };
        for fine in [
            "http://proxy.example:8080",
            "https://proxy.example:443/",
            "socks5://127.0.0.1:1080",
            "http://[::1]:3128",
        ] {
            assert!(check(fine), "{fine}");
        }
        for wrong in [
            "",
            "proxy.example:8080",
            "ftp://proxy.example:21",
            "http://proxy.example",
            "http://:8080",
            "http://proxy.example:0",
            "http://proxy.example:99999",
            "http://mai:secret@proxy.example:8080",
            "http://::1:3128",
            "http://a b:80",
            "http://proxy.example:8080/path",
        ] {
            assert!(!check(wrong), "{wrong}");
        }
    }
}
