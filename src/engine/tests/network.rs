//! What the network may be used for, and what becomes of connections when the machine sleeps.

use posthorn_model::{Appearance, LeaveOnServer, NetworkPolicy, Protocol};
use posthorn_sandbox::SandboxOptions;
use std::time::{Duration, Instant};

use super::proxy::Proxy;
use super::world::{World, run};
use crate::{AccountState, Command};

/// Waits until a condition that no event tells of comes true.
pub async fn soon(what: &str, within: Duration, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !is_true() {
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn started() -> (World, Proxy) {
    let (world, proxy) = World::behind_proxy(SandboxOptions::plain_and_empty()).await;
    world.deliver("INBOX", 1);
    world.engine().start();
    world
        .wait("the first letter", async |world| {
            let known = world.engine().catalog().mailboxes(None).await.expect("mailboxes");
            !known.is_empty() && world.rows("INBOX").await.len() == 1
        })
        .await;
    (world, proxy)
}

#[test]
fn offline_ends_connections_and_online_looks_at_once() {
    run(async {
        let (world, proxy) = started().await;
        soon("a watch", Duration::from_secs(20), || proxy.live() >= 2).await;
        world.command(Command::SetNetwork(NetworkPolicy::Offline)).await;
        soon("silence", Duration::from_secs(2), || proxy.live() == 0).await;
        let before = proxy.accepted();
        world.deliver("INBOX", 2);
        let report = world.sync().await;
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.detail.contains("offline"))
        );
        assert_eq!(proxy.accepted(), before, "nothing was dialled");
        let states = world.engine().states();
        assert_eq!(states, [(world.account, AccountState::Offline)]);
        world.command(Command::SetNetwork(NetworkPolicy::Online)).await;
        world
            .wait("the second letter", async |world| {
                world.rows("INBOX").await.len() == 2
            })
            .await;
    });
}

#[test]
fn the_users_word_survives_a_restart() {
    run(async {
        let mut world = World::new(Protocol::Imap).await;
        assert_eq!(world.engine().network().chosen, NetworkPolicy::Online);
        for policy in [
            NetworkPolicy::Metered,
            NetworkPolicy::Offline,
            NetworkPolicy::Online,
        ] {
            world.command(Command::SetNetwork(policy)).await;
            world.restart().await;
            assert_eq!(world.engine().network().chosen, policy);
        }
        for appearance in [Appearance::Dark, Appearance::Light, Appearance::System] {
            world.command(Command::SetAppearance(appearance)).await;
            world.restart().await;
            let kept = world.engine().catalog().appearance().await;
            assert_eq!(kept.expect("kept"), appearance);
        }
    });
}

#[test]
fn connections_are_made_anew_after_sleep() {
    run(async {
        let (world, proxy) = started().await;
        soon("a watch", Duration::from_secs(20), || proxy.live() >= 2).await;
        // While it sleeps, the road goes dead without a word.
        proxy.block(true);
        let before = proxy.accepted();
        world.deliver("INBOX", 2);
        world.pass_days(1);
        soon("a new connection", Duration::from_secs(5), || {
            proxy.accepted() > before
        })
        .await;
        proxy.block(false);
        world
            .wait("the second letter", async |world| {
                world.rows("INBOX").await.len() == 2
            })
            .await;
    });
}

#[test]
fn one_stalled_account_does_not_delay_another() {
    run(async {
        let world = World::new(Protocol::Imap).await;
        let stalled = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let mut config = world.config(Protocol::Imap, LeaveOnServer::Forever);
        config.name = "stalled".into();
        config.incoming.port = stalled.local_addr().expect("an address").port();
        world.add(config).await;
        world.deliver("INBOX", 1);
        world.engine().start();
        // Taken, and never greeted.
        let (_taken, _) = stalled.accept().await.expect("a connection");
        world
            .wait("the letter of the other account", async |world| {
                let known = world.engine().catalog().mailboxes(None).await.expect("mailboxes");
                !known.is_empty() && world.rows("INBOX").await.len() == 1
            })
            .await;
        let letters = crate::report::SyncRequest {
            accounts: vec![world.account],
            ..crate::report::SyncRequest::default()
        };
        world.deliver("INBOX", 2);
        let report = world.engine().sync(letters).await.expect("a sync");
        assert!(report.accounts[0].seconds < 10.0);
        assert_eq!(world.rows("INBOX").await.len(), 2);
    });
}

#[test]
fn a_cut_connection_is_made_again() {
    run(async {
        let (world, proxy) = started().await;
        soon("a watch", Duration::from_secs(20), || proxy.live() >= 2).await;
        let before = proxy.accepted();
        proxy.cut();
        soon("a new watch", Duration::from_secs(10), || {
            proxy.accepted() > before
        })
        .await;
        world.deliver("INBOX", 2);
        world
            .wait("the second letter", async |world| {
                world.rows("INBOX").await.len() == 2
            })
            .await;
    });
}
