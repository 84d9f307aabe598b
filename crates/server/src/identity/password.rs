//! Passwords: argon2id, at most two verifications at once, and a brake per login and address.
//!
//! The brake counts failures of a (login, address) pair, so a stranger who guesses at `sa` slows down
//! only their own address.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Verifications that run at the same time: each takes [`ARGON2_MEMORY_KIB`] and a core.
pub const VERIFICATIONS_AT_ONCE: usize = 2;
/// Logins that may wait for a verification; one more is turned away.
pub const VERIFICATIONS_WAITING_MAX: usize = 256;
/// Longest wait for a verification's turn.
const VERIFICATION_WAIT_MAX: Duration = Duration::from_secs(15);
/// Memory of one argon2id computation. Source: RFC 9106, section 4, second choice is 64 MiB; OWASP's floor
/// is 19 MiB, taken here because a target's whole idle budget is 15 MB.
const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Passes of one computation.
const ARGON2_PASSES: u32 = 2;
/// Failures of one login from one address before its answers are delayed.
const FREE_FAILURES: u32 = 5;
/// How long a pair stays refused once it has failed [`FREE_FAILURES`] times, doubling up to the maximum.
const BRAKE_FIRST: Duration = Duration::from_secs(1);
const BRAKE_MAX: Duration = Duration::from_secs(60);
/// A pair that is quiet this long is forgotten.
const FORGIVEN_AFTER: Duration = Duration::from_secs(300);
/// Pairs remembered; beyond that the quietest are forgotten.
const PAIRS_MAX: usize = 4_096;
/// Longest password looked at, in bytes; 128 UTF-16 units at the most on the wire.
const PASSWORD_BYTES_MAX: usize = 512;

/// Verified against when the login does not exist, so that the time taken tells nothing. A hash of the
/// parameters above that no password is known for.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bXVzdGVyIGRlY295IHNhbHQ$\
                     bm8gcGFzc3dvcmQgaXMga25vd24gZm9yIHRoaXMgaGE";

/// Why a password was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Wrong password, or no such login: callers are not told which.
    #[error("login failed")]
    Wrong,
    /// Too many failures of this login from this address; try again later.
    #[error("too many failed logins from this address")]
    Braked,
    /// Too many logins wait already.
    #[error("too many logins at once")]
    Busy,
}

/// Hashes and verifies.
pub struct PasswordVault {
    turns: Mutex<Turns>,
    freed: Condvar,
    failures: Mutex<BTreeMap<(String, IpAddr), Failures>>,
}

#[derive(Default)]
struct Turns {
    running: usize,
    waiting: usize,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Default for PasswordVault {
    fn default() -> Self {
        Self::new()
    }
}

impl PasswordVault {
    /// A vault with nothing remembered.
    #[must_use]
    pub fn new() -> Self {
        Self {
            turns: Mutex::default(),
            freed: Condvar::new(),
            failures: Mutex::default(),
        }
    }

    /// Verifies `password` against `stored` (a PHC string; `None`: no such login). Blocks for the
    /// computation and for its turn.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(
        &self,
        login: &str,
        address: IpAddr,
        password: &str,
        stored: Option<&str>,
        now: Instant,
    ) -> Result<(), VerifyError> {
        let pair = (login.to_lowercase(), address);
        if self.is_braked(&pair, now) {
            return Err(VerifyError::Braked);
        }
        let right = {
            let _turn = self.take_turn()?;
            verify_hash(password, stored.unwrap_or(DECOY)) && stored.is_some()
        };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if right {
            failures.remove(&pair);
            return Ok(());
        }
        if failures.len() >= PAIRS_MAX && !failures.contains_key(&pair) {
            failures.retain(|_, seen| now.saturating_duration_since(seen.last) < FORGIVEN_AFTER);
            if failures.len() >= PAIRS_MAX {
                let quietest = failures
                    .iter()
                    .min_by_key(|(_, seen)| seen.last)
                    .map(|(pair, _)| pair.clone());
                if let Some(quietest) = quietest {
                    failures.remove(&quietest);
                }
            }
        }
        let entry = failures.entry(pair).or_insert(Failures {
            count: 0,
            last: now,
        });
        entry.count = entry.count.saturating_add(1);
        entry.last = now;
        Err(VerifyError::Wrong)
    }

    fn is_braked(&self, pair: &(String, IpAddr), now: Instant) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(seen) = failures.get(pair).copied() else {
            return false;
        };
        let quiet = now.saturating_duration_since(seen.last);
        if quiet >= FORGIVEN_AFTER {
            failures.remove(pair);
            return false;
        }
        let Some(over) = seen.count.checked_sub(FREE_FAILURES) else {
            return false;
        };
        let brake = BRAKE_FIRST.saturating_mul(1 << over.min(16)).min(BRAKE_MAX);
        quiet < brake
    }

    fn take_turn(&self) -> Result<Turn<'_>, VerifyError> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.waiting >= VERIFICATIONS_WAITING_MAX {
            return Err(VerifyError::Busy);
        }
        turns.waiting += 1;
        let (mut turns, timeout) = self
            .freed
            .wait_timeout_while(turns, VERIFICATION_WAIT_MAX, |turns| {
                turns.running >= VERIFICATIONS_AT_ONCE
            })
            .unwrap_or_else(PoisonError::into_inner);
        turns.waiting -= 1;
        if timeout.timed_out() {
            return Err(VerifyError::Busy);
        }
        turns.running += 1;
        Ok(Turn { vault: self })
    }
}

struct Turn<'a> {
    vault: &'a PasswordVault,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut turns = self
            .vault
            .turns
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        turns.running -= 1;
        drop(turns);
        self.vault.freed.notify_one();
    }
}

/// Hashes a password with a fresh salt, as a PHC string.
///
/// # Errors
/// When the system gives no randomness, or the password is longer than any client can send.
pub fn hash(password: &str) -> Result<String, super::IdentityError> {
    let failed = super::IdentityError::Crypto("hashing a password failed");
    let mut salt = [0u8; 16];
    if password.len() > PASSWORD_BYTES_MAX || getrandom::fill(&mut salt).is_err() {
        return Err(failed);
    }
    let Ok(salt) = SaltString::encode_b64(&salt) else {
        return Err(failed);
    };
    argon2()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| failed)
}

/// A password nobody chose: 20 characters of an alphabet without look-alikes, about 114 bits.
///
/// # Errors
/// When the system gives no randomness.
pub fn random_password() -> Result<String, super::IdentityError> {
    const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut password = String::with_capacity(20);
    while password.len() < 20 {
        let mut byte = [0u8; 1];
        getrandom::fill(&mut byte).map_err(|_| super::IdentityError::Crypto("no randomness"))?;
        // Rejecting the overhang keeps every character as likely as any other.
        let usable = 256 / ALPHABET.len() * ALPHABET.len();
        if usize::from(byte[0]) < usable {
            password.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
        }
    }
    Ok(password)
}

/// Whether a stored hash is that of a password.
pub(crate) fn verify_hash(password: &str, stored: &str) -> bool {
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    if let Some(hex) = stored.strip_prefix(msdb::SQL_SERVER_HASH_PREFIX) {
        // As long as any other, so that the time taken does not tell where a login came from.
        verify_hash(password, DECOY);
        return is_of_sql_server(password, hex);
    }
    PasswordHash::new(stored)
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Whether a hash that came from a SQL Server is that of a password: version 0x0200, four bytes of salt, and SHA-512 of
/// the password in UTF-16 and the salt.
fn is_of_sql_server(password: &str, hex: &str) -> bool {
    let bytes: Option<Vec<u8>> = (0..hex.len())
        .step_by(2)
        .map(|at| {
            let digits = hex.get(at..at + 2)?;
            u8::from_str_radix(digits, 16).ok()
        })
        .collect();
    let Some([2, 0, salted @ ..]) = bytes.as_deref() else {
        return false;
    };
    let Some((salt, known)) = salted.split_at_checked(4) else {
        return false;
    };
    let mut text: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    text.extend(salt);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, &text);
    aws_lc_rs::constant_time::verify_slices_are_equal(digest.as_ref(), known).is_ok()
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, SystemClock};

    #[test]
    fn guesses_are_braked_per_login_and_address() {
        let vault = PasswordVault::new();
        let stored = hash("right").unwrap();
        let now = SystemClock::new(jiff::tz::TimeZone::UTC).monotonic();
        let guesser: IpAddr = "192.0.2.1".parse().unwrap();
        let owner: IpAddr = "192.0.2.2".parse().unwrap();
        for _ in 0..FREE_FAILURES {
            assert_eq!(
                vault.verify("sa", guesser, "wrong", Some(&stored), now),
                Err(VerifyError::Wrong)
            );
        }
        assert_eq!(
            vault.verify("SA", guesser, "right", Some(&stored), now),
            Err(VerifyError::Braked)
        );
        assert_eq!(
            vault.verify("sa", owner, "right", Some(&stored), now),
            Ok(())
        );
        let later = now + BRAKE_FIRST;
        assert_eq!(
            vault.verify("sa", guesser, "right", Some(&stored), later),
            Ok(())
        );
        assert_eq!(
            vault.verify("nobody", owner, "decoy", None, now),
            Err(VerifyError::Wrong)
        );
    }

    /// A hash as SQL Server 2012 and later make them, of a script that moves logins.
    #[test]
    fn hashes_of_sql_server_are_known() {
        let hash = concat!(
            "mssql:02004F2D1C0B8E09CF36FA4F20789D7537C1AD9BB9D95BFB180B17E61412B07ED3D6DE0DB46A",
            "C99D2DEEB63F065EE136F4DDA59D130645AE46E0250FCD0DCA9CA25D5CA8EC96"
        );
        for (password, stored, right) in [
            ("Correct horse 1", hash, true),
            ("correct horse 1", hash, false),
            ("Correct horse 1", &hash[..hash.len() - 2], false),
            ("Correct horse 1", "mssql:0100", false),
            ("Correct horse 1", "mssql:", false),
            ("Correct horse 1", "mssql:02zz", false),
        ] {
            assert_eq!(verify_hash(password, stored), right, "{password} {stored}");
        }
    }
}
