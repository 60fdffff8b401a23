//! Who writes. None of them exists.

/// A correspondent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: &'static str,
    pub email: &'static str,
    /// Hours east of Greenwich: for their Date headers.
    pub zone: i64,
}

const fn person(name: &'static str, email: &'static str, zone: i64) -> Person {
    Person { name, email, zone }
}

/// Whoever tries the program: replaced by the sandbox's first user.
pub const ME: Person = person("", "", 1);

pub const ALEX: Person = person("Alex Sample", "alex@example.org", 1);
pub const MIRA: Person = person("Mira Muster", "mira.muster@example.org", 1);
pub const TOM: Person = person("Tom Specimen", "tom@specimen.example", 0);
pub const INES: Person = person("Inês Exemplo", "ines.exemplo@example.com", 0);
pub const JOERG: Person = person("Jörg Beispiel", "joerg.beispiel@example.net", 1);
pub const NOOR: Person = person("Noor Template", "noor@template.example", 1);
pub const DANA: Person = person("דנה דוגמה", "dana@example.net", 2);
pub const LAYLA: Person = person("ليلى مثال", "layla@example.com", 3);
pub const HANAKO: Person = person("見本 花子", "hanako.mihon@example.com", 9);
pub const IVAN: Person = person("Иван Образцов", "ivan.obraztsov@example.org", 3);
pub const ELENI: Person = person("Ελένη Υπόδειγμα", "eleni@example.net", 2);
pub const PAINTER: Person = person("Placeholder & Daughters, painters", "office@painters.example", 0);
pub const LIBRARY: Person = person("Example Town Library", "notices@library.example", 1);
pub const RAILWAY: Person = person("Example Railways", "tickets@railway.example", 1);
pub const NEWSLETTER: Person = person("The Weekly Specimen", "hello@weekly.example.com", -5);
pub const BOATS: Person = person("Paper boats", "paper-boats@lists.example.org", 0);
pub const HARBOUR: Person = person("The Harbour Letter", "letter@harbour.example.com", 1);
pub const STATIONER: Person = person("Example Stationers", "orders@stationer.example", 1);
pub const SANDBOX: Person = person("Your sandbox", "sandbox@example.org", 1);
pub const POSTMASTER: Person = person("Mail delivery", "postmaster@sandbox.example.org", 0);
pub const PRIZE: Person = person("International Prize Office", "winner@prizes.example", 4);
pub const CHEAP: Person = person("Very Cheap Ink", "offers@ink.example", -8);
