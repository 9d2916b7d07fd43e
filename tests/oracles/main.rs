//! Cross-checks with independent implementations, in their own languages. They need Python and Node with the packages
//! pinned beside this file; `scripts/test` installs those and sets `ORACLE_PYTHON` and `ORACLE_NODE`.
//! Where they are missing the checks fail: a check that did not run has shown nothing.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and owns what it starts"
)]

mod interpreter;
mod simulator_clients;
mod standard_webhooks;
mod twilio_signatures;
