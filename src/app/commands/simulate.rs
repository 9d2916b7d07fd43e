//! `switchboard simulate`: the provider alone, on a port of its own.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::cli::Simulate;
use crate::app::config::Config;
use crate::app::lifecycle::StopSignals;
use crate::app::{ambient, report, wiring};
use crate::provider::simulator::Simulator;

pub async fn run(config: &Config, simulate: &Simulate) -> Result<()> {
    let mut signals = StopSignals::listen()?;
    let channel =
        config.channels.first().context("no channel is configured: the simulator would have no number")?;
    let inbound_url = wiring::inbound_url(config, channel);
    let account = wiring::simulated_account(config, channel);
    let seed = simulate.seed.unwrap_or(config.simulator.seed);
    let simulator = Simulator::new(account, Arc::new(ambient::now), seed, wiring::webhook_client()?);
    let listener = TcpListener::bind(simulate.listen)
        .await
        .with_context(|| format!("cannot listen on {}", simulate.listen))?;
    let url = format!("http://{}", listener.local_addr().context("the address to listen on")?);

    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    tasks.spawn(Arc::clone(&simulator).run(stop.clone()));
    report::print(&welcome(&url, &channel.name, &channel.account_sid, &inbound_url));
    let told = stop.clone();
    // The page knows its files and its calls by the path that they have in a daemon.
    let router = simulator.router().nest(wiring::SIMULATOR_PATH, simulator.router());
    let server = axum::serve(listener, router).with_graceful_shutdown(async move { told.cancelled().await });
    tokio::select! {
        ended = server => ended.context("the HTTP server"),
        () = signals.next() => {
            stop.cancel();
            Ok(())
        }
    }
}

fn welcome(url: &str, channel: &str, account: &str, inbound_url: &str) -> String {
    [
        format!("the simulator plays the provider of channel \"{channel}\" (account {account}) at {url}"),
        format!("  in the daemon's configuration   provider = \"twilio\", api_base = \"{url}\","),
        format!("                                  account_sid = \"{account}\", and its auth_token"),
        format!("  customers' texts are posted to  {inbound_url}"),
        format!("  a customer's phone, as a page   {url}"),
        format!("  text the brand                  POST {url}/texts {{\"from\", \"to\", \"body\"}}"),
        format!("  what arrived there              GET  {url}/phones/NUMBER/texts"),
        format!("  faults                          GET, PUT {url}/faults"),
    ]
    .join("\n")
}
