//! Frames recorded from released versions: they decode to the same messages for ever, and this version
//! still writes the newest ones byte by byte.
//!
//! `MUSTER_RECORD_FRAMES=1 cargo test -p fleet --test recorded` writes those that are missing; a frame that
//! was released is never written again.

mod common;

use fleet::message::{
    EnlistRequest, ToMaster, ToTarget, decode_enlist_answer, encode_enlist_answer,
};
use fleet::{FrameReader, encode_frames, limits};
use std::fs;
use std::path::PathBuf;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("frames/v1")
}

/// The recorded body, after a comparison with what this version writes.
fn recorded(name: &str, body: &[u8]) -> Vec<u8> {
    let path = directory().join(format!("{name}.bin"));
    let frames = encode_frames(body);
    if !path.exists() && std::env::var_os("MUSTER_RECORD_FRAMES").is_some() {
        fs::create_dir_all(directory()).expect("file access");
        fs::write(&path, &frames).expect("file access");
    }
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(bytes, frames, "{name}: this version writes other bytes");
    let mut reader = FrameReader::new(limits::MASTER_MESSAGE_BYTES_MAX);
    reader
        .read(&mut bytes.as_slice())
        .expect("file access")
        .expect("file access")
}

#[test]
fn version_1() {
    let mut names = Vec::new();
    for (name, message) in common::to_master() {
        let body = recorded(name, &message.encode());
        assert_eq!(ToMaster::decode(&body), Ok(message), "{name}");
        names.push(name);
    }
    for (name, message) in common::to_target() {
        let body = recorded(name, &message.encode());
        assert_eq!(ToTarget::decode(&body), Ok(message), "{name}");
        names.push(name);
    }
    for (name, request) in common::enlist_requests() {
        let body = recorded(name, &request.encode());
        assert_eq!(EnlistRequest::decode(&body), Ok(request), "{name}");
        names.push(name);
    }
    for (name, answer) in common::enlist_answers() {
        let body = recorded(name, &encode_enlist_answer(&answer));
        assert_eq!(decode_enlist_answer(&body), Ok(answer), "{name}");
        names.push(name);
    }
    // Nothing recorded goes unread.
    names.sort_unstable();
    let mut files: Vec<String> = fs::read_dir(directory())
        .expect("file access")
        .map(|entry| {
            entry
                .expect("file access")
                .path()
                .file_stem()
                .expect("file access")
                .to_str()
                .expect("file access")
                .to_owned()
        })
        .collect();
    files.sort_unstable();
    assert_eq!(files, names);
}
