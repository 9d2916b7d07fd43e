"""All that is tested of docs/bots.md and of what the daemon signs: side by side, and no block of the page is left out."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import reader
import signatures
import wire
from page import Page


def main():
    page = Page.read()
    tests = {
        "the page, in Python": lambda: reader.read(page, "python"),
        "the page, in JavaScript": lambda: reader.read(page, "javascript"),
        "the examples on the wire": lambda: wire.compare(page),
        "the signatures, in Python": lambda: signatures.verify("python"),
        "the signatures, in JavaScript": lambda: signatures.verify("javascript"),
    }
    started = time.monotonic()
    failed = []
    with ThreadPoolExecutor(len(tests)) as pool:
        running = {name: pool.submit(test) for name, test in tests.items()}
        for name, test in running.items():
            if error := test.exception():
                failed.append(f"{name}: {type(error).__name__}: {error}")
    unused = page.unused()
    if not failed and unused:
        failed.append(f"nothing uses these blocks of {page.path.name}: {', '.join(map(str, unused))}")
    if failed:
        sys.exit("\n\n".join(failed))
    took_s = time.monotonic() - started
    print(f"all {len(page.blocks)} blocks of docs/bots.md work as shown, and what is signed verifies ({took_s:.0f} s)")


main()
