//! Runs the scripts of this folder, and knows what to do where they do not run.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles");

/// An interpreter: what runs a script, and how to say which one it is.
#[derive(Clone, Copy)]
pub struct Interpreter {
    variable: &'static str,
    default: &'static str,
}

pub const PYTHON: Interpreter = Interpreter { variable: "ORACLE_PYTHON", default: "python3" };
pub const NODE: Interpreter = Interpreter { variable: "ORACLE_NODE", default: "node" };

impl Interpreter {
    /// The lines that `script` prints, and its seed in words. `ORACLE_SEED` is handed on, to see a failure again.
    pub fn lines(&self, script: &str, count: usize) -> (Vec<String>, String) {
        let program = std::env::var(self.variable).unwrap_or_else(|_| self.default.into());
        let output = Command::new(&program)
            .arg(Path::new(SCRIPTS).join(script))
            .arg(count.to_string())
            .args(std::env::var("ORACLE_SEED"))
            .output()
            .unwrap_or_else(|error| {
                panic!("{program} does not start ({error}): run scripts/test, or set {}", self.variable)
            });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{script} failed; run scripts/test, which installs what it needs:\n{said}"
        );
        let lines: Vec<_> =
            String::from_utf8(output.stdout).expect("lines in UTF-8").lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), count, "{script} printed another number of lines than asked for");
        (lines, said.trim().to_owned())
    }

    /// Runs `script` with these arguments and this on its standard input; what it prints.
    pub fn run(&self, script: &str, arguments: &[&str], input: &str) -> String {
        let program = std::env::var(self.variable).unwrap_or_else(|_| self.default.into());
        let mut child = Command::new(&program)
            .arg(Path::new(SCRIPTS).join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{program} does not start ({error}): run scripts/test, or set {}", self.variable)
            });
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{script} failed; run scripts/test, which installs what it needs:\n{said}"
        );
        String::from_utf8(output.stdout).unwrap()
    }
}
