"""Takes signed calls, turns and events alike, and prints for each what the reference library for Python makes of it: with each
secret that it is given, and with a body that was changed on the way. What comes to /refused is refused."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

port, *secrets = sys.argv[1:]


def verifies(secret, body, headers):
    try:
        Webhook(secret).verify(body, headers)
    except Exception as refusal:  # Whatever it is, it does not verify.
        return f"refused: {refusal}"
    return "ok"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = dict(self.headers)
        said = {
            "path": self.path,
            "webhook-id": headers["webhook-id"],
            "webhook-timestamp": headers["webhook-timestamp"],
            "body": json.loads(body),
            "verifies": [verifies(secret, body, headers) for secret in secrets],
            "changed": verifies(secrets[0], body.replace(b"{", b"{ ", 1), headers),
        }
        sys.stdout.write(json.dumps(said) + "\n")  # At once, whoever else writes.
        sys.stdout.flush()
        self.send_response(401 if self.path == "/refused" else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


with ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver) as server:
    print("listens", flush=True)
    server.serve_forever()
