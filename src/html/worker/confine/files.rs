//! Which files can be read: Landlock.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

/// What the program and the library that finds fonts are loaded from, and what that library keeps. Nothing private
/// lies there.
const SYSTEM: &[&str] = &[
    "/usr",
    "/lib",
    "/lib64",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/var/cache/fontconfig",
    "/nix/store",
    "/gnu/store",
    "/run/current-system/sw",
    "/app",
    "/run/host/fonts",
    "/run/host/user-fonts",
    "/run/host/fonts-cache",
    "/run/host/user-fonts-cache",
    "/snap",
];

const FONTS: &[&str] = &[
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/texmf",
    "/usr/X11R6/lib/X11/fonts",
    "/nix/store",
    "/gnu/store",
    "/run/current-system/sw/share",
    "/app/share/fonts",
    "/run/host/fonts",
    "/run/host/user-fonts",
    "/snap",
];

/// Before fonts are found.
pub fn allow_system() -> bool {
    let mut paths: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    paths.extend(configuration());
    paths.extend(user_folders(&["fontconfig"], &[".fonts.conf", ".fonts.conf.d"]));
    paths.extend(fonts());
    allow_reading(&paths).unwrap_or(false)
}

/// After they are found: they are opened when a message first needs them.
pub fn allow_fonts() -> bool {
    allow_reading(&fonts()).unwrap_or(false)
}

fn allow_reading(paths: &[PathBuf]) -> Result<bool, RulesetError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V7))?
        .handle_access(AccessNet::from_all(ABI::V7))?
        .scope(Scope::from_all(ABI::V7))?
        .create()?
        .add_rules(path_beneath_rules(paths, AccessFs::ReadFile | AccessFs::ReadDir))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

fn fonts() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = FONTS.iter().map(PathBuf::from).collect();
    paths.extend(user_folders(&["fonts"], &[".fonts"]));
    for file in configuration() {
        let files = std::fs::read_dir(&file).map_or_else(
            |_| vec![file],
            |entries| entries.flatten().map(|entry| entry.path()).collect(),
        );
        for file in files {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            paths.extend(named_folders(&text));
        }
    }
    paths.retain(|path| is_narrow(path));
    paths
}

/// Where fontconfig reads what it is to do.
fn configuration() -> Vec<PathBuf> {
    let mut paths = vec![
        PathBuf::from("/etc/fonts/fonts.conf"),
        PathBuf::from("/etc/fonts/local.conf"),
        PathBuf::from("/etc/fonts/conf.d"),
    ];
    paths.extend(
        ["FONTCONFIG_FILE", "FONTCONFIG_PATH"]
            .iter()
            .filter_map(std::env::var_os)
            .map(PathBuf::from),
    );
    paths.extend(user_folders(
        &["fontconfig/fonts.conf", "fontconfig/conf.d"],
        &[".fonts.conf"],
    ));
    paths
}

/// Folders of the user's, by the XDG directories and by older names at home.
fn user_folders(below: &[&str], at_home: &[&str]) -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let mut paths = Vec::new();
    for (variable, usual) in [
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_CACHE_HOME", ".cache"),
    ] {
        let base = std::env::var_os(variable)
            .map(PathBuf::from)
            .or_else(|| Some(home.as_ref()?.join(usual)));
        paths.extend(
            base.iter()
                .flat_map(|base| below.iter().map(|name| base.join(name))),
        );
    }
    paths.extend(
        home.iter()
            .flat_map(|home| at_home.iter().map(|name| home.join(name))),
    );
    paths
}

/// The `<dir>` elements of a fontconfig file.
fn named_folders(text: &str) -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let mut folders = Vec::new();
    for element in text.split("<dir").skip(1) {
        let Some((head, rest)) = element.split_once('>') else {
            continue;
        };
        let Some((path, _)) = rest.split_once("</dir>") else {
            continue;
        };
        let path = path.trim();
        if let Some(rest) = path.strip_prefix("~/") {
            folders.extend(home.as_ref().map(|home| home.join(rest)));
        } else if path.starts_with('/') && !head.contains("xdg") {
            folders.push(PathBuf::from(path));
        }
    }
    folders
}

/// Whether a folder may be opened to the child: not the root, not a whole home, not where secrets lie.
fn is_narrow(path: &Path) -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let holds_home = home.is_some_and(|home| home.starts_with(path));
    let is_open = [
        "/", "/etc", "/home", "/root", "/proc", "/sys", "/dev", "/var", "/run", "/tmp", "/boot",
    ]
    .iter()
    .any(|open| path == Path::new(open));
    path.is_absolute() && !holds_home && !is_open && !path.components().any(|part| part.as_os_str() == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_lie_where_fontconfig_says() {
        let named = named_folders(
            "<fontconfig><!-- x --><dir>/opt/fonts</dir>\n<dir prefix=\"xdg\">fonts</dir><dir> /srv/a b </dir><dir>",
        );
        assert_eq!(named, [PathBuf::from("/opt/fonts"), PathBuf::from("/srv/a b")]);
    }

    #[test]
    fn a_folder_of_fonts_is_no_way_to_everything() {
        for (path, expect) in [
            ("/", false),
            ("/etc", false),
            ("/home", false),
            ("/opt/fonts", true),
            ("/usr/share/fonts", true),
            ("relative", false),
            ("/opt/../etc", false),
        ] {
            assert_eq!(is_narrow(Path::new(path)), expect, "{path}");
        }
    }
}
