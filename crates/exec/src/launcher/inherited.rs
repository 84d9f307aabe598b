//! Files that this process got from whoever started it.
#![expect(
    unsafe_code,
    reason = "closing a file by its number has no safe form, and nothing else can close what was inherited"
)]

/// Closes every inherited file but the standard three. A service started from a shell may hold locks,
/// pipes or sockets of that shell; a launcher outlives the service and must not keep them, nor hand
/// them to steps. To be called before this process opens anything itself.
pub(super) fn close_files() {
    let Ok(listing) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    // Collected first, so that the listing's own file is closed before numbers are looked at.
    let numbers: Vec<i32> = listing
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in numbers {
        // The listing's own number is among them, and closed already.
        if std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok() {
            // SAFETY: the number is open, as was just seen in the only thread, and the caller promises
            // that this process has opened nothing yet, so no value in it owns the file.
            unsafe { rustix::io::close(number) };
        }
    }
}
