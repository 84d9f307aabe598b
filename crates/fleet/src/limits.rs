//! Named bounds of the fleet protocol. Sizes are in bytes unless the name says otherwise.

use std::time::Duration;

/// Body of one frame. A longer message goes out as several frames.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// A message before the peer is admitted: hellos and enlistments.
pub const HELLO_BYTES_MAX: usize = 64 * 1024;
/// A message of an admitted target to its master.
pub const TARGET_MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A message of the master to a target; holds the largest job document.
pub const MASTER_MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// One encoded instruction with its job document. A larger one blocks its target with a text that says so.
pub const INSTRUCTION_BYTES_MAX: usize = MASTER_MESSAGE_BYTES_MAX - 64 * 1024;
/// Instructions of one fetch.
pub const DOWNLOAD_BATCH_ROWS_MAX: usize = 256;
/// Encoded instructions of one fetch; a batch holds at least one.
pub const DOWNLOAD_BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Rows of one batch of reports.
pub const REPORT_BATCH_ROWS_MAX: usize = 512;
/// Encoded rows of one batch of reports; a batch holds at least one.
pub const REPORT_BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Output of one report row; what is longer keeps its beginning and says that it was cut.
pub const REPORT_OUTPUT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Refused instructions a target may hold before it stops fetching until the master has them.
pub const REFUSALS_PENDING_MAX: usize = 512;
/// Text of a refusal, a failure or a reason, in UTF-16 units.
pub const TEXT_UNITS_MAX: usize = 1_024;
/// Free text about where a target is, in UTF-16 units. Source: `systargetservers.location`.
pub const LOCATION_UNITS_MAX: usize = 200;
/// Other short texts a peer sends (versions, addresses, logins), in UTF-16 units.
pub const SHORT_TEXT_UNITS_MAX: usize = 512;
/// Addresses a master tells its targets.
pub const ADDRESSES_MAX: usize = 32;
/// Certificates of a chain.
pub const CHAIN_CERTIFICATES_MAX: usize = 8;
/// One certificate or signing request.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Messages that may wait to be sent; a peer that lets more pile up is not reading.
pub const OUTBOX_MESSAGES_MAX: usize = 64;

/// Time a fresh connection has to say its hello.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Time a connection attempt may take, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Time a peer has to answer what asks for an answer.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest silence a target allows itself, whatever its poll interval, so that either end notices a peer
/// that is gone without a word.
pub const KEEP_ALIVE: Duration = Duration::from_secs(240);
/// How long a master waits beyond a target's longest silence before it takes the connection for dead.
pub const SILENCE_GRACE: Duration = Duration::from_secs(60);
/// First wait after a broken connection when the master advised nothing.
pub const BACKOFF_BASE_DEFAULT: Duration = Duration::from_secs(1);
/// Longest wait between attempts when the master advised nothing.
pub const BACKOFF_MAX_DEFAULT: Duration = Duration::from_secs(60);
/// Longest wait a master may advise.
pub const BACKOFF_ADVICE_MAX: Duration = Duration::from_secs(3_600);
/// How long a target lets the word that it carried out orders wait for more of them. Not needed by anybody at
/// once, it would take the master a commit just while the processes it started start.
pub const RESULTS_SETTLE: Duration = Duration::from_millis(20);
/// How long a target that can't store something waits before it tries again.
pub const STORE_RETRY: Duration = Duration::from_secs(5);
/// How long a leaving target lets its last reports go first.
pub const LEAVE_FLUSH_MAX: Duration = Duration::from_secs(10);
