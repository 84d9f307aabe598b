//! Next run and description of a schedule; pure, correct across daylight saving.
