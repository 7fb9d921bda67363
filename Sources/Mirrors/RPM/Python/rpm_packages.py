"""What is to be known of packages that dnf has chosen. Nothing here needs dnf itself."""

import hashlib
import os
import re
import urllib.parse

TRUSTED = ("sha256", "sha512")


def reason(name, texts):
    """What dnf said about a repository that it left out: the line of the transfer if there is one."""
    said = [text for text in texts if f"'{name}'" in text] or ["dnf gave no reason"]
    return said[0].split("\n")[-1].strip(" -")


def local_key(url, folders):
    """A key that a repository expects on this machine; when it is not there, one of that name beside the sources."""
    if not url.startswith("file:"):
        return url
    path = urllib.parse.unquote(urllib.parse.urlparse(url).path)
    for candidate in [path] + [os.path.join(folder, os.path.basename(path)) for folder in folders]:
        if os.path.isfile(candidate):
            return "file://" + urllib.parse.quote(candidate)
    return url


def siblings(members, minimal):
    """The names of packages of a minimal system that must be upgraded together with a member.

    They are of the same build and require exactly its version.
    """
    names = {package.name for package in members}
    sources = {package.sourcerpm for package in members}
    candidates = [p for p in minimal if p.name not in names and p.sourcerpm in sources]
    return {p.name for p in candidates if any(exact_name(r) in names for r in p.requires)}


def exact_name(requirement):
    """The name that a requirement asks for in exactly one version; None for any other requirement."""
    match = re.match(r"([^\s(]+)(\([^)]*\))? = ", str(requirement))
    return match.group(1) if match else None


def needs_dnf(package, url):
    """Whether dnf must fetch a package.

    Its connection has settings that only dnf has, or its checksum is of a kind that is trusted no more.
    """
    repository = package.repo
    parts = urllib.parse.urlparse(url)
    return bool(
        package.returnIdSum()[0] not in TRUSTED
        or parts.scheme not in ("http", "https", "file")
        or parts.username
        or repository.username
        or repository.proxy
        or repository.sslclientcert
        or repository.sslcacert
        or not repository.sslverify
        or repository.get_http_headers()
    )


def located(package):
    """The URL of a package; nothing where its repository has no mirror that can be used."""
    location = package.location.lstrip("/")
    if package.baseurl:
        return os.path.join(package.baseurl, location)
    return package.repo.remote_location(location)


def quoted(url):
    """Characters that RPM allows in names and URLs do not, such as a circumflex."""
    return urllib.parse.quote(url, safe="/:@!$&'()*+,;=%~?#[]")


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def described(package, url, is_modular):
    """A package as the answer has it."""
    kind, value = package.returnIdSum()
    if kind not in TRUSTED:  # Then dnf has fetched and checked it.
        kind, value = "sha256", sha256(package.localPkg())
    return {
        "name": package.name,
        "epoch": int(package.epoch),
        "version": package.version,
        "release": package.release,
        "arch": package.arch,
        "url": quoted(url),
        "digest": f"{kind}:{value}",
        "size": int(package.downloadsize),
        "repository": package.reponame,
        "isModular": is_modular,
        "buildTime": int(package.buildtime),
    }


def nevra(package):
    """The text by which modules name a package."""
    return f"{package.name}-{int(package.epoch)}:{package.version}-{package.release}.{package.arch}"
