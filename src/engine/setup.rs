//! Tries an account's settings: signs in to both servers and out again, and sends nothing else.

use posthorn_model::{AccountConfig, AuthMethod, ErrorClass, Protocol, Secret};
use posthorn_net::{Credentials, imap, pop3, smtp};

use crate::Error;
use crate::report::{ServerTest, TestReport};
use crate::shared::{Core, credentials_with};

/// `secret`: as typed; where there is none, the one kept for the account of this name.
pub async fn test(core: &Core, config: &AccountConfig, secret: Option<Secret>) -> TestReport {
    let service = match config.protocol {
        Protocol::Imap => "imap",
        Protocol::Pop3 => "pop3",
    };
    let credentials = find_credentials(core, config, secret).await;
    let mut report = TestReport::default();
    let result = match &credentials {
        Ok(credentials) => test_incoming(core, config, credentials).await,
        Err(error) => Err(error.clone()),
    };
    report.servers.push(ServerTest {
        service,
        endpoint: config.incoming.to_string(),
        result,
    });
    if let Some(endpoint) = &config.outgoing {
        let result = match &credentials {
            Ok(credentials) => test_outgoing(core, config, credentials).await,
            Err(error) => Err(error.clone()),
        };
        report.servers.push(ServerTest {
            service: "smtp",
            endpoint: endpoint.to_string(),
            result,
        });
    }
    report
}

async fn find_credentials(
    core: &Core,
    config: &AccountConfig,
    secret: Option<Secret>,
) -> Result<Credentials, Error> {
    // Without a secret, where a certificate says who the user is.
    let secret = secret.or((config.auth == AuthMethod::External).then(|| Secret::new(String::new())));
    if let Some(secret) = secret {
        return Ok(credentials_with(config, secret));
    }
    let known = core.with_accounts(|accounts| {
        let mut all = accounts.iter();
        all.find(|(_, known)| known.name == config.name).map(|(id, _)| id)
    });
    match known {
        Some(id) => core.credentials(id, config).await,
        None => Err(Error::new(
            ErrorClass::Auth,
            "a password is needed to try these settings",
        )),
    }
}

async fn test_incoming(
    core: &Core,
    config: &AccountConfig,
    credentials: &Credentials,
) -> Result<Vec<String>, Error> {
    let dialer = core.dialer(config).await?;
    match config.protocol {
        Protocol::Imap => {
            let session = imap::Session::connect(&dialer, &config.incoming, credentials).await?;
            let offers = session.capabilities().iter().map(str::to_owned).collect();
            session.logout().await;
            Ok(offers)
        }
        Protocol::Pop3 => {
            let session = pop3::Session::connect(&dialer, &config.incoming, credentials).await?;
            let offers = session.capabilities().lines.clone();
            session.quit().await?;
            Ok(offers)
        }
    }
}

async fn test_outgoing(
    core: &Core,
    config: &AccountConfig,
    credentials: &Credentials,
) -> Result<Vec<String>, Error> {
    let Some(endpoint) = &config.outgoing else {
        return Ok(Vec::new());
    };
    let dialer = core.dialer(config).await?;
    smtp::check(&dialer, endpoint, Some(credentials)).await?;
    Ok(Vec::new())
}
