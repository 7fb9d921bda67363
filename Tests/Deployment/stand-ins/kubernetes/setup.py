"""What kubeadm's commands are made of: the configuration, and what is made of it on the node and in the cluster."""

from __future__ import annotations

import base64
import http.client
import json
import os
import pathlib
import secrets
import ssl
import subprocess
import sys
import time
import urllib.request
from typing import NoReturn

import images
import pki
import yaml
from client import Cluster
from etcd import Etcd

KINDS = {
    "InitConfiguration": {"bootstrapTokens", "localAPIEndpoint", "certificateKey", "nodeRegistration", "patches"},
    "ClusterConfiguration": {
        "clusterName", "encryptionAlgorithm", "certificateValidityPeriod", "caCertificateValidityPeriod", "etcd", "dns",
        "networking", "featureGates", "kubernetesVersion", "controlPlaneEndpoint", "certificatesDir", "imageRepository",
        "apiServer", "controllerManager", "scheduler",
    },
    "JoinConfiguration": {"discovery", "timeouts", "caCertPath", "controlPlane", "nodeRegistration", "patches"},
    "UpgradeConfiguration": {"apply", "node"},
    "KubeProxyConfiguration": None,
    "KubeletConfiguration": None,
}  # fmt: skip


def refuse(why: str) -> NoReturn:
    sys.exit(f"kubeadm (stand-in): {why}")


def documents(file: str) -> dict[str, dict]:
    """The documents of a configuration by their kinds, each of a kind, version and fields that are known."""
    found = {}
    for document in filter(None, yaml.safe_load_all(pathlib.Path(file).read_text(encoding="utf-8"))):
        api_version, kind = document.pop("apiVersion", ""), document.pop("kind", "")
        if kind not in KINDS:
            refuse(f"{file}: {kind!r} is no kind of kubeadm")
        if KINDS[kind] is not None:
            if api_version != "kubeadm.k8s.io/v1beta4":
                refuse(f"{file}: {kind} is of {api_version!r}, and only kubeadm.k8s.io/v1beta4 is known here")
            if unknown := set(document) - KINDS[kind]:
                refuse(f"{file}: {kind} has no field {', '.join(sorted(unknown))}")
        found[kind] = document
    if not found:
        refuse(f"{file} has no configuration")
    return found


class Configuration:
    """That of a control plane: what kubespray has written, or what a cluster has and a node that joins it."""

    def __init__(self, found: dict[str, dict], version: str, origin: str) -> None:
        self.documents = found
        self.cluster = self.documents["ClusterConfiguration"]
        self.init = self.documents["InitConfiguration"]
        self.version = version
        if self.cluster["kubernetesVersion"] != f"v{version}":
            refuse(f"{origin} is for {self.cluster['kubernetesVersion']}, and this is v{version}")
        self.folder = self.cluster.get("certificatesDir", "/etc/kubernetes/pki")
        self.endpoint = self.cluster.get("controlPlaneEndpoint", "")
        self.certificate_key = self.init.get("certificateKey") or secrets.token_hex(32)

    @classmethod
    def of_file(cls, file: str, version: str) -> Configuration:
        return cls(documents(file), version, file)

    @classmethod
    def of_cluster(cls, cluster: Cluster, joining: dict, version: str) -> Configuration:
        """What the cluster keeps (kubeadm-config), with the address and the name of the node that joins."""
        kept = cluster.get("/api/v1/namespaces/kube-system/configmaps/kubeadm-config")["data"]
        own = {"nodeRegistration": joining["nodeRegistration"], **joining["controlPlane"]}
        found = {"ClusterConfiguration": yaml.safe_load(kept["ClusterConfiguration"]), "InitConfiguration": own}
        return cls(found, version, "kubeadm-config")

    @property
    def own_endpoint(self) -> str:
        """The API server of this node."""
        given = self.init["localAPIEndpoint"]
        return f"{given['advertiseAddress']}:{given.get('bindPort', 6443)}"

    @property
    def node(self) -> str:
        return self.init.get("nodeRegistration", {}).get("name") or os.uname().nodename

    def place(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def etcd(self) -> dict:
        if "external" not in self.cluster["etcd"]:
            refuse("only an etcd of its own (external) is known here")
        return self.cluster["etcd"]["external"]


def check_etcd(configuration: Configuration, is_joining: bool = False) -> None:
    """As kubeadm: one that joins does not ask etcd, of which a member may be lost (`cmd/kubeadm/app/preflight/checks.go`)."""
    given = configuration.etcd()
    for field in ("caFile", "certFile", "keyFile"):
        if not os.path.exists(given[field]):
            refuse(f"etcd.external.{field}: {given[field]} is not there")
    if is_joining:
        return
    etcd = Etcd(given["endpoints"], given["caFile"], given["certFile"], given["keyFile"])
    if unhealthy := etcd.unhealthy():
        refuse(f"etcd at {', '.join(unhealthy)} is not healthy")


def write_certificates(configuration: Configuration) -> None:
    for name in ("ca", "front-proxy-ca"):
        pki.make_authority(configuration.place(name), "kubernetes" if name == "ca" else name)
    # kubeadm adds the names of the node on which it runs, which may be newer than those that the cluster keeps.
    own = [configuration.node, configuration.init.get("localAPIEndpoint", {}).get("advertiseAddress")]
    names = list(dict.fromkeys(str(each) for each in [*configuration.cluster["apiServer"]["certSANs"], *own] if each))
    ca, place = configuration.place("ca"), configuration.place
    pki.make_certificate(place("apiserver"), ca, "/CN=kube-apiserver", pki.SERVER, names)
    client = pki.subject_of("kube-apiserver-kubelet-client", ["kubeadm:cluster-admins"])
    pki.make_certificate(place("apiserver-kubelet-client"), ca, client, pki.CLIENT)
    pki.make_certificate(place("front-proxy-client"), place("front-proxy-ca"), "/CN=front-proxy-client", pki.CLIENT)
    pki.make_key(place("sa.key"))
    pki.write(place("sa.pub"), pki.openssl("rsa", "-in", place("sa.key"), "-pubout").decode())


def write_kubeconfigs(configuration: Configuration, is_first: bool = True) -> None:
    """Those of a control plane. One that joins has its kubelet ask for a certificate, as any node's does."""
    users = {
        "admin": pki.subject_of("kubernetes-admin", ["kubeadm:cluster-admins"]),
        "super-admin": pki.subject_of("kubernetes-super-admin", ["system:masters"]),
        "controller-manager": "/CN=system:kube-controller-manager",
        "scheduler": "/CN=system:kube-scheduler",
        "kubelet": pki.subject_of(f"system:node:{configuration.node}", ["system:nodes"]),
    }
    for name, subject in users.items():
        if not is_first and name in ("kubelet", "super-admin"):
            continue
        place = f"/var/lib/kubelet/pki/made/{name}"
        pki.make_certificate(place, configuration.place("ca"), subject, pki.CLIENT)
        access = {
            "client-certificate-data": pki.in_base64(f"{place}.crt"),
            "client-key-data": pki.in_base64(f"{place}.key"),
        }
        if name == "kubelet":
            current = "/var/lib/kubelet/pki/kubelet-client-current.pem"
            parts = [pathlib.Path(f"{place}.{end}").read_text(encoding="utf-8") for end in ("crt", "key")]
            pki.write(current, "".join(parts))
            access = {"client-certificate": current, "client-key": current}
        server = configuration.endpoint if "admin" in name else configuration.own_endpoint
        text = pki.kubeconfig(f"https://{server}", configuration.place("ca.crt"), name, access)
        pki.write(f"/etc/kubernetes/{name}.conf", text)


def write_manifests(configuration: Configuration) -> None:
    for name, manifest in images.manifests(configuration).items():
        pki.write(f"/etc/kubernetes/manifests/{name}.yaml", yaml.safe_dump(manifest, sort_keys=False))


def start_kubelet(configuration: dict) -> None:
    pki.write("/var/lib/kubelet/config.yaml", yaml.safe_dump({"madeBy": "kubeadm (stand-in)", **configuration}))
    pki.write("/var/lib/kubelet/kubeadm-flags.env", 'KUBELET_KUBEADM_ARGS=""\n')
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "restart", "kubelet"], check=True)


def own_server(configuration: Configuration) -> Cluster:
    """The API server of this node, whichever one the administrator's settings name."""
    cluster = Cluster("/etc/kubernetes/admin.conf")
    cluster.server = f"https://{configuration.own_endpoint}"
    cluster.wait(120)
    return cluster


def wait_for(place: str, seconds: int) -> None:
    end = time.monotonic() + seconds
    while not os.path.exists(place):
        if time.monotonic() > end:
            refuse(f"kubelet has not written {place} after {seconds} s (journalctl -u kubelet)")
        time.sleep(0.5)


def wait_for_version(cluster: Cluster, version: str) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            found = cluster.get("/version")["gitVersion"]
        except OSError as error:
            found = str(error)
        if found == f"v{version}":
            return
        if time.monotonic() > end:
            refuse(f"the API server has not become v{version}: {found}")
        time.sleep(0.5)


def fetch_authority(endpoint: str, place: str) -> None:
    """The authority that the API server itself names (kube-public/cluster-info), which has to be that of its certificate."""
    address = f"https://{endpoint}/api/v1/namespaces/kube-public/configmaps/cluster-info"
    with opened(address, ssl._create_unverified_context()) as answer:
        kubeconfig = yaml.safe_load(json.load(answer)["data"]["kubeconfig"])
    encoded = kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]
    pki.write(place, base64.b64decode(encoded).decode())
    opened(address, ssl.create_default_context(cafile=place)).close()


def opened(address: str, context: ssl.SSLContext) -> http.client.HTTPResponse:
    handler = urllib.request.HTTPSHandler(context=context)
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), handler).open(address, timeout=30)


def config_map(name: str, namespace: str, data: dict[str, str]) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def upload(configuration: Configuration, cluster: Cluster) -> None:
    place = "/api/v1/namespaces/kube-system/configmaps"
    text = yaml.safe_dump(
        {"apiVersion": "kubeadm.k8s.io/v1beta4", "kind": "ClusterConfiguration", **configuration.cluster}
    )
    cluster.apply(place, config_map("kubeadm-config", "kube-system", {"ClusterConfiguration": text}))
    kubelet = yaml.safe_dump(configuration.documents.get("KubeletConfiguration", {}))
    cluster.apply(place, config_map("kubelet-config", "kube-system", {"kubelet": kubelet}))


def mark_control_plane(configuration: Configuration, cluster: Cluster) -> None:
    place = f"/api/v1/nodes/{configuration.node}"
    end = time.monotonic() + 120
    while True:
        try:
            cluster.get(place)
            break
        except FileNotFoundError:
            if time.monotonic() > end:
                refuse(f"kubelet has not registered {configuration.node} (journalctl -u kubelet)")
            time.sleep(0.5)
    labels = {f"node-role.kubernetes.io/{each}": "" for each in ["control-plane"]}
    labels["node.kubernetes.io/exclude-from-external-load-balancers"] = ""
    taints = configuration.init.get("nodeRegistration", {}).get("taints")
    if taints is None:
        taints = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    cluster.merge(place, {"metadata": {"labels": labels}, "spec": {"taints": taints}})


def publish(configuration: Configuration, cluster: Cluster) -> None:
    """What those who join read before they have any right (cluster-info)."""
    text = pki.kubeconfig(f"https://{configuration.endpoint}", configuration.place("ca.crt"), "anyone", {})
    kept = yaml.safe_load(text)
    public = yaml.safe_dump({**kept, "users": None, "contexts": None, "current-context": ""})
    place = "/api/v1/namespaces/kube-public/configmaps"
    cluster.apply(place, config_map("cluster-info", "kube-public", {"kubeconfig": public}))
