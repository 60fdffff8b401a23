//! Every string that people read, through Fluent. `t!("id")` or `t!("id", name = value)`.

use std::borrow::Cow;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

const LOCALES: [(&str, &str); 2] = [
    ("en", include_str!("../../resources/locales/en.ftl")),
    ("de", include_str!("../../resources/locales/de.ftl")),
];

/// Translated text: `t!("id")`, `t!("id", count = 3)`.
#[macro_export]
macro_rules! t {
    ($id:literal) => {
        $crate::i18n::translate($id, &[])
    };
    ($id:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::i18n::translate($id, &[$((stringify!($name), $value.into())),+])
    };
}

/// The chosen language, then English for what it lacks.
struct Words {
    bundles: Vec<FluentBundle<FluentResource>>,
}

impl Words {
    fn load(wanted: &str) -> Self {
        let language = wanted.split(['-', '_', '.']).next().unwrap_or_default();
        let chosen = LOCALES
            .iter()
            .filter(|(name, _)| *name == language && *name != "en");
        let english = LOCALES.iter().filter(|(name, _)| *name == "en");
        Self {
            bundles: chosen
                .chain(english)
                .filter_map(|(name, text)| bundle(name, text))
                .collect(),
        }
    }
}

fn bundle(name: &str, text: &str) -> Option<FluentBundle<FluentResource>> {
    let language: LanguageIdentifier = name.parse().ok()?;
    let resource = match FluentResource::try_new(text.to_owned()) {
        Ok(resource) => resource,
        Err((resource, errors)) => {
            log::warn!("The locale {name} has {} mistakes.", errors.len());
            resource
        }
    };
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // The marks around arguments would show as boxes in fonts without them.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    Some(bundle)
}

fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        let wanted = if cfg!(test) {
            None
        } else {
            std::env::var("POSTHORN_LANG")
                .ok()
                .or_else(sys_locale::get_locale)
        };
        Words::load(wanted.as_deref().unwrap_or("en"))
    })
}

/// The text of `id` in the user's language; the id itself where nobody wrote it.
#[must_use]
pub fn translate(id: &str, arguments: &[(&str, FluentValue<'_>)]) -> String {
    let args: Option<FluentArgs<'_>> = (!arguments.is_empty()).then(|| {
        arguments
            .iter()
            .map(|(name, value)| (Cow::from(*name), value.clone()))
            .collect()
    });
    for bundle in &words().bundles {
        if let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) {
            let mut errors = Vec::new();
            let text = bundle.format_pattern(pattern, args.as_ref(), &mut errors);
            if !errors.is_empty() {
                log::warn!("The text {id} misses an argument.");
            }
            return text.into_owned();
        }
    }
    log::warn!("The text {id} is not written in any language.");
    id.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn ids(text: &str) -> BTreeSet<String> {
        text.lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
            .filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()))
            .collect()
    }

    fn sources(folder: &Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                into.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    fn used() -> BTreeSet<String> {
        let mut text = String::new();
        sources(Path::new(env!("CARGO_MANIFEST_DIR")), &mut text);
        // Wraps `t!`.
        let text = text.replace("counted!(", " t!(");
        let mut ids = BTreeSet::new();
        let mut before = ' ';
        for piece in text.split_inclusive("t!(") {
            let named = piece
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next());
            // Not `format!(` and its like.
            if before == 't'
                && let Some(id) = named
                && !id.is_empty()
                && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            {
                ids.insert(id.to_owned());
            }
            let head = piece.strip_suffix("t!(").unwrap_or_default();
            let joined = head.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            before = if joined { ' ' } else { 't' };
        }
        ids.remove("id");
        ids
    }

    #[test]
    fn every_language_has_every_text_that_the_code_names() {
        let used = used();
        for (name, text) in LOCALES {
            let written = ids(text);
            let missing: Vec<_> = used.difference(&written).collect();
            let idle: Vec<_> = written.difference(&used).collect();
            assert!(missing.is_empty(), "{name} lacks {missing:?}");
            assert!(idle.is_empty(), "{name} has texts that nothing uses: {idle:?}");
        }
    }

    #[test]
    fn every_language_parses() {
        for (name, text) in LOCALES {
            if let Err((_, errors)) = FluentResource::try_new(text.to_owned()) {
                panic!("{name}: {errors:?}");
            }
        }
    }

    #[test]
    fn falls_back_to_english_and_then_to_the_id() {
        assert_eq!(translate("no-such-text", &[]), "no-such-text");
        assert_eq!(Words::load("xx").bundles.len(), 1);
        assert_eq!(Words::load("de_DE.UTF-8").bundles.len(), 2);
    }
}
