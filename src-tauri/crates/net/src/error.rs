use std::path::PathBuf;
use std::time::Duration;

/// Why something could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// Not an address that is asked.
    #[error("the address {address} cannot be used: {reason}")]
    AddressRefused {
        /// As it was given.
        address: String,
        /// Why not.
        reason: &'static str,
    },
    /// A host that the program does not speak to.
    #[error("the program does not speak to {host}")]
    HostNotAllowed {
        /// The host.
        host: String,
    },
    /// The proxy of the settings cannot be used.
    #[error("the proxy cannot be used")]
    Proxy(#[source] reqwest::Error),
    /// The client could not be made.
    #[error("connections cannot be made")]
    Client(#[source] reqwest::Error),
    /// The thread of the connection could not be made.
    #[error("connections cannot be made")]
    Runtime(#[source] std::io::Error),
    /// No connection, or it broke.
    #[error("the server {host} cannot be reached")]
    Unreachable {
        /// The host.
        host: String,
        /// What the connection says.
        #[source]
        source: reqwest::Error,
    },
    /// Nothing came for too long.
    #[error("the server {host} sent nothing for {} seconds", .after.as_secs())]
    Stalled {
        /// The host.
        host: String,
        /// How long it was waited.
        after: Duration,
    },
    /// An answer other than the file.
    #[error("the server {host} answered {status}")]
    Status {
        /// The host.
        host: String,
        /// HTTP's number.
        status: u16,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// One redirection after another.
    #[error("the server {host} leads from one address to the next")]
    TooManyRedirects {
        /// The host that was asked first.
        host: String,
    },
    /// The file ended too early.
    #[error("the server {host} sent {received} of {expected} bytes")]
    Truncated {
        /// The host.
        host: String,
        /// What is there.
        received: u64,
        /// What should be.
        expected: u64,
    },
    /// Another file than the one that was wanted.
    #[error("the server {host} sent another file than the one that was wanted")]
    WrongContent {
        /// The host.
        host: String,
    },
    /// An answer that is larger than it may be.
    #[error("the server {host} sent more than {limit} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// What would be taken.
        limit: u64,
    },
    /// Another process fetches the same file.
    #[error("{path} is being fetched by another program")]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },
    /// What came could not be kept.
    #[error("{path} cannot be written")]
    Disk {
        /// The unfinished file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The record could not be written, so nothing was sent.
    #[error("what is sent could not be recorded, so nothing was sent")]
    Record(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no address to ask.
    #[error("there is no address to ask")]
    NoAddress,
    /// The user gave it up.
    #[error("given up")]
    Cancelled,
}

impl NetError {
    /// True if the same address may answer otherwise a moment later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Stalled { .. } | Self::Truncated { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    /// True if another address of the same file may do.
    pub(crate) fn is_of_address(&self) -> bool {
        match self {
            Self::AddressRefused { .. }
            | Self::HostNotAllowed { .. }
            | Self::Unreachable { .. }
            | Self::Stalled { .. }
            | Self::Status { .. }
            | Self::TooManyRedirects { .. }
            | Self::Truncated { .. }
            | Self::WrongContent { .. }
            | Self::TooLarge { .. } => true,
            Self::Proxy(_)
            | Self::Client(_)
            | Self::Runtime(_)
            | Self::Busy { .. }
            | Self::Disk { .. }
            | Self::Record(_)
            | Self::NoAddress
            | Self::Cancelled => false,
        }
    }
}
