"""A reader of docs/bots.md, who does what it says from its first line to its last, in the language of their choice. Ports that
are free take the place of those of the page, and what would be installed from the network is what tests/oracles pins."""

import contextlib
import json
import re
from pathlib import Path

from shape import after, parts, same_values
from terminal import Shell, Terminal
from world import BINARY, NODE, ORACLES, PYTHON, environment, folder, free_ports

PORTS = ("8080", "3000")
# What the terminals say once they are of use.
READY = {"bot": "the bot listens\n", "daemon": "listens on", "events": "id: "}
WRITTEN = ("python", "javascript", "toml", "json", "markdown")

# `python3 -m venv` and its `pip`; `npm install`. Anything but what the oracles have is an error.
PYTHON_SHIM = """#!/usr/bin/env bash
set -eu
[ "$*" = "-m venv venv" ] || { echo "only '-m venv venv' is known here" >&2; exit 2; }
mkdir -p venv/bin
ln -sf "$SHIMS/pip" venv/bin/pip
printf '#!/bin/sh\\nexec "%s" "$@"\\n' "$ORACLE_PYTHON_PATH" > venv/bin/python
chmod +x venv/bin/python
"""
PIP_SHIM = """#!/usr/bin/env bash
set -eu
[ "$1" = install ]; shift
for package in "$@"; do
  case $package in --quiet) ;; *) "$ORACLE_PYTHON_PATH" -c 'import importlib.metadata as m, sys; m.version(sys.argv[1])' "$package" ;; esac
done
"""
NPM_SHIM = """#!/usr/bin/env bash
set -eu
[ "$1" = install ]; shift
mkdir -p node_modules
for package in "$@"; do
  case $package in --silent) ;; *) [ -d "$ORACLES/node_modules/$package" ] || { echo "tests/oracles has no $package" >&2; exit 1; } ;; esac
done
rmdir node_modules 2>/dev/null && ln -s "$ORACLES/node_modules" node_modules
"""


def read(page, language):
    with folder() as home, contextlib.ExitStack() as until_read:
        reader = Reader(page, language, home)
        until_read.callback(reader.leave)
        for block in page.blocks:
            if block.only not in (None, language):
                continue
            try:
                reader.take(block)
            except Exception as error:
                told = "".join(f"\n-- {name}:\n{one.printed[-1500:]}" for name, one in reader.terminals.items())
                raise AssertionError(f"{page.path.name}, {block}: {error}{told}") from error


class Reader:
    def __init__(self, page, language, home):
        self.page, self.language = page, language
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        shims = _shims(home / "bin")
        self.environment = environment(
            PATH=f"{shims}:{environment()['PATH']}",
            SHIMS=str(shims),
            ORACLES=str(ORACLES),
            ORACLE_PYTHON_PATH=PYTHON,
            SWITCHBOARD__SERVER__LISTEN=f"127.0.0.1:{self.ports['8080']}",
        )
        self.terminals = {}
        self.shell = Shell(home, self.environment)
        self.shell.run("")
        self.printed = ""

    def leave(self):
        for terminal in (*self.terminals.values(), self.shell):
            terminal.end()

    def take(self, block):
        """Does what the block says; leaves it to others, if it is not for readers."""
        match block.language:
            case "bash" if "terminal" in block.options:
                self.open(block.options["terminal"], self.here(block))
            case "bash":
                self.printed = self.shell.run(self.here(block))
            case "text" if "terminal" in block.options:
                self.terminals[block.options["terminal"]].until(*parts(self.here(block)))
            case "text":
                if after(parts(self.here(block)), self.printed) is None:
                    raise AssertionError(f"this was printed:\n{self.printed}")
            case "json" if block.name == "output":
                same_values(json.loads(block.text), json.loads(self.printed.strip().splitlines()[-1]))
            case "json" if "in" in block.options:
                same_values(json.loads(block.text), json.loads(self.file(block.options["in"]).read_text()))
            case "toml" if block.name is None:
                self.check("another.toml", self.file("config.toml").read_text(), self.here(block))
            case "toml":
                file = self.file(block.name)
                self.check(block.name, file.read_text() if file.exists() else "", self.here(block))
            case language if language in WRITTEN and block.name and "." in block.name:
                self.file(block.name).write_text(self.here(block))
            case _:
                return
        self.page.use(block)

    def here(self, block):
        """The block with the ports that are free here."""
        return re.sub(rf"\b({'|'.join(PORTS)})\b", lambda port: self.ports[port[0]], block.text)

    def file(self, name):
        return Path(self.shell.folder) / name

    def open(self, name, commands):
        if earlier := self.terminals.pop(name, None):
            earlier.end()
        command = ["bash", "-euo", "pipefail", "-c", commands]
        terminal = self.terminals[name] = Terminal(command, self.shell.folder, self.environment)
        terminal.until(READY[name])

    def check(self, name, before, tables):
        """Writes the configuration with these tables in the place of those of the same name; the daemon has to accept it."""
        file = self.file(name)
        file.write_text(replace_tables(before, tables))
        # With a store of its own that is not there: the reader's is in use, and would be waited for.
        self.shell.run(f"SWITCHBOARD__STORE__PATH=none switchboard --config {name} check")


def replace_tables(before, tables):
    names = {name for name, _ in _tables(tables) if name}
    kept = [text for name, text in _tables(before) if name not in names]
    return "\n".join([*kept, tables])


def _tables(text):
    """Each table's header with its text; what stands before the first has none."""
    parts = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    return [(part.split("\n", 1)[0].strip() if part.startswith("[") else None, part) for part in parts]


def _shims(shims):
    shims.mkdir()
    for name, text in (("python3", PYTHON_SHIM), ("pip", PIP_SHIM), ("npm", NPM_SHIM)):
        (shims / name).write_text(text)
        (shims / name).chmod(0o755)
    (shims / "switchboard").symlink_to(BINARY)
    (shims / "node").write_text(f'#!/bin/sh\nexec "{NODE}" "$@"\n')
    (shims / "node").chmod(0o755)
    return shims
