//! Which step follows a step.

use model::{JobDocument, JobStep, StepAction};

/// What follows a step that has ended for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The step of this index.
    Step(usize),
    /// The job ends, successful or not.
    End { success: bool },
    /// The job ends, failed: there is no step of this number.
    NoSuchStep(i32),
}

/// What follows step `index` of `document`. A last step that says "next" ends the job with its own result.
pub(crate) fn after(document: &JobDocument, index: usize, success: bool) -> Flow {
    let step = &document.steps[index];
    let (action, target) = if success {
        (step.on_success, step.on_success_step_id)
    } else {
        (step.on_fail, step.on_fail_step_id)
    };
    match action {
        StepAction::QuitWithSuccess => Flow::End { success: true },
        StepAction::QuitWithFailure => Flow::End { success: false },
        StepAction::GoToNextStep if index + 1 < document.steps.len() => Flow::Step(index + 1),
        StepAction::GoToNextStep => Flow::End { success },
        StepAction::GoToStep => {
            step_index(document, target).map_or(Flow::NoSuchStep(target), Flow::Step)
        }
    }
}

/// Index of the step of a number.
pub(crate) fn step_index(document: &JobDocument, step_id: i32) -> Option<usize> {
    document
        .steps
        .binary_search_by_key(&step_id, |step: &JobStep| step.step_id)
        .ok()
}
