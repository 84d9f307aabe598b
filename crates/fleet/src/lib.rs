//! Master and target ends of the fleet protocol as state machines, and their messages.
