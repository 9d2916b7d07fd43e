//! Twilio's official client libraries work against the simulator as against the real one.

use std::sync::Arc;

use switchboard::app::ambient;
use switchboard::provider::simulator::{Simulator, SimulatorConfig};
use tokio_util::sync::CancellationToken;

use crate::interpreter::{Interpreter, NODE, PYTHON};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const AUTH_TOKEN: &str = "the-accounts-auth-token";
const BRAND: &str = "+15550001111";
const SERVICE: &str = "MG00000000000000000000000000000001";

async fn works_with(interpreter: Interpreter, script: &'static str) {
    let client = switchboard::provider::twilio::client_builder(reqwest::Client::builder());
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut config = SimulatorConfig::new(ACCOUNT, AUTH_TOKEN, vec![BRAND.into()]);
    config.messaging_services.push(SERVICE.into());
    let simulator = Simulator::new(config, Arc::new(ambient::now), 1, client.build().unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = simulator.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    tokio::spawn(simulator.run(CancellationToken::new()));
    for service in [None, Some(SERVICE)] {
        let url = url.clone();
        let said = tokio::task::spawn_blocking(move || {
            let mut arguments = vec![url.as_str(), ACCOUNT, AUTH_TOKEN, BRAND];
            arguments.extend(service);
            interpreter.run(script, &arguments, "")
        });
        assert_eq!(said.await.unwrap().trim(), "ok");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twilios_python_client_works_against_the_simulator() {
    works_with(PYTHON, "simulator_client.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twilios_node_client_works_against_the_simulator() {
    works_with(NODE, "simulator_client.js").await;
}
