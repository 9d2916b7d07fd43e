"""Prints random webhooks, signed by Twilio's own Python library, as JSON lines.

    python twilio_signatures.py [count] [seed]

The same seed prints the same lines. Each is {method, url, content_type, body, signature, token}.
"""

import json
import random
import sys
from urllib.parse import quote, quote_plus

import twilio
from multidict import MultiDict
from twilio.request_validator import RequestValidator

assert twilio.__version__ == "9.13.0", f"twilio {twilio.__version__} is installed, not 9.13.0"

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
print(f"seed {SEED}", file=sys.stderr)
rng = random.Random(SEED)

FORM = "application/x-www-form-urlencoded"
NAMES = [
    "AccountSid", "ApiVersion", "Body", "From", "FromCity", "FromZip", "MessageSid", "MessageStatus", "NumMedia",
    "NumSegments", "SmsSid", "To", "ToCity", "ToZip", "body", "Digits", "Messaging.Address", "A", "AA", "Ünïcode",
]
PIECES = [
    "a", "Z", "7", " ", "  ", "+", "%", "%20", "%C3", "&", "=", "?", "#", "'", '"', "<", "\\", "/", "\n", "\r\n", "\t",
    "é", "ß", "€", "中文", "短信", "😀", "👩‍💻", "e\u0301", "שלום", "\u200f", "हिन्दी", "~", "*", "(", ".", "-", "_", "\x00", "\x7f",
]


def text(most):
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, most)))


def encode(value):
    """Any of the spellings that decode to the same text."""
    kind = rng.randrange(4)
    if kind == 0:
        return quote(value, safe="")
    if kind == 1:
        return quote_plus(value)
    if kind == 2:
        return quote_plus(value, safe="'()*!~")
    return "".join(f"%{byte:02x}" for byte in value.encode())


def pairs():
    params = MultiDict()
    for name in rng.sample(NAMES, rng.randint(0, 12)):
        values = [text(8) for _ in range(rng.choice([1, 1, 1, 1, 2, 3]))]
        if rng.random() < 0.3:
            values.append(values[0])
        for value in values:
            params.add(name, value)
    return params


def body_of(params):
    items = list(params.items())
    rng.shuffle(items)
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in items)


def url(port):
    """A URL with or without its port. Without user and password: the library misreads those."""
    scheme, host, segments, query = parts
    return f"{scheme}://{host}{port}/" + segments + (f"?{query}" if query else "")


for index in range(COUNT):
    token = "".join(rng.choice("0123456789abcdef") for _ in range(32))
    segments = "/".join(rng.choice(["v1", "receive", "twilio", "status", "%C3%A9", "a-b"]) for _ in range(rng.randint(0, 4)))
    segments += rng.choice(["", "/"]) if segments else ""
    query = "&".join(
        f"{quote(rng.choice(NAMES), safe='')}={quote(text(4), safe='')}" for _ in range(rng.choice([0, 0, 1, 2, 3]))
    )
    parts = [rng.choice(["https", "https", "http"]), rng.choice(["gw.example.com", "10.0.0.7", "a.b.example"]), segments, query]
    port = rng.choice(["", "", ":8443"])
    standard = ":443" if parts[0] == "https" else ":80"

    method, content_type, params = "POST", FORM, pairs()
    body, kind = "", rng.randrange(10)
    validator = RequestValidator(token)
    if kind == 0:
        method, params = "GET", MultiDict()
    elif kind == 1:
        content_type, params = "application/json", MultiDict()
        body = json.dumps({text(3): text(8)}, ensure_ascii=rng.random() < 0.5)
        parts[3] = "&".join(filter(None, [query, f"bodySHA256={validator.compute_hash(body)}"]))
    else:
        body = body_of(params)
    given = url(rng.choice([port, port or standard]))
    signed = url(rng.choice(["", port or standard]))
    signature = validator.compute_signature(signed, params)
    assert validator.validate(given, body if kind == 1 else params, signature), (given, signed)
    line = {"method": method, "url": given, "content_type": content_type, "body": body, "signature": signature, "token": token}
    print(json.dumps(line))
