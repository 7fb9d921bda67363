"""Makes a small bundle for the cases: a signed repository with one package, an empty Python index, kubespray, offline.yml.

python3 bundle.py FOLDER CONFIG
"""

import gzip
import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

folder, config = pathlib.Path(sys.argv[1]), sys.argv[2]


def put(name: str, text: str) -> pathlib.Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def run(*words: str, cwd: pathlib.Path = folder) -> None:
    subprocess.run(words, cwd=cwd, check=True, stdout=subprocess.DEVNULL)


def repository(place: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        root = pathlib.Path(work) / "root"
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(
            "Package: kubespray-offline-case\nVersion: 1\nArchitecture: all\nMaintainer: nobody <a@example.com>\n"
            "Description: nothing\n"
        )
        run("dpkg-deb", "--build", str(root), str(place / "kubespray-offline-case_1_all.deb"))
        packages = subprocess.run(
            ["apt-ftparchive", "packages", "."], cwd=place, check=True, capture_output=True, text=True
        ).stdout
        (place / "Packages").write_text(packages)
        (place / "Packages.gz").write_bytes(gzip.compress(packages.encode()))
        release = subprocess.run(
            ["apt-ftparchive", "release", "."], cwd=place, check=True, capture_output=True, text=True
        ).stdout
        (place / "Release").write_text(release)
        gpg = ["gpg", "--homedir", work, "--batch", "--yes", "--passphrase", ""]
        run(*gpg, "--quick-generate-key", "cases <a@example.com>", "ed25519", "sign", "never")
        run(*gpg, "--armor", "--output", str(place / "kubespray-offline.asc"), "--export")
        run(*gpg, "--clearsign", "--output", str(place / "InRelease"), str(place / "Release"))
        run(*gpg, "--armor", "--detach-sign", "--output", str(place / "Release.gpg"), str(place / "Release"))


def kubespray() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name in (
            "requirements.txt",
            "inventory/sample/inventory.ini",
            "inventory/sample/group_vars/all/offline.yml",
            "roles/a/file",
        ):
            data = b"# nothing\n"
            entry = tarfile.TarInfo(f"kubespray-2.30.0/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return content.getvalue()


OFFLINE = """http_server: "http://YOUR_HOST"
registry_host: "YOUR_HOST:35000"
containerd_registries_mirrors:
  - prefix: "{{ registry_host }}"
    mirrors:
      - host: "http://{{ registry_host }}"
        capabilities: ["pull", "resolve"]
        skip_verify: true
  - prefix: "docker.io"
    mirrors:
      - host: "http://{{ registry_host }}"
        capabilities: ["pull", "resolve"]
        skip_verify: true
"""


def entry(path: pathlib.Path) -> dict:
    data = path.read_bytes()
    return {
        "path": str(path.relative_to(folder)),
        "size": len(data),
        "stage": "scripts",
        "sha256": "sha256:" + hashlib.sha256(data).hexdigest(),
        "verification": "generated",
    }


place = folder / "debs/debian-12"
place.mkdir(parents=True)
repository(place)
put("pypi/index.html", "<html></html>\n")
put("offline.yml", OFFLINE)
put("playbook/offline-repo.yml", "- hosts: all\n")
put("playbook/roles/offline-repo/tasks/main.yml", "---\n")
shutil.copy(config, folder / "config.yml")
(folder / "files").mkdir()
(folder / "files/kubespray-2.30.0.tar.gz").write_bytes(kubespray())
manifest = {
    "format": 1,
    "tool": "0",
    "created": "2026-01-01T00:00:00Z",
    "kubespray": "2.30.0",
    "architecture": "amd64",
    "platforms": ["linux/amd64"],
    "stages": ["kubespray", "scripts"],
    "files": [entry(path) for path in sorted(folder.rglob("*")) if path.is_file()],
}
put("bundle.json", json.dumps(manifest, indent=2))
