"""Stands in for kubelet: registers its node, and for each pod that is given to it containerd pulls the images, from where
kubespray has written that registries are. No container of them is started; what others of the cluster wait for when one
runs is done in its place (plays.py).
"""

from __future__ import annotations

import base64
import http.server
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import traceback

import pki
import plays
import yaml
from client import Cluster

FLAGS = {
    "v",
    "node-ip",
    "hostname-override",
    "bootstrap-kubeconfig",
    "config",
    "kubeconfig",
    "runtime-cgroups",
    "cloud-provider",
}
CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem"


def refuse(why: str) -> None:
    sys.exit(f"kubelet (stand-in): {why}")


def read_flags(flags: list[str]) -> dict[str, str]:
    given = dict(flag.removeprefix("--").partition("=")[::2] for flag in flags)
    if unknown := set(given) - FLAGS:
        refuse(f"--{', --'.join(sorted(unknown))} is not known")
    return given


def read_configuration(file: str) -> dict:
    if not os.path.exists(file):
        refuse(f"{file} is not there")
    configuration = yaml.safe_load(pathlib.Path(file).read_text(encoding="utf-8"))
    if (
        configuration.get("apiVersion") != "kubelet.config.k8s.io/v1beta1"
        or configuration.get("kind") != "KubeletConfiguration"
    ):
        refuse(f"{file} is no KubeletConfiguration")
    authority = configuration["authentication"]["x509"]["clientCAFile"]
    if not os.path.exists(authority):
        refuse(f"clientCAFile: {authority} is not there")
    engine = configuration["containerRuntimeEndpoint"].removeprefix("unix://")
    if not os.path.exists(engine):
        refuse(f"containerRuntimeEndpoint: {engine} is not there")
    return configuration


def join_by_token(name: str, bootstrap: str, kubeconfig: str) -> None:
    """Asks for a certificate with the token that kubeadm has left, as kubelet does (TLS bootstrapping)."""
    if not os.path.exists(bootstrap):
        refuse(f"neither {kubeconfig} nor {bootstrap} is there")
    cluster = Cluster(bootstrap)
    # The API server that it asks may be one that it has just started.
    cluster.wait(120)
    pki.make_key("/var/lib/kubelet/pki/kubelet-client.key")
    request = pki.make_request(
        "/var/lib/kubelet/pki/kubelet-client.key", pki.subject_of(f"system:node:{name}", ["system:nodes"])
    )
    pki.write("/var/lib/kubelet/pki/request.csr", request)
    wanted = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": "node-csr-"},
        "spec": {
            "request": pki.in_base64("/var/lib/kubelet/pki/request.csr"),
            "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "usages": ["digital signature", "client auth"],
        },
    }
    signed = cluster.ask("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", wanted)
    certificate = base64.b64decode(signed["status"]["certificate"]).decode()
    pki.write(
        CERTIFICATE, certificate + pathlib.Path("/var/lib/kubelet/pki/kubelet-client.key").read_text(encoding="utf-8")
    )
    authority = "/etc/kubernetes/ssl/ca.crt"
    access = {"client-certificate": CERTIFICATE, "client-key": CERTIFICATE}
    pki.write(kubeconfig, pki.kubeconfig(cluster.server, authority, "default-auth", access))


class Health(http.server.BaseHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
        self.wfile.write(b"ok")


class Node:
    def __init__(self, version: str, name: str, address: str, cluster: Cluster) -> None:
        self.version, self.name, self.address, self.cluster = version, name, address, cluster
        self.failures: dict[str, str] = {}

    def register(self) -> None:
        kernel, conditions = os.uname().release, [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]
        name = next(name for name in ["crio", "containerd"] if os.path.exists(f"/usr/local/bin/{name}"))
        engine = subprocess.run([f"/usr/local/bin/{name}", "--version"], capture_output=True, text=True).stdout.split()
        information = {"kubeletVersion": f"v{self.version}", "kernelVersion": kernel, "operatingSystem": "linux"}
        information.update(
            containerRuntimeVersion=f"{name}://{engine[2] if len(engine) > 2 else ''}", architecture="amd64"
        )
        addresses = [{"type": "InternalIP", "address": self.address}, {"type": "Hostname", "address": self.name}]
        labels = {"kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name, "labels": labels}}
        node["status"] = {"conditions": conditions, "nodeInfo": information, "addresses": addresses}
        self.cluster.apply("/api/v1/nodes", node)

    def tend(self) -> None:
        """Looks after the pods that are this node's."""
        listed = self.cluster.get(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{self.name}")
        for pod in listed["items"]:
            if pod.get("status", {}).get("phase") != "Running":
                self.start(pod)

    def start(self, pod: dict) -> None:
        metadata, statuses, failed = pod["metadata"], [], ""
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            image = container["image"]
            failure = plays.pull(image)
            failed = failed or failure
            if failure and self.failures.get(image) != failure:
                print(f"{metadata['namespace']}/{metadata['name']}: {image}: {failure}", file=sys.stderr, flush=True)
                self.failures[image] = failure
            state = {"waiting": {"reason": "ErrImagePull", "message": failure}} if failure else {"running": {}}
            statuses.append({"name": container["name"], "image": image, "ready": not failure, "state": state})
        ready = [
            {"type": each, "status": "False" if failed else "True"}
            for each in ["Initialized", "Ready", "ContainersReady"]
        ]
        status = {"phase": "Pending" if failed else "Running", "conditions": ready, "containerStatuses": statuses}
        if status != {name: pod.get("status", {}).get(name) for name in status}:
            self.cluster.merge(
                f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}", {"status": status}
            )
        if not failed:
            plays.play(pod, self.cluster)

    def mirror(self, manifest: dict) -> None:
        """A static pod is shown to the API server."""
        metadata = manifest["metadata"]
        node = self.cluster.get(f"/api/v1/nodes/{self.name}")
        owner = {
            "apiVersion": "v1",
            "kind": "Node",
            "name": self.name,
            "uid": node["metadata"]["uid"],
            "controller": True,
        }
        place = f"/api/v1/namespaces/{metadata['namespace']}/pods"
        name = f"{metadata['name']}-{self.name}"
        marks = {"kubernetes.io/config.mirror": "true"}
        described = {
            "name": name,
            "labels": metadata.get("labels", {}),
            "annotations": marks,
            "ownerReferences": [owner],
        }
        try:
            old = self.cluster.get(f"{place}/{name}")
        except FileNotFoundError:
            old = None
        if old and {**old["spec"], "nodeName": ""} != {**manifest["spec"], "nodeName": ""}:
            self.cluster.ask("DELETE", f"{place}/{name}")
            old = None
        if not old:
            spec = {**manifest["spec"], "nodeName": self.name}
            self.cluster.ask("POST", place, {"apiVersion": "v1", "kind": "Pod", "metadata": described, "spec": spec})


def serve_health(configuration: dict) -> None:
    address = (configuration.get("healthzBindAddress") or "127.0.0.1", int(configuration.get("healthzPort") or 10248))
    server = http.server.ThreadingHTTPServer(address, Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main(version: str, flags: list[str]) -> None:
    if flags in (["--version"], ["version"]):
        print(f"Kubernetes v{version}")
        return
    if flags[:1] == ["api-server"]:
        import api_server

        api_server.main(version, flags[1:])
        return
    given = read_flags(flags)
    configuration = read_configuration(given["config"])
    name = given.get("hostname-override") or socket.gethostname()
    static = plays.StaticPods(version, configuration["staticPodPath"])
    if not os.path.exists(given["kubeconfig"]):
        # The API server, or what a worker reaches it through, may be a static pod of its own.
        static.tend()
        join_by_token(name, given["bootstrap-kubeconfig"], given["kubeconfig"])
    serve_health(configuration)
    print(f"kubelet (stand-in) v{version} on {name}", flush=True)
    look_after(static, Node(version, name, given.get("node-ip", ""), Cluster(given["kubeconfig"])))


def look_after(static: plays.StaticPods, node: Node) -> None:
    registered = 0.0
    while True:
        manifests = static.tend()
        try:
            if time.monotonic() - registered > 10:
                node.register()
                registered = time.monotonic()
            for manifest in manifests:
                node.mirror(manifest)
            node.tend()
        except OSError as error:
            print(f"the API server: {error}", file=sys.stderr, flush=True)
        except Exception:
            traceback.print_exc()
        time.sleep(1)
