//! The program's own pages in memory: code and constants, which the system reads again from the file where they
//! are needed after all.
#![expect(
    unsafe_code,
    reason = "telling the system which pages are not needed has no safe form"
)]

use std::ffi::c_void;

/// The mappings of the program and of the libraries it is linked with.
#[derive(Debug)]
pub struct ProgramPages(Vec<Mapping>);

impl ProgramPages {
    /// Takes note of the mappings. To be called at the start, while this thread is the only one: what is mapped
    /// then stays mapped as it is until the process ends.
    #[must_use]
    pub fn note() -> Self {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
        Self(file_mappings(&maps))
    }

    /// Lets go of the pages. The process does not count them as its own until it uses them again, which costs a
    /// fault each few pages and, as long as the system keeps the file in memory, nothing else.
    pub fn give_back(&self) {
        for mapping in &self.0 {
            // SAFETY: the mapping is of a file, private, not writable, and no page of it differed from the file
            // when the list was made (it had no anonymous memory), so an access after this finds the same bytes
            // as before. It was made by the system when the program started, and nothing in this process unmaps
            // or changes the program or a library it is linked with; so the range still means the file.
            let _ = unsafe {
                rustix::mm::madvise(
                    mapping.start as *mut c_void,
                    mapping.length,
                    rustix::mm::Advice::LinuxDontNeed,
                )
            };
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    start: usize,
    length: usize,
}

/// Mappings in the text of `/proc/self/smaps` that hold nothing but what their files hold.
fn file_mappings(maps: &str) -> Vec<Mapping> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in maps.lines() {
        if let Some(count) = line.strip_prefix("Anonymous:") {
            let unchanged = count.trim() == "0 kB";
            found.extend(candidate.take().filter(|_| unchanged));
        } else if let Some(mapping) = header(line) {
            candidate = mapping;
        }
    }
    found
}

/// The mapping a header line tells of, where it is a private, read-only one of a file; `None` for lines
/// that are no headers.
fn header(line: &str) -> Option<Option<Mapping>> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    let fitting = matches!(words.next()?, "r-xp" | "r--p")
        && words.nth(2).is_some_and(|inode| inode != "0")
        && words.next().is_some_and(|path| path.starts_with('/'));
    Some(fitting.then_some(Mapping {
        start,
        length: end.checked_sub(start)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn the_program_goes_on_without_its_pages() {
        let pages = ProgramPages::note();
        let place = TABLE.as_ptr() as usize;
        let noted = pages
            .0
            .iter()
            .any(|mapping| (mapping.start..mapping.start + mapping.length).contains(&place));
        assert!(noted, "the constants are among what is let go of");
        let sum = || TABLE.iter().map(|byte| u64::from(*black_box(byte))).sum();
        let expected = TABLE_BYTES as u64 * u64::from(TABLE_BYTE);
        let read: u64 = sum();
        assert_eq!(read, expected);
        let before = resident_kb(place);
        assert!(before >= TABLE_BYTES / 1024, "{before} kB");
        pages.give_back();
        let after = resident_kb(place);
        // Others' tests read from the same mapping meanwhile.
        assert!(
            before - after.min(before) >= TABLE_BYTES / 1024 / 2,
            "{before} kB, then {after}"
        );
        let again: u64 = sum();
        assert_eq!(again, expected, "the same bytes come back");
    }

    /// Enough constants to be seen in what the process holds.
    const TABLE_BYTES: usize = 4 * 1024 * 1024;
    const TABLE_BYTE: u8 = 0xA5;
    static TABLE: [u8; TABLE_BYTES] = [TABLE_BYTE; TABLE_BYTES];

    /// What is resident of the mapping that holds an address.
    fn resident_kb(place: usize) -> usize {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in maps.lines() {
            if let Some(kb) = line.strip_prefix("Rss:").filter(|_| inside) {
                return kb.trim().trim_end_matches(" kB").parse().unwrap();
            }
            if let Some((start, end)) = line
                .split(' ')
                .next()
                .and_then(|range| range.split_once('-'))
            {
                let address = |text| usize::from_str_radix(text, 16);
                if let (Ok(start), Ok(end)) = (address(start), address(end)) {
                    inside = (start..end).contains(&place);
                }
            }
        }
        panic!("no mapping holds {place:x}");
    }

    #[test]
    fn only_unchanged_pages_of_files_go() {
        let maps = "\
1000-3000 r--p 00000000 fe:01 77 /bin/x
Rss: 8 kB
Anonymous: 0 kB
3000-4000 r-xp 00002000 fe:01 77 /bin/x
Anonymous:             0 kB
VmFlags: rd ex mr
4000-5000 r--p 00003000 fe:01 77 /bin/x
Anonymous: 4 kB
5000-6000 rw-p 00004000 fe:01 77 /bin/x
Anonymous: 0 kB
6000-7000 r--p 00000000 00:00 0
Anonymous: 0 kB
7000-8000 r-xp 00000000 00:00 0 [vdso]
Anonymous: 0 kB
8000-9000 r--s 00000000 fe:01 78 /shared
Anonymous: 0 kB
";
        let expected = [(0x1000, 0x2000), (0x3000, 0x1000)];
        let expected = expected.map(|(start, length)| Mapping { start, length });
        assert_eq!(file_mappings(maps), expected);
        assert_eq!(file_mappings("nonsense\n-\n1-g r-xp\n"), []);
    }
}
