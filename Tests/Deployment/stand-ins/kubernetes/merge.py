"""What a patch makes of an object: JSON merge patch (RFC 7396) and the strategic merge patch of Kubernetes."""

from __future__ import annotations

import copy

# By which field the members of a list are the same (patchMergeKey of the API); lists that are not named are replaced.
KEYS = {
    "containers": ["name"],
    "initContainers": ["name"],
    "ephemeralContainers": ["name"],
    "volumes": ["name"],
    "env": ["name"],
    "ports": ["containerPort", "port"],
    "volumeMounts": ["mountPath"],
    "volumeDevices": ["devicePath"],
    "hostAliases": ["ip"],
    "imagePullSecrets": ["name"],
    "secrets": ["name"],
    "conditions": ["type"],
    "addresses": ["type"],
    "ownerReferences": ["uid"],
    "webhooks": ["name"],
    "topologySpreadConstraints": ["topologyKey"],
}


def json_merge(target: object, patch: object) -> object:
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = json_merge(result.get(name), value)
    return result


def strategic_merge(target: object, patch: dict) -> dict:
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    result = dict(target) if isinstance(target, dict) else {}
    for name in list(result):
        if "$retainKeys" in patch and name not in patch["$retainKeys"]:
            del result[name]
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.split("/", 1)[1]
            result[field] = [member for member in result.get(field, []) if member not in value]
        elif name.startswith("$"):
            # The order of a list's members is of no account here.
            continue
        elif value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = strategic_merge(result.get(name), value)
        elif isinstance(value, list):
            result[name] = merged_list(name, result.get(name) or [], value)
        else:
            result[name] = value
    return result


def merged_list(field: str, target: list, patch: list) -> list:
    if field == "finalizers":
        return target + [member for member in patch if member not in target]
    key = next(
        (key for key in KEYS.get(field, []) if all(isinstance(member, dict) and key in member for member in patch)),
        None,
    )
    if key is None:
        return copy.deepcopy(patch)
    result = list(target)
    for member in patch:
        same = next((index for index, old in enumerate(result) if old.get(key) == member[key]), None)
        if member.get("$patch") == "delete":
            result = [old for old in result if old.get(key) != member[key]]
        elif same is None:
            result.append(strategic_merge({}, member))
        else:
            result[same] = strategic_merge(result[same], member)
    return result
