//! One request at a time: checked against the list of hosts, recorded, redirected by hand.

use crate::{Address, Ended, Hosts, Ledger, NetError, Purpose, Sending, Watch};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use std::fmt;
use std::future::Future;
use std::sync::Once;
use std::time::{Duration, Instant};

/// Redirections that are followed.
const MAX_REDIRECTS: usize = 5;
/// Usual size of a block of a large file, in bytes.
const BLOCK: u64 = 8 << 20;
/// How often it is looked whether the user gave up.
const LOOK: Duration = Duration::from_millis(50);
/// Longest part of a failure's text that is recorded, in characters.
const MAX_REASON: usize = 300;

/// How connections are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// Directly.
    Direct,
    /// As the system and its variables say.
    #[default]
    System,
    /// Through the proxy at an address.
    Address(String),
}

/// How long is waited, and how often it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection, and for the next bytes of one.
    pub stall: Duration,
    /// Before the second try; doubled before each further one.
    pub pause: Duration,
    /// Longest wait that a server may ask for.
    pub longest_pause: Duration,
    /// Tries in a row that bring nothing.
    pub tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(20),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            tries: 5,
        }
    }
}

/// Asks other machines for files. Everything that it does is `GET` without a body, without cookies and
/// without anything that tells one user from another.
pub struct Client<'a> {
    pub(crate) runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    pub(crate) hosts: Hosts,
    ledger: &'a dyn Ledger,
    pub(crate) patience: Patience,
    pub(crate) block_bytes: u64,
}

impl<'a> Client<'a> {
    /// A client that speaks to `hosts` alone, and records in `ledger`.
    ///
    /// # Errors
    /// The proxy's address is none, or the system refuses.
    pub fn new(
        hosts: Hosts,
        proxy: &Proxy,
        patience: Patience,
        ledger: &'a dyn Ledger,
    ) -> Result<Self, NetError> {
        use_ring();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("Frameloom/", env!("CARGO_PKG_VERSION")))
            // Each of them is checked and recorded, too.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A second one that nobody recorded would be sent.
            .retry(reqwest::retry::never())
            .connect_timeout(patience.stall);
        builder = match proxy {
            Proxy::System => builder,
            Proxy::Direct => builder.no_proxy(),
            Proxy::Address(url) => {
                builder.proxy(reqwest::Proxy::all(url).map_err(NetError::Proxy)?)
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(NetError::Runtime)?;
        let http = builder.build().map_err(NetError::Client)?;
        Ok(Self {
            runtime,
            http,
            hosts,
            ledger,
            patience,
            block_bytes: BLOCK,
        })
    }

    /// As it is, with blocks of so many bytes: files of more than two come in blocks, several at once,
    /// for many servers give each connection its share of their speed.
    #[must_use]
    pub fn in_blocks_of(self, bytes: u64) -> Self {
        Self {
            block_bytes: bytes.max(1),
            ..self
        }
    }

    /// Fetches a small file whole.
    ///
    /// # Errors
    /// It cannot be had, or is larger than `limit` bytes.
    pub fn get(
        &self,
        address: &Address,
        limit: u64,
        purpose: &Purpose,
        watch: &dyn Watch,
    ) -> Result<Vec<u8>, NetError> {
        self.runtime.block_on(async {
            let mut asked = self.ask(address, None, purpose, watch).await?;
            let whole = asked.all(limit, self.patience.stall, watch).await;
            asked.end(self.ledger, whole.as_ref().err());
            whole
        })
    }

    /// Asks for a file, or the bytes of it that `part` says, and follows where the answer leads.
    pub(crate) async fn ask(
        &self,
        address: &Address,
        part: Option<Wanted>,
        purpose: &Purpose,
        watch: &dyn Watch,
    ) -> Result<Asked, NetError> {
        let mut at = address.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.hosts.check(&at)?;
            let mut asked = self.send(&at, part, purpose, watch).await?;
            let status = asked.response.status();
            if is_redirect(status) {
                let next = redirect(&at, asked.response.headers());
                asked.end(self.ledger, next.as_ref().err());
                at = next?;
                continue;
            }
            // A part that is not there says something of the file; without a part it says nothing.
            let no_such_part = status == StatusCode::RANGE_NOT_SATISFIABLE && part.is_some();
            if !status.is_success() && !no_such_part {
                let error = NetError::Status {
                    host: at.host().to_owned(),
                    status: status.as_u16(),
                    retry_after: retry_after(asked.response.headers()),
                };
                asked.end(self.ledger, Some(&error));
                return Err(error);
            }
            return Ok(asked);
        }
        Err(NetError::TooManyRedirects {
            host: address.host().to_owned(),
        })
    }

    async fn send(
        &self,
        at: &Address,
        part: Option<Wanted>,
        purpose: &Purpose,
        watch: &dyn Watch,
    ) -> Result<Asked, NetError> {
        let mut request = self
            .http
            .get(at.url().clone())
            // What is counted and hashed is what the file has.
            .header(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static("identity"),
            );
        if let Some(part) = part {
            request = request.header(header::RANGE, part.to_string());
        }
        let request = request.build().map_err(NetError::Client)?;
        let headers = written(request.headers());
        let sending = Sending {
            purpose,
            method: "GET",
            address: at.as_str(),
            host: at.host(),
            headers: &headers,
        };
        let id = self.ledger.begin(&sending).map_err(NetError::Record)?;
        let sent = self.http.execute(request);
        let response = or_given_up(sent, self.patience.stall, watch)
            .await
            .map_err(|why| why.at(at.host(), self.patience.stall))
            .and_then(|answer| answer.map_err(|source| unreachable(at.host(), source)));
        match response {
            Ok(response) => Ok(Asked {
                response,
                host: at.host().to_owned(),
                id,
                received: 0,
                ended: false,
            }),
            Err(error) => {
                self.ledger.end(id, &failed(&error));
                Err(error)
            }
        }
    }

    pub(crate) fn ledger(&self) -> &dyn Ledger {
        self.ledger
    }
}

/// The bytes of a file that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The first.
    pub from: u64,
    /// The first behind them; the end of the file where `None`.
    pub to: Option<u64>,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes={}-", self.from)?;
        match self.to {
            Some(to) => write!(f, "{}", to.saturating_sub(1)),
            None => Ok(()),
        }
    }
}

/// An answer whose body is still to come.
pub(crate) struct Asked {
    pub(crate) response: Response,
    host: String,
    id: i64,
    received: u64,
    ended: bool,
}

impl Asked {
    /// The next bytes; `None` at the end.
    pub(crate) async fn next(
        &mut self,
        stall: Duration,
        watch: &dyn Watch,
    ) -> Result<Option<impl AsRef<[u8]> + use<>>, NetError> {
        let bytes = or_given_up(self.response.chunk(), stall, watch)
            .await
            .map_err(|why| why.at(&self.host, stall))?
            .map_err(|source| unreachable(&self.host, source))?;
        self.received += bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        Ok(bytes)
    }

    async fn all(
        &mut self,
        limit: u64,
        stall: Duration,
        watch: &dyn Watch,
    ) -> Result<Vec<u8>, NetError> {
        let mut whole = Vec::new();
        while let Some(bytes) = self.next(stall, watch).await? {
            whole.extend_from_slice(bytes.as_ref());
            if whole.len() as u64 > limit {
                return Err(NetError::TooLarge {
                    host: self.host.clone(),
                    limit,
                });
            }
        }
        Ok(whole)
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Notes its end, once.
    pub(crate) fn end(&mut self, ledger: &dyn Ledger, error: Option<&NetError>) {
        if self.ended {
            return;
        }
        self.ended = true;
        let ended = Ended {
            status: Some(self.response.status().as_u16()),
            received_bytes: self.received,
            error: error.map(reason),
        };
        ledger.end(self.id, &ended);
    }
}

/// Why something did not come.
pub(crate) enum Late {
    Stalled,
    GivenUp,
}

impl Late {
    fn at(self, host: &str, after: Duration) -> NetError {
        match self {
            Self::Stalled => NetError::Stalled {
                host: host.to_owned(),
                after,
            },
            Self::GivenUp => NetError::Cancelled,
        }
    }
}

/// Waits for `what`, at most for `stall`, and no longer than the user wants it.
async fn or_given_up<T>(
    what: impl Future<Output = T>,
    stall: Duration,
    watch: &dyn Watch,
) -> Result<T, Late> {
    let mut what = std::pin::pin!(what);
    let since = Instant::now();
    loop {
        if watch.is_cancelled() {
            return Err(Late::GivenUp);
        }
        if let Ok(done) = tokio::time::timeout(LOOK, what.as_mut()).await {
            return Ok(done);
        }
        if since.elapsed() > stall {
            return Err(Late::Stalled);
        }
    }
}

/// Waits, no longer than the user wants it.
pub(crate) async fn pause(how_long: Duration, watch: &dyn Watch) -> Result<(), NetError> {
    let since = Instant::now();
    while since.elapsed() < how_long {
        if watch.is_cancelled() {
            return Err(NetError::Cancelled);
        }
        tokio::time::sleep(LOOK.min(how_long)).await;
    }
    Ok(())
}

/// The cryptography of TLS is chosen once for the process.
fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider()
            .install_default()
            .is_err()
        {
            tracing::debug!("the process has chosen the cryptography of TLS before");
        }
    });
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn redirect(from: &Address, headers: &HeaderMap) -> Result<Address, NetError> {
    let location = headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| NetError::AddressRefused {
        address: from.to_string(),
        reason: "it leads elsewhere without saying where",
    })?;
    from.join(location)
}

/// Seconds alone: a date would be held against a clock that may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn written(headers: &HeaderMap) -> String {
    let line = |(name, value): (&header::HeaderName, &HeaderValue)| {
        format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))
    };
    let mut lines: Vec<_> = headers.iter().map(line).collect();
    // Those that the client adds to each of its requests.
    lines.push("accept: */*".to_owned());
    lines.push(concat!("user-agent: Frameloom/", env!("CARGO_PKG_VERSION")).to_owned());
    lines.sort();
    lines.join("\n")
}

fn unreachable(host: &str, source: reqwest::Error) -> NetError {
    NetError::Unreachable {
        host: host.to_owned(),
        // The address stands in the record; a message that holds it is no use to anybody.
        source: source.without_url(),
    }
}

fn failed(error: &NetError) -> Ended {
    Ended {
        error: Some(reason(error)),
        ..Ended::default()
    }
}

/// A failure with all of its causes.
fn reason(error: &NetError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text.chars().take(MAX_REASON).collect()
}
