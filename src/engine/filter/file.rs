//! The user's rules in `filters.toml`: readable by people, replaced in one step, in the order in which they are tried.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use posthorn_model::filter::{MOST, Rule};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::config::write_whole;
use crate::profile::disk;

const HEADER: &str = "# Posthorn's filters, tried in this order on mail that arrives in an inbox.\n\n";

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default, rename = "filter", skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule>,
}

/// The rules of a profile, as they are in the file.
#[derive(Debug)]
pub struct Rules {
    path: PathBuf,
    list: Arc<[Rule]>,
    /// Why the file cannot be understood: no rule is applied then, and none changed.
    broken: Option<String>,
}

impl Rules {
    /// Reads the file; without one there are no rules. A file that cannot be understood keeps no mail from coming:
    /// see [`Rules::trouble`].
    ///
    /// # Errors
    /// `Disk`.
    pub fn load(config_dir: &Path) -> Result<Self, Error> {
        let path = config_dir.join("filters.toml");
        let read = match fs::read_to_string(&path) {
            Ok(text) => parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err("it is not text".to_owned()),
            Err(error) => return Err(disk(&path, "read", &error)),
        };
        let (list, broken) = match read {
            Ok(list) => (list, None),
            Err(why) => (
                Vec::new(),
                Some(format!(
                    "no filter is applied: cannot understand {}: {why}",
                    path.display()
                )),
            ),
        };
        Ok(Self {
            path,
            list: list.into(),
            broken,
        })
    }

    #[must_use]
    pub fn list(&self) -> Arc<[Rule]> {
        Arc::clone(&self.list)
    }

    /// Why no rule is applied.
    #[must_use]
    pub fn trouble(&self) -> Option<Error> {
        self.broken.clone().map(Error::config)
    }

    /// Replaces all rules, in the file too.
    ///
    /// # Errors
    /// `Config` for rules that cannot work, and while the file cannot be understood; `Disk`.
    pub fn replace(&mut self, rules: Vec<Rule>) -> Result<(), Error> {
        if let Some(trouble) = self.trouble() {
            return Err(trouble);
        }
        check(&rules).map_err(Error::config)?;
        let document = Document { rules };
        let text = toml::to_string_pretty(&document)
            .map_err(|error| Error::bug(format!("cannot write the filters down: {error}")))?;
        write_whole(&self.path, format!("{HEADER}{text}").as_bytes())
            .map_err(|error| disk(&self.path, "write", &error))?;
        self.list = document.rules.into();
        Ok(())
    }
}

fn parse(text: &str) -> Result<Vec<Rule>, String> {
    let document: Document =
        toml::from_str(text).map_err(|error| error.to_string().trim().replace('\n', " "))?;
    check(&document.rules)?;
    Ok(document.rules)
}

/// What any set of rules must fulfil.
fn check(rules: &[Rule]) -> Result<(), String> {
    if rules.len() > MOST {
        return Err(format!("there are more than {MOST} filters"));
    }
    for (place, rule) in rules.iter().enumerate() {
        if rule.name.trim().is_empty() || rule.name.chars().any(char::is_control) {
            return Err("a filter has no name".to_owned());
        }
        let earlier = rules.iter().take(place);
        if earlier.into_iter().any(|other| other.name == rule.name) {
            return Err(format!("two filters are named {:?}", rule.name));
        }
        if rule.actions.is_empty() {
            return Err(format!("the filter {:?} does nothing", rule.name));
        }
        if rule.conditions.len() > MOST || rule.actions.len() > MOST {
            return Err(format!("the filter {:?} is too long", rule.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::filter::{Action, Condition, Matching};

    fn rule(name: &str) -> Rule {
        Rule {
            name: name.into(),
            enabled: true,
            account: Some(posthorn_model::AccountId(2)),
            matching: Matching::Any,
            conditions: vec![Condition::parse("list-id contains \"rust\"").expect("a condition")],
            actions: vec![Action::parse("move Lists/Rust").expect("an action"), Action::Read],
        }
    }

    #[test]
    fn rules_are_kept_as_people_write_them() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut rules = Rules::load(dir.path()).expect("none");
        assert!(rules.list().is_empty());
        rules.replace(vec![rule("b"), rule("a")]).expect("kept");
        let text = fs::read_to_string(dir.path().join("filters.toml")).expect("a file");
        assert!(text.contains("match = \"any\""), "{text}");
        assert!(text.contains("'list-id contains \"rust\"'"), "{text}");
        let again = Rules::load(dir.path()).expect("read");
        assert_eq!(*again.list(), [rule("b"), rule("a")]);
        for bad in [
            vec![rule("a"), rule("a")],
            vec![rule(" ")],
            vec![Rule {
                actions: Vec::new(),
                ..rule("idle")
            }],
        ] {
            assert!(rules.replace(bad).is_err());
        }
        assert_eq!(rules.list().len(), 2);
    }

    #[test]
    fn a_file_that_is_not_understood_is_left_as_it_is() {
        for text in [
            "[[filter]]\nname = \"a\"\nthen = [\"explode\"]\n",
            "[[filter]]\nname = \"a\"\n",
            "[[filter]]\nname = \"a\"\nthen = []\n",
            "colour = 1\n",
            "\u{0}",
        ] {
            let dir = tempfile::tempdir().expect("a directory");
            let path = dir.path().join("filters.toml");
            fs::write(&path, text).expect("written");
            let mut rules = Rules::load(dir.path()).expect("no failure");
            assert!(rules.list().is_empty() && rules.trouble().is_some(), "{text}");
            assert!(rules.replace(vec![rule("a")]).is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
        }
    }
}
