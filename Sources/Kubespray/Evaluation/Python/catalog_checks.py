"""What kubespray's own checks of an inventory refuse, as far as it is known before there are machines."""

import re

from catalog_conditions import joined
from catalog_values import first_line

ASSERT = ("assert", "ansible.builtin.assert")
WHOLE = re.compile(r"\{\{(.*)\}\}", re.DOTALL)


def refusals(rendering, paths):
    """The tasks in files of tasks that would end a play on this host, and what they say."""
    found = []
    for path in paths:
        for number, task in enumerate(tasks(rendering, path)):
            check = assertion(task)
            message = check and refusal(rendering, task, check, (path, number))
            if message:
                found.append({"check": str(task.get("name") or path), "message": message})
    return found


def tasks(rendering, path):
    """The tasks of a file; none where it cannot be read, which is for the play to tell: a warning must not end a run."""
    try:
        return rendering.load(path)
    except Exception:  # whatever a loader raises
        return []


def assertion(task):
    checks = [task[name] for name in ASSERT if isinstance(task, dict) and isinstance(task.get(name), dict)]
    return checks[0] if checks else None


def refusal(rendering, task, check, key):
    """What a task says, if what it demands is known not to hold; what asks about the machine itself is not known."""
    templar = rendering.with_variables(task.get("vars") or {})
    if joined([rendering.decided(part, key, templar) for part in conditions(task.get("when"))]) is not True:
        return None
    wrong = [part for part in conditions(check.get("that")) if rendering.decided(part, key, templar) is False]
    if not wrong:
        return None
    said = check.get("fail_msg") or check.get("msg")
    said = said and rendering.attempt("", said, templar, needed=False)
    return first_line(said or " and ".join(wrong))


def conditions(value):
    """The conditions of a task, each as text."""
    if value is None:
        return []
    found = [str(each).strip() for each in (value if isinstance(value, list) else [value])]
    return [whole[1].strip() if (whole := WHOLE.fullmatch(each)) else each for each in found]
