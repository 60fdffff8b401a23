//! `posthorn network`: what the network may be used for.

use posthorn_engine::{Command, Network};
use posthorn_model::NetworkPolicy;
use serde_json::json;

use crate::arguments::{NetworkName, NetworkRequest};
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::session::{Context, Purpose};

/// # Errors
/// Where the profile cannot be read, or not written while another instance has it.
pub fn run(request: &NetworkRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let network = match request.policy {
        None => context.open(Purpose::Read)?.engine.network(),
        Some(name) => {
            let session = context.open(Purpose::Write)?;
            session.wait(session.engine.command(Command::SetNetwork(name.policy())))?;
            session.engine.network()
        }
    };
    if output.is_json() {
        output.document(&json!({
            "network": network.chosen,
            "in_effect": network.in_effect(),
        }))?;
    } else {
        output.line(say(network))?;
    }
    Ok(Status::Done)
}

const fn say(network: Network) -> &'static str {
    match network.chosen {
        NetworkPolicy::Online if network.metered => "online, over a connection that the system calls metered",
        NetworkPolicy::Online => "online",
        NetworkPolicy::Metered => "metered: large messages are fetched when they are opened",
        NetworkPolicy::Offline => "offline: what is done here is kept and sent later",
    }
}

impl NetworkName {
    const fn policy(self) -> NetworkPolicy {
        match self {
            Self::Online => NetworkPolicy::Online,
            Self::Metered => NetworkPolicy::Metered,
            Self::Offline => NetworkPolicy::Offline,
        }
    }
}
