"""What is read out of requirement files, markers, URLs and pip's messages. Nothing here needs pip."""

import base64
import os
import re
import urllib.parse


def texts_of(paths):
    """The requirement files and those that they name, as they are."""
    return [text for _, text in files_of(paths) if text is not None]


def files_of(paths, seen=()):
    """The paths of requirement files and of those that they name, with their text; None where there is none."""
    for path in paths:
        if path in seen or "://" in path:
            continue
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError):
            yield path, None  # pip says why, with the line that names it
            continue
        yield path, text
        named = re.findall(r"^\s*(?:-r|--requirement|-c|--constraint)[=\s]*([^\s#]+)", text, re.MULTILINE)
        nested = [os.path.join(os.path.dirname(path), each) for each in named]
        yield from files_of(nested, (*seen, path))


def depends_on_patch_level(text, python):
    """Whether a marker compares with a patch level of a Python such as 3.11: python_full_version < "3.11.3"."""
    if "python_full_version" not in text and "implementation_version" not in text:
        return False
    return re.search(rf"""["']{re.escape(python)}\.""", text) is not None


def file_name(url):
    """The name of the file that a URL is of."""
    return urllib.parse.unquote(os.path.basename(urllib.parse.urlsplit(url).path))


def with_credentials(url, authorization):
    """The URL with the name and password of an Authorization header, if they are of the basic kind."""
    if not authorization.startswith("Basic "):
        return url
    parts = urllib.parse.urlsplit(url)
    name, _, password = base64.b64decode(authorization[6:]).decode("latin-1").partition(":")
    user = urllib.parse.quote(name, safe="") + ":" + urllib.parse.quote(password, safe="")
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}"))


def last_line(text):
    """The reason that pip gave, without its label."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^ERROR: ", "", lines[-1]) if lines else "pip gave no reason"
