//! A whole fleet in one thread, from a seed.
