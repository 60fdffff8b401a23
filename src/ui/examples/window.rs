//! The window over a fake engine: `cargo run -p posthorn-ui --example window [empty|full|trouble|many|demo]`.

#[path = "../fixture.rs"]
#[allow(
    dead_code,
    clippy::expect_used,
    reason = "a fake for tests, which use more of it"
)]
mod fixture;

use std::sync::Arc;

use fixture::Fixture;
use posthorn_ui::UiOptions;
use posthorn_ui::bridge::Bridge;

fn main() -> Result<(), posthorn_ui::Error> {
    // The process that draws messages is this program again.
    if std::env::args().nth(1).as_deref() == Some(posthorn_html::worker::ARGUMENT) {
        std::process::exit(i32::from(posthorn_html::worker::serve()));
    }
    let what = std::env::args().nth(1).unwrap_or_default();
    let options = UiOptions {
        mailto: std::env::args().nth(2),
        ..UiOptions::default()
    };
    if what == "demo" {
        let options = UiOptions {
            demo: true,
            ..options
        };
        return posthorn_ui::run(options);
    }
    posthorn_ui::show(options, move || {
        let fixture = match what.as_str() {
            "empty" => Fixture::empty(),
            "many" => Fixture::many(20_000),
            _ => Fixture::full(),
        };
        if what == "trouble" {
            fixture.trouble();
        }
        Ok(Arc::new(fixture) as Bridge)
    })
}
