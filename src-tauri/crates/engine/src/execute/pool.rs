//! Open models that wait for the next job of the same process.

use crate::EngineError;
use crate::compute::Sessions;
use frameloom_core::job::ProviderChoice;
use frameloom_core::model::ModelManifest;
use frameloom_infer::{InferenceSession, Model, Runtime, SessionOptions, TilePlan, Upscaler};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Opening a model takes longer than enlarging a small picture with it. Who does many pictures in
/// one process keeps them open.
///
/// On the processor every job that runs at the same time has a session of its own. On any other
/// device there is one for all of them, which they use in turns: the weights are on the card once,
/// and what comes before and behind the model still goes on side by side.
#[derive(Default)]
pub struct Pool {
    waiting: Mutex<BTreeMap<String, Vec<(Upscaler, ProviderChoice)>>>,
    /// What is open on a device, by what it was opened for.
    shared: Mutex<BTreeMap<String, (InferenceSession, ProviderChoice)>>,
}

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
        let opened_for = format!("{} {options:?}", manifest.sha256);
        let key = format!("{max_tile:?} {opened_for}");
        if let Some((upscaler, choice)) = pool.and_then(|pool| pool.waiting().get_mut(&key)?.pop())
        {
            return Ok(Open {
                upscaler,
                choice,
                key,
            });
        }
        let open = || Self::open_session(load, &options, runtime);
        let (session, choice) = match pool {
            Some(pool) if sessions.is_on_a_device(&manifest.id) => {
                // Held while it is opened: the others have no other one to go on with.
                let mut shared = pool.shared.lock().unwrap_or_else(PoisonError::into_inner);
                match shared.get(&opened_for) {
                    Some((session, choice)) => (session.share()?, choice.clone()),
                    None => {
                        let (session, choice) = open()?;
                        shared.insert(opened_for, (session.share()?, choice.clone()));
                        (session, choice)
                    }
                }
            }
            _ => open()?,
        };
        let mut upscaler = Upscaler::new(session, manifest)?;
        if let Some(side) = max_tile {
            let side = side.min(manifest.tile.preferred);
            upscaler = upscaler.with_tiles(TilePlan::Side(side));
        }
        Ok(Open {
            upscaler,
            choice: sessions.told(&manifest.id, choice),
            key,
        })
    }

    fn open_session(
        load: &dyn Fn() -> Result<Model, EngineError>,
        options: &SessionOptions,
        runtime: &dyn Fn() -> Result<Arc<Runtime>, EngineError>,
    ) -> Result<(InferenceSession, ProviderChoice), EngineError> {
        let model = load()?;
        Ok(InferenceSession::open(&runtime()?, &model, options)?)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, Vec<(Upscaler, ProviderChoice)>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a model that did its work for the next job.
    pub(crate) fn give_back(pool: Option<&Pool>, open: Open) {
        if let Some(pool) = pool
            && !open.upscaler.cancel_handle().is_cancelled()
        {
            let mut waiting = pool.waiting();
            let list = waiting.entry(open.key).or_default();
            list.push((open.upscaler, open.choice));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::faults::runtime;
    use frameloom_core::job::{Arithmetic, ComputeSpec, Device};
    use frameloom_core::media::Caution;
    use std::path::Path;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How often the model is read when `lanes` jobs use it at once, and again after that.
    fn times_opened(runtime: &Arc<Runtime>, lanes: usize, on_processor: bool) -> usize {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models/loom-x2");
        let manifest = frameloom_infer::read_manifest(&folder).unwrap();
        let (opened, pool, all) = (AtomicUsize::new(0), Pool::default(), Barrier::new(lanes));
        // The device of the choice is the processor, as no other can be had everywhere: what is
        // tried is whose session it is.
        let choice = ProviderChoice {
            provider: String::new(),
            fallback_reason: None,
            fallback_said: None,
            said: None,
            device: Device::Cpu,
            arithmetic: Arithmetic::F32,
            on_processor,
            reason: None,
        };
        let chosen = BTreeMap::from([(manifest.id.clone(), choice)]);
        let load = || {
            opened.fetch_add(1, Ordering::SeqCst);
            Ok(frameloom_infer::load_model(&folder)?)
        };
        let lane = || {
            for _ in 0..2 {
                let sessions = Sessions {
                    device: &Device::Auto,
                    compute: ComputeSpec::default(),
                    chosen: Some(&chosen),
                    caution: Caution::default(),
                };
                let runtime = || Ok(runtime.clone());
                let mut open = Pool::open(
                    Some(&pool),
                    &manifest,
                    &load,
                    &sessions,
                    (1, None),
                    &runtime,
                )
                .unwrap();
                all.wait();
                let mut rows = 0;
                let mut source = |_: usize, _: usize, x: usize, out: &mut [f32]| {
                    out.iter_mut()
                        .zip(x..)
                        .for_each(|(v, x)| *v = (x % 7) as f32 / 7.0);
                };
                let mut sink = |_: usize,
                                planes: &[frameloom_core::pixel::PlaneRef<'_, f32>]|
                 -> Result<(), frameloom_infer::InferError> {
                    rows += planes[0].height;
                    Ok(())
                };
                open.upscaler
                    .upscale_bands(40, 30, &mut source, &mut sink)
                    .unwrap();
                assert_eq!(rows, 60);
                all.wait();
                Pool::give_back(Some(&pool), open);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..lanes {
                scope.spawn(lane);
            }
        });
        opened.into_inner()
    }

    #[test]
    fn lanes_share_one_session_on_a_device_and_have_their_own_on_the_processor() {
        let Some(runtime) = runtime() else {
            println!("skipped: no FRAMELOOM_ONNXRUNTIME");
            return;
        };
        assert_eq!(times_opened(&runtime, 3, false), 1);
        assert_eq!(times_opened(&runtime, 3, true), 3);
    }

    #[test]
    fn a_job_that_is_stopped_does_not_stop_those_that_share_its_session() {
        let Some(runtime) = runtime() else {
            println!("skipped: no FRAMELOOM_ONNXRUNTIME");
            return;
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models/loom-x2");
        let model = frameloom_infer::load_model(&folder).unwrap();
        let options = Sessions::on(&Device::Cpu).options(&model.manifest.id, 1);
        let (session, _) = InferenceSession::open(&runtime, &model, &options).unwrap();
        let other = session.share().unwrap();
        session.cancel_handle().cancel();
        let run = |session| {
            let mut upscaler = Upscaler::new(session, &model.manifest).unwrap();
            let mut source = |_: usize, _: usize, _: usize, out: &mut [f32]| out.fill(0.5);
            let mut sink = |_: usize,
                            _: &[frameloom_core::pixel::PlaneRef<'_, f32>]|
             -> Result<(), frameloom_infer::InferError> { Ok(()) };
            upscaler.upscale_bands(40, 30, &mut source, &mut sink)
        };
        assert!(matches!(
            run(session),
            Err(frameloom_infer::InferError::Cancelled)
        ));
        run(other).unwrap();
    }
}
