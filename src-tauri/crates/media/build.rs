//! Tells the code which generation of FFmpeg's structures it was bound against.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for version in ["6_0", "6_1", "7_0", "7_1"] {
        println!("cargo::rustc-check-cfg=cfg(ffmpeg_{version})");
        // Set by ffmpeg-sys-next, which compared the headers' version numbers.
        if std::env::var(format!("DEP_FFMPEG_FFMPEG_{version}")).as_deref() == Ok("true") {
            println!("cargo::rustc-cfg=ffmpeg_{version}");
        }
    }
}
