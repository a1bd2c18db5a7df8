//! A file that an encoder and the writer share.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const BUFFER_BYTES: usize = 1 << 18;

/// Encoders own their output, some of them on a thread of their own, and some swallow errors when
/// they are dropped. So the file is shared, and remembers the first error it met.
#[derive(Clone)]
pub(crate) struct SharedFile(Arc<Mutex<State>>);

struct State {
    file: Option<BufWriter<File>>,
    error: Option<io::Error>,
}

impl SharedFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
        Ok(Self(Arc::new(Mutex::new(State {
            file: Some(file),
            error: None,
        }))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first error, if there was one.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.lock().error.take()
    }

    /// Flushes and waits for the disk; the first error of all writes so far.
    pub(crate) fn close(&self) -> io::Result<()> {
        let mut state = self.lock();
        if let Some(error) = state.error.take() {
            state.file = None;
            return Err(error);
        }
        match state.file.take() {
            Some(file) => file
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?
                .sync_all(),
            None => Ok(()),
        }
    }

    /// Closes without writing what is buffered; whoever still writes is told so.
    pub(crate) fn abandon(&self) {
        if let Some(file) = self.lock().file.take() {
            drop(file.into_parts());
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.lock();
        let Some(file) = &mut state.file else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        work(file).inspect_err(|error| {
            if state.error.is_none() {
                state.error = Some(match error.raw_os_error() {
                    Some(code) => io::Error::from_raw_os_error(code),
                    None => error.kind().into(),
                });
            }
        })
    }
}

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(BufWriter::flush)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.with(|file| file.seek(position))
    }
}
