"""What becomes of the values that Ansible renders."""

import hashlib
import json
import re

# What differs between any two hosts and never decides what they download.
PERSONAL = re.compile(
    r"(ansible_|inventory_)|(ip6?|access_ip6?|main_ip|fallback_ip|etcd_member_name|hostvars|vars|omit)$"
)


def plain(value):
    """Reduces a rendered value to what JSON holds; text types of Ansible become plain text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    return str(value)


def truth(value):
    """Reads a flag as Ansible's conditions do."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "on", "1", "y", "t")
    return bool(value)


def signature(variables):
    """One text for all hosts of the same groups and variables, which are evaluated once."""
    shared = {str(key): value for key, value in variables.items() if not PERSONAL.match(str(key))}
    text = json.dumps(shared, sort_keys=True, default=opaque)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


def opaque(value):
    """The text of what JSON does not know; of a secret that cannot be opened here, its cipher text."""
    try:
        return str(value)
    except Exception:  # what a vault raises
        return str(getattr(value, "_ciphertext", type(value)))


def first_line(error):
    """What an error says, on one line that is not too long."""
    return " ".join(str(error).split())[:300]
