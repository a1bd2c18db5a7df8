//! A plan that was made earlier: whether everything is still as it was made for.

use super::inputs::probe;
use super::{PLAN_VERSION, Plan, plan};
use crate::EngineError;
use crate::nodes::Models;
use frameloom_core::job::{JobSpec, PictureSizes};
use std::path::Path;

/// This program and the libraries that it reads clips with, each with its version.
pub(super) fn this_program() -> String {
    let mut text = format!("frameloom {}", env!("CARGO_PKG_VERSION"));
    for library in frameloom_media::libraries() {
        text.push_str(&format!(", {} {}", library.name, library.version));
    }
    text
}

impl Plan {
    /// Checks that this program sees pictures of the size in the inputs that the plan was made for,
    /// before a job goes on with it. Everything else a job does as it was planned.
    ///
    /// # Errors
    /// [`EngineError::ProgramChanged`]: call it behind [`Plan::check_unchanged`].
    pub fn check_program(&self, spec: &JobSpec, models: &dyn Models) -> Result<(), EngineError> {
        let info = match spec.pictures {
            Some(run) => frameloom_media::probe_pictures(&spec.input, run)?,
            None => probe(&spec.input)?,
        };
        // What this program would refuse today was planned all the same, and is tried.
        let Ok(now) = plan(spec, &info, models) else {
            return Ok(());
        };
        let text = |sizes: Option<PictureSizes>| match sizes {
            Some(sizes) => {
                let ((iw, ih), (ow, oh)) = (sizes.input, sizes.output);
                format!("pictures of {iw} x {ih} that become {ow} x {oh}")
            }
            None => "no pictures".to_owned(),
        };
        if now.sizes == self.sizes {
            return Ok(());
        }
        Err(EngineError::ProgramChanged {
            what: format!(
                "it sees {} where there were {}",
                text(now.sizes),
                text(self.sizes)
            ),
        })
    }

    /// The failure of a run whose inputs were found unchanged: if one turns out otherwise than in an
    /// earlier run, it is the program that changed, unless it is the very same.
    pub(crate) fn blame(&self, error: EngineError) -> EngineError {
        match error {
            EngineError::InputChanged { what, .. } if self.program != Some(this_program()) => {
                EngineError::ProgramChanged { what }
            }
            other => other,
        }
    }

    /// Checks that the plan is one of this program's, and that input, other files and models are
    /// still those of the plan.
    ///
    /// # Errors
    /// [`EngineError::PlanVersion`], [`EngineError::InputChanged`] or
    /// [`EngineError::ModelChanged`], by name.
    pub fn check_unchanged(&self, input: &Path, models: &dyn Models) -> Result<(), EngineError> {
        if self.version == 0 || self.version > PLAN_VERSION {
            return Err(EngineError::PlanVersion {
                found: self.version,
            });
        }
        self.input.check(input)?;
        for (path, print) in &self.files {
            print.check(path)?;
        }
        let of_file = |id: &str| self.onnx.iter().any(|file| file.manifest.id == id);
        // Files are among those above.
        for model in self.models.iter().filter(|model| !of_file(&model.id)) {
            if models.manifest(&model.id)?.sha256 != model.sha256 {
                return Err(EngineError::ModelChanged {
                    id: model.id.clone(),
                });
            }
        }
        Ok(())
    }
}
