//! Cross-checks with independent implementations, in their own languages. They need Python and Node with the packages
//! pinned beside this file; `scripts/test` installs those and sets `ORACLE_PYTHON`, `ORACLE_NODE` and `NODE_PATH`.
//! Where they are missing the checks fail: a check that did not run has shown nothing.

#[cfg(test)]
mod interpreter;
#[cfg(test)]
mod twilio_signatures;
