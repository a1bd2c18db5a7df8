//! Project files through their public face: what goes in comes out, and what is no project of ours is
//! refused without harm.

use frameloom_store::project::{
    APPLICATION_ID, FORMAT_VERSION, MAX_FILE_BYTES, MediaRow, ProjectFile, ProjectFileError, read,
    write,
};
use proptest::prelude::*;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn project() -> ProjectFile {
    ProjectFile {
        facts: BTreeMap::from([
            ("id".to_owned(), "abc".to_owned()),
            ("title".to_owned(), "Ngõ nhỏ Hà Nội".to_owned()),
            ("document".to_owned(), r#"{"graph":{}}"#.to_owned()),
        ]),
        media: vec![MediaRow {
            role: "input:main".to_owned(),
            relative: Some("../clip.mp4".to_owned()),
            absolute: "/x/clip.mp4".to_owned(),
            pictures: None,
            size_bytes: 12,
            modified_millis: 34,
            sha256: Some("00".repeat(32)),
            summary: "{}".to_owned(),
        }],
        models: vec![("loom-x2".to_owned(), "11".repeat(32))],
    }
}

fn written() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("the test can use its folder");
    // Signs that mean something in the address that SQLite is given.
    let path = folder.path().join("a%20b?mode=rw#ngõ.frameloom");
    write(&path, &project()).expect("the test can use its folder");
    (folder, path)
}

fn changed(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("the test can use its folder");
    change(&mut bytes);
    fs::write(path, bytes).expect("the test can use its folder");
}

#[test]
fn a_project_comes_out_as_it_went_in_and_leaves_no_other_file() {
    let (folder, path) = written();
    assert_eq!(read(&path).unwrap(), project());
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes[68..72], APPLICATION_ID.to_be_bytes());
    assert_eq!(bytes[60..64], FORMAT_VERSION.to_be_bytes());
}

#[test]
fn a_file_that_may_only_be_read_is_read() {
    let (_folder, path) = written();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    assert_eq!(read(&path).unwrap(), project());
}

#[test]
fn other_files_newer_ones_and_cut_ones_are_told_apart() {
    let (folder, path) = written();
    let other = folder.path().join("other");
    fs::write(
        &other,
        "not a database at all, and long enough for a head of one; ".repeat(3),
    )
    .unwrap();
    assert!(matches!(read(&other), Err(ProjectFileError::NotAProject)));
    fs::write(&other, "").unwrap();
    assert!(matches!(read(&other), Err(ProjectFileError::NotAProject)));
    // A database of somebody else.
    let stranger = folder.path().join("stranger.db");
    Connection::open(&stranger)
        .unwrap()
        .execute_batch("CREATE TABLE facts (name TEXT)")
        .unwrap();
    assert!(matches!(
        read(&stranger),
        Err(ProjectFileError::NotAProject)
    ));
    assert!(matches!(
        read(folder.path()),
        Err(ProjectFileError::NotAProject) | Err(ProjectFileError::Io(_))
    ));

    changed(&path, |bytes| bytes[63] = 9);
    assert!(matches!(
        read(&path),
        Err(ProjectFileError::Newer { found: 9 })
    ));
    changed(&path, |bytes| bytes[63] = 1);
    changed(&path, |bytes| bytes.truncate(bytes.len() / 2));
    assert!(matches!(read(&path), Err(ProjectFileError::Damaged { .. })));
    let huge = fs::File::create(&path).unwrap();
    huge.set_len(MAX_FILE_BYTES + 1).unwrap();
    assert!(matches!(
        read(&path),
        Err(ProjectFileError::TooLarge { .. })
    ));
}

#[cfg(unix)]
#[test]
fn a_pipe_under_the_name_of_a_project_is_none_and_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().expect("the test can use its folder");
    let pipe = folder.path().join("film.frameloom");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo starts").success());
    let (told, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        told.send(matches!(read(&pipe), Err(ProjectFileError::NotAProject)))
    });
    let refused = hears.recv_timeout(std::time::Duration::from_secs(20));
    assert_eq!(refused, Ok(true), "nobody writes into the pipe");
}

#[test]
fn what_a_stranger_hid_in_the_file_is_not_run() {
    for hidden in [
        "CREATE VIEW v AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON facts BEGIN DELETE FROM media; END",
        "CREATE TABLE more (a)",
        "CREATE INDEX i ON media (sha256)",
        "ALTER TABLE media ADD COLUMN evil TEXT GENERATED ALWAYS AS (hex(zeroblob(10))) VIRTUAL",
        "DROP TABLE models; CREATE TABLE models (id TEXT PRIMARY KEY, sha256 TEXT)",
        "DROP TABLE models; CREATE VIEW models AS SELECT name AS id, value AS sha256 FROM facts",
    ] {
        let (_folder, path) = written();
        Connection::open(&path)
            .unwrap()
            .execute_batch(hidden)
            .unwrap();
        let found = read(&path);
        assert!(
            matches!(found, Err(ProjectFileError::Damaged { .. })),
            "{hidden}: {found:?}"
        );
    }
}

#[test]
fn a_journal_beside_the_file_does_not_count() {
    let (_folder, path) = written();
    for ending in ["-journal", "-wal"] {
        let mut name = path.clone().into_os_string();
        name.push(ending);
        fs::write(&name, vec![0x5A; 4096]).unwrap();
        assert_eq!(read(&path).unwrap(), project());
        assert_eq!(
            fs::read(&name).unwrap().len(),
            4096,
            "it is not even touched"
        );
    }
}

#[test]
fn more_than_may_be_is_refused_before_it_is_read() {
    let (_folder, path) = written();
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("UPDATE media SET absolute = printf('%.*c', 100000, 'x')")
        .unwrap();
    drop(connection);
    let Err(ProjectFileError::Damaged { reason }) = read(&path) else {
        panic!("it is too long");
    };
    assert!(reason.contains("limit"), "{reason}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_changed_anywhere_never_break_the_reader(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (_folder, path) = written();
        changed(&path, |bytes| {
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if let Some(cut) = cut {
                let length = cut.index(bytes.len());
                bytes.truncate(length);
            }
        });
        // Either a project, whatever it says now, or a reason; the file is as it was.
        let before = fs::read(&path).unwrap();
        let _ = read(&path);
        prop_assert_eq!(before, fs::read(&path).unwrap());
    }
}
