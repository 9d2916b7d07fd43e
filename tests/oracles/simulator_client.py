"""Runs Twilio's Python client against the simulator: simulator_client.py BASE_URL ACCOUNT_SID AUTH_TOKEN FROM [SERVICE].

Prints `ok`, or fails with what was not as expected.
"""

import random
import sys
import uuid
from datetime import datetime, timedelta, timezone

import twilio
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

assert twilio.__version__ == "9.13.0", twilio.__version__


class Redirected(TwilioHttpClient):
    """The client's own transport, with another host."""

    def __init__(self, base):
        super().__init__()
        self.base = base.rstrip("/")

    def request(self, method, url, *args, **kwargs):
        assert url.startswith("https://api.twilio.com/"), url
        return super().request(method, url.replace("https://api.twilio.com", self.base, 1), *args, **kwargs)


def expect_error(code, action):
    try:
        action()
    except TwilioRestException as error:
        assert error.code == code, (error.code, code, error)
        return error
    raise AssertionError(f"no error {code}")


def main(base, account, token, sender, service=None):
    client = Client(account, token, http_client=Redirected(base))
    customer = f"+1415555{random.randint(2000, 2999)}"
    body = f"hello {uuid.uuid4()}"
    today = datetime.now(timezone.utc)

    sent = client.messages.create(to=customer, from_=sender, body=body)
    assert sent.sid.startswith("SM") and sent.status == "queued" and sent.direction == "outbound-api"
    assert sent.num_segments == "1" and sent.date_created.tzinfo is not None and sent.error_code is None

    fetched = client.messages(sent.sid).fetch()
    assert (fetched.sid, fetched.body, fetched.to, fetched.from_) == (sent.sid, body, customer, sender)

    for _ in range(3):
        client.messages.create(to=customer, from_=sender, body=body)
    listed = client.messages.list(
        to=customer,
        from_=sender,
        date_sent_after=today - timedelta(days=1),
        date_sent_before=today + timedelta(days=1),
        page_size=2,
    )
    mine = [text.sid for text in listed if text.body == body]
    assert len(mine) == 4 and mine[-1] == sent.sid, ("all four, newest first", mine)
    assert client.messages.list(to=customer, date_sent_after=today + timedelta(days=2)) == []
    assert client.api.v2010.accounts(account).fetch().status == "active"

    expect_error(21211, lambda: client.messages.create(to="+15005550001", from_=sender, body=body))
    expect_error(30409, lambda: client.messages(sent.sid).update(status="canceled"))
    missing = expect_error(20404, lambda: client.messages("SM" + "0" * 32).fetch())
    assert missing.status == 404
    wrong = Client(account, "wrong", http_client=Redirected(base))
    expect_error(20003, lambda: wrong.messages(sent.sid).fetch())

    if service:
        later = today + timedelta(hours=1)
        scheduled = client.messages.create(
            to=customer, messaging_service_sid=service, body=body, schedule_type="fixed", send_at=later
        )
        assert scheduled.status == "scheduled" and scheduled.from_ is None
        assert client.messages(scheduled.sid).update(status="canceled").status == "canceled"
        assert client.messages(scheduled.sid).update(body="").body == ""
        assert client.messages(scheduled.sid).delete()
    print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
