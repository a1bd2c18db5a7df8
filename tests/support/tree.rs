//! All that a folder holds, to be compared with another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a folder holds: the bytes of each file, `None` for a folder, by the path below it.
pub type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// All that is in a folder.
///
/// # Errors
/// It cannot be read.
pub fn tree(folder: &Path) -> anyhow::Result<Tree> {
    let mut found = Tree::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            let name = path.strip_prefix(folder)?.to_owned();
            if path.is_dir() {
                found.insert(name, None);
                folders.push(path);
            } else {
                found.insert(name, Some(std::fs::read(&path)?));
            }
        }
    }
    Ok(found)
}

/// What the last step works in until the result has its name.
pub fn is_hidden(path: &Path) -> bool {
    let mut names = path.components();
    names.any(|name| {
        name.as_os_str()
            .to_string_lossy()
            .starts_with(".frameloom-")
    })
}

/// In what two trees differ first; `None` if they are the same.
pub fn difference(found: &Tree, expected: &Tree) -> Option<String> {
    let missing = expected.keys().find(|name| !found.contains_key(*name));
    if let Some(name) = missing {
        return Some(format!("{} is missing", name.display()));
    }
    for (name, bytes) in found {
        let Some(wanted) = expected.get(name) else {
            return Some(format!("{} was left behind", name.display()));
        };
        if bytes != wanted {
            let (found, wanted) = (
                bytes.as_deref().unwrap_or_default(),
                wanted.as_deref().unwrap_or_default(),
            );
            let at = found.iter().zip(wanted).position(|(a, b)| a != b);
            return Some(format!(
                "{} ({} bytes instead of {}) from byte {at:?} on",
                name.display(),
                found.len(),
                wanted.len()
            ));
        }
    }
    None
}
