"""The kinds of files of a bundle, and the ways in which one of them is made another. Used by matrix."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

# What people call it, and where the first file of that kind lies in the bundle. The last part of a path may be a pattern.
KINDS = [
    ("launcher", "target-setup"),
    ("program in lib/", "lib/target-setup"),
    ("library in lib/", "lib/lib*.so*"),
    ("manifest", "bundle.json"),
    ("signature", "bundle.json.sig"),
    ("list of digests", "SHA256SUMS"),
    ("settings", "config.yml"),
    ("inventory for the nodes", "offline.yml"),
    ("file for the nodes", "files/*/kubelet"),
    ("containerd", "files/*containerd-*-linux-*.tar.gz"),
    ("runc", "files/*runc.*"),
    ("nerdctl", "files/*nerdctl-*.tar.gz"),
    ("CNI plugins", "files/*cni-plugins-*.tgz"),
    ("unit of containerd", "containerd.service"),
    ("settings of containerd", "config.toml"),
    ("settings of nginx", "nginx.conf"),
    ("server of nginx", "nginx-default.conf"),
    ("settings of the registry", "registry-config.yml"),
    ("image of nginx", "images/docker.io_library_nginx-*.tar.gz"),
    ("image of the registry", "images/docker.io_library_registry-*.tar.gz"),
    ("image of a node", "images/registry.k8s.io_*.tar.gz"),
    ("list of images", "images/images.list"),
    ("Debian package", "debs/local/pkgs/*.deb"),
    ("Packages", "debs/local/Packages"),
    ("Packages.gz", "debs/local/Packages.gz"),
    ("Release", "debs/local/Release"),
    ("InRelease", "debs/local/InRelease"),
    ("Release.gpg", "debs/local/Release.gpg"),
    ("key of the Debian packages", "debs/local/kubespray-offline.asc"),
    ("RPM package", "rpms/*/*.rpm"),
    ("repomd.xml", "rpms/*/repodata/repomd.xml"),
    ("repomd.xml.asc", "rpms/*/repodata/repomd.xml.asc"),
    ("list of RPM packages", "rpms/*/repodata/*primary.xml.gz"),
    ("key of the RPM packages", "rpms/*/keys/RPM-GPG-KEY-*"),
    ("what is signed of RPM", "rpms/*/keys/signatures.json"),
    ("wheel", "pypi/files/*.whl"),
    ("index page of a project", "pypi/ansible-core/index.html"),
    ("index of the projects", "pypi/index.html"),
    ("source of kubespray", "files/kubespray-*.tar.gz"),
    ("patch", "patches/*/*.patch"),
    ("playbook", "playbook/offline-repo.yml"),
    ("role of the playbook", "playbook/roles/*/tasks/main.yml"),
    ("script of the shell project", "setup-all.sh"),
    ("script for Ansible", "ansible-container.sh"),
]  # fmt: skip

# Parts of an image archive: no reader may need them, and all of the file counts.
PARTS = [
    ("padding in an image", "images/registry.k8s.io_*.tar.gz", "padding"),
    ("manifest in an image", "images/registry.k8s.io_*.tar.gz", "manifest"),
    ("layer in an image", "images/registry.k8s.io_*.tar.gz", "layer"),
]

COLUMNS = ["changed", "truncated", "replaced", "added", "deleted", "renamed", "link", "two readings"]


def find(paths: list[str], pattern: str) -> str | None:
    return next((path for path in sorted(paths) if fnmatch.fnmatchcase(path, pattern)), None)


def own_copy(path: pathlib.Path, content: bytes) -> None:
    """A file of its own in the place of a hard link."""
    path.unlink()
    path.write_bytes(content)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def changed_part(content: bytes, part: str) -> bytes:
    """An image archive that is well made from outside to inside, with another byte in one of its parts."""
    tar = bytearray(gzip.decompress(content))
    with tarfile.open(fileobj=io.BytesIO(bytes(tar))) as archive:
        entries = [entry for entry in archive if entry.isfile()]
    if part == "padding":
        entry = next(entry for entry in entries if entry.size % 512)
        place = entry.offset_data + entry.size
    else:
        blobs = [entry for entry in entries if entry.name.startswith("blobs/")]
        entry = blobs[0] if part == "manifest" else max(blobs, key=lambda blob: blob.size)
        place = entry.offset_data + entry.size // 2
    tar[place] ^= 1
    return gzip.compress(bytes(tar), 0)


def repacked_tree(content: bytes) -> bytes:
    """The source of kubespray, with something more in one of its files."""
    target = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as source, tarfile.open(fileobj=target, mode="w:gz") as archive:
        for entry in source:
            data = source.extractfile(entry).read() if entry.isfile() else None
            if data is not None and entry.name.endswith(".yml"):
                data += b"\n# owned\n"
                entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data) if data is not None else None)
    return target.getvalue()


class Replacing:
    """Another valid file of the same kind: what somebody would put there who knows how it is made."""

    def __init__(self, keys: pathlib.Path):
        self.keys = keys

    def signed(self, content: bytes, *options: str) -> bytes:
        command = ["gpg", "--homedir", self.keys / "gnupg", "--batch", "--armor", "--output", "-", *options]
        return subprocess.run(command, input=content, capture_output=True, check=True).stdout

    def __call__(self, bundle: pathlib.Path, path: str) -> None:
        place = bundle / path
        name = place.name
        if path == "bundle.json":
            self.manifest(bundle)
        elif path == "bundle.json.sig":
            shutil.copy(bundle / "bundle.json", self.keys / "statement")
            command = ["ssh-keygen", "-q", "-Y", "sign", "-f", self.keys / "stranger", "-n", "kubespray-offline-bundle"]
            (self.keys / "statement.sig").unlink(missing_ok=True)
            subprocess.run([*command, self.keys / "statement"], check=True, capture_output=True)
            own_copy(place, (self.keys / "statement.sig").read_bytes())
        else:
            own_copy(place, self.content(bundle, path, name, place.read_bytes()))

    def manifest(self, bundle: pathlib.Path) -> None:
        """A file of the nodes is another one, and the manifest says so."""
        place = bundle / "bundle.json"
        manifest = json.loads(place.read_text())
        entry = next(entry for entry in manifest["files"] if entry["path"].endswith("/kubelet"))
        content = b"#!/bin/sh\necho owned\n"
        own_copy(bundle / entry["path"], content)
        entry |= {"size": len(content), "sha256": "sha256:" + hashlib.sha256(content).hexdigest()}
        text = json.dumps(manifest, indent=2, sort_keys=True, separators=(",", " : "))
        own_copy(place, text.encode())

    def content(self, bundle: pathlib.Path, path: str, name: str, content: bytes) -> bytes:
        place = bundle / path
        if name == "InRelease":
            return self.signed(place.with_name("Release").read_bytes(), "--clear-sign")
        if name == "Release.gpg":
            return self.signed(place.with_name("Release").read_bytes(), "--detach-sign")
        if name == "repomd.xml.asc":
            return self.signed(place.with_suffix("").read_bytes(), "--detach-sign")
        if name.endswith(".asc") or name.startswith("RPM-GPG-KEY"):
            return self.signed(b"", "--export")
        if path.startswith(("images/", "lib/", "debs/local/pkgs/", "pypi/files/")):
            return neighbour(place, content) or other(name, content)
        return other(name, content)


def neighbour(place: pathlib.Path, content: bytes) -> bytes:
    """Another file of that folder with the same ending."""
    for found in sorted(place.parent.glob("*" + place.suffix)):
        if found.is_file() and found.name != place.name and found.read_bytes() != content:
            return found.read_bytes()
    return b""


def other(name: str, content: bytes) -> bytes:
    """A file of the same form, which means the same or something harmless: only its bytes are others."""
    if name.startswith("kubespray-") and name.endswith(".tar.gz"):
        return repacked_tree(content)
    if name.endswith((".gz", ".tgz")):
        return gzip.compress(gzip.decompress(content), 1, mtime=7)
    if name.endswith(".json"):
        return json.dumps(json.loads(content) | {"other": 1}).encode()
    if content[:4] == b"\x7fELF":
        return pathlib.Path("/bin/true").read_bytes()
    if name == "SHA256SUMS":
        return b"\n".join(reversed(content.strip().split(b"\n"))) + b"\n"
    if name.endswith(".patch"):
        return content.replace(b"\n+", b"\n+ ", 1)
    return content + (b"\n<!-- another -->\n" if name.endswith((".html", ".xml")) else b"\n# another\n")


def change(bundle: pathlib.Path, path: str, column: str, replacing: Replacing, elsewhere: pathlib.Path) -> list[str]:
    """Makes the change; returns names of which the refusal must have one."""
    place = bundle / path
    if column in ("changed", "padding", "manifest", "layer"):
        content = place.read_bytes()
        own_copy(place, changed_part(content, column) if column != "changed" else flipped(content, len(content) // 2))
    elif column == "truncated":
        content = place.read_bytes()
        own_copy(place, content[: len(content) // 2])
    elif column == "replaced":
        replacing(bundle, path)
    elif column == "deleted":
        place.unlink()
    elif column == "link":
        target = elsewhere / place.name
        shutil.copy(place, target)
        place.unlink()
        place.symlink_to(os.path.relpath(target, place.parent))
    else:
        new = place.with_name("zz-" + place.name)
        if column == "renamed":
            place.rename(new)
            return [path, str(new.relative_to(bundle))]
        new.write_bytes(place.read_bytes())
        return [str(new.relative_to(bundle))]
    return [path]
