//! A step's output file: `output_file_name` with flag 2 (append) or without (replace).

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Most that one step writes to its output file, in bytes; the rest is left out and said so.
pub const OUTPUT_FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bit of `sysjobsteps.flags`: the file is appended to.
pub const FLAG_APPEND: i32 = 2;

/// Where a step's output goes besides the history. Only jobs of sysadmin members may have one; the
/// caller sees to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// The file; relative to the step's working directory when relative.
    pub path: PathBuf,
    /// Adds to the file instead of replacing it.
    pub append: bool,
}

/// An output file that is being written.
#[derive(Debug)]
pub struct OutputFileWriter {
    file: File,
    room: u64,
    full: bool,
}

impl OutputFileWriter {
    /// Opens the file, made with mode 0640 where it is missing.
    ///
    /// # Errors
    /// What the system says, or that the path is no ordinary file: a pipe or device could block its writer.
    pub fn open(file: &OutputFile, cwd: &Path) -> io::Result<Self> {
        let path = cwd.join(&file.path);
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let opened = OpenOptions::new()
            .write(true)
            .append(file.append)
            .create(true)
            .mode(0o640)
            .custom_flags(nonblocking)
            .open(&path)?;
        if !opened.metadata()?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no ordinary file",
            ));
        }
        if !file.append {
            opened.set_len(0)?;
        }
        Ok(Self {
            file: opened,
            room: OUTPUT_FILE_BYTES_MAX,
            full: false,
        })
    }

    /// Writes the next bytes, as far as there is room.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.full {
            return Ok(());
        }
        let room = usize::try_from(self.room).unwrap_or(usize::MAX);
        let fits = &bytes[..bytes.len().min(room)];
        self.file.write_all(fits)?;
        self.room -= u64::try_from(fits.len()).unwrap_or(self.room);
        if fits.len() < bytes.len() {
            self.full = true;
            self.file
                .write_all(b"\n[... the rest was left out ...]\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_appends_and_refuses_what_is_no_file() {
        let dir = std::env::temp_dir().join(format!("muster-outfile-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let write = |append: bool, text: &str| {
            let file = OutputFile {
                path: "log".into(),
                append,
            };
            let mut writer = OutputFileWriter::open(&file, &dir).unwrap();
            writer.write(text.as_bytes()).unwrap();
            std::fs::read_to_string(dir.join("log")).unwrap()
        };
        assert_eq!(write(false, "one"), "one");
        assert_eq!(write(true, " two"), "one two");
        assert_eq!(write(false, "3"), "3");
        for bad in ["/dev/null", ".", "missing/file"] {
            let file = OutputFile {
                path: bad.into(),
                append: true,
            };
            assert!(OutputFileWriter::open(&file, &dir).is_err(), "{bad}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn stops_at_its_bound() {
        let path = std::env::temp_dir().join(format!("muster-outfile-{}.b", std::process::id()));
        let file = OutputFile {
            path: path.clone(),
            append: false,
        };
        let mut writer = OutputFileWriter::open(&file, Path::new("/")).unwrap();
        writer.room = 4;
        writer.write(b"abc").unwrap();
        writer.write(b"def").unwrap();
        writer.write(b"ghi").unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "abcd\n[... the rest was left out ...]\n"
        );
        std::fs::remove_file(path).unwrap();
    }
}
