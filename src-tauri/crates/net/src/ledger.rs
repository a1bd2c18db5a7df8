//! The record of what is sent.

use std::error::Error;

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The weights of a model.
    Model {
        /// Its id in the catalogue.
        id: String,
    },
    /// A newer catalogue of models.
    Catalogue,
}

/// A request that is about to be sent: all of it, but for what the connection itself needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending<'a> {
    /// What it is for.
    pub purpose: &'a Purpose,
    /// `GET`.
    pub method: &'static str,
    /// The whole address.
    pub address: &'a str,
    /// Its host.
    pub host: &'a str,
    /// Its headers, a line each. No body is ever sent.
    pub headers: &'a str,
}

/// What became of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Status of the answer, where there was one.
    pub status: Option<u16>,
    /// Bytes of the answer's body that were taken.
    pub received_bytes: u64,
    /// Why it failed.
    pub error: Option<String>,
}

/// Where requests are recorded.
pub trait Ledger {
    /// Notes a request before it is sent, and gives a handle for its end.
    ///
    /// # Errors
    /// It cannot be noted; then it is not sent.
    fn begin(&self, sending: &Sending<'_>) -> Result<i64, Box<dyn Error + Send + Sync>>;

    /// Notes what became of it.
    fn end(&self, id: i64, ended: &Ended);
}
