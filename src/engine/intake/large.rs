//! Where large messages are read to be understood: one at a time, and always in the same place.
//!
//! Once glibc has taken back a large piece of memory, it serves pieces of up to that size from its heaps, which then grow
//! with every thread that reads. A place that is never given back is all that large messages take.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use posthorn_mime::Parsed;

use super::abridge::{self, Abridged};

/// Octets up to which a message is read whole.
const WHOLE: usize = 6 << 20;

static PLACE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What a message in a file says, and its header block.
pub fn read(path: &Path, size: u64) -> io::Result<(Parsed, Vec<u8>)> {
    let mut place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    place.clear();
    place.reserve_exact(WHOLE);
    let abridged = if size > WHOLE as u64 {
        abridge::read(path, &mut place)?
    } else {
        File::open(path)?.read_to_end(&mut place)?;
        Abridged::default()
    };
    let mut parsed = posthorn_mime::parse(&place);
    abridged.correct(&mut parsed);
    let header = super::header_of(&place);
    place.clear();
    place.shrink_to(WHOLE);
    Ok((parsed, header))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn file(name: &str, octets: usize) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        write!(file, "Subject: {name}\r\n\r\nThe text of {name}.\r\n").expect("written");
        let line = b"One line of many that nobody reads to the end.\r\n";
        file.write_all(&line.repeat(octets / line.len()))
            .expect("written");
        file
    }

    #[test]
    fn nothing_of_one_message_is_seen_in_the_next() {
        for (name, octets) in [("small", 2 << 20), ("huge", 30 << 20), ("another", 2 << 20)] {
            let file = file(name, octets);
            let (parsed, header) = read(file.path(), octets as u64).expect("read");
            assert_eq!(parsed.envelope.subject, name);
            assert_eq!(header, format!("Subject: {name}\r\n").as_bytes());
            assert!(
                parsed.preview.starts_with(&format!("The text of {name}.")),
                "{}",
                parsed.preview
            );
        }
        let place = PLACE.lock().expect("the place");
        assert!(
            place.is_empty() && place.capacity() <= 2 * WHOLE,
            "{}",
            place.capacity()
        );
    }
}
