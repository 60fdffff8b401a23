//! Compressed RTF ([MS-OXRTFCP]): a window of 4,096 bytes that begins with the words of every document.

/// What the window holds at first (section 3.1.1).
const START: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW: usize = 4_096;
/// What comes out at most.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The document; `None` where it is neither compressed nor stored in the ways that are known. What is damaged gives
/// its beginning.
pub(super) fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    let kind = bytes.get(8..12)?;
    let body = bytes.get(16..)?;
    let size = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    let most = usize::try_from(size).ok()?.min(MAX_BYTES);
    match kind {
        b"MELA" => body.get(..most.min(body.len())).map(<[u8]>::to_vec),
        b"LZFu" => Some(unfold(body, most)),
        _ => None,
    }
}

fn unfold(body: &[u8], most: usize) -> Vec<u8> {
    let mut window = [b' '; WINDOW];
    for (slot, byte) in window.iter_mut().zip(START) {
        *slot = *byte;
    }
    let mut at = START.len();
    let mut out = Vec::with_capacity(most.min(body.len().saturating_mul(4)));
    let mut bytes = body.iter().copied();
    let mut put = |byte: u8, at: &mut usize, window: &mut [u8; WINDOW]| {
        if let Some(slot) = window.get_mut(*at) {
            *slot = byte;
        }
        *at = (*at + 1) % WINDOW;
        out.push(byte);
        out.len() < most
    };
    'runs: while let Some(control) = bytes.next() {
        for bit in 0..8 {
            if control >> bit & 1 == 0 {
                let Some(byte) = bytes.next() else { break 'runs };
                if !put(byte, &mut at, &mut window) {
                    break 'runs;
                }
                continue;
            }
            let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
                break 'runs;
            };
            let reference = usize::from(u16::from_be_bytes([high, low]));
            let (mut from, length) = (reference >> 4, (reference & 15) + 2);
            // A reference to the place that is written next is the end.
            if from == at {
                break 'runs;
            }
            for _ in 0..length {
                let byte = window.get(from).copied().unwrap_or_default();
                from = (from + 1) % WINDOW;
                if !put(byte, &mut at, &mut window) {
                    break 'runs;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfolds_documents() {
        assert_eq!(START.len(), 207);
        // The example of section 3.1.1.1.
        let bytes = [
            0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a,
            0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c,
            0x09, 0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        let text = decompress(&bytes).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(
            text.as_deref(),
            Some("{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n")
        );
        let stored = [&[0_u8; 4][..], &[5, 0, 0, 0], b"MELA", &[0; 4], b"{\\rtf} rest"].concat();
        assert_eq!(decompress(&stored).as_deref(), Some(b"{\\rtf".as_slice()));
        assert_eq!(decompress(b"short"), None);
        assert_eq!(decompress(&[0; 40]), None);
    }
}
