"""Makes two bundles that follow one another, with images as archives of bundles have them, for deltas and media.

python3 two_bundles.py FOLDER [MEGABYTES [LARGE...]]    FOLDER/old and FOLDER/new; MEGABYTES (8) is the size of each of the large
                                                        parts, LARGE that of one more file of the new bundle, in megabytes, too

Files that are called large have a mark in each MiB and holes between the marks: they take little room until they are copied.
"""

import gzip
import hashlib
import io
import json
import pathlib
import random
import sys
import tarfile

base = pathlib.Path(sys.argv[1])
part = int(sys.argv[2] if len(sys.argv) > 2 else 8) << 20


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def archive(reference: str, blobs: list) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        documents = [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", reference.encode())]
        named = [("blobs/sha256/" + hashlib.sha256(blob).hexdigest(), blob) for blob in blobs]
        for name, data in documents + named:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(content.getvalue(), 0, mtime=0)


def write(folder: pathlib.Path, version: str, files: dict, images: dict, large: tuple | list = ()) -> None:
    entries = []
    for name, data in files.items():
        entries.append(put(folder, name, data, "repo" if name.startswith("debs/") else "files"))
    for name, (reference, blobs) in images.items():
        entry = put(folder, name, archive(reference, blobs), "images")
        digests = ["sha256:" + hashlib.sha256(blob).hexdigest() for blob in blobs]
        entry["image"] = {"reference": reference, "digest": digests[0], "platforms": ["linux/amd64"]}
        entry["image"] |= {"layers": len(blobs), "blobs": digests}
        entries.append(entry)
    entries += [put_large(folder, number, size) for number, size in enumerate(large)]
    manifest = {"format": 2, "id": hashlib.sha256(version.encode()).hexdigest()[:32], "sequence": len(files)}
    manifest |= {"tool": "test", "created": "2026-01-01T00:00:00Z", "kubespray": version, "architecture": "amd64"}
    manifest |= {"platforms": ["linux/amd64"], "stages": ["files", "images", "repo"], "signedRepositories": {}}
    manifest["files"] = sorted(entries, key=lambda entry: entry["path"])
    (folder / "bundle.json").write_text(json.dumps(manifest, indent=2))


def put(folder: pathlib.Path, name: str, data: bytes, stage: str) -> dict:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    url = f"https://example.com/{name}"
    verification = {"files": "tls-only", "images": "registry-digest", "repo": "repository-metadata"}[stage]
    return {"path": name, "size": len(data), "sha256": digest, "stage": stage, "url": url, "verification": verification}


def put_large(folder: pathlib.Path, number: int, size: int) -> dict:
    path = folder / f"files/large-{number}"
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for place in range(size):
            mark = hashlib.sha256(f"{number} {place}".encode()).digest()
            file.seek(place << 20)
            file.write(mark)
            digest.update(mark.ljust(1 << 20, b"\0"))
        file.truncate(size << 20)
    entry = {
        "path": f"files/large-{number}",
        "size": size << 20,
        "sha256": "sha256:" + digest.hexdigest(),
        "stage": "files",
    }
    return entry | {"url": f"https://example.com/large-{number}", "verification": "tls-only"}


def image(name: str, version: str, *blobs: bytes) -> dict:
    return {f"images/registry.k8s.io_{name}-{version}.tar.gz": (f"registry.k8s.io/{name}:{version}", list(blobs))}


layer, old_layer, new_layer = noise(1, part), noise(2, part // 4), noise(3, part // 4)
kept = {
    "files/runc/v1.3.4/runc.amd64": noise(4, part // 8),
    "files/helm-v3.18.4-linux-amd64.tar.gz": noise(5, part // 8),
}
packages = {f"debs/local/pkgs/package{number}_1_amd64.deb": noise(100 + number, 20_000) for number in range(40)}
write(
    base / "old",
    "2.29.1",
    kept | packages | {"files/kubernetes/v1.33.7/kubelet": noise(6, part // 2)},
    image("kube-apiserver", "v1.33.7", noise(10, 2000), layer, old_layer)
    | image("kube-proxy", "v1.33.7", noise(11, 2000), layer, noise(12, part // 4))
    | image("pause", "3.10", noise(13, 2000), noise(14, 300_000)),
)
write(
    base / "new",
    "2.30.0",
    kept
    | packages
    | {
        "files/kubernetes/v1.34.3/kubelet": noise(7, part // 2),
        "debs/local/pkgs/package0_2_amd64.deb": noise(8, 20_000),
    },
    image("kube-apiserver", "v1.34.3", noise(20, 2000), layer, new_layer)
    | image("kube-proxy", "v1.34.3", noise(21, 2000), layer, new_layer, noise(22, part // 8))
    | image("pause", "3.10", noise(13, 2000), noise(14, 300_000)),
    [int(size) for size in sys.argv[3:]],
)
