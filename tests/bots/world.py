"""What the tests share: ports, the environment of the processes, a daemon with its simulated phones, and somebody to call."""

import contextlib
import json
import os
import shutil
import socket
import tempfile
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from page import ROOT
from terminal import Terminal

BINARY = Path(os.environ["SWITCHBOARD_BINARY"]).resolve()
ORACLES = ROOT / "tests" / "oracles"
BRAND, ANNA = "+15550001111", "+14155550101"
TOKENS = """
[[channels]]
name = "main"
provider = "simulator"
numbers = ["+15550001111"]
pace = { number = "100/s" }

[[tokens]]
name = "agent"
role = "agent"
secret = "agent"

[[tokens]]
name = "admin"
role = "admin"
secret = "admin"
"""


def interpreter(variable, default):
    """An interpreter's path; it has to be there."""
    found = shutil.which(os.environ.get(variable, default))
    if not found:
        raise AssertionError(f"{os.environ.get(variable, default)} is not there: run scripts/test, or set {variable}")
    return found


PYTHON = interpreter("ORACLE_PYTHON", "python3")
NODE = interpreter("ORACLE_NODE", "node")


def free_ports(count):
    with contextlib.ExitStack() as taken:
        sockets = [taken.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def environment(**more):
    """This one, without what would change a daemon or lead calls elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SWITCHBOARD__") and not name.lower().endswith("_proxy") and name != "RUST_LOG"
    }
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


@contextlib.contextmanager
def folder():
    """A new one, which is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="switchboard-bots-") as name:
        # As the shell will call it, whatever leads there.
        yield Path(name).resolve()


_calls = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(url, body=None, *, method=None, token=None):
    """The JSON that is answered; none for an empty body. Anything but a `2xx` is an error."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, sent, headers, method=method)
    with _calls.open(request, timeout=90) as response:
        said = response.read()
    return json.loads(said) if said else None


class Daemon:
    """A daemon of its own, in its folder, while the block lasts."""

    def __init__(self, home, configuration):
        (home / "config.toml").write_text(TOKENS + configuration)
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        listen = environment(SWITCHBOARD__SERVER__LISTEN=f"127.0.0.1:{self.port}")
        self.terminal = Terminal([BINARY], home, listen)
        self.terminal.until("listens on")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.terminal.end()

    def text(self, sender, body):
        call(f"{self.url}/simulator/texts", {"from": sender, "to": BRAND, "body": body})

    def phone(self, number, count):
        """What is on a phone, once there are so many texts."""
        texts = []
        while len(texts) < count:
            found = call(f"{self.url}/simulator/phones/{number}/texts?after={len(texts)}&wait_ms=30000")["texts"]
            if not found:
                raise AssertionError(f"there are {len(texts)} texts on the phone, not {count}:\n{self.terminal.printed}")
            texts += found
        return [text["body"] for text in texts]

    def api(self, path, body=None, *, method=None, token="agent"):
        return call(f"{self.url}/v1/{path}", body, method=method, token=token)

    def customer(self, number):
        (customer,) = self.api(f"customers?phone_number={urllib.parse.quote(number)}")
        return customer["id"]


class Called:
    """Somebody who is called: keeps each call, and answers what it is told to."""

    def __init__(self):
        self.calls, self._news = [], threading.Condition()
        self.answers = lambda body: (204, None)
        called = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = json.loads(raw)
                status, said = called.answers(body)
                self.send_response(status)
                sent = b"" if said is None else said.encode()
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)
                with called._news:
                    called.calls.append(body)
                    called._news.notify_all()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def call(self, number):
        """The call of that number, from 1, once it was made."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.calls) >= number, 30):
                raise AssertionError(f"there were {len(self.calls)} calls, and not {number}")
            return self.calls[number - 1]
