//! Open models that wait for the next job of the same process.

use crate::EngineError;
use crate::compute::Sessions;
use frameloom_core::job::ProviderChoice;
use frameloom_core::model::ModelManifest;
use frameloom_infer::{InferenceSession, Model, Runtime, TilePlan, Upscaler};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Opening a model takes longer than enlarging a small picture with it. Who does many pictures in
/// one process keeps them open.
#[derive(Default)]
pub struct Pool(Mutex<BTreeMap<String, Vec<(Upscaler, ProviderChoice)>>>);

/// An open model, with what to know it by when it is given back.
pub(crate) struct Open {
    pub upscaler: Upscaler,
    pub choice: ProviderChoice,
    key: String,
}

impl Pool {
    /// A model that is open for these settings, or a newly opened one.
    pub(crate) fn open(
        pool: Option<&Pool>,
        manifest: &ModelManifest,
        load: &dyn Fn() -> Result<Model, EngineError>,
        sessions: &Sessions<'_>,
        (threads, max_tile): (usize, Option<u32>),
        runtime: &dyn Fn() -> Result<Arc<Runtime>, EngineError>,
    ) -> Result<Open, EngineError> {
        let options = sessions.options(&manifest.id, threads);
        let key = format!("{} {max_tile:?} {options:?}", manifest.sha256);
        let waiting = pool.and_then(|pool| {
            let mut open = pool.0.lock().unwrap_or_else(PoisonError::into_inner);
            open.get_mut(&key)?.pop()
        });
        let (upscaler, choice) = match waiting {
            Some(open) => open,
            None => {
                let model = load()?;
                let (session, choice) = InferenceSession::open(&runtime()?, &model, &options)?;
                let mut upscaler = Upscaler::new(session, &model.manifest)?;
                if let Some(side) = max_tile {
                    let side = side.min(model.manifest.tile.preferred);
                    upscaler = upscaler.with_tiles(TilePlan::Side(side));
                }
                (upscaler, sessions.told(&manifest.id, choice))
            }
        };
        Ok(Open {
            upscaler,
            choice,
            key,
        })
    }

    /// Keeps a model that did its work for the next job.
    pub(crate) fn give_back(pool: Option<&Pool>, open: Open) {
        if let Some(pool) = pool
            && !open.upscaler.cancel_handle().is_cancelled()
        {
            let mut waiting = pool.0.lock().unwrap_or_else(PoisonError::into_inner);
            let list = waiting.entry(open.key).or_default();
            list.push((open.upscaler, open.choice));
        }
    }
}
