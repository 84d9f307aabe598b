//! The front over in-process streams, with a session that is made up.
