//! Downloads that go on where they ended, and are verified while they stream.

use crate::client::{Asked, pause};
use crate::part::Part;
use crate::{Address, Client, NetError, Purpose};
use reqwest::{StatusCode, header};
use std::path::Path;
use std::time::Duration;

/// All tries of one download, so that a server that sends a byte at a time does not hold it for ever.
const MAX_TRIES: u32 = 200;

/// A file that is wanted.
#[derive(Debug, Clone)]
pub struct Download<'a> {
    /// Where it may be, the best first.
    pub sources: &'a [Address],
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: &'a str,
    /// Bytes that it has.
    pub size_bytes: u64,
    /// What it is for.
    pub purpose: Purpose,
}

/// Who waits for a download.
pub trait Watch {
    /// So many bytes are there.
    fn progress(&self, _done_bytes: u64) {}
    /// True once nobody wants it any more.
    fn is_cancelled(&self) -> bool {
        false
    }
}

impl Watch for () {}

impl Client<'_> {
    /// Fetches a file to `part`, which may hold a beginning of it from an earlier try and keeps what came
    /// if this one fails. When it returns, the file is whole, of the hash that was wanted, and on the disk.
    ///
    /// Addresses that answer with something else are left out; where a connection breaks or a server is
    /// busy, the rest is asked for again, and the wait grows.
    ///
    /// # Errors
    /// No address gave it; what the last one said is told.
    pub fn download(
        &self,
        wanted: &Download<'_>,
        part: &Path,
        watch: &dyn Watch,
    ) -> Result<(), NetError> {
        let mut part = Part::open(part, wanted.size_bytes, |_| match watch.is_cancelled() {
            true => Err(NetError::Cancelled),
            false => Ok(()),
        })?;
        watch.progress(part.length());
        self.runtime
            .block_on(self.fetch(wanted, &mut part, watch))?;
        part.sync()
    }

    async fn fetch(
        &self,
        wanted: &Download<'_>,
        part: &mut Part,
        watch: &dyn Watch,
    ) -> Result<(), NetError> {
        if part.length() == wanted.size_bytes {
            if part.sha256() == wanted.sha256 {
                return Ok(());
            }
            part.restart()?;
        }
        let mut sources: Vec<&Address> = wanted.sources.iter().collect();
        let mut in_vain = 0;
        let mut last = NetError::NoAddress;
        for turn in 0..MAX_TRIES {
            let Some(&source) = sources.get(turn as usize % sources.len().max(1)) else {
                return Err(last);
            };
            let before = part.length();
            let error = match self.try_one(source, wanted, part, watch).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            tracing::info!(host = source.host(), error = %error, "a download was cut off");
            if !error.is_of_address() {
                return Err(error);
            }
            if !error.is_retryable() {
                sources.retain(|other| *other != source);
            }
            in_vain = match part.length() > before {
                true => 0,
                false => in_vain + 1,
            };
            let wait = self.wait_after(&error, in_vain);
            last = error;
            if in_vain >= self.patience.tries.max(wanted.sources.len() as u32) {
                return Err(last);
            }
            // Another address can be asked at once, if this one will not be asked again.
            if last.is_retryable() && !sources.is_empty() {
                pause(wait, watch).await?;
            }
        }
        Err(last)
    }

    fn wait_after(&self, error: &NetError, in_vain: u32) -> Duration {
        let asked_for = match error {
            NetError::Status { retry_after, .. } => *retry_after,
            _ => None,
        };
        let grown = self.patience.pause * 2_u32.pow(in_vain.saturating_sub(1).min(6));
        grown
            .max(asked_for.unwrap_or_default())
            .min(self.patience.longest_pause)
    }

    async fn try_one(
        &self,
        source: &Address,
        wanted: &Download<'_>,
        part: &mut Part,
        watch: &dyn Watch,
    ) -> Result<(), NetError> {
        let from = Some(part.length()).filter(|length| *length > 0);
        let mut asked = self.ask(source, from, &wanted.purpose, watch).await?;
        let taken = self.take(&mut asked, wanted, part, watch).await;
        asked.end(self.ledger(), taken.as_ref().err());
        taken
    }

    /// Writes the answer behind what is there.
    async fn take(
        &self,
        asked: &mut Asked,
        wanted: &Download<'_>,
        part: &mut Part,
        watch: &dyn Watch,
    ) -> Result<(), NetError> {
        let wrong = |asked: &Asked| NetError::WrongContent {
            host: asked.host().to_owned(),
        };
        match asked.response.status() {
            StatusCode::PARTIAL_CONTENT
                if begins(asked) == Some((part.length(), wanted.size_bytes)) => {}
            // All of it, or a part that was not asked for.
            StatusCode::OK => part.restart()?,
            _ => {
                part.restart()?;
                return Err(wrong(asked));
            }
        }
        let rest = wanted.size_bytes - part.length();
        if asked
            .response
            .content_length()
            .is_some_and(|length| length != rest)
        {
            return Err(wrong(asked));
        }
        while let Some(bytes) = asked.next(self.patience.stall, watch).await? {
            let bytes = bytes.as_ref();
            if part.length() + bytes.len() as u64 > wanted.size_bytes {
                part.restart()?;
                return Err(wrong(asked));
            }
            part.write(bytes)?;
            watch.progress(part.length());
        }
        if part.length() < wanted.size_bytes {
            return Err(NetError::Truncated {
                host: asked.host().to_owned(),
                received: part.length(),
                expected: wanted.size_bytes,
            });
        }
        if part.sha256() != wanted.sha256 {
            part.restart()?;
            watch.progress(0);
            return Err(wrong(asked));
        }
        Ok(())
    }
}

/// First byte and whole size, as `Content-Range: bytes 5-9/10` says.
fn begins(asked: &Asked) -> Option<(u64, u64)> {
    let range = asked.response.headers().get(header::CONTENT_RANGE)?;
    let (range, size) = range
        .to_str()
        .ok()?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, size.trim().parse().ok()?))
}
