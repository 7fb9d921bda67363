"""The images of a control plane: their names, and the pods and objects that name them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pki
import yaml

if TYPE_CHECKING:
    from client import Cluster
    from setup import Configuration

CONTROL_PLANE = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]


def image(configuration: Configuration, name: str) -> str:
    return f"{configuration.cluster['imageRepository']}/{name}:v{configuration.version}"


def of_configuration(configuration: Configuration) -> list[str]:
    dns = configuration.cluster.get("dns", {})
    repository = dns.get("imageRepository", configuration.cluster["imageRepository"])
    names = [image(configuration, name) for name in [*CONTROL_PLANE, "kube-proxy"]]
    # Kubespray takes these two by names of its own.
    return [
        *names,
        f"{repository}/coredns:{dns.get('imageTag', 'v0')}",
        f"{configuration.cluster['imageRepository']}/pause:0",
    ]


def flags_of(configuration: Configuration, part: str, own: dict[str, str]) -> list[str]:
    given = {each["name"]: str(each["value"]) for each in configuration.cluster.get(part, {}).get("extraArgs", [])}
    return [f"--{name}={value}" for name, value in {**own, **given}.items()]


def manifests(configuration: Configuration) -> dict[str, dict]:
    """The static pods, with the flags and the volumes that the configuration gives them."""
    place, etcd = configuration.place, configuration.etcd()
    server = {
        "advertise-address": configuration.init["localAPIEndpoint"]["advertiseAddress"],
        "client-ca-file": place("ca.crt"),
        "etcd-cafile": etcd["caFile"],
        "etcd-certfile": etcd["certFile"],
        "etcd-keyfile": etcd["keyFile"],
        "etcd-servers": ",".join(etcd["endpoints"]),
        "kubelet-client-certificate": place("apiserver-kubelet-client.crt"),
        "kubelet-client-key": place("apiserver-kubelet-client.key"),
        "proxy-client-cert-file": place("front-proxy-client.crt"),
        "proxy-client-key-file": place("front-proxy-client.key"),
        "secure-port": str(configuration.init["localAPIEndpoint"].get("bindPort", 6443)),
        "service-account-key-file": place("sa.pub"),
        "service-account-signing-key-file": place("sa.key"),
        "tls-cert-file": place("apiserver.crt"),
        "tls-private-key-file": place("apiserver.key"),
    }
    manager = {"kubeconfig": "/etc/kubernetes/controller-manager.conf", "root-ca-file": place("ca.crt")}
    scheduler = {"kubeconfig": "/etc/kubernetes/scheduler.conf", "leader-elect": "true"}
    parts = {"kube-apiserver": ("apiServer", server), "kube-controller-manager": ("controllerManager", manager)}
    parts["kube-scheduler"] = ("scheduler", scheduler)
    found = {}
    for name, (part, own) in parts.items():
        command = [name, *flags_of(configuration, part, own)]
        mounts = configuration.cluster.get(part, {}).get("extraVolumes", [])
        container = {"name": name, "image": image(configuration, name), "command": command}
        container["volumeMounts"] = [{"name": each["name"], "mountPath": each["mountPath"]} for each in mounts]
        labels = {"component": name, "tier": "control-plane"}
        volumes = [{"name": each["name"], "hostPath": {"path": each["hostPath"]}} for each in mounts]
        spec = {"containers": [container], "hostNetwork": True, "volumes": volumes}
        metadata = {"name": name, "namespace": "kube-system", "labels": labels}
        found[name] = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return found


def kube_proxy(configuration: Configuration, cluster: Cluster) -> None:
    labels = {"k8s-app": "kube-proxy"}
    metadata = {"name": "kube-proxy", "namespace": "kube-system", "labels": labels}
    access = {"tokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token"}
    kubeconfig = pki.kubeconfig(f"https://{configuration.endpoint}", configuration.place("ca.crt"), "default", access)
    settings = json.loads(json.dumps(configuration.documents.get("KubeProxyConfiguration", {}), default=str))
    data = {"config.conf": yaml.safe_dump(settings), "kubeconfig.conf": kubeconfig}
    place = "/api/v1/namespaces/kube-system"
    cluster.apply(f"{place}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    container = {
        "name": "kube-proxy",
        "image": image(configuration, "kube-proxy"),
        "command": ["/usr/local/bin/kube-proxy"],
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "hostNetwork": True}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    daemons = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}
    cluster.apply("/apis/apps/v1/namespaces/kube-system/daemonsets", daemons)
