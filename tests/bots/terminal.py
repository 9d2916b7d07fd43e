"""Terminals: the reader's first one, where commands run one after the other, and those where something keeps running.
Who waits for what they print is told when it is there; nobody sleeps."""

import codecs
import os
import signal
import subprocess
import threading

from shape import after

PATIENCE_S = 30


class Terminal:
    """A command and what it has printed so far."""

    def __init__(self, command, folder, environment, stdin=subprocess.DEVNULL):
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.printed, self._seen, self._over = "", 0, False
        self._news = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while chunk := os.read(self.process.stdout.fileno(), 65536):
            with self._news:
                self.printed += decoder.decode(chunk)
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    def until(self, *parts, patience_s=PATIENCE_S):
        """Waits until it prints these parts, one after the other with anything between, after what was waited for before.
        What it has printed since then, up to the end of the last part."""
        with self._news:
            end = None

            def there():
                nonlocal end
                end = after(parts, self.printed, self._seen)
                return end is not None or self._over

            self._news.wait_for(there, patience_s)
            since = self.printed[self._seen : end]
            if end is None:
                why = "it ended" if self._over else f"{patience_s} s are over"
                raise AssertionError(f"{why}, and it did not print {' … '.join(map(repr, parts))}, but\n{since}")
            self._seen = end
            return since

    def end(self):
        """Ends it and all that it started."""
        for gently in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, gently)
            except ProcessLookupError:
                break
            try:
                self.process.wait(PATIENCE_S)
                break
            except subprocess.TimeoutExpired:
                pass
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


class Shell(Terminal):
    """The reader's first terminal. A command that fails ends it."""

    END = "the end of the block"

    def __init__(self, folder, environment):
        super().__init__(["bash", "-euo", "pipefail"], folder, environment, subprocess.PIPE)

    def run(self, commands):
        """What the commands print."""
        self.process.stdin.write(f"{commands}\nprintf '\\n%s %s\\n' '{self.END}' \"$PWD\"\n".encode())
        self.process.stdin.flush()
        try:
            said, _, folder = self.until(f"\n{self.END} ", "\n", patience_s=60).rpartition(f"\n{self.END} ")
        except AssertionError as error:
            raise AssertionError(f"a command failed: {error}") from error
        self.folder = folder.strip("\n")
        return said
