//! Where lines come from, and what becomes of them.

use super::args::{ArgsError, SqlArgs};
use super::connection::{Connection, ConnectionError};
use super::output::{Format, Printer};
use super::script::{Action, Script, ScriptError};
use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How deep files may include files.
const INCLUDE_DEPTH_MAX: u32 = 32;

/// Why the command ended early. Errors of statements are shown where they happen.
#[derive(Debug, thiserror::Error)]
pub(super) enum SqlError {
    /// The switches.
    #[error(transparent)]
    Args(#[from] ArgsError),
    /// The connection.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// A client command.
    #[error("{place}")]
    Script {
        /// File or `standard input`, and line.
        place: String,
        /// What is wrong.
        #[source]
        source: ScriptError,
    },
    /// A file cannot be read.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no text.
    #[error("{} is neither UTF-8 nor UTF-16", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// Files include each other.
    #[error("{}: files include each other more than {INCLUDE_DEPTH_MAX} deep", path.display())]
    TooDeep {
        /// The file that was not read any more.
        path: PathBuf,
    },
    /// The output file, or standard output.
    #[error("write the output")]
    Write(#[source] io::Error),
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Line,
    /// `:quit`
    Quit,
    /// A statement failed, and that ends the run.
    Failed,
}

struct Runner {
    connection: Connection,
    printer: Printer<Box<dyn Write>>,
    script: Script,
    stop_on_error: bool,
}

/// Runs what the switches ask for.
pub(super) fn run(args: SqlArgs) -> Result<ExitCode, SqlError> {
    let options = args.client_options()?;
    let out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(io::BufWriter::new(
            File::create(path).map_err(SqlError::Write)?,
        )),
        None => Box::new(io::BufWriter::new(io::stdout())),
    };
    let connection = Connection::open(&options)?;
    let format = Format {
        headings: args.headings,
        separator: args.separator,
        trim: args.trim,
        width: args.width,
    };
    let server_name = connection.server_name.clone();
    let mut runner = Runner {
        printer: Printer::new(out, format, server_name),
        connection,
        script: Script::new(&args.variables, !args.no_substitution),
        stop_on_error: args.stop_on_error,
    };
    let next = match &args.query {
        Some(text) => runner.text(text, "-Q", 0)?,
        None if args.input.is_empty() => runner.standard_input()?,
        None => runner.files(&args.input)?,
    };
    let next = if next == Next::Line {
        runner.finish()?
    } else {
        next
    };
    runner.connection.close();
    Ok(if next == Next::Failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

impl Runner {
    /// Each file ends its last batch.
    fn files(&mut self, files: &[PathBuf]) -> Result<Next, SqlError> {
        for path in files {
            let next = self.file(path, 0)?;
            if next != Next::Line {
                return Ok(next);
            }
            let next = self.finish()?;
            if next != Next::Line {
                return Ok(next);
            }
        }
        Ok(Next::Line)
    }

    fn file(&mut self, path: &Path, depth: u32) -> Result<Next, SqlError> {
        let path = path.to_owned();
        if depth > INCLUDE_DEPTH_MAX {
            return Err(SqlError::TooDeep { path });
        }
        let text = read(&path)?;
        self.text(&text, &path.display().to_string(), depth)
    }

    fn text(&mut self, text: &str, source: &str, depth: u32) -> Result<Next, SqlError> {
        for (at, line) in text.split_inclusive('\n').enumerate() {
            let next = self.line(line, source, at + 1, depth)?;
            if next != Next::Line {
                return Ok(next);
            }
        }
        Ok(Next::Line)
    }

    fn standard_input(&mut self) -> Result<Next, SqlError> {
        let stdin = io::stdin();
        let interactive = stdin.is_terminal();
        let mut input = stdin.lock();
        let mut number = 0;
        loop {
            if interactive {
                let prompt = self.script.lines() + 1;
                self.printer.prompt(prompt).map_err(SqlError::Write)?;
            }
            let mut bytes = Vec::new();
            let read = input.read_until(b'\n', &mut bytes);
            let path = || PathBuf::from("standard input");
            let read = read.map_err(|source| SqlError::Read {
                path: path(),
                source,
            })?;
            if read == 0 {
                return Ok(Next::Line);
            }
            number += 1;
            let Ok(line) = String::from_utf8(bytes) else {
                return Err(SqlError::NotText { path: path() });
            };
            match self.line(
                line.trim_start_matches('\u{feff}'),
                "standard input",
                number,
                0,
            ) {
                Ok(Next::Line) => {}
                Ok(next) => return Ok(next),
                // At a prompt a slip ends nothing.
                Err(error @ SqlError::Script { .. }) if interactive => {
                    let text = model::error_chain(&error);
                    self.printer.line(&text).map_err(SqlError::Write)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn line(&mut self, line: &str, source: &str, at: usize, depth: u32) -> Result<Next, SqlError> {
        let action = self.script.line(line).map_err(|error| SqlError::Script {
            place: format!("{source}, line {at}"),
            source: error,
        })?;
        match action {
            None => Ok(Next::Line),
            Some(action) => self.act(action, depth),
        }
    }

    fn act(&mut self, action: Action, depth: u32) -> Result<Next, SqlError> {
        match action {
            Action::Run { text, count } => self.run(&text, count),
            Action::Include(path) => self.file(Path::new(&path), depth + 1),
            Action::List(variables) => {
                for (name, value) in variables {
                    let text = format!("{name} = \"{value}\"");
                    self.printer.line(&text).map_err(SqlError::Write)?;
                }
                Ok(Next::Line)
            }
            Action::OnError(exit) => {
                self.stop_on_error = exit;
                Ok(Next::Line)
            }
            Action::Quit => Ok(Next::Quit),
        }
    }

    fn run(&mut self, text: &str, count: u32) -> Result<Next, SqlError> {
        for _ in 0..count {
            let printer = &mut self.printer;
            self.connection.batch(text, |event| printer.event(event))?;
            self.printer.flush().map_err(SqlError::Write)?;
            if self.printer.take_failed() && self.stop_on_error {
                return Ok(Next::Failed);
            }
        }
        Ok(Next::Line)
    }

    /// Runs the batch that no GO ended.
    fn finish(&mut self) -> Result<Next, SqlError> {
        match self.script.finish() {
            Some(action) => self.act(action, 0),
            None => Ok(Next::Line),
        }
    }
}

/// Text of a file.
pub(super) fn read(path: &Path) -> Result<String, SqlError> {
    let path = path.to_owned();
    match std::fs::read(&path) {
        Ok(bytes) => decode(&bytes).ok_or(SqlError::NotText { path }),
        Err(source) => Err(SqlError::Read { path, source }),
    }
}

/// Text of bytes: UTF-8, or UTF-16 with its mark, as Management Studio saves scripts.
fn decode(bytes: &[u8]) -> Option<String> {
    let wide = |rest: &[u8], read: fn([u8; 2]) -> u16| {
        let pairs = rest.chunks_exact(2);
        let whole = pairs.remainder().is_empty();
        let units = pairs.filter_map(|pair| pair.try_into().ok().map(read));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.ok().filter(|_| whole)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(decode("é".as_bytes()).as_deref(), Some("é"));
        assert_eq!(decode(b"\xef\xbb\xbfa").as_deref(), Some("a"));
        assert_eq!(decode(b"\xff\xfea\0\xe9\0").as_deref(), Some("aé"));
        assert_eq!(decode(b"\xfe\xff\0a").as_deref(), Some("a"));
        assert_eq!(decode(b"\xff\xfea"), None);
        assert_eq!(decode(b"\xe9"), None);
    }
}
