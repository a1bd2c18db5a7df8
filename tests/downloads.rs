//! Downloads from servers that stall, break off, lie and lead elsewhere.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::server::{Answer, Server};
use frameloom_net::{
    Address, Client, Download, Ended, Hosts, Ledger, NetError, Patience, Proxy, Purpose, Sending,
    Watch,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What was sent, and what became of it.
#[derive(Default)]
struct Notes {
    refuses: bool,
    lines: Mutex<Vec<(String, String, Option<Ended>)>>,
}

impl Notes {
    fn all(&self) -> Vec<(String, String, Option<Ended>)> {
        self.lines.lock().unwrap().clone()
    }
}

impl Ledger for Notes {
    fn begin(
        &self,
        sending: &Sending<'_>,
    ) -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
        if self.refuses {
            return Err("the disk is full".into());
        }
        let mut lines = self.lines.lock().unwrap();
        lines.push((sending.address.to_owned(), sending.headers.to_owned(), None));
        Ok(lines.len() as i64 - 1)
    }

    fn end(&self, id: i64, ended: &Ended) {
        self.lines.lock().unwrap()[id as usize].2 = Some(ended.clone());
    }
}

/// Gives up once so many bytes are there.
struct UpTo(u64, Mutex<u64>);

impl Watch for UpTo {
    fn progress(&self, done_bytes: u64) {
        *self.1.lock().unwrap() = done_bytes;
    }

    fn is_cancelled(&self) -> bool {
        *self.1.lock().unwrap() >= self.0
    }
}

/// A file of no pattern.
fn file() -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(300_000).collect()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Place {
    folder: TempDir,
    notes: Notes,
    block_bytes: u64,
}

impl Place {
    /// Files come in one piece.
    fn new() -> Self {
        Self {
            block_bytes: u64::MAX,
            folder: tempfile::tempdir().unwrap(),
            notes: Notes::default(),
        }
    }

    /// The file comes in ten blocks.
    fn in_blocks() -> Self {
        Self {
            block_bytes: 30_000,
            ..Self::new()
        }
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("weights.part")
    }

    fn client(&self, named: &[&Address]) -> Client<'_> {
        let hosts = named
            .iter()
            .fold(Hosts::default(), |hosts, at| hosts.and(at));
        let patience = Patience {
            stall: Duration::from_millis(400),
            pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(20),
            tries: 3,
        };
        let client = Client::new(hosts, &Proxy::Direct, patience, &self.notes).unwrap();
        client.in_blocks_of(self.block_bytes)
    }

    /// Fetches the file of no pattern from these servers.
    fn fetch(&self, servers: &[&Server], watch: &dyn Watch) -> Result<(), NetError> {
        let sources: Vec<_> = servers.iter().map(|server| at(server)).collect();
        self.fetch_from(&sources, watch)
    }

    fn fetch_from(&self, sources: &[Address], watch: &dyn Watch) -> Result<(), NetError> {
        let wanted = Download {
            sources,
            sha256: &sha256(&file()),
            size_bytes: file().len() as u64,
            purpose: Purpose::Model { id: "a".to_owned() },
        };
        let named: Vec<_> = sources.iter().collect();
        self.client(&named).download(&wanted, &self.part(), watch)
    }

    fn has_file(&self) -> bool {
        fs::read(self.part()).unwrap() == file()
    }
}

fn at(server: &Server) -> Address {
    Address::parse(&server.address("models/a.onnx")).unwrap()
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn a_file_is_fetched_and_all_that_was_sent_is_on_record() {
    let place = Place::new();
    let server = Server::new(file(), |_, _| Answer::File);
    place.fetch(&[&server], &()).unwrap();
    assert!(place.has_file());
    let (asked, notes) = (server.asked(), place.notes.all());
    assert_eq!((asked.len(), notes.len()), (1, 1));
    let (address, headers, ended) = &notes[0];
    assert_eq!(*address, server.address("models/a.onnx"));
    assert_eq!(asked[0].method, "GET");
    assert_eq!(asked[0].path, "/models/a.onnx");
    // Line by line what arrived, but for the host, which is in the address.
    let arrived: BTreeSet<String> = asked[0]
        .headers
        .iter()
        .filter(|(name, _)| *name != "host")
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let noted: BTreeSet<String> = headers.lines().map(str::to_owned).collect();
    assert_eq!(noted, arrived);
    let ended = ended.as_ref().unwrap();
    assert_eq!((ended.status, ended.received_bytes), (Some(200), 300_000));
    assert_eq!(ended.error, None);
}

#[test]
fn what_broke_off_goes_on_where_it_ended() {
    let place = Place::new();
    let server = Server::new(file(), |turn, _| match turn {
        0 => Answer::CutAfter(100_000),
        1 => Answer::SilentAfter(50_000),
        2 => Answer::Status(503, vec![("Retry-After", "3600".to_owned())]),
        3 => Answer::Status(429, vec![]),
        _ => Answer::File,
    });
    place.fetch(&[&server], &()).unwrap();
    assert!(place.has_file());
    let from = |bytes: u64| Some(format!("bytes={bytes}-"));
    let asked = [
        None,
        from(100_000),
        from(150_000),
        from(150_000),
        from(150_000),
    ];
    assert_eq!(server.ranges(), asked);
    let received: u64 = place
        .notes
        .all()
        .iter()
        .map(|(_, _, ended)| ended.as_ref().unwrap().received_bytes)
        .sum();
    assert_eq!(received, 300_000, "nothing came twice");
}

#[test]
fn what_an_earlier_program_left_is_gone_on_with_and_what_is_whole_is_not_fetched() {
    let place = Place::new();
    fs::write(place.part(), &file()[..120_000]).unwrap();
    let server = Server::new(file(), |_, _| Answer::File);
    place.fetch(&[&server], &()).unwrap();
    assert!(place.has_file());
    assert_eq!(server.ranges(), [Some("bytes=120000-".to_owned())]);
    place.fetch(&[&server], &()).unwrap();
    assert_eq!(server.asked().len(), 1, "it was there");
    // Something else of the right length, and something that is too long.
    for wrong in [vec![0; 300_000], vec![0; 400_000]] {
        fs::write(place.part(), wrong).unwrap();
        place.fetch(&[&server], &()).unwrap();
        assert!(place.has_file());
    }
    // A beginning of something else costs one fetch that is thrown away, and no more.
    fs::write(place.part(), vec![0; 1000]).unwrap();
    let other = Server::new(file(), |_, _| Answer::File);
    place.fetch(&[&server, &other], &()).unwrap();
    assert!(place.has_file());
}

#[test]
fn a_server_that_knows_no_ranges_gives_all_of_it_again() {
    let place = Place::new();
    let server = Server::new(file(), |turn, _| match turn {
        0 => Answer::CutAfter(100_000),
        _ => Answer::Whole,
    });
    place.fetch(&[&server], &()).unwrap();
    assert!(place.has_file());
}

#[test]
fn what_is_not_the_file_is_thrown_away_and_the_next_mirror_is_asked() {
    let mut changed = file();
    changed[250_000] ^= 1;
    let lies = [
        Answer::Other(changed),
        Answer::Other(b"<html>Sign in</html>".to_vec()),
        Answer::Endless,
        Answer::Status(404, vec![]),
        Answer::Status(416, vec![]),
    ];
    for lie in lies {
        let place = Place::new();
        let (told, mirror) = (lie.clone(), Server::new(file(), |_, _| Answer::File));
        let liar = Server::new(file(), move |_, _| told.clone());
        place.fetch(&[&liar, &mirror], &()).unwrap();
        assert!(place.has_file(), "{lie:?}");
        assert_eq!(liar.asked().len(), 1, "{lie:?}: it is not asked again");

        let place = Place::new();
        let error = place.fetch(&[&liar], &()).unwrap_err();
        assert!(!error.is_retryable(), "{lie:?}: {error}");
        assert_eq!(length(&place.part()), 0, "{lie:?}: nothing of it is kept");
        assert!(place.notes.all()[0].2.as_ref().unwrap().error.is_some());
    }
    // Of a server that gives another part than was asked for, all is taken.
    let place = Place::new();
    fs::write(place.part(), &file()[..1000]).unwrap();
    let muddled = Server::new(file(), |_, _| Answer::OtherPart);
    place.fetch(&[&muddled], &()).unwrap();
    assert!(place.has_file());
    assert_eq!(muddled.ranges(), [Some("bytes=1000-".to_owned()), None]);
}

#[test]
fn a_server_that_gives_nothing_is_given_up_in_the_end_and_what_came_is_kept() {
    let place = Place::new();
    let server = Server::new(file(), |turn, _| match turn {
        0 => Answer::CutAfter(70_000),
        _ => Answer::Status(500, vec![]),
    });
    let error = place.fetch(&[&server], &()).unwrap_err();
    assert!(
        matches!(error, NetError::Status { status: 500, .. }),
        "{error}"
    );
    assert_eq!(length(&place.part()), 70_000);
    assert_eq!(server.asked().len(), 4);
    // Nobody listens there.
    let gone = Address::parse("http://127.0.0.1:9/a").unwrap();
    let error = place.fetch_from(&[gone], &()).unwrap_err();
    assert!(matches!(error, NetError::Unreachable { .. }), "{error}");
    assert!(matches!(
        place.fetch_from(&[], &()).unwrap_err(),
        NetError::NoAddress
    ));
}

#[test]
fn a_redirection_is_followed_to_hosts_of_the_list_alone() {
    let target = Server::new(file(), |_, _| Answer::File);
    let moved = target.address("b.onnx");
    let server = Server::new(file(), move |_, _| {
        Answer::Status(302, vec![("Location", moved.clone())])
    });
    // Both are on the same host, and a port makes no other host.
    let place = Place::new();
    place.fetch(&[&server], &()).unwrap();
    assert!(place.has_file());
    assert_eq!(place.notes.all().len(), 2, "each step is on record");

    for elsewhere in [
        "https://example.org/a.onnx",
        "http://example.org/a.onnx",
        "file:///etc/passwd",
        "https://name:secret@raw.githubusercontent.com/a",
    ] {
        let place = Place::new();
        let leads = Server::new(file(), move |_, _| {
            Answer::Status(302, vec![("Location", elsewhere.to_owned())])
        });
        let error = place.fetch(&[&leads], &()).unwrap_err();
        let refused = matches!(
            error,
            NetError::HostNotAllowed { .. } | NetError::AddressRefused { .. }
        );
        assert!(refused, "{elsewhere}: {error}");
        assert_eq!(
            place.notes.all().len(),
            1,
            "{elsewhere}: nothing was sent there"
        );
    }

    let place = Place::new();
    let circle = Server::new(file(), |_, _| {
        Answer::Status(301, vec![("Location", "/round".to_owned())])
    });
    let error = place.fetch(&[&circle], &()).unwrap_err();
    assert!(
        matches!(error, NetError::TooManyRedirects { .. }),
        "{error}"
    );
}

#[test]
fn a_host_that_nobody_named_is_not_asked() {
    let place = Place::new();
    let server = Server::new(file(), |_, _| Answer::File);
    let wanted = Download {
        sources: &[at(&server)],
        sha256: &sha256(&file()),
        size_bytes: 300_000,
        purpose: Purpose::Catalogue,
    };
    let error = place.client(&[]).download(&wanted, &place.part(), &());
    assert!(matches!(
        error.unwrap_err(),
        NetError::HostNotAllowed { .. }
    ));
    assert!(server.asked().is_empty());
    assert!(place.notes.all().is_empty());
}

#[test]
fn who_gives_up_is_obeyed_at_once_and_what_came_is_kept() {
    let place = Place::new();
    let server = Server::new(file(), |_, _| Answer::SilentAfter(90_000));
    let watch = UpTo(90_000, Mutex::new(0));
    let error = place.fetch(&[&server], &watch).unwrap_err();
    assert!(matches!(error, NetError::Cancelled), "{error}");
    assert_eq!(length(&place.part()), 90_000);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn what_cannot_be_recorded_is_not_sent() {
    let mut place = Place::new();
    place.notes.refuses = true;
    let server = Server::new(file(), |_, _| Answer::File);
    let error = place.fetch(&[&server], &()).unwrap_err();
    assert!(matches!(error, NetError::Record(_)), "{error}");
    assert!(server.asked().is_empty());
}

#[test]
fn two_programs_do_not_fetch_the_same_file_at_once() {
    let place = Place::new();
    let held = fs::File::create(place.part()).unwrap();
    held.lock().unwrap();
    let server = Server::new(file(), |_, _| Answer::File);
    let error = place.fetch(&[&server], &()).unwrap_err();
    assert!(matches!(error, NetError::Busy { .. }), "{error}");
    drop(held);
    place.fetch(&[&server], &()).unwrap();
    assert!(place.has_file());
}

#[test]
fn a_small_file_is_taken_up_to_its_limit() {
    let place = Place::new();
    let server = Server::new(b"twelve bytes".to_vec(), |_, _| Answer::File);
    let address = at(&server);
    let client = place.client(&[&address]);
    let get = |limit| client.get(&address, limit, &Purpose::Catalogue, &());
    assert_eq!(get(12).unwrap(), b"twelve bytes");
    assert!(matches!(get(11), Err(NetError::TooLarge { limit: 11, .. })));
}

#[test]
fn a_large_file_comes_over_several_connections_at_once() {
    let place = Place::in_blocks();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (going, seen) = (now.clone(), most.clone());
    let server = Server::new(file(), move |turn, _| {
        // The first is asked for alone; the next ones wait for each other.
        let at_once = going.fetch_add(1, Ordering::SeqCst) + 1;
        seen.fetch_max(at_once, Ordering::SeqCst);
        let waits = Instant::now();
        while (1..=4).contains(&turn) && seen.load(Ordering::SeqCst) < 4 {
            assert!(
                waits.elapsed() < Duration::from_secs(20),
                "they come one by one"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        going.fetch_sub(1, Ordering::SeqCst);
        Answer::File
    });
    place.fetch(&[&server], &()).unwrap();
    assert!(place.has_file());
    assert!(most.load(Ordering::SeqCst) >= 4);
    let mut ranges: Vec<_> = server.ranges().into_iter().flatten().collect();
    assert_eq!(ranges[0], "bytes=0-29999", "the first one alone");
    ranges.sort();
    ranges.dedup();
    assert_eq!(ranges.len(), 10, "each block once: {ranges:?}");
    let notes = place.notes.all();
    assert_eq!(notes.len(), 10, "every one is on record");
    let received: u64 = notes
        .iter()
        .map(|note| note.2.as_ref().unwrap().received_bytes)
        .sum();
    assert_eq!(received, file().len() as u64);
}

#[test]
fn where_one_of_several_connections_fails_the_rest_comes_over_one() {
    for bad in [
        Answer::CutAfter(10),
        Answer::SilentAfter(10),
        Answer::Status(429, Vec::new()),
        Answer::Status(503, Vec::new()),
    ] {
        let place = Place::in_blocks();
        let failing = bad.clone();
        let server = Server::new(file(), move |_, request| {
            match request.headers.get("range").map(String::as_str) {
                Some("bytes=90000-119999") => failing.clone(),
                _ => Answer::File,
            }
        });
        place.fetch(&[&server], &()).unwrap();
        assert!(place.has_file(), "{bad:?}");
        let last = server.ranges().pop().flatten().unwrap();
        assert_eq!(last, "bytes=90000-", "what came before it is kept");
    }
}

#[test]
fn blocks_of_another_file_are_thrown_away_and_the_next_mirror_gives_all() {
    let place = Place::in_blocks();
    let mut other = file();
    other[150_000] ^= 1;
    let liar = Server::new(other, |_, _| Answer::File);
    let shifted = Server::new(file(), |_, _| Answer::OtherPart);
    let whole = Server::new(file(), |_, _| Answer::Whole);
    place.fetch(&[&liar, &shifted, &whole], &()).unwrap();
    assert!(place.has_file());
    assert_eq!(whole.asked().len(), 1);
}

#[test]
fn a_beginning_of_another_file_does_not_speak_against_the_mirror_that_gives_the_rest() {
    for place in [Place::new(), Place::in_blocks()] {
        fs::write(place.part(), vec![7; 100_000]).unwrap();
        let server = Server::new(file(), |_, _| Answer::File);
        place.fetch(&[&server], &()).unwrap();
        assert!(place.has_file());
    }
}

#[test]
fn who_gives_up_among_blocks_is_obeyed_and_keeps_what_came_in_order() {
    let place = Place::in_blocks();
    let server = Server::new(file(), |turn, _| match turn {
        0..=3 => Answer::File,
        _ => Answer::SilentAfter(0),
    });
    let error = place
        .fetch(&[&server], &UpTo(100_000, Mutex::new(0)))
        .unwrap_err();
    assert!(matches!(error, NetError::Cancelled), "{error}");
    let kept = fs::read(place.part()).unwrap();
    assert!(
        file().starts_with(&kept) && kept.len() >= 30_000,
        "{}",
        kept.len()
    );
}
