//! The smallest clients there can be, one for each protocol: a blocking socket, a query sent, its answer read to the
//! end without a look at the rows.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tds::login::Login;
use tds::packet::{PACKET_BYTES_DEFAULT, PacketType, packets};
use tds::request::SqlBatch;
use tds::{TdsVersion, VersionNumber};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client that sends one query and waits for all of its answer.
pub trait Wire {
    fn round_trip(&mut self);
}

/// TDS in the clear.
pub struct Tds {
    stream: TcpStream,
    query: Vec<u8>,
    buffer: Vec<u8>,
}

impl Tds {
    pub fn connect(address: SocketAddr, password: &str, query: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let payload = SqlBatch::encode(query, 0, TdsVersion::V7_4);
        let mut client = Self {
            stream,
            query: packets(PacketType::SqlBatch, PACKET_BYTES_DEFAULT, 0, &payload),
            buffer: Vec::new(),
        };
        let login = Login::new(VersionNumber::V7_4, "sa", password).encode();
        let login = packets(PacketType::Login7, PACKET_BYTES_DEFAULT, 0, &login);
        client.exchange(&login);
        client
    }

    fn exchange(&mut self, request: &[u8]) {
        const HEADER: usize = 8;
        self.stream.write_all(request).unwrap();
        loop {
            let mut header = [0; HEADER];
            self.stream.read_exact(&mut header).unwrap();
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            self.buffer.resize(length - HEADER, 0);
            self.stream.read_exact(&mut self.buffer).unwrap();
            // The last packet of its message.
            if header[1] & 1 != 0 {
                return;
            }
        }
    }
}

impl Wire for Tds {
    fn round_trip(&mut self) {
        let query = std::mem::take(&mut self.query);
        self.exchange(&query);
        self.query = query;
    }
}

/// PostgreSQL's simple query.
pub struct Simple {
    stream: TcpStream,
    query: Vec<u8>,
    buffer: Vec<u8>,
}

impl Simple {
    fn connect(port: u16, query: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream,
            query: message(Some(b'Q'), &[query.as_bytes(), b"\0"].concat()),
            buffer: Vec::new(),
        };
        let version = 196_608_u32.to_be_bytes();
        let words = b"user\0bench\0database\0postgres\0\0";
        let start = message(None, &[&version[..], words].concat());
        client.exchange(&start)?;
        Ok(client)
    }

    /// Sends, and reads until the server is ready for a query again.
    fn exchange(&mut self, request: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(request)?;
        loop {
            let mut header = [0; 5];
            self.stream.read_exact(&mut header)?;
            let [kind, length @ ..] = header;
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
            self.buffer.resize(length - 4, 0);
            self.stream.read_exact(&mut self.buffer)?;
            match kind {
                b'Z' => return Ok(()),
                b'E' => {
                    let text = String::from_utf8_lossy(&self.buffer).into_owned();
                    return Err(std::io::Error::other(text));
                }
                _ => {}
            }
        }
    }
}

impl Wire for Simple {
    fn round_trip(&mut self) {
        let query = std::mem::take(&mut self.query);
        self.exchange(&query).unwrap();
        self.query = query;
    }
}

fn message(kind: Option<u8>, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 4).unwrap().to_be_bytes();
    let mut bytes: Vec<u8> = kind.into_iter().collect();
    bytes.extend(length);
    bytes.extend(payload);
    bytes
}

/// A PostgreSQL of the benchmark's own; ended when dropped.
pub struct Postgres {
    process: Child,
    port: u16,
}

impl Postgres {
    /// Starts Debian's PostgreSQL on a free port; `None` where it is not installed. It refuses to run as root, and runs
    /// as the user that Debian made for it then.
    pub fn start(directory: &Path) -> Option<Self> {
        let programs = programs()?;
        let data = directory.join("postgres");
        std::fs::create_dir_all(&data).unwrap();
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let command = |program: &str| {
            let program = programs.join(program);
            if is_root {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
                command.arg(program);
                command
            } else {
                Command::new(program)
            }
        };
        if is_root {
            let owner = Command::new("chown").arg("postgres").arg(&data).status();
            assert!(owner.unwrap().success());
            // The directories above belong to the benchmark alone.
            let open = Command::new("chmod").arg("o+x").arg(directory).status();
            assert!(open.unwrap().success());
        }
        let made = command("initdb")
            .args(["--username=bench", "--auth=trust", "--no-sync", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success(), "initdb");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let process = command("postgres")
            .args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string(), "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self { process, port })
    }

    pub fn connect(&self, query: &str) -> Simple {
        let begun = Instant::now();
        loop {
            match Simple::connect(self.port, query) {
                Ok(client) => return client,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "PostgreSQL: {error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where Debian puts the newest PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders
        .filter(|folder| folder.join("postgres").exists())
        .max()
}
