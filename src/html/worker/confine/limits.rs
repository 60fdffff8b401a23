//! What every Unix knows.

use rlimit::Resource;

/// Bytes: the largest messages took 272 MB to draw; the fonts of a system lie within it too.
const ADDRESSES: u64 = 1_536 * 1024 * 1024;
/// Seconds; well before, the process is replaced.
const PROCESSOR: u64 = 300;
const FILES: u64 = 256;

pub fn bound() -> bool {
    let bounds = [
        (Resource::AS, ADDRESSES),
        (Resource::CPU, PROCESSOR),
        (Resource::NOFILE, FILES),
        (Resource::CORE, 0),
    ];
    // Each for itself: one that a system does not know leaves the others.
    bounds
        .iter()
        .fold(true, |all, (resource, most)| lower(*resource, *most) && all)
}

/// When the last thread runs and nothing is written that a library keeps for next time.
pub fn forbid_writing() -> bool {
    let files = lower(Resource::FSIZE, 0);
    lower(Resource::NPROC, 0) && files
}

fn lower(resource: Resource, most: u64) -> bool {
    let Ok((_, hard)) = resource.get() else {
        return false;
    };
    let most = most.min(hard);
    resource.set(most, most).is_ok()
}
