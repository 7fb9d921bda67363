"""What the answer says of the files that pip found."""

import hashlib
import os

from pip._internal.models.link import Link
from pip._vendor.packaging.utils import canonicalize_name
from pip._vendor.packaging.version import Version
from pip._vendor.requests import Request
from pip._vendor.requests.utils import get_netrc_auth
from resolver_texts import file_name, with_credentials

SOURCE_KINDS = (".zip", ".tar.gz")


class FoundFiles:
    """Files that a command of pip's found, with the sizes that the index gave."""

    def __init__(self, sizes):
        self.sizes = sizes

    def of_item(self, command, item, wants_sources):
        """The wheel that pip chose, and the source of the same version."""
        project = canonicalize_name(item["metadata"]["name"])
        version = Version(item["metadata"]["version"])
        info = item["download_info"]
        link = Link(info["url"]) if item["is_direct"] else chosen_link(command, project, file_name(info["url"]))
        file = self.described(command, project, version, link, info.get("archive_info", {}).get("hashes", {}))
        file["requires_python"] = item["metadata"].get("requires_python") or ""
        file["yanked"] = item["is_yanked"]
        file["direct"] = item["is_direct"]
        if not wants_sources or item["is_direct"]:
            return [file]
        source = self.best_source(command, project, lambda each: each == version)
        return [file, source] if source else [file]

    def best_source(self, command, project, accepts):
        """The source distribution of the newest version that is accepted."""
        found = [each for each in command.sources.find_all_candidates(project) if accepts(each.version)]
        if not found:
            return None
        best = max(found, key=lambda each: (each.version, source_rank(each.link)))
        return self.described(command, project, best.version, best.link, {})

    def described(self, command, project, version, link, hashes):
        """What a mirror must know about a file."""
        hashes = {**hashes, **link._hashes}
        size = self.sizes.get(link.url_without_fragment)
        if link.is_file:
            with open(link.file_path, "rb") as file:
                hashes["sha256"] = hashlib.sha256(file.read()).hexdigest()
            size = os.path.getsize(link.file_path)
        return {
            "project": project,
            "version": str(version),
            "name": link.filename,
            "url": reachable(command, link.url_without_fragment),
            "size": size,
            "hashes": {name: value for name, value in hashes.items() if name in ("sha256", "sha512")},
            "requires_python": link.requires_python or "",
            "yanked": False,
            "direct": False,
        }


def chosen_link(command, project, name):
    """Where pip found a wheel: the file of an index before a copy of it on this machine."""
    links = [each.link for each in command.wheels.find_all_candidates(project)]
    return min((link for link in links if link.filename == name), key=lambda link: link.is_file)


def source_rank(link):
    """Which of two source distributions of a version is taken: the kind by which it is usual to name them."""
    kind = SOURCE_KINDS.index(link.ext) if link.ext in SOURCE_KINDS else -1
    return kind, not link.is_file


def reachable(command, url):
    """The URL with the name and password that pip sends there, unless they are in netrc, which others read."""
    if not url.startswith("http") or get_netrc_auth(url):
        return url
    sent = command.session.prepare_request(Request("GET", url)).headers.get("Authorization", "")
    return with_credentials(url, sent)
