//! The system's fonts, under the names that mail is written for.
//!
//! Mail asks for Arial, Times and their like. Where those are not installed, fonts of the same widths stand in for
//! them, as fontconfig would have it, so that lines break where the sender saw them break.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use parley::FontContext;
use parley::fontique::{Blob, Collection, CollectionOptions, FontInfoOverride, GenericFamily, SourceCache};

/// Names that mail uses, and the fonts of the same widths that may stand for them, those that browsers take first.
const STAND_INS: &[(&str, &[&str])] = &[
    (
        "Arial",
        &[
            "Liberation Sans",
            "Arimo",
            "Albany",
            "Nimbus Sans",
            "TeX Gyre Heros",
        ],
    ),
    (
        "Helvetica",
        &[
            "Arial",
            "Liberation Sans",
            "Arimo",
            "Nimbus Sans",
            "TeX Gyre Heros",
        ],
    ),
    (
        "Times New Roman",
        &[
            "Liberation Serif",
            "Tinos",
            "Thorndale",
            "Nimbus Roman",
            "TeX Gyre Termes",
        ],
    ),
    (
        "Times",
        &[
            "Times New Roman",
            "Liberation Serif",
            "Tinos",
            "Nimbus Roman",
            "TeX Gyre Termes",
        ],
    ),
    (
        "Courier New",
        &[
            "Liberation Mono",
            "Cousine",
            "Cumberland",
            "Nimbus Mono PS",
            "TeX Gyre Cursor",
        ],
    ),
    (
        "Courier",
        &[
            "Courier New",
            "Liberation Mono",
            "Cousine",
            "Nimbus Mono PS",
            "TeX Gyre Cursor",
        ],
    ),
    ("Georgia", &["Gelasio"]),
    ("Verdana", &["Bitstream Vera Sans"]),
    ("Calibri", &["Carlito"]),
    ("Cambria", &["Caladea"]),
];

/// What browsers take for these; for a typewriter's letters they ask the system.
const GENERIC: &[(GenericFamily, &[&str])] = &[
    (
        GenericFamily::SansSerif,
        &["Arial", "Liberation Sans", "DejaVu Sans"],
    ),
    (
        GenericFamily::Serif,
        &["Times New Roman", "Liberation Serif", "DejaVu Serif"],
    ),
];

/// Read once for the process; a copy shares what was read.
pub(super) fn context() -> FontContext {
    static CONTEXT: OnceLock<Mutex<FontContext>> = OnceLock::new();
    CONTEXT
        .get_or_init(|| Mutex::new(read()))
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

fn read() -> FontContext {
    let mut fonts = FontContext {
        source_cache: SourceCache::new_shared(),
        collection: Collection::new(CollectionOptions {
            shared: false,
            system_fonts: true,
        }),
    };
    fonts
        .collection
        .register_fonts(Blob::new(Arc::new(blitz_dom::BULLET_FONT) as _), None);
    for (name, sources) in STAND_INS {
        stand_in(&mut fonts, name, sources);
    }
    for (generic, names) in GENERIC {
        let ours: Vec<_> = names
            .iter()
            .filter_map(|name| fonts.collection.family_id(name))
            .collect();
        if !ours.is_empty() {
            let theirs: Vec<_> = fonts.collection.generic_families(*generic).collect();
            fonts
                .collection
                .set_generic_families(*generic, ours.into_iter().chain(theirs));
        }
    }
    fonts
}

fn stand_in(fonts: &mut FontContext, name: &str, sources: &[&str]) {
    if fonts.collection.family_id(name).is_some() {
        return;
    }
    let Some(family) = sources
        .iter()
        .find_map(|source| fonts.collection.family_by_name(source))
    else {
        return;
    };
    for font in family.fonts() {
        if let Some(bytes) = font.load(Some(&mut fonts.source_cache)) {
            let named = FontInfoOverride {
                family_name: Some(name),
                ..FontInfoOverride::default()
            };
            fonts.collection.register_fonts(bytes, Some(named));
        }
    }
}
