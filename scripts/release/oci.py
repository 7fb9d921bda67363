#!/usr/bin/env python3
"""Writes an image of folders as an OCI archive, without a container engine.

    oci.py ARCHIVE CONFIG NAME FOLDER...

Each FOLDER becomes a layer, in this order; CONFIG is a file with the image's configuration as JSON, without `rootfs`;
NAME is the full reference under which engines load it. The archive is readable for `podman load`, `docker load`,
`ctr images import` and `skopeo` (`oci-archive:`).

The same folders give the same bytes: members are sorted, nothing is newer than SOURCE_DATE_EPOCH (seconds since 1970,
required), and names of users and groups, access times and inode numbers are left out. Owners are those of the files,
so a root is read by root. Devices and sockets are left out: engines bring their own.
"""

import gzip
import hashlib
import io
import json
import os
import stat
import sys
import tarfile
from pathlib import Path

EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
# The kernel's capabilities of a program, in the form in which tar carries them (GNU tar, libarchive, containers/storage).
CAPABILITY = "security.capability"
CHUNK = 1 << 20


class Digesting:
    """A file that is written, with the SHA-256 and the number of its bytes."""

    def __init__(self, file):
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data):
        self._hash.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self):
        self._file.flush()

    @property
    def digest(self):
        return "sha256:" + self._hash.hexdigest()


def members(folder):
    """All below a folder as (name, path), a folder before what is in it, in the order of their bytes."""
    for entry in sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name)):
        yield entry.name, Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            for name, path in members(entry.path):
                yield f"{entry.name}/{name}", path


def header(name, path, known):
    """The header of one member; `None` for what no image holds."""
    status = path.lstat()
    kind = stat.S_IFMT(status.st_mode)
    if kind not in (stat.S_IFDIR, stat.S_IFLNK, stat.S_IFREG):
        return None
    member = tarfile.TarInfo(name)
    member.mode = stat.S_IMODE(status.st_mode)
    member.uid, member.gid = status.st_uid, status.st_gid
    member.mtime = min(int(status.st_mtime), EPOCH)
    if kind == stat.S_IFDIR:
        member.type = tarfile.DIRTYPE
    elif kind == stat.S_IFLNK:
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(path)
    elif (first := known.setdefault((status.st_dev, status.st_ino), name)) != name:
        member.type, member.linkname = tarfile.LNKTYPE, first
    else:
        member.size = status.st_size
        if CAPABILITY in os.listxattr(path, follow_symlinks=False):
            value = os.getxattr(path, CAPABILITY).decode("utf-8", "surrogateescape")
            member.pax_headers[f"SCHILY.xattr.{CAPABILITY}"] = value
    return member


def write_layer(folder, blobs):
    """A layer: the descriptor of the compressed blob, and the digest of what is in it."""
    part = blobs / "layer.part"
    with part.open("wb") as file:
        packed = Digesting(file)
        # Neither a file name nor a time goes into the header of gzip.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=packed, mtime=0) as compressed:
            plain = Digesting(compressed)
            with tarfile.open(fileobj=plain, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
                known = {}
                for name, path in members(folder):
                    member = header(name, path, known)
                    if member is None:
                        continue
                    if member.isreg():
                        with path.open("rb") as content:
                            tar.addfile(member, content)
                    else:
                        tar.addfile(member)
    part.rename(blobs / packed.digest.removeprefix("sha256:"))
    return descriptor("application/vnd.oci.image.layer.v1.tar+gzip", packed.digest, packed.size), plain.digest


def descriptor(media_type, digest, size, **more):
    return {"mediaType": media_type, "digest": digest, "size": size, **more}


def write_json(blobs, media_type, value, **more):
    """A blob of JSON: its descriptor."""
    data = encoded(value)
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return descriptor(media_type, f"sha256:{digest}", len(data), **more)


def encoded(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def main():
    archive, config_file, name, *folders = sys.argv[1:]
    blobs = Path(f"{archive}.blobs")
    blobs.mkdir()
    layers, contents = zip(*(write_layer(folder, blobs) for folder in folders), strict=True)
    config = json.loads(Path(config_file).read_text(encoding="utf-8"))
    config["rootfs"] = {"type": "layers", "diff_ids": list(contents)}
    config_blob = write_json(blobs, "application/vnd.oci.image.config.v1+json", config)
    manifest = write_json(
        blobs,
        "application/vnd.oci.image.manifest.v1+json",
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config_blob,
            "layers": list(layers),
        },
        platform={"os": config["os"], "architecture": config["architecture"]},
        annotations={"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name},
    )

    def place(blob):
        return "blobs/" + blob["digest"].replace(":", "/")

    first = {
        "oci-layout": {"imageLayoutVersion": "1.0.0"},
        "index.json": {"schemaVersion": 2, "manifests": [manifest]},
        # For engines that read Docker's archives only.
        "manifest.json": [
            {"Config": place(config_blob), "RepoTags": [name], "Layers": [place(layer) for layer in layers]}
        ],
    }
    part = Path(f"{archive}.part")
    with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:

        def add(path, size, content=None, kind=tarfile.REGTYPE):
            member = tarfile.TarInfo(path)
            member.type, member.size, member.mtime = kind, size, EPOCH
            member.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
            tar.addfile(member, content)

        for path, value in first.items():
            add(path, len(encoded(value)), io.BytesIO(encoded(value)))
        add("blobs", 0, kind=tarfile.DIRTYPE)
        add("blobs/sha256", 0, kind=tarfile.DIRTYPE)
        for blob in sorted(blobs.iterdir()):
            with blob.open("rb") as content:
                add(f"blobs/sha256/{blob.name}", blob.stat().st_size, content)
            blob.unlink()
    blobs.rmdir()
    part.rename(archive)
    unpacked = f"{manifest['digest']} with {len(layers)} layers of {sum(layer['size'] for layer in layers)} bytes"
    print(f"{archive}: {unpacked}", file=sys.stderr)


if __name__ == "__main__":
    main()
