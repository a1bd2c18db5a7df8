//! Connections to other machines. Nothing else in the desktop program opens a socket.
//!
//! What lives here: the client, the list of hosts that it may speak to (`hosts.txt`), downloads that
//! resume and are verified while they stream, and the shape of the record of everything that is sent.
//! What must not: what a download is for, where the record is kept, any file of the user.
//!
//! The main type is [`Client`]. Before the first byte of a request goes out, the [`Ledger`] has been
//! told of it; a request that cannot be recorded is not sent.

mod address;
mod client;
mod download;
mod error;
mod ledger;
mod part;

pub use address::{Address, Hosts};
pub use client::{Client, Patience, Proxy};
pub use download::{Download, Watch};
pub use error::NetError;
pub use ledger::{Ended, Ledger, Purpose, Sending};
