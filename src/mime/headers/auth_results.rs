//! `Authentication-Results` (RFC 8601), as far as a reader needs it.

/// One method's verdict, lower case: `spf`, `pass`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodResult {
    pub method: String,
    pub result: String,
    /// `ptype.property` and its value, as `header.d` and `example.org`.
    pub properties: Vec<(String, String)>,
}

impl MethodResult {
    /// The domain in the first property of these names that has one, lower case.
    #[must_use]
    pub fn domain(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| {
            let (_, value) = self.properties.iter().find(|(known, _)| known == name)?;
            let domain = value.rsplit('@').next().unwrap_or_default();
            let domain = domain.trim_end_matches('.').to_ascii_lowercase();
            (!domain.is_empty() && domain.len() <= 255).then_some(domain)
        })
    }
}

/// Who says so, and what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthResults {
    /// The server that checked.
    pub server: String,
    pub results: Vec<MethodResult>,
}

impl AuthResults {
    /// Reads an unfolded value.
    #[must_use]
    pub fn read(value: &str) -> Self {
        let pieces = cut(value);
        let first = pieces.first().and_then(|first| first.first());
        // Microsoft's servers leave their id out and begin with a result.
        let nameless = first.is_none_or(|first| first.contains('='));
        let server = first.filter(|_| !nameless).cloned().unwrap_or_default();
        let pieces = pieces.iter().skip(usize::from(!nameless));
        let results = pieces.filter_map(|words| read_result(words)).take(50).collect();
        Self { server, results }
    }

    /// The first verdict of a method.
    #[must_use]
    pub fn result(&self, method: &str) -> Option<&str> {
        self.results
            .iter()
            .find(|result| result.method == method)
            .map(|result| result.result.as_str())
    }
}

/// `dkim/1=pass reason="…" header.d=example.org` (section 2.2).
fn read_result(words: &[String]) -> Option<MethodResult> {
    let (first, rest) = words.split_first()?;
    let (method, result) = first.split_once('=')?;
    let properties = rest
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .take(20)
        .collect();
    Some(MethodResult {
        method: method.split('/').next().unwrap_or_default().to_ascii_lowercase(),
        result: result.to_ascii_lowercase(),
        properties,
    })
}

/// Words by piece, cut at semicolons and white space outside quotes; without comments, and without the white space
/// that may stand around an equals sign.
fn cut(value: &str) -> Vec<Vec<String>> {
    let mut pieces = vec![Vec::new()];
    let mut word = String::new();
    let (mut quoted, mut depth) = (false, 0_u32);
    let mut chars = value.chars().peekable();
    let close = |word: &mut String, pieces: &mut Vec<Vec<String>>| {
        if !word.is_empty()
            && let Some(piece) = pieces.last_mut()
        {
            piece.push(std::mem::take(word));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => word.extend(chars.next()),
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            ';' if !quoted => {
                close(&mut word, &mut pieces);
                if pieces.len() > 100 {
                    return pieces;
                }
                pieces.push(Vec::new());
            }
            c if c.is_whitespace() && !quoted => {
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
                if !word.ends_with('=') && chars.peek() != Some(&'=') {
                    close(&mut word, &mut pieces);
                }
            }
            c => word.push(c),
        }
    }
    close(&mut word, &mut pieces);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_verdicts() {
        let read = AuthResults::read(
            " mx.example.org 1; spf=pass (sender; is fine) smtp.mailfrom=x@y; dkim/1=Fail header.d=y; dmarc=none",
        );
        assert_eq!(read.server, "mx.example.org");
        assert_eq!(read.result("spf"), Some("pass"));
        assert_eq!(read.result("dkim"), Some("fail"));
        assert_eq!(read.result("dmarc"), Some("none"));
        assert_eq!(read.result("arc"), None);
        assert_eq!(AuthResults::read("").results, []);
        let read = AuthResults::read("mx; dkim = pass reason=\"a; b\" header.d=Example.ORG (x) header.i=@y");
        assert_eq!(read.results.len(), 1);
        assert_eq!(
            read.results[0].domain(&["header.d"]).as_deref(),
            Some("example.org")
        );
        assert_eq!(read.results[0].domain(&["header.i"]).as_deref(), Some("y"));
    }
}
