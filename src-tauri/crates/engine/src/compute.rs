//! Where a job's models compute, and in which numbers.

use frameloom_core::job::{Arithmetic, ComputeSpec, Device, ProviderChoice};
use frameloom_core::media::Caution;
use frameloom_infer::{SessionOptions, shorter_numbers};
use std::collections::BTreeMap;

/// Shorter numbers were held against the limit of their precision on a real picture when they were
/// chosen. The waves and the noise that every session is tried on are harder for them, and only have
/// to show a kernel that computes something else: such a one stays below 30 dB.
const RIGHT_KERNEL_DB: f64 = 40.0;

/// What was asked for, what was chosen from it, and what earlier attempts taught.
#[derive(Debug, Clone, Copy)]
pub struct Sessions<'a> {
    /// The device of the job.
    pub device: &'a Device,
    /// How the job computes.
    pub compute: ComputeSpec,
    /// What was chosen for each model, by its id, before the job began; a model that is not there
    /// is opened on `device`.
    pub chosen: Option<&'a BTreeMap<String, ProviderChoice>>,
    /// What earlier attempts taught.
    pub caution: Caution,
}

impl<'a> Sessions<'a> {
    /// On a device, exactly, with nothing chosen or learned before.
    pub fn on(device: &'a Device) -> Self {
        Self {
            device,
            compute: ComputeSpec::default(),
            chosen: None,
            caution: Caution::default(),
        }
    }

    fn chosen(&self, model: &str) -> Option<&ProviderChoice> {
        self.chosen?.get(model)
    }

    /// True if the model was given to a card or another device beside the processor, where several
    /// sessions would only take its memory.
    pub fn is_on_a_device(&self, model: &str) -> bool {
        let chosen = self.chosen(model);
        self.caution < Caution::Processor && chosen.is_some_and(|choice| !choice.on_processor)
    }

    /// How the session of a model is opened.
    pub fn options(&self, model: &str, threads: usize) -> SessionOptions {
        let options = SessionOptions {
            device: self.device.clone(),
            arithmetic: Arithmetic::F32,
            least_db: self.compute.precision.least_db(),
            deterministic: self.compute.deterministic,
            threads,
            check_against_cpu: true,
        };
        if self.caution >= Caution::Processor {
            return SessionOptions {
                device: Device::Cpu,
                ..options
            };
        }
        let chosen = self.chosen(model).filter(|c| c.device != Device::Auto);
        let options = match chosen {
            Some(choice) => SessionOptions {
                device: choice.device.clone(),
                arithmetic: choice.arithmetic,
                least_db: match choice.arithmetic {
                    Arithmetic::F32 => options.least_db,
                    _ => RIGHT_KERNEL_DB,
                },
                ..options
            },
            None => options,
        };
        if self.caution < Caution::LowPrecision {
            return options;
        }
        let shorter = shorter_numbers(&options.device);
        SessionOptions {
            arithmetic: match options.arithmetic {
                Arithmetic::F32 => shorter.first().copied().unwrap_or_default(),
                already => already,
            },
            least_db: RIGHT_KERNEL_DB,
            ..options
        }
    }

    /// What is told of an opened session: the choice with the reason that it was made for.
    pub fn told(&self, model: &str, opened: ProviderChoice) -> ProviderChoice {
        match self.chosen(model) {
            Some(chosen)
                if chosen.device == opened.device && chosen.arithmetic == opened.arithmetic =>
            {
                ProviderChoice {
                    fallback_reason: chosen.fallback_reason.clone(),
                    reason: chosen.reason.clone(),
                    ..opened
                }
            }
            _ => opened,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(device: Device, arithmetic: Arithmetic) -> ProviderChoice {
        ProviderChoice {
            provider: String::new(),
            fallback_reason: None,
            fallback_said: None,
            said: None,
            device,
            arithmetic,
            on_processor: false,
            reason: Some("measured".to_owned()),
        }
    }

    #[test]
    fn each_step_of_caution_changes_what_it_says_and_the_last_ends_on_the_processor() {
        let chosen = BTreeMap::from([("m".to_owned(), choice(Device::Openvino, Arithmetic::F32))]);
        let of = |caution, model: &str| {
            let sessions = Sessions {
                device: &Device::Auto,
                compute: ComputeSpec::default(),
                chosen: Some(&chosen),
                caution,
            };
            let options = sessions.options(model, 1);
            (options.device, options.arithmetic, options.least_db)
        };
        let exact = ComputeSpec::default().precision.least_db();
        for caution in [Caution::Usual, Caution::SmallTiles] {
            assert_eq!(of(caution, "m"), (Device::Openvino, Arithmetic::F32, exact));
        }
        assert_eq!(
            of(Caution::LowPrecision, "m"),
            (Device::Openvino, Arithmetic::F16, RIGHT_KERNEL_DB)
        );
        assert_eq!(
            of(Caution::Processor, "m"),
            (Device::Cpu, Arithmetic::F32, exact)
        );
        let on_a_device = |caution, model: &str| {
            let sessions = Sessions {
                chosen: Some(&chosen),
                caution,
                ..Sessions::on(&Device::Auto)
            };
            sessions.is_on_a_device(model)
        };
        assert!(on_a_device(Caution::LowPrecision, "m"));
        assert!(!on_a_device(Caution::Processor, "m"));
        assert!(!on_a_device(Caution::Usual, "other"));
        assert_eq!(
            of(Caution::Usual, "other"),
            (Device::Auto, Arithmetic::F32, exact)
        );
    }
}
