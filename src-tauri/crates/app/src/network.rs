//! What the program asks other machines for, and the record of it.

use crate::settings::Proxy;
use crate::{App, explain, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_net::{Address, Client, Ended, Hosts, Ledger, NetError, Patience, Purpose, Sending};
use frameloom_store::{EgressEnd, EgressRow};
use serde::{Deserialize, Serialize};
use std::error::Error;
use ts_rs::TS;

/// A request that left this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Outgoing {
    /// Its number; later ones are larger.
    #[ts(type = "number")]
    pub id: i64,
    /// When, in milliseconds since 1970.
    #[ts(type = "number")]
    pub at_millis: i64,
    /// What it was for.
    pub purpose: OutgoingPurpose,
    /// `GET`.
    pub method: String,
    /// The host.
    pub host: String,
    /// The whole address.
    pub address: String,
    /// Its headers, a line each. There was no body.
    pub headers: String,
    /// What became of it; `None` while it is under way, or where the program was ended meanwhile.
    pub end: Option<OutgoingEnd>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OutgoingEnd {
    /// HTTP's number, where there was an answer.
    pub status: Option<u16>,
    /// Bytes of the answer that were taken.
    #[ts(type = "number")]
    pub received_bytes: u64,
    /// Why it failed.
    pub error: Option<String>,
}

/// What a request was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutgoingPurpose {
    /// The weights of a model.
    Model {
        /// Its id.
        id: String,
    },
    /// A newer catalogue of models.
    Catalogue,
    /// Something that a newer program did.
    #[serde(other)]
    Other,
}

impl From<&Purpose> for OutgoingPurpose {
    fn from(purpose: &Purpose) -> Self {
        match purpose {
            Purpose::Model { id } => Self::Model { id: id.clone() },
            Purpose::Catalogue => Self::Catalogue,
        }
    }
}

/// Requests are noted in the database before they are sent.
struct Record<'a>(&'a App);

impl Ledger for Record<'_> {
    fn begin(&self, sending: &Sending<'_>) -> Result<i64, Box<dyn Error + Send + Sync>> {
        let row = EgressRow {
            id: 0,
            at_millis: now_millis(),
            purpose: serde_json::to_string(&OutgoingPurpose::from(sending.purpose))?,
            method: sending.method.to_owned(),
            host: sending.host.to_owned(),
            address: sending.address.to_owned(),
            headers: sending.headers.to_owned(),
            end: None,
        };
        Ok(self.0.store.begin_egress(&row)?)
    }

    fn end(&self, id: i64, ended: &Ended) {
        let end = EgressEnd {
            status: ended.status,
            received_bytes: ended.received_bytes,
            error: ended.error.clone(),
        };
        if let Err(error) = self.0.store.end_egress(id, &end) {
            tracing::warn!(%error, "the end of a request could not be recorded");
        }
    }
}

impl App {
    /// What left this computer, the newest first: at most `limit` entries, and only those before the
    /// number `before`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn outgoing(&self, before: Option<i64>, limit: u32) -> Result<Vec<Outgoing>, AppError> {
        let rows = self.store.egress(before, limit).map_err(explain::store)?;
        Ok(rows.into_iter().map(entry).collect())
    }

    /// The hosts that the program may speak to without being told to by its user.
    pub fn outgoing_hosts(&self) -> Vec<String> {
        Hosts::listed().map(str::to_owned).collect()
    }

    /// Does `work` with a client that speaks to the hosts of the program, and to those that the user
    /// `named`.
    pub(crate) fn with_client<T>(
        &self,
        named: &[Address],
        work: impl FnOnce(&Client<'_>) -> Result<T, NetError>,
    ) -> Result<T, AppError> {
        let settings = self.settings()?;
        if settings.offline {
            return Err(AppError::new(
                ErrorCode::NetworkUnavailable,
                "The settings say that no connection is made.",
            )
            .hint("Allow connections in the settings, or bring the file another way."));
        }
        let proxy = match settings.proxy {
            Proxy::Direct => frameloom_net::Proxy::Direct,
            Proxy::System => frameloom_net::Proxy::System,
            Proxy::Address { url } => frameloom_net::Proxy::Address(url),
        };
        let hosts = named.iter().fold(Hosts::default(), Hosts::and);
        let record = Record(self);
        let done = Client::new(hosts, &proxy, Patience::default(), &record)
            .and_then(|client| work(&client));
        done.map_err(|error| explain::net(&error))
    }
}

fn entry(row: EgressRow) -> Outgoing {
    Outgoing {
        id: row.id,
        at_millis: row.at_millis,
        purpose: serde_json::from_str(&row.purpose).unwrap_or(OutgoingPurpose::Other),
        method: row.method,
        host: row.host,
        address: row.address,
        headers: row.headers,
        end: row.end.map(|end| OutgoingEnd {
            status: end.status,
            received_bytes: end.received_bytes,
            error: end.error,
        }),
    }
}
