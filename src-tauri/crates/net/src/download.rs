//! Downloads that go on where they ended, and are verified while they stream.

use crate::client::{self, Asked, pause};
use crate::part::Part;
use crate::{Address, Client, NetError, Purpose};
use futures_util::stream::{self, StreamExt};
use reqwest::{StatusCode, header};
use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

/// All tries of one download, so that a server that sends a byte at a time does not hold it for ever.
const MAX_TRIES: u32 = 200;
/// Blocks of a file that are on their way at once. What comes before its turn waits in memory.
const AT_ONCE: usize = 4;

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
    /// busy, the rest is asked for again, and the wait grows. A large file comes over several
    /// connections at once, until one of them fails: from then on over one.
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
        let mut at_once = true;
        let mut last = NetError::NoAddress;
        for turn in 0..MAX_TRIES {
            let Some(&source) = sources.get(turn as usize % sources.len().max(1)) else {
                return Err(last);
            };
            let before = part.length();
            let error = match self.try_one(source, wanted, part, at_once, watch).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            tracing::info!(host = source.host(), error = %error, "a download was cut off");
            at_once = false;
            if !error.is_of_address() {
                return Err(error);
            }
            // What came before this try may have been of another file, from another address.
            let is_innocent = matches!(error, NetError::WrongContent { .. }) && before > 0;
            if !error.is_retryable() && !is_innocent {
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
        at_once: bool,
        watch: &dyn Watch,
    ) -> Result<(), NetError> {
        let rest = wanted.size_bytes.saturating_sub(part.length());
        if at_once && rest / 2 > self.block_bytes {
            return self.in_blocks(source, wanted, part, watch).await;
        }
        let from = Some(part.length()).filter(|length| *length > 0);
        let range = from.map(|from| client::Wanted { from, to: None });
        let mut asked = self.ask(source, range, &wanted.purpose, watch).await?;
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
        whole(part, wanted, asked.host(), watch)
    }

    /// Fetches the rest in blocks. The first one is asked for alone: a server that knows no parts gives
    /// the whole file instead.
    async fn in_blocks(
        &self,
        source: &Address,
        wanted: &Download<'_>,
        part: &mut Part,
        watch: &dyn Watch,
    ) -> Result<(), NetError> {
        let length = self.block_bytes;
        let arrived = Cell::new(part.length());
        let block = |from: u64| {
            let to = from.saturating_add(length).min(wanted.size_bytes);
            let range = client::Wanted { from, to: Some(to) };
            self.block(source, range, wanted, &arrived, watch)
        };
        match block(part.length()).await? {
            Block::Part(bytes) => part.write(&bytes)?,
            Block::Whole(mut asked) => {
                let taken = self.take(&mut asked, wanted, part, watch).await;
                asked.end(self.ledger(), taken.as_ref().err());
                return taken;
            }
        }
        let mut starts = Vec::new();
        let mut from = part.length();
        while from < wanted.size_bytes {
            starts.push(from);
            from = from.saturating_add(length);
        }
        let mut blocks = stream::iter(starts).map(block).buffered(AT_ONCE);
        while let Some(block) = blocks.next().await {
            match block? {
                Block::Part(bytes) => part.write(&bytes)?,
                Block::Whole(mut asked) => {
                    let error = NetError::WrongContent {
                        host: asked.host().to_owned(),
                    };
                    asked.end(self.ledger(), Some(&error));
                    return Err(error);
                }
            }
        }
        drop(blocks);
        whole(part, wanted, source.host(), watch)
    }

    /// A block of the file. `arrived` counts what is there of all blocks.
    async fn block(
        &self,
        source: &Address,
        range: client::Wanted,
        wanted: &Download<'_>,
        arrived: &Cell<u64>,
        watch: &dyn Watch,
    ) -> Result<Block, NetError> {
        let mut asked = self
            .ask(source, Some(range), &wanted.purpose, watch)
            .await?;
        if asked.response.status() == StatusCode::OK {
            return Ok(Block::Whole(asked));
        }
        let bytes = self.bytes(&mut asked, range, wanted, arrived, watch).await;
        asked.end(self.ledger(), bytes.as_ref().err());
        Ok(Block::Part(bytes?))
    }

    async fn bytes(
        &self,
        asked: &mut Asked,
        range: client::Wanted,
        wanted: &Download<'_>,
        arrived: &Cell<u64>,
        watch: &dyn Watch,
    ) -> Result<Vec<u8>, NetError> {
        let to = range.to.unwrap_or(wanted.size_bytes);
        let expected = to.saturating_sub(range.from);
        let wrong = |asked: &Asked| NetError::WrongContent {
            host: asked.host().to_owned(),
        };
        if begins(asked) != Some((range.from, wanted.size_bytes)) {
            return Err(wrong(asked));
        }
        let mut block = Vec::new();
        while let Some(bytes) = asked.next(self.patience.stall, watch).await? {
            let bytes = bytes.as_ref();
            block.extend_from_slice(bytes);
            if block.len() as u64 > expected {
                return Err(wrong(asked));
            }
            arrived.set(arrived.get().saturating_add(bytes.len() as u64));
            watch.progress(arrived.get());
        }
        if (block.len() as u64) < expected {
            return Err(NetError::Truncated {
                host: asked.host().to_owned(),
                received: block.len() as u64,
                expected,
            });
        }
        Ok(block)
    }
}

/// What came of asking for a block.
enum Block {
    /// Its bytes.
    Part(Vec<u8>),
    /// All of the file, still to be read.
    Whole(Asked),
}

/// Whether what is there now is what was wanted.
fn whole(
    part: &mut Part,
    wanted: &Download<'_>,
    host: &str,
    watch: &dyn Watch,
) -> Result<(), NetError> {
    if part.sha256() == wanted.sha256 {
        return Ok(());
    }
    part.restart()?;
    watch.progress(0);
    Err(NetError::WrongContent {
        host: host.to_owned(),
    })
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
