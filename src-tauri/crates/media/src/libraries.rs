//! The linked FFmpeg libraries.

use crate::error::MediaError;
use crate::ffi::{environment, util};
use serde::Serialize;
use std::sync::OnceLock;

/// One of the linked libraries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LibraryVersion {
    /// `libavcodec`, ...
    pub name: &'static str,
    /// `59.37.100`.
    pub version: String,
    /// Licence as the library states it; decides under which terms the program may be shipped.
    pub licence: String,
    /// The switches that it was built with.
    pub configuration: String,
}

/// Prepares the libraries. Called by everything here that needs it; calling it again is free.
///
/// # Errors
/// None today; the signature leaves room for a library that does not fit.
pub fn init() -> Result<(), MediaError> {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(util::quiet);
    Ok(())
}

/// Keeps SVT-AV1 from writing what it does to standard error, unless the user asked for it by its
/// variable. It has no other switch, so the environment is changed: only while this process has one
/// thread, and otherwise not at all.
pub fn quiet_encoders() {
    const SVT_LEVEL: &str = "SVT_LOG";
    if std::env::var_os(SVT_LEVEL).is_none() {
        // "fatal".
        set_variable(SVT_LEVEL, "0");
    }
}

/// Sets a variable that a library reads, for this process and for those that it starts. Call it
/// first thing in `main`: it is done only while this process has one thread, as far as the system
/// tells (on Windows always); false means that it was not.
pub fn set_variable(name: &str, value: &str) -> bool {
    environment::set_variable(name, value)
}

/// Name, version, licence and configuration of each linked library.
pub fn libraries() -> Vec<LibraryVersion> {
    util::libraries()
        .into_iter()
        .map(|(name, number, licence, configuration)| LibraryVersion {
            name,
            version: format!(
                "{}.{}.{}",
                number >> 16,
                (number >> 8) & 0xff,
                number & 0xff
            ),
            licence: licence.unwrap_or_default(),
            configuration: configuration.unwrap_or_default(),
        })
        .collect()
}
