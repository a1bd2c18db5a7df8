//! What was read of a file once and holds for as long as the file is the same.

use frameloom_engine::FileStamp;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Facts about files, each read once in this process for as long as size, time of change and inode
/// of its file stay the same. A new process reads again.
#[derive(Debug)]
pub(crate) struct Known<T>(Mutex<BTreeMap<PathBuf, (FileStamp, T)>>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Known<T> {
    /// What is known of the file at `path`, or what `read` finds.
    pub(crate) fn of<E>(&self, path: &Path, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        // Taken before it is read: what changes meanwhile is noticed the next time.
        let stamp = path.metadata().ok().and_then(|facts| FileStamp::of(&facts));
        let Some(stamp) = stamp else { return read() };
        if let Some((_, fact)) = self.lock().get(path).filter(|(known, _)| *known == stamp) {
            return Ok(fact.clone());
        }
        let fact = read()?;
        self.lock().insert(path.to_owned(), (stamp, fact.clone()));
        Ok(fact)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, (FileStamp, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was worked out of files lately, by keys that name the file, its stamp and how.
#[derive(Debug)]
pub(crate) struct Lately<T>(Mutex<VecDeque<(String, Arc<T>)>>);

impl<T> Default for Lately<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Lately<T> {
    /// So much is remembered: some megabytes for an hour of sound or pictures each.
    const MOST: usize = 8;

    pub(crate) fn find(&self, key: &str) -> Option<Arc<T>> {
        let list = self.list();
        let found = list.iter().find(|(known, _)| known == key);
        found.map(|(_, found)| found.clone())
    }

    pub(crate) fn keep(&self, key: String, found: &Arc<T>) {
        let mut list = self.list();
        list.push_back((key, found.clone()));
        while list.len() > Self::MOST {
            list.pop_front();
        }
    }

    /// What is remembered.
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        self.list().iter().map(|(_, found)| found.clone()).collect()
    }

    /// Forgets all of it.
    pub(crate) fn clear(&self) {
        self.list().clear();
    }

    fn list(&self) -> std::sync::MutexGuard<'_, VecDeque<(String, Arc<T>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, read_to_string, write};
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_file_is_read_once_and_again_when_it_was_written_or_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        let (known, mut reads) = (Known::default(), 0);
        let mut ask = || {
            let text = known.of(&path, || {
                reads += 1;
                read_to_string(&path)
            });
            (text.ok(), reads)
        };
        let set_time = |path: &Path, seconds| {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(time).unwrap();
        };
        assert_eq!(ask(), (None, 1), "what cannot be read is not remembered");
        write(&path, "one").unwrap();
        set_time(&path, 1000);
        assert_eq!(ask(), (Some("one".into()), 2));
        assert_eq!(ask(), (Some("one".into()), 2));
        write(&path, "two").unwrap();
        set_time(&path, 2000);
        assert_eq!(ask(), (Some("two".into()), 3), "another time");
        #[cfg(unix)]
        {
            let other = folder.path().join("other");
            write(&other, "six").unwrap();
            set_time(&other, 2000);
            std::fs::rename(&other, &path).unwrap();
            assert_eq!(ask(), (Some("six".into()), 4), "another file in its place");
        }
    }
}
