"""What a node does for its pods: pulls their images, and plays those that the cluster waits for.

Played are the API server (a program of the tests), the health ports of the controller manager and the scheduler, the proxy
to the API server on a worker, and what the containers of calico and flannel leave on the node.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import ipaddress
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pki
import yaml

if TYPE_CHECKING:
    from client import Cluster

CTR, NERDCTL, CRICTL = "/usr/local/bin/ctr", "/usr/local/bin/nerdctl", "/usr/local/bin/crictl"
SERVING = "/var/lib/kubelet/pki/kubelet"
# By the name of the pod: its configuration, and how it says where it listens and which servers there are.
ADDRESS = r"([\d.]+):(\d+)"
PROXIES = {
    "nginx-proxy": ("/etc/nginx/nginx.conf", rf"listen +{ADDRESS};", rf"server {ADDRESS};"),
    "haproxy": ("/etc/haproxy/haproxy.cfg", rf"kube_api_frontend\s+bind {ADDRESS}", rf"server \S+ {ADDRESS} check"),
}


def pull(image: str) -> str:
    """Why the image could not be pulled; empty when it is there."""
    listing, pulling = (
        [CTR, "-n", "k8s.io", "images", "list", "-q"],
        [NERDCTL, "-n", "k8s.io", "pull", "--quiet", image],
    )
    if os.path.exists("/usr/local/bin/crio"):
        listing, pulling = [CRICTL, "images"], [CRICTL, "pull", image]
    there = subprocess.run(listing, capture_output=True, text=True)
    if image in there.stdout.split():
        return ""
    done = subprocess.run(pulling, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


class Ok(http.server.BaseHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")


class SecureServer(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def serve_health(port: int) -> None:
    if not os.path.exists(f"{SERVING}.crt"):
        pki.make_authority(SERVING, socket.gethostname())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{SERVING}.crt", f"{SERVING}.key")
    server = SecureServer(("::", port), Ok)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def forward(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def serve_proxy(configuration: str, listens: str, servers: str) -> None:
    """Leads connections from the address to the servers that nginx.conf or haproxy.cfg names; one that has not answered is
    asked last.
    """
    place, silent = pathlib.Path(configuration), set()
    host, port = re.findall(listens, place.read_text(encoding="utf-8"))[0]
    listener = socket.create_server((host, int(port)))

    def accept() -> None:
        while True:
            client, _ = listener.accept()
            # The real pod is another one when its configuration has changed.
            upstream = re.findall(servers, place.read_text(encoding="utf-8"))
            for address, number in sorted(upstream, key=silent.__contains__):
                try:
                    server = socket.create_connection((address, int(number)), timeout=1)
                except OSError:
                    silent.add((address, number))
                    continue
                silent.discard((address, number))
                server.settimeout(None)
                threading.Thread(target=forward, args=(client, server), daemon=True).start()
                threading.Thread(target=forward, args=(server, client), daemon=True).start()
                break
            else:
                client.close()

    threading.Thread(target=accept, daemon=True).start()


class StaticPods:
    """The manifests of the node's folder."""

    def __init__(self, version: str, folder: str) -> None:
        self.version, self.folder = version, folder
        self.played: set[str] = set()
        self.server: subprocess.Popen | None = None
        self.server_is_of = ""

    def tend(self) -> list[dict]:
        """The manifests; what is played of them is started, the API server anew when its manifest or certificate has changed."""
        manifests = []
        for file in sorted(pathlib.Path(self.folder).glob("*.y*ml")):
            manifest = yaml.safe_load(file.read_text(encoding="utf-8"))
            if manifest.get("kind") != "Pod" or not manifest["spec"].get("containers"):
                print(f"{file}: no pod", file=sys.stderr, flush=True)
                continue
            manifests.append(manifest)
            self.start(manifest)
        return manifests

    def start(self, manifest: dict) -> None:
        name, container = manifest["metadata"]["name"], manifest["spec"]["containers"][0]
        if name == "kube-apiserver":
            self.start_server(container)
        elif name not in self.played and pull(container["image"]) == "":
            self.played.add(name)
            if name in ("kube-controller-manager", "kube-scheduler"):
                serve_health({"kube-controller-manager": 10257, "kube-scheduler": 10259}[name])
            elif name in PROXIES:
                serve_proxy(*PROXIES[name])

    def start_server(self, container: dict) -> None:
        flags = [flag for flag in container["command"] if flag.startswith("--")]
        certificate = next(flag.split("=", 1)[1] for flag in flags if flag.startswith("--tls-cert-file="))
        state = json.dumps(container) + pathlib.Path(certificate).read_text(encoding="utf-8")
        state = hashlib.sha256(state.encode()).hexdigest()
        if self.server and (self.server.poll() is not None or state != self.server_is_of):
            self.server.kill()
            self.server.wait()
            self.server = None
        failure = "" if self.server else pull(container["image"])
        if failure:
            print(f"{container['image']}: {failure}", file=sys.stderr, flush=True)
        elif not self.server:
            # It is of the version that its image has, whatever kubelet's is.
            version = container["image"].rsplit(":v", 1)[-1]
            program = [sys.executable, sys.argv[0], "api-server", *flags, f"--version={version}"]
            with open("/var/log/kube-apiserver.log", "ab") as log:
                self.server = subprocess.Popen(program, stderr=log, stdout=log)
            self.server_is_of = state


def play(pod: dict, cluster: Cluster) -> None:
    labels = pod["metadata"].get("labels", {})
    if labels.get("k8s-app") == "calico-node":
        install_calico(cluster)
    if labels.get("app") == "flannel":
        install_flannel(cluster)


def install_flannel(cluster: Cluster) -> None:
    """What flannel's containers leave on the node when they start: its network and the subnet that it has."""
    if os.path.exists("/run/flannel/subnet.env"):
        return
    settings = cluster.get("/api/v1/namespaces/kube-system/configmaps/kube-flannel-cfg")["data"]
    pki.write("/etc/cni/net.d/10-flannel.conflist", settings["cni-conf.json"])
    network = ipaddress.ip_network(json.loads(settings["net-conf.json"])["Network"])
    subnet = next(network.subnets(new_prefix=24))
    lines = [
        f"FLANNEL_NETWORK={network}",
        f"FLANNEL_SUBNET={subnet[1]}/{subnet.prefixlen}",
        "FLANNEL_MTU=1450",
        "FLANNEL_IPMASQ=true",
    ]
    pki.write("/run/flannel/subnet.env", "\n".join(lines) + "\n")


def install_calico(cluster: Cluster) -> None:
    """What calico's containers leave on the node and in the cluster when they start."""
    folder = "/etc/cni/net.d"
    if not os.path.exists(f"{folder}/10-calico.conflist"):
        settings = cluster.get("/api/v1/namespaces/kube-system/configmaps/calico-config")["data"]
        access = {"client-certificate": cluster.user["client-certificate"], "client-key": cluster.user["client-key"]}
        text = pki.kubeconfig(cluster.server, "/etc/kubernetes/ssl/ca.crt", "calico", access)
        pki.write(f"{folder}/calico-kubeconfig", text)
        network = json.loads(settings["cni_network_config"])
        pki.write(f"{folder}/10-calico.conflist", json.dumps(network, indent=2))
    information = {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "ClusterInformation",
        "metadata": {"name": "default"},
        "spec": {"datastoreReady": True},
    }
    cluster.apply("/apis/crd.projectcalico.org/v1/clusterinformations", information)
