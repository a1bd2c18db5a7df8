//! Jobs that are over: found by words, read page by page.

use crate::{App, explain};
use frameloom_core::error::AppError;
use frameloom_core::job::{Job, JobEvent, JobId, JobState};
use frameloom_store::HistoryKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// No page is longer.
const LONGEST_PAGE: u32 = 500;

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct HistoryQuery {
    /// Words that are all in the names of source, result or model; small and large letters and
    /// accents make no difference.
    pub text: String,
    /// Only jobs that ended so: succeeded, failed or cancelled.
    pub outcome: Option<JobState>,
    /// Jobs before the page.
    pub skip: u32,
    /// Jobs on the page.
    pub limit: u32,
}

/// Jobs that are over, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct HistoryPage {
    /// The page.
    pub jobs: Vec<Job>,
    /// All that were found, on this page and others.
    pub found: u32,
    /// All that succeeded, whatever is looked for.
    pub succeeded: u32,
    /// All that failed.
    pub failed: u32,
    /// All that were cancelled.
    pub cancelled: u32,
}

/// Text as it is looked for: small letters without accents. Vietnamese `đ` is a letter of its own,
/// which Unicode does not take apart; whoever types `da` means `đá`, too.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'đ' | 'Đ' => folded.push('d'),
            'œ' | 'Œ' => folded.push_str("oe"),
            'æ' | 'Æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            other => folded.extend(other.to_lowercase()),
        }
    }
    folded
}

/// Number of jobs that a 32-bit number can hold.
fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl App {
    /// A page of the jobs that are over, newest first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, AppError> {
        let limit = query.limit.min(LONGEST_PAGE);
        let words: Vec<String> = folded(&query.text)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let outcomes = self.store.outcomes().map_err(explain::store)?;
        let (jobs, found) = if words.is_empty() {
            let rows = self
                .store
                .history(query.outcome, u64::from(query.skip), u64::from(limit))
                .map_err(explain::store)?;
            let found = match query.outcome {
                None => outcomes.succeeded + outcomes.failed + outcomes.cancelled,
                Some(JobState::Succeeded) => outcomes.succeeded,
                Some(JobState::Failed) => outcomes.failed,
                Some(JobState::Cancelled) => outcomes.cancelled,
                Some(_) => 0,
            };
            (rows.into_iter().map(|row| row.job).collect(), found)
        } else {
            self.look_for(&words, query, limit)?
        };
        Ok(HistoryPage {
            jobs,
            found: count(found),
            succeeded: count(outcomes.succeeded),
            failed: count(outcomes.failed),
            cancelled: count(outcomes.cancelled),
        })
    }

    fn look_for(
        &self,
        words: &[String],
        query: &HistoryQuery,
        limit: u32,
    ) -> Result<(Vec<Job>, u64), AppError> {
        let matches = |key: &HistoryKey| {
            let text = folded(&key.text);
            query.outcome.is_none_or(|outcome| outcome == key.state)
                && words.iter().all(|word| text.contains(word))
        };
        let keys = self.store.history_keys().map_err(explain::store)?;
        let found: Vec<JobId> = keys
            .into_iter()
            .filter(|key| matches(key))
            .map(|key| key.id)
            .collect();
        let jobs = found
            .iter()
            .skip(query.skip as usize)
            .take(limit as usize)
            // One that was removed meanwhile, or cannot be read.
            .filter_map(|id| self.job(id).ok())
            .collect();
        Ok((jobs, found.len() as u64))
    }

    /// The jobs on the window's list, oldest first: all but those that are in the history alone.
    ///
    /// # Errors
    /// The database refuses.
    pub fn jobs_at_hand(&self) -> Result<Vec<Job>, AppError> {
        let rows = self.store.at_hand().map_err(explain::store)?;
        Ok(rows.into_iter().map(|row| row.job).collect())
    }

    /// Puts a job back on the window's list, to be looked at.
    ///
    /// # Errors
    /// The database refuses, or there is no such job.
    pub fn take_out(&self, id: &JobId) -> Result<Job, AppError> {
        self.store.take_out(id).map_err(explain::store)?;
        self.changed(id)?;
        self.job(id)
    }

    /// Takes a job that is over off the window's list. The history keeps it, and a failed one its
    /// finished parts; but not a sample, which was only to be looked at.
    ///
    /// # Errors
    /// The job is not over.
    pub fn put_away(&self, id: &JobId) -> Result<(), AppError> {
        let job = self.job(id)?;
        if job.spec.sample && job.state.is_terminal() {
            return self.remove(id);
        }
        if !self.store.put_away(id).map_err(explain::store)? {
            let state = self.job(id)?.state;
            return Err(crate::jobs::wrong_state(id, state, "put away"));
        }
        self.tell(&JobEvent::Removed { id: id.clone() });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_without_their_accents_in_every_language_of_the_window() {
        assert_eq!(folded("Ngõ nhỏ Hà Nội.MP4"), "ngo nho ha noi.mp4");
        assert_eq!(folded("ĐÁ đỏ"), "da do");
        assert_eq!(folded("Été à la Œuvre"), "ete a la oeuvre");
        // Composed as macOS stores names.
        assert_eq!(folded("e\u{301}te\u{301}"), "ete");
    }
}
