//! The catalogue of models that ships: its signature, and the key that signs newer ones.

use crate::exec::say;
use crate::place::Place;
use anyhow::{Context, bail, ensure};
use minisign::{KeyPair, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The password of a key that has one.
const PASSWORD: &str = "FRAMELOOM_CATALOGUE_PASSWORD";

pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    let files = Files::of(&Place::find()?);
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["check"] => check(&files),
        ["sign", "--key", key] => sign(&files, Path::new(key)),
        ["key", "--to", path] => make_key(&files, Path::new(path)),
        _ => bail!("say `check`, `sign --key FILE`, or `key --to FILE`"),
    }
}

struct Files {
    root: PathBuf,
    json: PathBuf,
    signature: PathBuf,
    key: PathBuf,
}

impl Files {
    fn of(place: &Place) -> Self {
        let folder = place.root.join("assets").join("catalogue");
        Self {
            root: place.root.clone(),
            json: folder.join("catalogue.json"),
            signature: folder.join("catalogue.json.minisig"),
            key: folder.join("catalogue.pub"),
        }
    }
}

/// The signature here; everything that it says, by the tests of the program that reads it.
fn check(files: &Files) -> anyhow::Result<()> {
    let json = fs::read(&files.json)?;
    let key = PublicKeyBox::from_string(&fs::read_to_string(&files.key)?)?.into_public_key()?;
    let signature = SignatureBox::from_string(&fs::read_to_string(&files.signature)?)?;
    minisign::verify(&key, &signature, Cursor::new(&json), true, false, false)
        .context("the catalogue is not what was signed: sign it anew")?;
    say("the signature fits");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tests = Command::new(cargo)
        .args(["nextest", "run", "--package", "e2e", "--test", "catalogue"])
        .current_dir(&files.root)
        .status()?;
    ensure!(
        tests.success(),
        "the catalogue says something that is not so"
    );
    Ok(())
}

fn sign(files: &Files, key: &Path) -> anyhow::Result<()> {
    let json = fs::read(&files.json)?;
    let secret = secret_key(key)?;
    let public = PublicKeyBox::from_string(&fs::read_to_string(&files.key)?)?.into_public_key()?;
    let signature = minisign::sign(Some(&public), &secret, Cursor::new(&json), None, None)
        .context("is this the key that belongs to assets/catalogue/catalogue.pub?")?;
    fs::write(&files.signature, signature.to_string())?;
    say("assets/catalogue/catalogue.json is signed");
    Ok(())
}

fn secret_key(path: &Path) -> anyhow::Result<SecretKey> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let boxed = SecretKeyBox::from_string(&text)?;
    match std::env::var(PASSWORD) {
        Ok(password) => Ok(boxed.into_secret_key(Some(password))?),
        Err(_) => boxed
            .into_unencrypted_secret_key()
            .with_context(|| format!("set {PASSWORD} if the key has a password")),
    }
}

/// A new pair of keys. Programs that were built before trust the old one alone.
fn make_key(files: &Files, to: &Path) -> anyhow::Result<()> {
    let to = std::path::absolute(to)?;
    ensure!(!to.exists(), "{} is there already", to.display());
    ensure!(
        !to.starts_with(&files.root),
        "a secret key does not belong into the repository"
    );
    let (pair, secret) = match std::env::var(PASSWORD) {
        Ok(password) => {
            let pair = KeyPair::generate_encrypted_keypair(Some(password))?;
            let secret = pair.sk.to_box(None)?;
            (pair, secret)
        }
        Err(_) => {
            say(&format!("{PASSWORD} is not set: the key gets no password"));
            let pair = KeyPair::generate_unencrypted_keypair()?;
            let secret = pair.sk.to_box(None)?;
            (pair, secret)
        }
    };
    write_secret(&to, &secret.to_string())?;
    fs::write(&files.key, pair.pk.to_box()?.to_string())?;
    say(&format!(
        "the secret key is {}: keep it, and sign the catalogue anew with it",
        to.display()
    ));
    Ok(())
}

/// For its owner alone.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(path)?.write_all(text.as_bytes())?)
}
