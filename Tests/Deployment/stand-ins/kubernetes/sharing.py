"""What a control plane leaves in the cluster for one that joins (kubeadm-certs): its authorities and keys, each encrypted with
the key that kubeadm tells.
"""

from __future__ import annotations

import base64
import os
import pathlib
import secrets
from typing import TYPE_CHECKING

import pki

if TYPE_CHECKING:
    from client import Cluster
    from setup import Configuration

PLACE = "/api/v1/namespaces/kube-system/secrets"


def places(configuration: Configuration) -> dict[str, str]:
    """The files by their names in the cluster."""
    names = ["ca.crt", "ca.key", "sa.key", "sa.pub", "front-proxy-ca.crt", "front-proxy-ca.key"]
    etcd = configuration.etcd()
    parts = {"ca.crt": "caFile", "crt": "certFile", "key": "keyFile"}
    return {
        **{name: configuration.place(name) for name in names},
        **{f"external-etcd{'-' if part == 'ca.crt' else '.'}{part}": etcd[field] for part, field in parts.items()},
    }


def cipher(key: str, start: str) -> list[str]:
    return ["enc", "-aes-256-cbc", "-K", key, "-iv", start]


def upload(configuration: Configuration, cluster: Cluster) -> None:
    data = {}
    for name, place in places(configuration).items():
        start = secrets.token_hex(16)
        encrypted = pki.openssl(*cipher(configuration.certificate_key, start), input=pathlib.Path(place).read_bytes())
        data[name] = base64.b64encode(bytes.fromhex(start) + encrypted).decode()
    described = {"name": "kubeadm-certs", "namespace": "kube-system"}
    cluster.apply(PLACE, {"apiVersion": "v1", "kind": "Secret", "metadata": described, "data": data, "type": "Opaque"})


def download(configuration: Configuration, cluster: Cluster) -> None:
    """What is there already stays: the certificates of etcd come by kubespray."""
    data = cluster.get(f"{PLACE}/kubeadm-certs")["data"]
    for name, place in places(configuration).items():
        if os.path.exists(place) and name != "ca.crt":
            continue
        encrypted = base64.b64decode(data[name])
        text = pki.openssl(*cipher(configuration.certificate_key, encrypted[:16].hex()), "-d", input=encrypted[16:])
        pki.write(place, text.decode())
