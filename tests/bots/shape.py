"""How an example of the page is compared with what was really said."""


def same_keys(example, said, at="it"):
    """The same keys and kinds of values all the way down; of a list, whatever it has like its first."""
    if type(example) is not type(said):
        raise AssertionError(f"{at} is {said!r}, and {example!r} on the page")
    if isinstance(example, dict):
        if example.keys() != said.keys():
            only = sorted(example.keys() ^ said.keys())
            raise AssertionError(f"{at} has other keys than on the page: {', '.join(only)} stand in one of them only")
        for key in example:
            same_keys(example[key], said[key], f"{at}.{key}")
    elif isinstance(example, list) and example:
        if not said:
            raise AssertionError(f"{at} is empty, and not on the page")
        for index, one in enumerate(said):
            same_keys(example[0], one, f"{at}[{index}]")


def same_values(example, said, at="it"):
    """The same, and the same values, where there is no `…` in them."""
    same_keys(example, said, at)
    if isinstance(example, dict):
        for key in example:
            same_values(example[key], said[key], f"{at}.{key}")
    elif isinstance(example, list):
        for index, (one, other) in enumerate(zip(example, said, strict=True)):
            same_values(one, other, f"{at}[{index}]")
    elif isinstance(example, str):
        if after(parts(example), said) is None or ("…" not in example and example != said):
            raise AssertionError(f"{at} is {said!r}, and {example!r} on the page")
    elif example != said:
        raise AssertionError(f"{at} is {said!r}, and {example!r} on the page")


def parts(shown):
    """What has to be there of what is shown, in its order: `…` is anything, and so is what stands between two lines."""
    return [part for line in shown.strip("\n").split("\n") for part in line.split("…") if part]


def after(parts, text, start=0):
    """Where the last of the parts ends, if they stand in the text in their order; else none."""
    for part in parts:
        found = text.find(part, start)
        if found < 0:
            return None
        start = found + len(part)
    return start
