"""Decides the conditions of kubespray's packages as far as a release decides them.

Reads {"file": ..., "facts": {...}} and writes [{"name": ..., "open": [conditions not decided]}]. It is Python because
the conditions are Jinja.
"""

import json
import re
import sys

import jinja2
import yaml

WHOLE = re.compile(r"\s*\{\{((?:(?!\}\}).)*)\}\}\s*", re.DOTALL)


class Unknown(jinja2.StrictUndefined):
    """A variable of the inventory: to use its value in any way is an error, so its condition stays open."""


def needs_value(function):
    def checked(value, *arguments, **options):
        if isinstance(value, jinja2.Undefined):
            raise jinja2.UndefinedError("not known")
        return function(value, *arguments, **options)

    return checked


def environment():
    made = jinja2.Environment(undefined=Unknown)
    try:
        from ansible.plugins.filter.core import FilterModule
        from ansible.plugins.test.core import TestModule

        made.filters.update(FilterModule().filters())
        made.tests.update(TestModule().tests())
        made.tests["version"] = made.tests.get("version") or made.tests["ansible.builtin.version"]
    except Exception:  # not there, or the user's ansible.cfg is broken
        pass  # what uses one of their own tests then stays open
    # These accept what is undefined, and would say "no" where nobody knows.
    made.tests["defined"] = needs_value(lambda value: True)
    made.tests["undefined"] = needs_value(lambda value: False)
    for name in ("default", "d"):
        made.filters[name] = needs_value(lambda value, *_, **__: value)
    return made


def decide(jinja, condition, facts):
    """True, False, or None when more than the facts would be needed."""
    if not isinstance(condition, str):
        return bool(condition)
    if "{{" in condition and not WHOLE.fullmatch(condition):
        return None
    try:
        return bool(jinja.compile_expression(bare(condition), undefined_to_none=False)(facts))
    except Exception:  # whatever a filter or test makes of an unknown value
        return None


def bare(condition):
    """A condition that is written as a template, without its braces."""
    whole = WHOLE.fullmatch(condition)
    return (whole[1] if whole else condition).strip()


def main():
    query = json.load(sys.stdin)
    facts = {"ansible_" + name: value for name, value in query["facts"].items()}
    facts.update(ansible_facts=query["facts"], is_fedora_coreos=False)
    jinja = environment()
    with open(query["file"], encoding="utf-8") as file:
        packages = yaml.safe_load(file)["pkgs"]
    answers = []
    for name, given in packages.items():
        conditions = given if isinstance(given, list) else [] if given is None else [given]
        decided = [(condition, decide(jinja, condition, facts)) for condition in conditions]
        if all(result is not False for _, result in decided):
            answers.append({"name": name, "open": [bare(str(c)) for c, result in decided if result is None]})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
