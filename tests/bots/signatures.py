"""What the daemon signs verifies with a reference library of Standard Webhooks: turns and events, with either secret while one
replaces another, with no other secret, and not once they were changed."""

import json
from pathlib import Path

from terminal import Terminal
from world import ANNA, NODE, ORACLES, PYTHON, Daemon, environment, folder, free_ports

NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
OTHER = "whsec_plJ3nmyCDGBKInavdOK15jsl8nUVfZgF"
TOLD = """
[bot]
kind = "webhook"
url = "{url}/turns"
secrets = ["{new}", "{old}"]

[[webhooks]]
name = "rotating"
url = "{url}/rotating"
secrets = ["{new}", "{old}"]

[[webhooks]]
name = "single"
url = "{url}/single"
secret = "{old}"

[[webhooks]]
name = "refused"
url = "{url}/refused"
secret = "{new}"
events = ["message.created"]
"""
# With which of NEW, OLD and OTHER each verifies.
VERIFIES = {
    "/turns": (True, True, False),
    "/rotating": (True, True, False),
    "/single": (False, True, False),
    "/refused": (True, False, False),
}


def verify(language):
    (port,) = free_ports(1)
    here = Path(__file__).parent
    receivers = {
        "python": [PYTHON, here / "receiver.py", str(port)],
        "javascript": [NODE, here / "receiver.mjs", ORACLES, str(port)],
    }
    receiver = Terminal([*receivers[language], NEW, OLD, OTHER], here, environment())
    try:
        receiver.until("listens\n")
        told = TOLD.format(url=f"http://127.0.0.1:{port}", new=NEW, old=OLD)
        with folder() as home, Daemon(home, told) as daemon:
            # What has other letters than ASCII is signed as the bytes that it is.
            daemon.text(ANNA, "Grüß Gott 😀")
            every_call_verifies_as_it_should(receiver, daemon)
    finally:
        receiver.end()


def every_call_verifies_as_it_should(receiver, daemon):
    waits_for, refused = set(VERIFIES), []
    while waits_for or len(refused) < 2:
        call = json.loads(receiver.until("\n"))
        path, wanted = call["path"], VERIFIES[call["path"]]
        found = tuple(verdict == "ok" for verdict in call["verifies"])
        if found != wanted or call["changed"] == "ok":
            raise AssertionError(f"{path} verifies as {found}, not {wanted}: {call}")
        if path != "/turns" and call["body"]["id"] != call["webhook-id"]:
            raise AssertionError(f"an event's webhook-id is not its id: {call}")
        if path == "/refused":
            refused.append(call)
        waits_for.discard(path)
    # It refuses with 401, and is told again: the same event, signed anew.
    ids, times = ({call[header] for call in refused} for header in ("webhook-id", "webhook-timestamp"))
    if (len(ids), len(times)) != (1, 2):
        raise AssertionError(f"a repeat has another id, or an old timestamp: {refused}")
    (delivery,) = daemon.api("webhooks/refused/deliveries", token="admin")
    if "401" not in delivery["last_error"]:
        raise AssertionError(f"the refusal is not noted: {delivery}")
