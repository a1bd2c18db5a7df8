//! The library through the public face of the store.
#![expect(clippy::unwrap_used, reason = "tests")]

use frameloom_core::graph::Graph;
use frameloom_core::job::*;
use frameloom_core::library::*;
use frameloom_store::{Content, Lane, NewItem, Origin, Outcome, Store, StoreError};
use std::path::{Path, PathBuf};

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn new(path: &str, kind: LibraryKind, size_bytes: u64, modified_millis: i64) -> NewItem {
    NewItem {
        path: path.into(),
        kind,
        size_bytes,
        modified_millis,
    }
}

/// Four files, added at 1, 2, 3 and 4; returns the store and their numbers.
fn filled() -> (tempfile::TempDir, Store, Vec<ItemId>) {
    let (folder, store) = open();
    let files = [
        new("/phim/Đường về Huế 10.mp4", LibraryKind::Video, 500, 40),
        new("/phim/duong ve hue 2.mp4", LibraryKind::Video, 900, 30),
        new("/photos/Été/plage.jpg", LibraryKind::Still, 100, 20),
        new("/audio/bài hát.flac", LibraryKind::Audio, 500, 10),
    ];
    let mut ids = Vec::new();
    for (at, file) in files.iter().enumerate() {
        ids.extend(
            store
                .add_to_library(std::slice::from_ref(file), at as i64 + 1, false)
                .unwrap(),
        );
    }
    (folder, store, ids)
}

fn query(change: impl FnOnce(&mut LibraryQuery)) -> LibraryQuery {
    let mut query = LibraryQuery::default();
    change(&mut query);
    query
}

/// A job that makes `/phim/a_2x.mp4`.
fn running(id: &str) -> Job {
    Job {
        id: JobId(id.into()),
        spec: JobSpec {
            version: JOB_SPEC_VERSION,
            input: "/phim/a.mp4".into(),
            pictures: None,
            output: "/phim/a_2x.mp4".into(),
            overwrite: false,
            graph: Graph::chain([]),
            encode: EncodeSpec::default(),
            device: Device::Auto,
            inputs: Default::default(),
            input_pictures: Default::default(),
            compute: Default::default(),
            upright: false,
            sample: false,
        },
        state: JobState::Running,
        progress: JobProgress::default(),
        error: None,
        warnings: vec![],
        provider: None,
        sizes: None,
        created_millis: 1,
        finished_millis: None,
    }
}

#[test]
fn a_file_comes_in_once_and_is_read_back() {
    let (_folder, store) = open();
    let file = new("/a/été.png", LibraryKind::Still, 7, -5);
    let ids = store
        .add_to_library(&[file.clone(), file.clone()], 9, false)
        .unwrap();
    assert_eq!(ids.len(), 1);
    assert!(store.add_to_library(&[file], 10, false).unwrap().is_empty());
    let item = store.library_item(ids[0]).unwrap();
    assert_eq!(item.path, Path::new("/a/été.png"));
    assert_eq!(
        (item.size_bytes, item.modified_millis, item.added_millis),
        (7, -5, 9)
    );
    assert_eq!(
        (item.stars, item.copies, item.missing, item.unreadable),
        (0, 1, false, false)
    );
    assert!(matches!(
        store.library_item(99),
        Err(StoreError::NoItem(99))
    ));
}

#[test]
fn words_are_found_without_their_accents_in_names_folders_and_tags() {
    let (_folder, store, ids) = filled();
    let find = |text: &str| {
        store
            .find_in_library(&query(|q| q.text = text.into()))
            .unwrap()
    };
    assert_eq!(find("hue DUONG"), [ids[1], ids[0]]);
    assert_eq!(find("Huế"), [ids[1], ids[0]]);
    assert_eq!(find("ete"), [ids[2]], "the folder counts");
    assert_eq!(find("bai hat"), [ids[3]]);
    assert!(find("hue plage").is_empty(), "every word has to be there");
    assert!(find("100%").is_empty(), "no sign is a pattern");
    store
        .change_tags(&[ids[3]], &["Đà Lạt".into()], &[])
        .unwrap();
    assert_eq!(find("da lat"), [ids[3]]);
    store
        .change_tags(&[ids[3]], &[], &["đà lạt".into()])
        .unwrap();
    assert!(find("da lat").is_empty());
}

#[test]
fn every_order_and_its_reverse_hold() {
    let (_folder, store, ids) = filled();
    for (id, micros) in [(ids[0], 5), (ids[1], 9)] {
        let facts = ItemFacts {
            duration_micros: Some(micros),
            ..ItemFacts::default()
        };
        store
            .set_item_facts(id, Some((LibraryKind::Video, &facts)))
            .unwrap();
    }
    store.set_stars(&[ids[2]], 4).unwrap();
    let order = |sort, reversed| {
        let found = store
            .find_in_library(&query(|q| {
                q.sort = sort;
                q.reversed = reversed;
            }))
            .unwrap();
        found
            .iter()
            .map(|id| ids.iter().position(|known| known == id).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(order(LibrarySort::Added, false), [3, 2, 1, 0]);
    assert_eq!(order(LibrarySort::Added, true), [0, 1, 2, 3]);
    assert_eq!(order(LibrarySort::Name, false), [3, 1, 0, 2], "2 before 10");
    assert_eq!(order(LibrarySort::Name, true), [2, 0, 1, 3]);
    assert_eq!(order(LibrarySort::Modified, false), [0, 1, 2, 3]);
    assert_eq!(order(LibrarySort::Size, false), [1, 3, 0, 2]);
    assert_eq!(order(LibrarySort::Duration, false), [1, 0, 3, 2]);
    assert_eq!(order(LibrarySort::Duration, true), [0, 1, 2, 3]);
    assert_eq!(order(LibrarySort::Stars, false), [2, 3, 1, 0]);
    assert_eq!(order(LibrarySort::Kind, false), [3, 2, 1, 0]);
}

#[test]
fn filters_narrow_the_list_together() {
    let (_folder, store, ids) = filled();
    store.set_stars(&ids[..2], 3).unwrap();
    store.set_stars(&ids[..1], 9).unwrap();
    assert_eq!(store.library_item(ids[0]).unwrap().stars, 5);
    store
        .change_tags(&ids[1..3], &["Mùa hè".into(), "  x   y ".into()], &[])
        .unwrap();
    let find =
        |change: &dyn Fn(&mut LibraryQuery)| store.find_in_library(&query(|q| change(q))).unwrap();
    assert_eq!(
        find(&|q| q.kinds = vec![LibraryKind::Audio, LibraryKind::Still]),
        [ids[3], ids[2]]
    );
    assert_eq!(find(&|q| q.least_stars = 4), [ids[0]]);
    assert_eq!(find(&|q| q.tags = vec!["mua he".into()]), [ids[2], ids[1]]);
    assert_eq!(
        find(&|q| q.tags = vec!["mua he".into(), "x y".into()]).len(),
        2
    );
    assert!(find(&|q| q.tags = vec!["mua he".into(), "z".into()]).is_empty());
    assert_eq!(
        find(&|q| {
            q.least_bytes = Some(500);
            q.most_bytes = Some(500);
        }),
        [ids[3], ids[0]]
    );
    assert_eq!(
        find(&|q| {
            q.since_millis = Some(20);
            q.until_millis = Some(40);
        }),
        [ids[2], ids[1]]
    );
    assert_eq!(
        find(&|q| {
            q.text = "hue".into();
            q.tags = vec!["mua he".into()];
        }),
        [ids[1]]
    );
    let summary = store.library_summary().unwrap();
    assert_eq!(
        (summary.items, summary.kinds.clone()),
        (4, vec![2, 1, 1, 0])
    );
    assert_eq!(
        summary.tags[0],
        Counted {
            name: "Mùa hè".into(),
            count: 2
        }
    );
    assert_eq!((summary.unread, summary.unhashed), (4, 0));
}

#[test]
fn a_tag_keeps_the_spelling_that_it_had_first() {
    let (_folder, store, ids) = filled();
    store.change_tags(&ids[..1], &["Été".into()], &[]).unwrap();
    store
        .change_tags(&ids[..2], &["ete".into(), "".into()], &[])
        .unwrap();
    for id in &ids[..2] {
        assert_eq!(store.library_item(*id).unwrap().tags, ["Été"]);
    }
    assert_eq!(store.library_summary().unwrap().tags.len(), 1);
}

#[test]
fn copies_are_told_by_their_content_and_stand_together() {
    let (_folder, store, ids) = filled();
    let read = ItemFacts::default();
    for id in &ids {
        store
            .set_item_facts(*id, Some((LibraryKind::Video, &read)))
            .unwrap();
    }
    let first: Vec<_> = store
        .unhashed_items(10, &[])
        .unwrap()
        .iter()
        .map(|row| row.0)
        .collect();
    assert_eq!(
        first,
        [ids[0], ids[3]],
        "those of one size are compared first"
    );
    let others = store.unhashed_items(10, &[ids[0], ids[3]]).unwrap();
    assert_eq!(others.len(), 2, "what cannot be read holds nobody up");
    store.set_item_hash(ids[0], (500, 40), "aa").unwrap();
    store.set_item_hash(ids[3], (500, 10), "aa").unwrap();
    store.set_item_hash(ids[1], (900, 31), "aa").unwrap();
    assert_eq!(
        store.unhashed_items(10, &[]).unwrap().len(),
        2,
        "a file that changed meanwhile has no hash"
    );
    store.set_item_hash(ids[1], (900, 30), "bb").unwrap();
    let copies = query(|q| q.duplicates = true);
    assert_eq!(store.find_in_library(&copies).unwrap(), [ids[3], ids[0]]);
    assert_eq!(store.library_item(ids[0]).unwrap().copies, 2);
    assert_eq!(store.library_item(ids[1]).unwrap().copies, 1);
    assert_eq!(store.library_summary().unwrap().duplicates, 2);
    assert_eq!(store.items_of_content("aa").unwrap(), [ids[0], ids[3]]);
}

#[test]
fn a_changed_file_is_read_again_and_a_lost_one_is_missing_until_it_is_back() {
    let (_folder, store, ids) = filled();
    let facts = ItemFacts::default();
    store
        .set_item_facts(ids[0], Some((LibraryKind::Video, &facts)))
        .unwrap();
    store.set_item_hash(ids[0], (500, 40), "aa").unwrap();
    store.set_stamps(&[(ids[0], None)]).unwrap();
    assert!(store.library_item(ids[0]).unwrap().missing);
    assert_eq!(
        store.find_in_library(&query(|q| q.missing = true)).unwrap(),
        [ids[0]]
    );
    let missing = store.missing_items().unwrap();
    assert_eq!(
        (missing.len(), missing[0].id, missing[0].size_bytes),
        (1, ids[0], 500)
    );
    assert_eq!(missing[0].sha256.as_deref(), Some("aa"));
    store.set_stamps(&[(ids[0], Some((500, 40)))]).unwrap();
    assert!(!store.library_item(ids[0]).unwrap().missing);
    assert_eq!(
        store.provenance(ids[0]).unwrap().sha256.as_deref(),
        Some("aa")
    );
    store.set_stamps(&[(ids[0], Some((500, 41)))]).unwrap();
    assert_eq!(store.provenance(ids[0]).unwrap().sha256, None);
    assert!(
        store
            .unread_items(9, &[])
            .unwrap()
            .iter()
            .any(|(id, _)| *id == ids[0])
    );
}

#[test]
fn an_item_that_moves_onto_another_takes_it_in() {
    let (_folder, store, ids) = filled();
    store.change_tags(&ids[..1], &["old".into()], &[]).unwrap();
    store.change_tags(&ids[1..2], &["new".into()], &[]).unwrap();
    store.set_stars(&ids[1..2], 2).unwrap();
    store.set_stamps(&[(ids[0], None)]).unwrap();
    let taken = store
        .move_item(
            ids[0],
            Path::new("/phim/duong ve hue 2.mp4"),
            (900, 30),
            Content::Same,
        )
        .unwrap();
    assert_eq!(taken, Some(ids[1]));
    let item = store.library_item(ids[0]).unwrap();
    assert_eq!(
        (item.tags, item.stars, item.missing),
        (vec!["new".into(), "old".into()], 2, false)
    );
    assert!(store.library_item(ids[1]).is_err());
    let old_name = query(|q| q.text = "hue 10".into());
    assert!(store.find_in_library(&old_name).unwrap().is_empty());
}

#[test]
fn a_file_that_may_be_another_is_hashed_anew_even_if_it_is_as_large() {
    let (_folder, store, ids) = filled();
    let facts = ItemFacts::default();
    for id in &ids {
        store
            .set_item_facts(*id, Some((LibraryKind::Video, &facts)))
            .unwrap();
    }
    let hash = |store: &Store, id| store.provenance(id).unwrap().sha256;
    store.set_item_hash(ids[0], (500, 40), "aa").unwrap();
    let place = Path::new("/elsewhere/10.mp4");
    store
        .move_item(ids[0], place, (500, 77), Content::Same)
        .unwrap();
    assert_eq!(hash(&store, ids[0]).as_deref(), Some("aa"));
    store
        .move_item(ids[0], Path::new("/other.mp4"), (500, 77), Content::Unknown)
        .unwrap();
    assert_eq!(hash(&store, ids[0]), None);
    let unread = store.unread_items(9, &[]).unwrap();
    assert!(unread.iter().any(|(id, _)| *id == ids[0]), "and read anew");
}

#[test]
fn what_made_an_item_outlives_its_taking_in() {
    let (_folder, store, ids) = filled();
    let made = |id: &str, place: &str, from: &str| {
        let job = running(id);
        store.insert_job(&job, Lane::Queue, "{}").unwrap();
        let origin = Origin {
            job: &job.id,
            made_from: Path::new(from),
            models: &["loom-x2".to_owned()],
            sha256: None,
        };
        let item = new(place, LibraryKind::Video, 500, 1);
        let id = store.add_made_to_library(Some(&item), &origin, 9).unwrap();
        id.unwrap()
    };
    let first = Path::new("/backup/1.mp4");
    made("job-1", "/backup/1.mp4", "/phim/a.mp4");
    let move_to = |id, place| store.move_item(id, place, (500, 1), Content::Same).unwrap();
    move_to(ids[0], first);
    let item = store.library_item(ids[0]).unwrap();
    assert_eq!(item.made_by, Some(JobId("job-1".into())));
    let past = store.provenance(ids[0]).unwrap();
    assert_eq!(past.made_from.as_deref(), Some(Path::new("/phim/a.mp4")));
    assert_eq!(past.models, ["loom-x2"]);
    // One that has a past of its own keeps it.
    made("job-2", "/backup/2.mp4", "/phim/b.mp4");
    move_to(ids[0], Path::new("/backup/2.mp4"));
    let item = store.library_item(ids[0]).unwrap();
    assert_eq!(item.made_by, Some(JobId("job-1".into())));
}

#[test]
fn what_was_taken_out_stays_out_until_the_user_adds_it() {
    let (_folder, store, ids) = filled();
    let path = store.library_item(ids[2]).unwrap().path;
    store.forget_items(&ids[2..3], true).unwrap();
    let again = new(path.to_str().unwrap(), LibraryKind::Still, 100, 20);
    let again = std::slice::from_ref(&again);
    assert!(
        store.add_to_library(again, 5, true).unwrap().is_empty(),
        "a watched folder"
    );
    assert_eq!(
        store.add_to_library(again, 5, false).unwrap().len(),
        1,
        "the user"
    );
    assert!(store.add_to_library(again, 5, true).unwrap().is_empty());
    let id = store.library_item_at(&path).unwrap().unwrap();
    store.forget_items(&[id], false).unwrap();
    assert_eq!(
        store.add_to_library(again, 5, true).unwrap().len(),
        1,
        "another file"
    );
}

#[test]
fn a_finished_job_is_told_once_and_its_result_knows_what_made_it() {
    let (_folder, store, _) = filled();
    let job = running("j1");
    store.insert_job(&job, Lane::Queue, "{}").unwrap();
    assert!(store.jobs_unknown_to_library().unwrap().is_empty());
    let outcome = Outcome {
        spec: &job.spec,
        receipt: None,
    };
    store
        .succeed(&job.id, &[JobState::Running], &outcome, 8)
        .unwrap();
    assert_eq!(
        store.jobs_unknown_to_library().unwrap(),
        std::slice::from_ref(&job.id)
    );
    let file = new("/phim/a_2x.mp4", LibraryKind::Video, 1000, 7);
    let models = ["loom-x2".to_owned()];
    let origin = Origin {
        job: &job.id,
        made_from: Path::new("/phim/a.mp4"),
        models: &models,
        sha256: Some("cc"),
    };
    let id = store
        .add_made_to_library(Some(&file), &origin, 8)
        .unwrap()
        .unwrap();
    assert!(store.jobs_unknown_to_library().unwrap().is_empty());
    assert_eq!(
        store.library_item(id).unwrap().made_by,
        Some(job.id.clone())
    );
    let made = query(|q| q.origin = Some(LibraryOrigin::Made));
    assert_eq!(store.find_in_library(&made).unwrap(), [id]);
    let model = |name: &str| query(|q| q.model = Some(name.into()));
    assert_eq!(store.find_in_library(&model("loom-x2")).unwrap(), [id]);
    assert!(store.find_in_library(&model("loom")).unwrap().is_empty());
    assert_eq!(store.library_summary().unwrap().models[0].name, "loom-x2");
    // The job goes; what it made and of what stays known.
    store.delete_job(&job.id).unwrap();
    let provenance = store.provenance(id).unwrap();
    assert_eq!(provenance.made_from, Some(PathBuf::from("/phim/a.mp4")));
    assert_eq!(provenance.models, models);
}

#[test]
fn watched_folders_are_kept() {
    let (_folder, store) = open();
    store.set_watched(Path::new("/b"), true).unwrap();
    store.set_watched(Path::new("/a"), true).unwrap();
    store.set_watched(Path::new("/a"), true).unwrap();
    assert_eq!(
        store.watched_folders().unwrap(),
        [Path::new("/a"), Path::new("/b")]
    );
    store.set_watched(Path::new("/b"), false).unwrap();
    assert_eq!(store.library_summary().unwrap().watched, [Path::new("/a")]);
}

/// What a window waits for, printed: `cargo test -p frameloom-store --test library -- --ignored
/// --nocapture`. The machine decides over times, so nothing is asserted of them.
#[test]
#[ignore = "it measures"]
fn a_hundred_thousand_items_are_listed_and_their_times_printed() {
    use std::time::Instant;
    let (folder, store) = open();
    let subjects = [
        "Ngõ nhỏ Hà Nội",
        "Plage à marée basse",
        "Harbour",
        "Đèo Hải Vân",
    ];
    let files: Vec<_> = (0..100_000_u64)
        .map(|n| {
            let name = format!(
                "/home/mai/Phim/{}/{} {n}.mp4",
                n / 500,
                subjects[n as usize % 4]
            );
            new(
                &name,
                LibraryKind::ALL[n as usize % 4],
                n * 7919 % 1_000_003,
                n as i64,
            )
        })
        .collect();
    // A machine that others use, too, tells little by the clock; Linux tells what a thread used.
    let used = || -> f64 {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let nanos = told.split(' ').next().and_then(|n| n.parse::<f64>().ok());
        nanos.unwrap_or(0.0) / 1e6
    };
    let now = || (Instant::now(), used());
    let timed = |what: &str, (since, before): (Instant, f64)| {
        let wall = since.elapsed().as_secs_f64() * 1000.0;
        println!(
            "{what}: {wall:.1} ms, {:.1} ms of the processor",
            used() - before
        );
    };
    let since = now();
    let mut ids = Vec::new();
    for (at, some) in files.chunks(500).enumerate() {
        ids.extend(store.add_to_library(some, at as i64, false).unwrap());
    }
    timed("import", since);
    store
        .change_tags(&ids[..20_000], &["mùa hè".into()], &[])
        .unwrap();
    drop(store);
    let since = now();
    let (store, _) = Store::open(folder.path()).unwrap();
    timed("open the database", since);
    let questions = [
        ("newest first", query(|_| {})),
        ("by name", query(|q| q.sort = LibrarySort::Name)),
        ("by stars", query(|q| q.sort = LibrarySort::Stars)),
        ("words", query(|q| q.text = "ngo nho 77".into())),
        ("a tag", query(|q| q.tags = vec!["mua he".into()])),
        (
            "a kind by size",
            query(|q| {
                q.kinds = vec![LibraryKind::Video];
                q.sort = LibrarySort::Size;
            }),
        ),
    ];
    for (what, question) in questions {
        let since = now();
        let found = store.find_in_library(&question).unwrap();
        timed(&format!("{what} ({} of 100000)", found.len()), since);
        let since = now();
        let json = serde_json::to_string(&found).unwrap();
        timed(&format!("  as JSON ({} kB)", json.len() / 1000), since);
        let middle = found.len() / 2;
        let page = &found[middle..(middle + 100).min(found.len())];
        let since = now();
        assert_eq!(store.library_items(page).unwrap().len(), page.len());
        timed("  a page of it", since);
    }
    let since = now();
    assert_eq!(store.library_summary().unwrap().items, 100_000);
    timed("summary", since);
}
