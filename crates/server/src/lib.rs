//! Sockets, TLS, identities, timers and threads: wires the instance together.
