//! A window with one line in it: what every Tauri program costs, whatever it does. `cargo xtask
//! bench --only ui` holds the product against it.

use std::io::Write;

/// Says that the page is drawn, in the words in which the product says it.
#[tauri::command]
fn page_is_up() {
    let _ = writeln!(std::io::stderr(), "the page is up");
}

#[expect(
    clippy::exit,
    reason = "tauri's macro ends the program where a bundle is damaged"
)]
fn context() -> tauri::Context {
    tauri::generate_context!("src-tauri/examples/bare-window/tauri.conf.json")
}

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![page_is_up])
        .run(context())
}
