//! The Agent's decisions: what is due, which step is next, what the outcome is.
