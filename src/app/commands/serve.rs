//! `switchboard serve`: runs the daemon until it is told to stop.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::config::Config;
use crate::app::lifecycle::StopSignals;
use crate::app::listen;
use crate::app::report;
use crate::app::wiring::{self, House, SIMULATOR_PATH};
use crate::gateway::Gateway;

pub async fn run(config: Config) -> Result<()> {
    config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let mut signals = StopSignals::listen()?;
    let config = Arc::new(config);
    let store = wiring::open_store(&config).await?;
    let house = wiring::build(&config, store)?;
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another daemon there?", config.server.listen))?;

    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let mut router = crate::http::router(house.http.clone());
    if let Some(simulator) = &house.simulator {
        let slashed = format!("{SIMULATOR_PATH}/");
        let to_phone = axum::routing::get(|| async { axum::response::Redirect::permanent(SIMULATOR_PATH) });
        router = router.nest(SIMULATOR_PATH, simulator.router()).route(&slashed, to_phone);
        tasks.spawn(Arc::clone(simulator).run(stop.clone()));
    }
    house.gateway.run().await?;
    let address = listener.local_addr().context("the address to listen on")?;
    let accepting = stop.clone();
    let limits = listen::Limits {
        connections: config.server.max_connections,
        patience: listen::PATIENCE,
        write_patience: listen::WRITE_PATIENCE,
    };
    let gateway = Arc::clone(&house.gateway);
    let lost = move || gateway.calls_were_lost();
    let mut server = tasks.spawn(listen::serve(listener, router, limits, lost, accepting));
    tracing::info!(%address, channels = config.channels.len(), "ready");
    report::print(&welcome(&config, &format!("http://{address}")));
    tasks.spawn(ask_providers(Arc::clone(&house.gateway)));

    tokio::select! {
        () = signals.next() => {}
        ended = &mut server => bail!("the HTTP server ended by itself: {ended:?}"),
        reason = house.store.broken() => return Err(no_store(&reason)),
        reason = house.gateway.start_failed() => return Err(not_taken_up(&reason)),
    }
    tracing::info!(
        "stopping: what is under way is finished, nothing new is begun; a second signal stops at once"
    );
    house.http.retire();
    stop.cancel();
    tokio::select! {
        stopped = soft_stop(&house, server, &config) => stopped,
        reason = house.store.broken() => Err(no_store(&reason)),
        () = signals.next() => bail!("stopped at once by a second signal; what was answered 2xx is on disk"),
    }
}

/// Nothing can be done any more in this process: whoever supervises it starts it anew, and the store finds what is on
/// the disk.
fn no_store(reason: &str) -> anyhow::Error {
    tracing::error!(reason, "the store has failed for good; ending, to be started anew");
    anyhow!("the store has failed, and only a new start can tell what is on the disk: {reason}")
}

/// The store works now, and what is stored is not what it should be.
fn not_taken_up(reason: &str) -> anyhow::Error {
    tracing::error!(reason, "what an earlier process left in hand cannot be taken up; ending");
    anyhow!(
        "what an earlier process left in hand cannot be taken up: {reason}; restore the newest backup into a new folder"
    )
}

async fn soft_stop(
    house: &House,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    config: &Config,
) -> Result<()> {
    let under_way = async {
        let (ended, ()) = tokio::join!(server, house.gateway.stop());
        house.gateway.resign().await;
        ended
    };
    if let Ok(ended) = tokio::time::timeout(config.server.shutdown_grace, under_way).await {
        ended?.context("the HTTP server")?;
    } else {
        tracing::warn!("server.shutdown_grace is over; what is still under way is settled at the next start");
    }
    house.store.close().await.context("closing the store")?;
    tracing::info!("stopped");
    Ok(())
}

/// A provider that is down is no reason not to be ready; but somebody should know.
async fn ask_providers(gateway: Arc<Gateway>) {
    for channel in gateway.channels().iter() {
        match channel.provider.check().await {
            Ok(words) => tracing::info!(channel = channel.name, "the provider answers: {words}"),
            Err(error) => {
                tracing::warn!(channel = channel.name, %error, "the provider cannot be used now; texts to customers wait");
            }
        }
    }
}

/// Where to look, for somebody who has just started it.
fn welcome(config: &Config, url: &str) -> String {
    let mut lines = vec![
        format!("switchboard {} listens on {url}", env!("CARGO_PKG_VERSION")),
        String::new(),
        format!("  the agents' console {url}/console"),
        format!("  API documentation   {url}/docs"),
        format!("  metrics, readiness  {url}/metrics  {url}/readyz"),
    ];
    let simulated = config.channels.iter().find(|channel| {
        channel.provider == crate::app::config::ProviderKind::Simulator && !channel.numbers.is_empty()
    });
    if let Some(channel) = simulated {
        lines.push(format!("  a customer's phone  {url}{SIMULATOR_PATH}"));
        lines.push("  text the brand".to_owned());
        lines.push(format!(
            "    curl {url}{SIMULATOR_PATH}/texts -d '{{\"from\": \"+14155550101\", \"to\": \"{}\", \"body\": \"Hey\"}}'",
            channel.numbers[0].as_str()
        ));
    }
    let demo: Vec<&str> = config.tokens.iter().filter_map(|token| token.demo).collect();
    match (demo.is_empty(), config.tokens.is_empty()) {
        (false, _) => lines.push(format!("  tokens              {}", demo.join(", "))),
        (true, true) => lines.push(
            "  no tokens are configured: make one with `switchboard token new NAME --role admin`".to_owned(),
        ),
        (true, false) => {}
    }
    lines.join("\n")
}
