"""Makes what is left on an admin host of two bundles, with the images of the first one in a registry's folder, and the objects
of a cluster that uses some of them.

python3 two_releases.py FOLDER OLD

FOLDER/new is the bundle that was set up last, OLD the one before it, FOLDER/state the program's own folder,
FOLDER/registry that of the registry, FOLDER/api/objects.json what the cluster answers.
"""

import hashlib
import json
import pathlib
import sys

base, old = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
storage = base / "registry/docker/registry/v2"
identity = "0123456789abcdef0123456789abcdef"


def put(path: pathlib.Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def bundle(folder: pathlib.Path, version: str, bundle_id: str, files: dict) -> None:
    entries = []
    for path, data in sorted(files.items()):
        put(folder / path, data)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        entry = {"path": path, "size": len(data), "sha256": digest, "stage": "files"}
        entries.append(entry | {"url": f"https://example.com/{path}", "verification": "tls-only"})
    manifest = {"format": 2, "id": bundle_id, "sequence": len(files), "tool": "test", "created": "2026-01-01T00:00:00Z"}
    manifest |= {"kubespray": version, "architecture": "amd64", "platforms": ["linux/amd64"], "stages": ["files"]}
    manifest |= {"signedRepositories": {}, "files": entries}
    put(folder / "bundle.json", json.dumps(manifest, indent=2).encode())


def blob(data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    put(storage / "blobs/sha256" / digest[:2] / digest / "data", data)
    return digest


def image(repository: str, tag: str) -> dict:
    kinds = "application/vnd.oci.image."
    parts = [json.dumps({"image": repository}).encode(), f"layer of {repository}:{tag}".encode() * 1000]
    config, layer = ({"digest": "sha256:" + blob(data), "size": len(data)} for data in parts)
    manifest = {"schemaVersion": 2, "mediaType": f"{kinds}manifest.v1+json"}
    manifest["config"] = {"mediaType": f"{kinds}config.v1+json"} | config
    manifest["layers"] = [{"mediaType": f"{kinds}layer.v1.tar"} | layer]
    digest = blob(json.dumps(manifest).encode())
    place = storage / "repositories" / repository
    link = ("sha256:" + digest).encode()
    put(place / "_manifests/revisions/sha256" / digest / "link", link)
    put(place / "_manifests/tags" / tag / "current/link", link)
    put(place / "_manifests/tags" / tag / "index/sha256" / digest / "link", link)
    for part in (config, layer):
        put(place / "_layers/sha256" / part["digest"].removeprefix("sha256:") / "link", part["digest"].encode())
    return {"repository": repository, "tag": tag, "digest": "sha256:" + digest, "attached": []}


bundle(base / "new", "2.30.0", "f" * 32, {"files/new": b"new", "config.yml": b"kubespray:\n  version: 2.30.0\n"})
bundle(old, "2.29.1", identity, {"files/kubelet": b"k" * 9000, "config.yml": b"kubespray:\n  version: 2.29.1\n"})
names = ["team/app:1", "library/init:1", "kube-proxy:v1.33.7", "pause:3.9", "team/job:2", "spare:1"]
images = [image(*name.split(":")) for name in names]
record = {"id": identity, "kubespray": "2.29.1", "bundle": str(old), "images": images}
put(base / "state/images.json", json.dumps([record]).encode())
# What is used by every image but the last one.
record["images"] = images[:-1]
put(base / "state/used.json", json.dumps([record]).encode())


def pod(name: str, image: str = "registry.k8s.io/coredns/coredns:v1.12.0", **more: object) -> dict:
    spec = {"containers": [{"name": "c", "image": image}]} | more
    return {"metadata": {"namespace": "default", "name": name}, "spec": spec, "status": {"phase": "Running"}}


pods = [pod(f"pod-{number}") for number in range(450)]
pods[10] = pod("web", "team/app:1".replace("team", "docker.io/team"))
pods[250] = pod("proxy", "10.0.0.5:35000/other:1")
# Named by nothing but the digest of what runs.
pods[250]["status"]["containerStatuses"] = [
    {"image": "x", "imageID": f"10.0.0.5:35000/kube-proxy@{images[2]['digest']}"}
]
pods[449] = pod("last", initContainers=[{"name": "i", "image": "init:1"}])
job = {"spec": {"template": {"spec": {"containers": [{"name": "j", "image": "docker.io/team/job:2"}]}}}}
cron = {"metadata": {"namespace": "ops", "name": "nightly"}, "spec": {"schedule": "@daily", "jobTemplate": job}}
held = [
    {"names": ["registry.k8s.io/pause:3.9"], "sizeBytes": 1},
    {"names": ["docker.io/library/spare:1"], "sizeBytes": 9},
]
node = {"metadata": {"name": "n1"}, "status": {"nodeInfo": {"kubeletVersion": "v1.34.3"}, "images": held}}
objects = {"/api/v1/pods": pods, "/api/v1/nodes": [node], "/apis/batch/v1/cronjobs": [cron]}
for kind in ("deployments", "daemonsets", "statefulsets"):
    objects[f"/apis/apps/v1/{kind}"] = []
put(base / "api/objects.json", json.dumps(objects).encode())
