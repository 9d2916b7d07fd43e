"""The fenced blocks of docs/bots.md, what their info strings say, and which of them were used.

| info string | |
|---|---|
| `LANGUAGE file.name` | a file; a table of `config.toml` replaces the one of the same name in it |
| `toml` | a configuration: as the above, but for a copy |
| `bash` | commands of the reader's first terminal |
| `bash terminal=NAME` | what runs in a terminal of its own, in the place of what ran there before |
| `text`, `text terminal=NAME` | what the block before prints, or that terminal, in its order; `…` is anything |
| `json output`, `json in=FILE` | what the block before printed last, or that file: its keys, and its values where they are not `…` |
| `json NAME` | an example of what goes over the wire: its keys |
| `… only=LANGUAGE` | for readers of that language |
"""

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "docs" / "bots.md"
FENCE = re.compile(r"^```(?P<info>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    line: int
    language: str
    name: str | None
    text: str
    options: dict = field(hash=False)

    def __str__(self):
        return f"line {self.line} ({' '.join(filter(None, (self.language, self.name)))})"

    @property
    def only(self):
        """The language of the bot that it is for; none: for both."""
        return self.options.get("only", self.language if self.language in ("python", "javascript") else None)


class Page:
    def __init__(self, path, blocks):
        self.path, self.blocks = path, blocks
        self._used, self._lock = set(), threading.Lock()

    @classmethod
    def read(cls, path=PATH):
        text = path.read_text()
        blocks = [_block(text, fence) for fence in FENCE.finditer(text)]
        fences = len(re.findall(r"^\s*(?:```|~~~)", text, re.MULTILINE))
        if fences != 2 * len(blocks) or not blocks:
            raise AssertionError(f"{path.name} has {fences} fences and {len(blocks)} blocks: each needs a language")
        return cls(path, blocks)

    def use(self, block):
        with self._lock:
            self._used.add(block)

    def example(self, name):
        """The text of the one example of that name, which is used by this."""
        found = [block for block in self.blocks if block.language == "json" and block.name == name]
        if len(found) != 1:
            raise AssertionError(f"{self.path.name} has {len(found)} examples named {name}, not one")
        self.use(found[0])
        return found[0].text

    def unused(self):
        return [block for block in self.blocks if block not in self._used]


def _block(text, fence):
    language, *words = fence["info"].split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    names = [word for word in words if "=" not in word]
    if len(names) > 1:
        raise AssertionError(f"one block has several names: {names}")
    line = text.count("\n", 0, fence.start()) + 1
    return Block(line, language, names[0] if names else None, fence["text"], options)
