//! `Authentication-Results` (RFC 8601), as far as a reader needs it.

/// One method's verdict, lower case: `spf`, `pass`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodResult {
    pub method: String,
    pub result: String,
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
        let bare = without_comments(value);
        let mut pieces = bare.split(';');
        let server = pieces
            .next()
            .and_then(|first| first.split_whitespace().next())
            .unwrap_or_default()
            .to_owned();
        let results = pieces
            .filter_map(|piece| piece.split_whitespace().next()?.split_once('='))
            .map(|(method, result)| MethodResult {
                method: method.split('/').next().unwrap_or_default().to_ascii_lowercase(),
                result: result.to_ascii_lowercase(),
            })
            .take(50)
            .collect();
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

fn without_comments(value: &str) -> String {
    let mut depth = 0_u32;
    value
        .chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' if depth > 0 => {
                    depth -= 1;
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
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
    }
}
