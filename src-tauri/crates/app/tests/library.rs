//! The library on real folders: what comes in, what is noticed, what is done to files.
#![expect(clippy::unwrap_used, reason = "tests")]

use frameloom_app::{App, Places, SheetWish};
use frameloom_core::error::ErrorCode;
use frameloom_core::library::*;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

struct Room {
    app: Arc<App>,
    files: PathBuf,
    _folder: tempfile::TempDir,
}

fn room() -> Room {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("phim");
    std::fs::create_dir_all(files.join("Đà Lạt")).unwrap();
    let places = Places {
        data: folder.path().join("data"),
        worker: "unused".into(),
        extra_models: vec![],
    };
    Room {
        app: App::open(places).unwrap(),
        files,
        _folder: folder,
    }
}

impl Room {
    /// A picture of its own content, old enough to be whole.
    fn picture(&self, name: &str, shade: u8) -> PathBuf {
        let path = self.files.join(name);
        image::GrayImage::from_pixel(6 + u32::from(shade), 4, image::Luma([shade]))
            .save(&path)
            .unwrap();
        age(&path);
        path
    }

    fn all(&self) -> Vec<LibraryItem> {
        self.find(LibraryQuery::default())
    }

    fn find(&self, query: LibraryQuery) -> Vec<LibraryItem> {
        let ids = self.app.find_in_library(&query).unwrap();
        self.app.library_items(&ids).unwrap()
    }

    fn import(&self, path: &Path) -> LibraryItem {
        self.app.import(&[path.to_owned()]).unwrap();
        let all = self.all();
        all.into_iter().find(|item| item.path == path).unwrap()
    }

    /// Waits until the library is as `wanted` says.
    fn wait(&self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !wanted(self) {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "waited for {what}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn age(path: &Path) {
    let old = SystemTime::now() - Duration::from_secs(100);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(old).unwrap();
}

#[test]
fn a_folder_comes_in_whole_and_nothing_that_is_no_media() {
    let room = room();
    room.picture("Đà Lạt/hồ.png", 1);
    room.picture("b.png", 2);
    std::fs::write(room.files.join("notes.txt"), "x").unwrap();
    std::fs::write(room.files.join("program.ts"), "const a = 1;").unwrap();
    std::fs::write(room.files.join("empty.mp4"), "").unwrap();
    std::fs::write(room.files.join(".hidden.png"), "x").unwrap();
    std::fs::write(
        room.files.join("lời.srt"),
        "1\n00:00:01,000 --> 00:00:02,000\nXin chào\n",
    )
    .unwrap();
    let imported = room.app.import(std::slice::from_ref(&room.files)).unwrap();
    assert_eq!(
        (imported.added, imported.known, imported.refused.len()),
        (3, 0, 0)
    );
    let imported = room
        .app
        .import(&[room.files.clone(), "/nowhere/at all".into()])
        .unwrap();
    assert_eq!(
        (imported.added, imported.known, imported.refused.len()),
        (0, 3, 1)
    );
    let refused = room
        .app
        .import(&[room.files.join("notes.txt")])
        .unwrap()
        .refused;
    assert_eq!(refused.len(), 1);
    let found = room.find(LibraryQuery {
        text: "da lat".into(),
        ..Default::default()
    });
    assert_eq!(found.len(), 1);
}

#[test]
fn files_are_read_and_copies_found_while_nobody_waits() {
    let room = room();
    let first = room.picture("a.png", 1);
    std::fs::copy(&first, room.files.join("Đà Lạt/a again.png")).unwrap();
    room.picture("other.png", 2);
    std::fs::write(room.files.join("broken.png"), "no picture").unwrap();
    std::fs::write(
        room.files.join("lời.srt"),
        "1\n00:00:01,000 --> 00:00:02,000\nXin chào\n",
    )
    .unwrap();
    room.app.import(std::slice::from_ref(&room.files)).unwrap();
    let told = Arc::new(Mutex::new(0));
    let count = told.clone();
    room.app.listen_to_library(move |_| {
        *count.lock().unwrap() += 1;
        true
    });
    room.app.start_library().unwrap();
    room.wait("contents", |room| {
        let summary = room.app.library_summary().unwrap();
        summary.unread == 0 && summary.unhashed == 0
    });
    let item = |name: &str| {
        let all = room.all();
        all.into_iter()
            .find(|item| item.path.ends_with(name))
            .unwrap()
    };
    let a = item("a.png");
    assert_eq!(
        (a.kind, a.width, a.height),
        (LibraryKind::Still, Some(7), Some(4))
    );
    assert_eq!(
        (a.codec.as_deref(), a.copies, a.duration_micros),
        (Some("png"), 2, None)
    );
    assert_eq!(item("other.png").copies, 1);
    assert!(item("broken.png").unreadable);
    assert_eq!(item("lời.srt").kind, LibraryKind::Subtitles);
    let copies = room.find(LibraryQuery {
        duplicates: true,
        ..Default::default()
    });
    assert_eq!(copies.len(), 2);
    let details = room.app.library_details(a.id).unwrap();
    assert_eq!(details.copies, [room.files.join("Đà Lạt/a again.png")]);
    assert_eq!(details.sha256.map(|hash| hash.len()), Some(64));
    assert!(details.error.is_none() && details.info.is_some());
    assert!(
        room.app
            .library_details(item("broken.png").id)
            .unwrap()
            .error
            .is_some()
    );
    assert!(*told.lock().unwrap() > 0, "the window was told");
}

#[test]
fn what_appears_in_a_watched_folder_comes_in_and_what_was_taken_out_does_not() {
    let room = room();
    room.picture("a.png", 1);
    room.app.watch_folder(&room.files, true).unwrap();
    room.app.start_library().unwrap();
    room.wait("the first file", |room| room.all().len() == 1);
    let b = room.picture("Đà Lạt/b.png", 2);
    room.wait("the second file", |room| room.all().len() == 2);
    let id = room
        .all()
        .into_iter()
        .find(|item| item.path == b)
        .unwrap()
        .id;
    room.app.delete_items(&[id], Fate::Keep).unwrap();
    // Something else that appears shows that the folder was looked at again.
    room.picture("Đà Lạt/c.png", 3);
    room.wait("the third file", |room| {
        room.all().iter().any(|item| item.path.ends_with("c.png"))
    });
    assert!(room.all().iter().all(|item| item.path != b));
    assert!(b.exists());
    assert_eq!(
        room.app.library_summary().unwrap().watched,
        std::slice::from_ref(&room.files)
    );
    assert!(
        room.app
            .watch_folder(&room.files.join("none"), true)
            .is_err()
    );
}

#[test]
fn a_file_that_was_moved_is_the_same_item_at_its_new_place() {
    let room = room();
    let old = room.picture("a.png", 1);
    let item = room.import(&old);
    room.app.set_stars(&[item.id], 4).unwrap();
    room.app
        .change_tags(&[item.id], &["hồ".into()], &[])
        .unwrap();
    room.app.start_library().unwrap();
    room.wait("the hash", |room| {
        room.app.library_details(item.id).unwrap().sha256.is_some()
    });
    let new = room.files.join("Đà Lạt/anh.png");
    std::fs::rename(&old, &new).unwrap();
    room.app.import(std::slice::from_ref(&new)).unwrap();
    room.wait("one item", |room| {
        let all = room.all();
        all.len() == 1 && all[0].path == new
    });
    let found = room.app.library_item(item.id).unwrap();
    assert_eq!(
        (found.stars, found.tags, found.missing),
        (4, vec!["hồ".to_owned()], false)
    );
}

#[test]
fn a_copy_of_what_lies_on_a_drive_that_is_not_connected_is_an_item_of_its_own() {
    let room = room();
    let drive = room.files.join("drive");
    std::fs::create_dir(&drive).unwrap();
    let original = room.import(&room.picture("drive/a.png", 1));
    room.app.set_stars(&[original.id], 5).unwrap();
    room.app.start_library().unwrap();
    let hashed = |room: &Room, id| room.app.library_details(id).unwrap().sha256.is_some();
    room.wait("the hash", |room| hashed(room, original.id));
    std::fs::rename(&drive, room.files.join("unplugged")).unwrap();
    let backup = room.import(&room.picture("backup.png", 1));
    room.wait("the hash of the copy", |room| hashed(room, backup.id));
    // What is found by the hash is done in the same go; something later shows that it is over.
    let next = room.import(&room.picture("next.png", 2));
    room.wait("the next hash", |room| hashed(room, next.id));
    let original = room.app.library_item(original.id).unwrap();
    assert_eq!(original.path, drive.join("a.png"));
    assert_eq!((original.stars, original.copies), (5, 2));
    assert_eq!(room.app.library_item(backup.id).unwrap().stars, 0);
}

#[test]
fn a_folder_that_was_moved_is_found_again_by_one_of_its_files() {
    let room = room();
    let lost: Vec<_> = ["Đà Lạt/a.png", "Đà Lạt/b.png", "c.png"]
        .iter()
        .zip(1..)
        .map(|(name, shade)| room.import(&room.picture(name, shade)))
        .collect();
    let moved = room.files.with_file_name("moved");
    std::fs::rename(&room.files, &moved).unwrap();
    std::fs::create_dir(&room.files).unwrap();
    let wrong = room.picture("other.png", 9);
    room.app.start_library().unwrap();
    room.wait("three missing", |room| {
        room.app.library_summary().unwrap().missing == 3
    });
    // Nothing is known of the content, so that what the user says counts.
    let done = room
        .app
        .relink_item(lost[0].id, &moved.join("Đà Lạt/a.png"), false)
        .unwrap();
    assert_eq!(done.count, 3);
    assert_eq!(room.app.library_summary().unwrap().missing, 0);
    assert_eq!(
        room.app.library_item(lost[2].id).unwrap().path,
        moved.join("c.png")
    );
    // Now the content is known.
    room.wait("the hash", |room| {
        room.app
            .library_details(lost[0].id)
            .unwrap()
            .sha256
            .is_some()
    });
    let refused = room.app.relink_item(lost[0].id, &wrong, false).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InputChanged);
    assert_eq!(
        room.app
            .relink_item(lost[0].id, &wrong, true)
            .unwrap()
            .count,
        1
    );
}

#[test]
fn a_file_that_is_taken_all_the_same_is_no_copy_of_what_was_lost() {
    let room = room();
    let bitmap = |name: &str, shade: u8| {
        let path = room.files.join(name);
        image::GrayImage::from_pixel(16, 16, image::Luma([shade]))
            .save(&path)
            .unwrap();
        age(&path);
        path
    };
    let lost = room.import(&bitmap("a.bmp", 1));
    let copy = room.import(&bitmap("a again.bmp", 1));
    let other = bitmap("b.bmp", 200);
    assert_eq!(
        other.metadata().unwrap().len(),
        lost.size_bytes,
        "bitmaps of one size are files of one size"
    );
    room.app.start_library().unwrap();
    room.wait("the copies", |room| {
        room.app.library_item(lost.id).unwrap().copies == 2
    });
    std::fs::remove_file(&lost.path).unwrap();
    let refused = room.app.relink_item(lost.id, &other, false).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InputChanged);
    room.app.relink_item(lost.id, &other, true).unwrap();
    assert_eq!(room.app.library_item(copy.id).unwrap().copies, 1);
    room.wait("its own hash", |room| {
        room.app.library_details(lost.id).unwrap().sha256.is_some()
    });
    assert_eq!(room.app.library_item(lost.id).unwrap().copies, 1);
}

#[test]
fn lost_files_are_looked_for_below_a_folder() {
    let room = room();
    let a = room.picture("a.png", 1);
    let item = room.import(&a);
    std::fs::rename(&a, room.files.join("Đà Lạt/a.png")).unwrap();
    assert_eq!(
        room.app.find_missing(&room.files).unwrap().count,
        0,
        "not known to be missing"
    );
    room.app.start_library().unwrap();
    room.wait("it is missing", |room| {
        room.app.library_item(item.id).unwrap().missing
    });
    assert_eq!(room.app.find_missing(&room.files).unwrap().count, 1);
    assert!(!room.app.library_item(item.id).unwrap().missing);
}

#[test]
fn many_of_one_size_are_found_under_other_names_and_the_search_can_be_stopped() {
    const MANY: u8 = 30;
    let room = room();
    let from = room.files.join("shots");
    std::fs::create_dir(&from).unwrap();
    let items: Vec<_> = (0..MANY)
        .map(|shade| {
            let path = from.join(format!("{shade}.bmp"));
            image::GrayImage::from_pixel(16, 16, image::Luma([shade]))
                .save(&path)
                .unwrap();
            age(&path);
            room.import(&path)
        })
        .collect();
    room.app.start_library().unwrap();
    room.wait("the hashes", |room| {
        let summary = room.app.library_summary().unwrap();
        summary.unread == 0 && summary.unhashed == 0
    });
    let to = room.files.join("archive");
    std::fs::create_dir(&to).unwrap();
    for (shade, item) in items.iter().enumerate() {
        let name = format!("shot {:02}.bmp", usize::from(MANY) - shade);
        std::fs::rename(&item.path, to.join(name)).unwrap();
    }
    std::fs::remove_dir(&from).unwrap();
    // A program that starts looks at once.
    let next = App::open(Places {
        data: room.app.places().data.clone(),
        worker: "unused".into(),
        extra_models: vec![],
    })
    .unwrap();
    next.start_library().unwrap();
    room.wait("all missing", |room| {
        room.app.library_summary().unwrap().missing == u32::from(MANY)
    });
    let (app, told) = (Arc::downgrade(&room.app), Arc::new(Mutex::new(Vec::new())));
    let heard = told.clone();
    room.app.listen_to_library(move |event| {
        if let LibraryEvent::Search { of, .. } = event {
            heard.lock().unwrap().push(*of);
            app.upgrade().unwrap().stop_search();
            return false;
        }
        true
    });
    assert_eq!(room.app.find_missing(&room.files).unwrap().count, 0);
    assert_eq!(told.lock().unwrap().len(), 1);
    let done = room.app.find_missing(&room.files).unwrap();
    assert_eq!((done.count, done.refused), (u32::from(MANY), vec![]));
    for (shade, item) in items.iter().enumerate() {
        let found = room.app.library_item(item.id).unwrap();
        let name = format!("shot {:02}.bmp", usize::from(MANY) - shade);
        assert_eq!((found.path, found.missing), (to.join(name), false));
    }
}

#[test]
fn a_rename_moves_the_file_and_never_over_another() {
    let room = room();
    let a = room.import(&room.picture("a.png", 1));
    let b = room.picture("b.png", 2);
    assert_eq!(
        room.app.rename_item(a.id, "b.png").unwrap_err().code,
        ErrorCode::OutputUnwritable
    );
    assert_eq!(
        room.app.rename_item(a.id, "../b.png").unwrap_err().code,
        ErrorCode::InvalidRequest
    );
    assert!(a.path.exists() && b.exists());
    let renamed = room.app.rename_item(a.id, " hồ Xuân Hương.png ").unwrap();
    assert_eq!(renamed.path, room.files.join("hồ Xuân Hương.png"));
    assert!(renamed.path.exists() && !a.path.exists());
    assert_eq!(
        room.find(LibraryQuery {
            text: "xuan huong".into(),
            ..Default::default()
        })
        .len(),
        1
    );
}

#[test]
fn deleting_leaves_the_file_or_takes_it_as_asked() {
    let room = room();
    let keep = room.import(&room.picture("keep.png", 1));
    let gone = room.import(&room.picture("gone.png", 2));
    let lost = room.import(&room.picture("lost.png", 3));
    std::fs::remove_file(&lost.path).unwrap();
    assert_eq!(
        room.app.delete_items(&[keep.id], Fate::Keep).unwrap().count,
        1
    );
    assert!(keep.path.exists());
    let done = room
        .app
        .delete_items(&[gone.id, lost.id], Fate::Delete)
        .unwrap();
    assert_eq!((done.count, done.refused.len()), (2, 0));
    assert!(!gone.path.exists());
    assert!(room.all().is_empty());
    assert_eq!(
        room.app
            .import(std::slice::from_ref(&keep.path))
            .unwrap()
            .added,
        1
    );
}

/// A sheet of small pictures, three beside each other, without names.
fn small(files: &[PathBuf], output: PathBuf) -> SheetWish {
    SheetWish {
        columns: Some(3),
        picture: 80,
        names: false,
        ..SheetWish::of(files.to_vec(), output)
    }
}

#[test]
fn a_sheet_comes_into_the_library_and_takes_nobodys_name() {
    let room = room();
    let broken = room.files.join("broken.png");
    std::fs::write(&broken, "no picture").unwrap();
    let files = [
        room.picture("a.png", 200),
        broken.clone(),
        room.picture("b.png", 90),
    ];
    let wish = small(&files, room.files.join("sheet.png"));
    let mut parts = Vec::new();
    let made = room
        .app
        .make_sheet(&wish, &mut |part| parts.push(part))
        .unwrap();
    assert_eq!(made.path, wish.output);
    assert_eq!(made.unshown.len(), 1);
    assert_eq!(made.unshown[0].path, broken);
    assert_eq!(parts.last(), Some(&1.0));
    let sheet = image::open(&made.path).unwrap().to_rgb8();
    // Places of 80 x 53 pixels, 8 between and around them.
    assert_eq!(sheet.dimensions(), (3 * 88 + 8, 53 + 16));
    let shade = |place: u32| sheet.get_pixel(8 + place * 88 + 40, 8 + 26).0;
    assert_eq!([shade(0), shade(1), shade(2)], [[200; 3], [48; 3], [90; 3]]);
    let item = room.all().into_iter().find(|item| item.path == made.path);
    assert_eq!(made.item, item.map(|item| item.id));
    assert!(made.item.is_some());

    // The name is taken now, and that of a picture is as well.
    let before = std::fs::read(&files[0]).unwrap();
    let again = room.app.make_sheet(&wish, &mut |_| ()).unwrap();
    assert_eq!(again.path, room.files.join("sheet (2).png"));
    let onto = small(&files, files[0].clone());
    let beside = room.app.make_sheet(&onto, &mut |_| ()).unwrap();
    assert_eq!(beside.path, room.files.join("a (2).png"));
    assert_eq!(std::fs::read(&files[0]).unwrap(), before);
}

#[test]
fn a_sheet_that_nobody_waits_for_is_none() {
    let room = room();
    let files: Vec<PathBuf> = (1..6)
        .map(|n| room.picture(&format!("{n}.png"), n))
        .collect();
    let wish = small(&files, room.files.join("sheet.jpg"));
    let mut told = 0;
    let error = room
        .app
        .make_sheet(&wish, &mut |_| {
            told += 1;
            room.app.leave_sheet();
        })
        .unwrap_err();
    assert_eq!((error.code, told), (ErrorCode::Cancelled, 1));
    let names = std::fs::read_dir(&room.files).unwrap();
    let folder = 1;
    assert_eq!(
        names.count(),
        files.len() + folder,
        "nothing is left behind"
    );
    assert!(room.all().is_empty());
    // The next one is made.
    room.app.make_sheet(&wish, &mut |_| ()).unwrap();
}

#[test]
fn a_sheet_that_cannot_be_is_refused_before_anything_is_read() {
    let room = room();
    let files = [room.picture("a.png", 1)];
    let wish = || small(&files, room.files.join("sheet.png"));
    let refused = |wish: SheetWish, says: &str| {
        let mut told = false;
        let error = room
            .app
            .make_sheet(&wish, &mut |_| told = true)
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        assert!(error.message.contains(says), "{}", error.message);
        assert!(!told && !wish.output.exists());
    };
    let many = vec![files[0].clone(); 2_000];
    refused(
        SheetWish {
            files: vec![],
            ..wish()
        },
        "1 to 2000 files",
    );
    refused(
        SheetWish {
            columns: Some(0),
            ..wish()
        },
        "1 to 20 pictures",
    );
    refused(
        SheetWish {
            columns: Some(21),
            ..wish()
        },
        "1 to 20 pictures",
    );
    refused(
        SheetWish {
            picture: 2000,
            ..wish()
        },
        "80 to 1280 pixels",
    );
    refused(
        SheetWish {
            output: room.files.join("sheet.gif"),
            ..wish()
        },
        "PNG or a JPEG",
    );
    let tall = SheetWish {
        files: many,
        columns: Some(1),
        picture: 320,
        ..wish()
    };
    refused(tall, "no side can have more than 65000");
}
