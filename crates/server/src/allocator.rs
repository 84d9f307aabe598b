//! Bounds of the system's allocator, set once before anything else runs; and giving back what is free.
//!
//! The GNU allocator learns from freed blocks: after the first large one it keeps blocks of that size, in one
//! pool per thread. A password takes 19 MiB to verify, so a burst of logins on many threads left hundreds of
//! megabytes behind.

/// Blocks from this size on go back to the system when they are freed.
#[cfg(target_env = "gnu")]
const RETURNED_BYTES_MIN: i32 = 1024 * 1024;
/// Pools that threads share.
#[cfg(target_env = "gnu")]
const POOLS_MAX: i32 = 4;

/// Sets the bounds. Call it before threads are started; elsewhere than on the GNU C library it does nothing.
#[cfg_attr(
    target_env = "gnu",
    expect(unsafe_code, reason = "the allocator's settings are a C function")
)]
pub fn bound() {
    #[cfg(target_env = "gnu")]
    for (setting, value) in [
        (libc::M_MMAP_THRESHOLD, RETURNED_BYTES_MIN),
        (libc::M_ARENA_MAX, POOLS_MAX),
    ] {
        // SAFETY: mallopt takes two integers and changes the allocator's own settings alone. A refused
        // value leaves the default, which costs memory and nothing else.
        unsafe {
            libc::mallopt(setting, value);
        }
    }
}

/// Gives free memory back to the system. Takes milliseconds, in which other threads may wait for the allocator;
/// elsewhere than on the GNU C library it does nothing.
#[cfg_attr(
    target_env = "gnu",
    expect(unsafe_code, reason = "the allocator's functions are C functions")
)]
pub fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes the number of bytes to leave at the top of the heap and touches free memory alone.
    unsafe {
        libc::malloc_trim(0);
    }
}
