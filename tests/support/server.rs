//! A server on this machine that behaves as badly as those of the world.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What a server was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
}

/// What it does with the file that it has.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Gives it, or the part that was asked for.
    File,
    /// Gives all of it, whatever part was asked for.
    Whole,
    /// Gives a part, and says that it is another.
    OtherPart,
    /// Promises all that was asked for, and closes after so many bytes.
    CutAfter(usize),
    /// Falls silent after so many bytes, until the other side goes.
    SilentAfter(usize),
    /// Gives other bytes.
    Other(Vec<u8>),
    /// Goes on for ever.
    Endless,
    /// Gives nothing but a status and headers.
    Status(u16, Vec<(&'static str, String)>),
}

/// A server of one file, which it gives under every path.
pub struct Server {
    at: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers the n-th request, counted from 0, as `script` says.
    pub fn new(
        file: Vec<u8>,
        script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let at = listener.local_addr().expect("it is bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let (file, script) = (Arc::new(file), Arc::new(script));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (file, script, seen) = (file.clone(), script.clone(), seen.clone());
                thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    let turn = {
                        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    // The other side may be gone: that is its business.
                    let _ = answer(stream, &script(turn, &request), &request, &file);
                });
            }
        });
        Self { at, asked }
    }

    /// An address on it.
    pub fn address(&self, path: &str) -> String {
        format!("http://{}/{path}", self.at)
    }

    /// Everything that it was asked so far.
    pub fn asked(&self) -> Vec<Request> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// From where on the file was asked for, each time.
    pub fn ranges(&self) -> Vec<Option<String>> {
        let asked = self.asked();
        asked
            .iter()
            .map(|request| request.headers.get("range").cloned())
            .collect()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    Some(Request {
        method,
        path,
        headers,
    })
}

fn answer(
    mut stream: TcpStream,
    answer: &Answer,
    request: &Request,
    file: &[u8],
) -> std::io::Result<()> {
    let range = request
        .headers
        .get("range")
        .and_then(|range| {
            let (from, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            let last: Option<usize> = last.parse().ok();
            Some((from.parse().ok()?, last))
        })
        .filter(|_| !matches!(answer, Answer::Whole | Answer::Other(_) | Answer::Endless));
    let bytes = match answer {
        Answer::Other(other) => other,
        _ => file,
    };
    let mut head = |status: u16, headers: &[(&str, String)]| {
        let mut text = format!("HTTP/1.1 {status} x\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{text}\r\n").as_bytes())
    };
    if let Answer::Status(status, headers) = answer {
        let mut headers = headers.clone();
        headers.push(("Content-Length", "0".to_owned()));
        return head(*status, &headers);
    }
    if matches!(answer, Answer::Endless) {
        head(200, &[])?;
        loop {
            stream.write_all(&[7; 4096])?;
        }
    }
    let from: Option<usize> = range.map(|(from, _)| from);
    let start = from.unwrap_or(0);
    if start > bytes.len() {
        return head(416, &[("Content-Length", "0".to_owned())]);
    }
    let end = range.and_then(|(_, last)| Some(last? + 1));
    let rest = &bytes[start..end.unwrap_or(bytes.len()).min(bytes.len())];
    let mut headers = vec![("Content-Length", rest.len().to_string())];
    if from.is_some() {
        let told = start + usize::from(matches!(answer, Answer::OtherPart));
        let last = start + rest.len() - 1;
        headers.push((
            "Content-Range",
            format!("bytes {told}-{last}/{}", bytes.len()),
        ));
    }
    head(if from.is_some() { 206 } else { 200 }, &headers)?;
    match answer {
        Answer::CutAfter(count) => stream.write_all(&rest[..rest.len().min(*count)]),
        Answer::SilentAfter(count) => {
            stream.write_all(&rest[..rest.len().min(*count)])?;
            stream.flush()?;
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            // Ends when the other side closes.
            let _ = stream.read(&mut [0]);
            Ok(())
        }
        _ => stream.write_all(rest),
    }
}
