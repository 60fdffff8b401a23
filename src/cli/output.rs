//! The only way to the terminal.

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter};
use std::io::{self, IsTerminal, Write};

use crate::clean;
use crate::failure::Failure;

/// Where a command prints.
pub struct Output {
    json: bool,
    out: Box<dyn Write>,
    /// In terminal cells.
    width: usize,
}

impl Output {
    #[must_use]
    pub fn standard(json: bool) -> Self {
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        Self {
            json,
            out: Box::new(io::BufWriter::new(io::stdout())),
            width: columns.unwrap_or(110),
        }
    }

    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The command's one document.
    ///
    /// # Errors
    /// Where nobody reads it.
    pub fn document(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        self.write_json(value, Guarded(PrettyFormatter::new()))
    }

    /// One line of a stream, seen at once.
    ///
    /// # Errors
    /// Where nobody reads it.
    pub fn stream(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        self.write_json(value, Guarded(CompactFormatter))?;
        self.finish()
    }

    fn write_json(&mut self, value: &impl Serialize, formatter: impl Formatter) -> Result<(), Failure> {
        let mut serializer = serde_json::Serializer::with_formatter(&mut self.out, formatter);
        value
            .serialize(&mut serializer)
            .map_err(|error| Failure::of_output(&error.into()))?;
        self.bytes(b"\n")
    }

    /// One line of text.
    ///
    /// # Errors
    /// Where nobody reads it.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(clean::line(text).trim_end().as_bytes())?;
        self.bytes(b"\n")
    }

    /// Text of several lines.
    ///
    /// # Errors
    /// Where nobody reads it.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        let text = clean::lines(text);
        self.bytes(text.as_bytes())?;
        if text.ends_with('\n') {
            Ok(())
        } else {
            self.bytes(b"\n")
        }
    }

    /// Bytes exactly as they are.
    ///
    /// # Errors
    /// Where nobody reads them.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out
            .write_all(bytes)
            .map_err(|error| Failure::of_output(&error))
    }

    /// Hands on what is still kept back.
    ///
    /// # Errors
    /// Where nobody reads it.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| Failure::of_output(&error))
    }

    /// A word beside the result: stderr.
    pub fn note(&self, text: &str) {
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(io::stderr().lock(), "posthorn: {}", clean::line(text));
    }

    /// Why the command failed: the JSON document, and the words on stderr for people.
    pub fn complain(&mut self, failure: &Failure) {
        let told = self.json
            && self
                .document(&serde_json::json!({ "error": failure.to_json() }))
                .and_then(|()| self.finish())
                .is_ok();
        if !told || io::stderr().is_terminal() {
            let _ = writeln!(
                io::stderr().lock(),
                "posthorn: {}",
                clean::lines(&failure.to_text())
            );
        }
    }
}

/// JSON lets C1 and bidirectional controls stand as they are; a terminal would obey them.
struct Guarded<F>(F);

impl<F: Formatter> Formatter for Guarded<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| clean::is_unsafe(*c)) {
            let (safe, tail) = rest.split_at(at);
            self.0.write_string_fragment(writer, safe)?;
            write!(writer, "\\u{:04x}", u32::from(c))?;
            rest = tail.strip_prefix(c).unwrap_or_default();
        }
        self.0.write_string_fragment(writer, rest)
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }
    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }
    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn printed(act: impl FnOnce(&mut Output)) -> String {
        let kept = Kept::default();
        let mut output = Output {
            json: true,
            out: Box::new(kept.clone()),
            width: 80,
        };
        act(&mut output);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_holds_no_terminal_control_and_reads_back() {
        for text in [
            "a\u{1b}[2Jb",
            "\u{9b}2J",
            "\u{202e}cod.exe",
            "\"quoted\" \\ ü 漢",
            "",
            "\u{2066}",
            "x\u{85}",
        ] {
            let value = serde_json::json!({ "subject": [text] });
            for line in [
                printed(|output| output.document(&value).unwrap()),
                printed(|output| output.stream(&value).unwrap()),
            ] {
                assert!(
                    !line.chars().any(|c| c != '\n' && clean::is_unsafe(c)),
                    "{line:?}"
                );
                let read: serde_json::Value = serde_json::from_str(&line).unwrap();
                assert_eq!(read, value);
            }
        }
    }

    #[test]
    fn text_holds_no_terminal_control() {
        assert_eq!(
            printed(|output| output.line("a\u{1b}[2J\nb").unwrap()),
            "a\u{fffd}[2J b\n"
        );
        assert_eq!(
            printed(|output| output.text("a\r\nb\u{7}").unwrap()),
            "a\nb\u{fffd}\n"
        );
        assert_eq!(printed(|output| output.bytes(b"\x1b").unwrap()), "\u{1b}");
    }
}
