//! Addresses, and which hosts may be spoken to.

use crate::NetError;
use reqwest::Url;
use std::collections::BTreeSet;
use std::fmt;

/// `hosts.txt` of this crate.
const HOSTS: &str = include_str!("../hosts.txt");
/// Longest address that is taken, in bytes.
const MAX_LENGTH: usize = 2048;

/// An address that may be asked: `https` without a name and a password in it, or `http` on this very
/// machine.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none, or not one that is asked, with the reason.
    pub fn parse(text: &str) -> Result<Self, NetError> {
        let refuse = |reason| NetError::AddressRefused {
            address: text.chars().take(200).collect(),
            reason,
        };
        if text.len() > MAX_LENGTH {
            return Err(refuse("it is too long"));
        }
        let url = Url::parse(text).map_err(|_| refuse("it is no address"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                "it holds a name or a password, which would be kept in plain text",
            ));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(refuse("it names no host"));
        }
        match url.scheme() {
            "https" => {}
            // Whoever listens there is on this machine anyway.
            "http" if is_loopback(&url) => {}
            "http" => return Err(refuse("it is not encrypted; use https")),
            _ => return Err(refuse("only https is spoken")),
        }
        Ok(Self(url))
    }

    /// Where a redirection from here leads.
    pub(crate) fn join(&self, location: &str) -> Result<Self, NetError> {
        match self.0.join(location) {
            Ok(url) => Self::parse(url.as_str()),
            Err(_) => Self::parse(location),
        }
    }

    /// This address with further names behind its path, each of them escaped.
    #[must_use]
    pub fn below<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Never fails: an address with a host has a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(names);
        }
        Self(url)
    }

    /// Its host, in lower case.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The whole of it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

/// The hosts that may be spoken to.
#[derive(Debug, Clone)]
pub struct Hosts(BTreeSet<String>);

impl Default for Hosts {
    /// Those of `hosts.txt`.
    fn default() -> Self {
        Self(Self::listed().map(str::to_owned).collect())
    }
}

impl Hosts {
    /// The hosts of `hosts.txt`, in its order.
    pub fn listed() -> impl Iterator<Item = &'static str> {
        let lines = HOSTS.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
    }

    /// These, and the host of an address that the user named.
    #[must_use]
    pub fn and(mut self, named: &Address) -> Self {
        self.0.insert(named.host().to_owned());
        self
    }

    /// May this address be asked?
    ///
    /// # Errors
    /// Its host is not in the list.
    pub fn check(&self, address: &Address) -> Result<(), NetError> {
        if self.0.contains(address.host()) {
            return Ok(());
        }
        Err(NetError::HostNotAllowed {
            host: address.host().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_addresses_without_secrets_are_taken() {
        for good in [
            "https://raw.githubusercontent.com/a/b/0/c.onnx",
            "https://example.org:8443/x",
            "http://127.0.0.1:8080/a",
            "http://[::1]:8080/a",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "http://example.org/a",
            "http://127.0.0.1.example.org/a",
            "http://localhost/a",
            "ftp://example.org/a",
            "file:///etc/passwd",
            "https://name:secret@example.org/a",
            "https://name@example.org/a",
            "javascript:alert(1)",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        assert!(Address::parse(&format!("https://example.org/{}", "a".repeat(3000))).is_err());
    }

    #[test]
    fn a_host_is_allowed_by_its_whole_name() {
        let hosts = Hosts::default();
        let allowed = |text: &str| hosts.check(&Address::parse(text).unwrap()).is_ok();
        assert!(allowed("https://raw.githubusercontent.com/a"));
        assert!(allowed("https://RAW.githubusercontent.com/a"));
        for other in [
            "https://githubusercontent.com/a",
            "https://raw.githubusercontent.com.example.org/a",
            "https://example.org/raw.githubusercontent.com",
            "http://127.0.0.1:8080/a",
        ] {
            assert!(!allowed(other), "{other}");
        }
        let named = Address::parse("http://127.0.0.1:8080/").unwrap();
        assert!(Hosts::default().and(&named).check(&named).is_ok());
    }

    #[test]
    fn names_behind_an_address_cannot_lead_elsewhere() {
        let base = Address::parse("https://example.org/models/?x=1#y").unwrap();
        let below = base.below(["a b", "../c.onnx"]);
        assert_eq!(
            below.as_str(),
            "https://example.org/models/a%20b/..%2Fc.onnx"
        );
        let bare = Address::parse("https://example.org/models").unwrap();
        assert_eq!(bare.below(["x"]).as_str(), "https://example.org/models/x");
    }
}
