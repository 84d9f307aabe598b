//! Tabular Data Stream codec, both ways, without sockets.
