"""Answers what is asked about one host; the answers are those of EvaluationMessages.swift."""

import json
import re

from catalog_checks import refusals
from catalog_conditions import joined
from catalog_rendering import JUST_A_NAME
from catalog_values import first_line, opaque, plain, truth

ENTRY_FIELDS = ("enabled", "file", "container", "url", "repo", "tag", "checksum", "sha256", "groups")
URL_NAME = re.compile(r"_url$")
VERSION_NAME = re.compile(r"_version$")
IMAGE_NAME = re.compile(r"_image_(repo|tag)$")
# What offline.yml and kubespray's sample of it put the addresses of an offline environment into.
ADDRESSES = ("http_server", "files_repo", "registry_host")


def everything(rendering, request):
    """All that is asked for."""
    composed = [composition(rendering, item) for item in request.get("composed", [])]
    variables = rendering.variables
    return {
        "host": str(variables.get("inventory_hostname")),
        "groups": plain(variables.get("group_names") or []),
        "architecture": rendering.attempt("image_arch", variables.get("image_arch")),
        "downloads": downloads(rendering, request),
        "urls": urls(rendering, request),
        "images": images(rendering, request),
        "addresses": addresses(rendering),
        "roleImages": rendering.role_images,
        "versions": versions(rendering, request["names"]),
        "composed": composed,
        "charts": [chart(rendering, item) for item in request.get("charts", [])],
        "packages": [packages(rendering, item) for item in request.get("packages", [])],
        "settings": {item["name"]: setting(rendering, item) for item in request.get("settings", [])},
        "refusals": refusals(rendering, request.get("checks", [])),
        "errors": rendering.errors,
    }


def downloads(rendering, request):
    """The entries of kubespray's `downloads`; where a variable holds no URL, with kubespray's own of that name."""
    own = rendering.load(request.get("defaults"))
    entries = rendering.variables.get("downloads") or {}
    found = {str(name): entry(rendering, str(name), raw) for name, raw in entries.items()}
    for name, raw in entries.items():
        source = JUST_A_NAME.fullmatch(str(raw["url"])) if "url" in raw else None
        if source and source[1] in own and not is_url(found[str(name)].get("url")):
            found[str(name)]["url"] = rendering.attempt(source[1], own[source[1]], needed=False)
    return found


def is_url(value):
    return isinstance(value, str) and re.match(r"https?://[^/]+/.", value) is not None


def entry(rendering, name, raw):
    """One entry; what is wrong with one that this host does not use is nobody's trouble."""
    result = {}
    for field in ENTRY_FIELDS:
        if field in raw:
            needed = field == "enabled" or truth(result.get("enabled", False))
            result[field] = rendering.attempt("downloads." + name + "." + field, raw[field], needed=needed)
    for field in ("enabled", "file", "container"):
        result[field] = truth(result.get(field, False))
    return result


def images(rendering, request):
    """What repositories and tags of images are; those that a role's template uses are judged with that role."""
    composed = " ".join(item["template"] for item in request.get("composed", []))
    of_roles = set(re.findall(r"[A-Za-z0-9_]+", composed))
    return named(rendering, request["names"], IMAGE_NAME, needed=lambda name: name not in of_roles)


def addresses(rendering):
    """The addresses of an offline environment, where the variables of this host have any."""
    known = [name for name in ADDRESSES if name in rendering.variables]
    return {name: shown(rendering, name, rendering.variables[name]) for name in known}


def shown(rendering, name, raw, needed=False):
    """The text of a variable before and after rendering."""
    value = rendering.attempt(name, raw, needed=needed)
    return {"template": opaque(raw), "value": None if value is None else str(value)}


def named(rendering, names, pattern, needed=lambda name: True):
    """Raw text and rendered value of each variable that kubespray declares under such a name."""
    return {
        name: shown(rendering, name, rendering.variables[name], needed(name))
        for name in names
        if pattern.search(name) and name in rendering.variables
    }


def urls(rendering, request):
    """Every URL, with the checksum that goes with it and, where somebody has set another, kubespray's own."""
    names = request["names"]
    own = rendering.load(request.get("defaults"))
    found = named(rendering, names, URL_NAME)
    for name, url in found.items():
        url["checksum"] = checksum(rendering, names, re.sub(r"(_download)?_url$", "", name))
        if name in own and str(own[name]) != url["template"]:
            url["own"] = shown(rendering, name, own[name])
    return found


def checksum(rendering, names, stem):
    """The checksum that kubespray keeps beside a URL under a variable of its own, if there is exactly one."""
    wanted = re.compile(re.escape(stem) + r"_(?:[a-z0-9]+_)*checksum$")
    found = set()
    for name in names:
        if wanted.match(name) and name in rendering.variables:
            value = rendering.attempt(name, rendering.variables[name], needed=False)
            if isinstance(value, str) and value:
                found.add(value)
    return found.pop() if len(found) == 1 else None


def versions(rendering, names):
    found = named(rendering, names, VERSION_NAME, needed=lambda name: False)
    return {name: item["value"] for name, item in found.items()}


def chart(rendering, item):
    """What a dependency on the role for Helm charts installs."""
    defaults = item.get("defaults")
    templar = rendering.scope(defaults)
    result = {"enabled": rendering.decided(item.get("condition"), defaults, templar)}
    try:
        for field in ("releases", "repositories"):
            result[field] = rendering.render(rendering.trusted_deeply(item[field]), templar)
    except Exception as error:  # whatever a filter or a lookup raises
        return {"error": first_line(error), "enabled": result["enabled"]}
    return result


def composition(rendering, item):
    """One image reference that a role's template puts together; where the role's condition is unknown, it may run."""
    defaults = item.get("defaults")
    templar = rendering.scope(defaults)
    enabled = rendering.decided(item.get("condition"), defaults, templar) is not False
    try:
        reference = str(rendering.render(rendering.trusted(item["template"]), templar)).strip()
    except Exception as error:  # whatever a filter or a lookup raises
        return {"error": first_line(error), "enabled": enabled}
    return {"reference": reference, "enabled": enabled}


def packages(rendering, item):
    """The names of packages that a task installs on a release, or that a list of packages has for it.

    Of a list `open` says what, beside the release, decides whether a cluster gets them; it is left out where no cluster
    does.
    """
    result = {"enabled": None}
    try:
        key, templar = rendering.release_scope(item["defaults"], item["variables"], item["facts"], item["release"])
        conditions = item["conditions"]
        result["enabled"] = joined([rendering.decided(condition, key, templar) for condition in conditions])
        names = [rendering.render(rendering.trusted(name), templar) for name in item["names"]]
        result["names"] = [name for given in names for name in (given if isinstance(given, list) else [given])]
    except Exception as error:  # whatever a file, a filter or a lookup raises
        result["error"] = first_line(error)
    if item.get("isListed"):
        add_open(result, rendering, item)
    return result


def add_open(result, rendering, item):
    certain = {name: value for name, value in item["facts"].items() if name not in item.get("uncertain", [])}
    values = [(c, rendering.decided_by_release(c, certain, item["release"])) for c in item["conditions"]]
    if joined([value for _, value in values]) is not False:
        result["open"] = [condition for condition, value in values if value is None]


def setting(rendering, item):
    """The value of a variable of some role, as JSON text."""
    try:
        return json.dumps(rendering.render(rendering.trusted(item["template"]), rendering.scope(item["defaults"])))
    except Exception:  # whatever a filter or a lookup raises
        return None
