//! Headers alone: TOP, many at a time where the server pipelines.

use posthorn_model::{ErrorClass, MsgNo};

use super::quirks::Quirk;
use super::{Session, retrieve};
use crate::Error;

/// Bytes that a header may have.
const HEADER: u64 = 16 << 20;

impl Session {
    /// TOP with no lines of the body, for each in order. `each` gets the header, or `None` where the server does not
    /// show it; a server that shows none is not asked again.
    ///
    /// # Errors
    /// Where the connection failed.
    pub async fn tops(
        &mut self,
        numbers: &[MsgNo],
        each: &mut (dyn FnMut(MsgNo, Option<Vec<u8>>) + Send),
    ) -> Result<(), Error> {
        let depth = if self.capabilities.pipelining {
            retrieve::DEPTH
        } else {
            1
        };
        let mut rest = numbers;
        // One alone first: most servers without TOP lack it altogether.
        let mut take = 1;
        while let Some((batch, after)) = rest
            .split_at_checked(take.min(rest.len()))
            .filter(|(batch, _)| !batch.is_empty())
        {
            if self.quirks.contains(&Quirk::NoTop) {
                batch.iter().for_each(|number| each(*number, None));
            } else {
                self.enter()?;
                let commands: String = batch.iter().map(|number| format!("TOP {number} 0\r\n")).collect();
                self.wire.send(commands.as_bytes()).await?;
                for number in batch {
                    let header = self.read_top().await?;
                    each(*number, header);
                }
                self.leave();
            }
            (rest, take) = (after, depth);
        }
        Ok(())
    }

    async fn read_top(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let reply = self.wire.status().await?;
        if !reply.is_ok {
            let error = reply.refusal(
                self.wire.host(),
                "the server does not show the start of a message",
            );
            if error.class == ErrorClass::Refused && !self.capabilities.top {
                self.quirks.insert(Quirk::NoTop);
            }
            return Ok(None);
        }
        let mut header = Vec::new();
        let mut gather = |bytes: &[u8]| {
            header.extend_from_slice(bytes);
            Ok(())
        };
        self.wire.message(HEADER, None, &mut gather).await?;
        Ok(Some(header))
    }
}
