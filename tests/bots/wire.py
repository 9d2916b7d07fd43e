"""The examples of docs/bots.md against what really goes over the wire: a turn has the keys that are shown, its table names all
fields that there are, and an answer that is shown is taken as the page says."""

import json
import re

from shape import same_keys
from world import ANNA, Called, Daemon, call, folder

WEBHOOK = """
[bot]
kind = "webhook"
url = "{url}"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
observe = true
debounce = "3s"
"""
RASA = """
[bot]
kind = "rasa"
url = "{url}"
"""


def compare(page):
    with folder() as home, Called() as bot, Daemon(home, WEBHOOK.format(url=bot.url)) as daemon:
        turns = every_kind_of_turn(page, bot, daemon)
    every_field_is_in_the_table(page, turns)
    with folder() as home, Called() as bot, Daemon(home, RASA.format(url=bot.url)) as daemon:
        rasa(page, bot, daemon)


def every_kind_of_turn(page, bot, daemon):
    """One turn of each kind, the first of which is answered with the page's answer."""
    answer = json.loads(page.example("answer"))
    bot.answers = lambda turn: (200, json.dumps(answer)) if turn["data"]["expects_reply"] else (204, None)

    daemon.text(ANNA, "Hey")
    received = bot.call(1)
    same_keys(json.loads(page.example("turn")), received, "the turn")
    said = daemon.phone(ANNA, 2)
    equal("what is on the phone", said, ["Hey", answer["messages"][0]["content"]])
    customer = daemon.customer(ANNA)
    session = daemon.api(f"customers/{customer}/sessions/current?expand=attention")
    equal("the tags", session["tags"], answer["session"]["tags"])
    equal("the topics", session["topics"], answer["session"]["topics"])
    handoff = answer["handoff"]
    equal("the reason", session["attention"]["reason"], f"{handoff['reason']}: {handoff['note']}")

    daemon.text(ANNA, "Hello?")
    observed = bot.call(2)
    equal("whether it is observed", expectation(observed), (False, True))
    current = f"customers/{customer}/sessions/current"
    reply = observed["data"]["reply_url"], {"messages": [{"content": "Say this"}]}
    call(*reply, token=observed["data"]["reply_token"])
    suggested = daemon.api(f"{current}?expand=suggested_messages")["suggested_messages"]
    equal("what is proposed", [one["content"] for one in suggested], ["Say this"])
    daemon.api(f"{current}/messages", {"content": "Hi", "content_type": "text"})
    created = bot.call(3)
    daemon.api(current, {"need_attention": False}, method="PATCH")
    updated = bot.call(4)
    equal("the state that comes back", updated["data"]["session"]["state"], answer["session"]["state"])
    told = {turn["data"]["message"]["id"] for turn in (observed, created)}
    again = {message["id"] for message in updated["data"]["history"]}
    equal("what the history repeats", told <= again, True)

    bot.answers = lambda turn: (204, None)
    for part in ("one", "two"):
        daemon.text(ANNA, part)
    together = bot.call(5)
    equal("what came together", [one["content"] for one in together["data"]["messages"]], ["one", "two"])
    equal("the newest", together["data"]["message"], together["data"]["messages"][-1])

    turns = [received, observed, created, updated, together]
    equal("the numbers", [turn["data"]["turn"] for turn in turns], [1, 2, 3, 4, 5])
    shown = re.findall(r"^\| `((?:message|session)\.\w+)` \|", page.path.read_text(), re.MULTILINE)
    equal("the types of the page", set(shown), {turn["type"] for turn in turns})
    return turns


def every_field_is_in_the_table(page, turns):
    shown = re.findall(r"^\| `(timestamp|data\.\w+)` \|", page.path.read_text(), re.MULTILINE)
    there = {f"data.{key}" for turn in turns for key in turn["data"]}
    there |= {key for turn in turns for key in turn if key not in ("type", "data")}
    equal("the fields of the page", set(shown), there)
    for turn in turns:
        answerable = turn["type"] == "message.received"
        equal("whether there is a reply_url", "reply_url" in turn["data"], answerable)
        equal("whether there is a reply_token", "reply_token" in turn["data"], answerable)
        equal("the history is there", "history" in turn["data"], turn["type"] == "session.updated")


def rasa(page, bot, daemon):
    bot.answers = lambda _: (200, page.example("rasa-answer"))
    daemon.text(ANNA, "Hey")
    same_keys(json.loads(page.example("rasa")), bot.call(1), "what Rasa gets")
    equal("what is on the phone", daemon.phone(ANNA, 2), ["Hey", "Shall I?\n1) Yes"])
    (session,) = daemon.api("sessions?need_attention=true&expand=attention")
    equal("the reason", session["attention"]["reason"], "refund: angry")


def expectation(turn):
    return turn["data"]["expects_reply"], turn["data"]["session"]["need_attention"]


def equal(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r}, and not {wanted!r}")
