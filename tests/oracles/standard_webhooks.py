"""Verifies signed webhooks with the `standardwebhooks` library for Python.

Reads JSON lines {"secret", "headers": {…}, "body": "…"} and prints `ok` for each, or why not. Their timestamps have to
be of now: the library takes five minutes of difference.
"""

import json
import sys
from importlib.metadata import version

from standardwebhooks import Webhook

assert version("standardwebhooks") == "1.1.0", "pinned to 1.1.0"

for line in sys.stdin:
    case = json.loads(line)
    try:
        Webhook(case["secret"]).verify(case["body"], case["headers"])
        print("ok", flush=True)
    except Exception as error:  # whatever it is, it is not `ok`
        print(f"refused: {error!r}", flush=True)
