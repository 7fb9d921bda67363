"""Servers on this machine: nginx with files, docker-registry with images."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import NamedTuple

from measure import free_port

HERE = pathlib.Path(__file__).resolve().parent
MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "docker.distribution.manifest.v2",
        "docker.distribution.manifest.list.v2",
        "oci.image.manifest.v1",
        "oci.image.index.v1",
    )
)


@contextlib.contextmanager
def running_nginx(work: pathlib.Path, *rates: str, settings: str = "") -> Iterator[list[str]]:
    """nginx that serves the folder `origin`; host and port for each rate, the most of a connection (nginx's limit_rate)."""
    addresses = [f"127.0.0.1:{free_port()}" for _ in rates]
    servers = "".join(
        f"server {{ listen {address} reuseport; limit_rate {rate}; {settings}}}\n"
        for address, rate in zip(addresses, rates)
    )
    (work / "nginx.conf").write_text(
        f"user root root; pid {work}/nginx.pid; error_log {work}/error.log; worker_processes 1;\n"
        f"events {{ worker_connections 512; }}\n"
        f"http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000; root {work}/origin;\n{servers}}}\n"
    )
    subprocess.run(["nginx", "-p", work, "-c", work / "nginx.conf", "-e", work / "error.log"], check=True)
    try:
        yield addresses
    finally:
        os.kill(int((work / "nginx.pid").read_text()), signal.SIGTERM)
        while (work / "nginx.pid").exists():  # it removes that last
            time.sleep(0.01)


class Image(NamedTuple):
    reference: str
    blobs: dict[str, int]  # the size of each, by its URL

    @property
    def size(self) -> int:
        return sum(self.blobs.values())

    @property
    def archive(self) -> str:
        return self.reference.replace("/", "_").replace(":", "-")


@contextlib.contextmanager
def running_registry(work: pathlib.Path, log_requests: bool = False) -> Iterator[str]:
    """A docker-registry whose storage is the folder `registry`, and whose log is registry.log; its host and port."""
    address = f"127.0.0.1:{free_port()}"
    (work / "registry.yml").write_text(
        f"version: 0.1\nlog: {{level: warn, accesslog: {{disabled: {str(not log_requests).lower()}}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {work}/registry}}}}\n"
        f'http: {{addr: "{address}", secret: only-for-tests}}\n'
    )
    with open(work / "registry.log", "w") as log:
        process = subprocess.Popen(["docker-registry", "serve", work / "registry.yml"], stdout=log, stderr=log)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/v2/").close()
                break
            except OSError:
                if process.poll() is not None:
                    sys.exit(f"error: docker-registry did not start:\n{(work / 'registry.log').read_text()}")
                time.sleep(0.1)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def make_images(address: str, count: int, megabytes: float, release: int = 1) -> list[Image]:
    """Fills the registry with those of a release."""
    command = [
        HERE.parent / "Tests/EndToEnd/make-images",
        "many",
        address,
        "--images",
        str(count),
        "--megabytes",
        str(megabytes),
        "--release",
        str(release),
    ]
    listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    images = []
    for line in listing.splitlines():
        _, reference, _, digest, _ = line.split("\t")
        base = f"http://{address}/v2/{reference.split('/', 1)[1].rsplit(':', 1)[0]}"
        request = urllib.request.Request(f"{base}/manifests/{digest}", headers={"Accept": MANIFESTS})
        with urllib.request.urlopen(request) as response:
            manifest = json.load(response)
        parts = [manifest["config"], *manifest["layers"]]
        images.append(Image(reference, {f"{base}/blobs/{part['digest']}": part["size"] for part in parts}))
    return images


def distinct_blobs(images: list[Image]) -> dict[str, str]:
    """A URL for each blob, by its digest."""
    return {url.rsplit("/", 1)[1]: url for image in images for url in image.blobs}
