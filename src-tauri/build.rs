//! Embeds the window's configuration and capabilities.

use std::path::Path;
use std::{error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    // `generate_context!` refuses a folder that is not there: a fresh clone builds before the UI does.
    let dist = Path::new("ui/dist");
    if !dist.join("index.html").exists() {
        fs::create_dir_all(dist)?;
        fs::write(
            dist.join("index.html"),
            "<!doctype html><title>Frameloom</title><p>The window's pages are not built yet. Run: npm --prefix ui run build",
        )?;
    }
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=ui/dist/index.html");
    tauri_build::try_build(
        tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*"),
    )?;
    Ok(())
}
