"""Decides conditions as far as they can be decided: True, False, or None where that is not known."""

import re

ACCEPTS_UNKNOWN = re.compile(r"\bis\s+(not\s+)?(un)?defined\b|\|\s*(d|default)\b")


def split_condition(text, word):
    """The parts of a condition that such a word joins outside of parentheses and quotes."""
    if re.search(r"\bif\b.*\belse\b", text):
        return [text]
    parts, start = [], 0
    for place in top_level(text):
        if text[place].isspace() and re.match(word + r"[\s(]", text[place + 1 :]):
            parts.append(text[start:place])
            start = place + 1 + len(word)
    return [part.strip() for part in [*parts, text[start:]]]


def top_level(text):
    """The places of letters that stand outside of parentheses and quotes."""
    depth, quote = 0, None
    for place, letter in enumerate(text):
        if quote:
            quote = None if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif depth == 0:
            yield place


def without_parentheses(text):
    """A condition without the parentheses that enclose all of it."""
    text = text.strip()
    while text.startswith("(") and closing(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def closing(text):
    """The place of the parenthesis that closes the one at the start."""
    depth = 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return place
    return None


def decide(condition, evaluate):
    """Decides a condition by its parts: what is unknown in one does not hide what another decides.

    `evaluate` gives the truth of a part that has no `and` or `or` at its top, and raises what it likes where that is
    not known.
    """
    if condition is None:
        return True
    condition = without_parentheses(condition)
    for word, deciding in (("or", True), ("and", False)):
        parts = split_condition(condition, word)
        if len(parts) > 1:
            return joined([decide(part, evaluate) for part in parts], deciding)
    try:
        return evaluate(condition)
    except Exception:  # whatever a filter or a lookup raises
        return None


def joined(values, deciding=False):
    """What the parts of a condition come to: one that has the deciding value decides, be the others known or not."""
    return deciding if deciding in values else None if None in values else not deciding


def accepts_unknown(part):
    """Whether a part of a condition has a value even where a variable in it has none."""
    return ACCEPTS_UNKNOWN.search(part) is not None
