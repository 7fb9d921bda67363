"""What the controllers, the scheduler and the signer of a cluster would do, as far as somebody waits for it: pods for what
has a template, on nodes that are ready; how many of them run; certificates for nodes that join.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import sys
import tempfile
import threading
import time
import traceback
import uuid
from typing import TYPE_CHECKING

import pki
from objects import Refused

if TYPE_CHECKING:
    from etcd import Etcd
    from kinds import Kind
    from objects import Store

WHO = "system:kube-controller-manager"
WORKLOADS = ["deployments", "daemonsets", "statefulsets"]


def admit(kind: Kind, value: dict, arguments: dict[str, str]) -> None:
    """Judges what is new, and signs what a node asks for."""
    spec = value.get("spec", {})
    template = spec.get("template", {}).get("spec", spec if kind.kind == "Pod" else None)
    if template is not None and kind.plural in [*WORKLOADS, "jobs", "pods"]:
        for container in [*template.get("containers", []), *template.get("initContainers", [])]:
            if not container.get("image") or not container.get("name"):
                raise Refused(
                    422, "Invalid", f"{value['metadata'].get('name')}: a container without a name or an image"
                )
        if not template.get("containers"):
            raise Refused(422, "Invalid", f"{value['metadata'].get('name')}: no containers")
    if kind.plural == "certificatesigningrequests":
        if spec.get("signerName") != "kubernetes.io/kube-apiserver-client-kubelet":
            raise Refused(422, "Invalid", f"{spec.get('signerName')} signs nothing here")
        with tempfile.TemporaryDirectory() as folder:
            pki.write(f"{folder}/request", base64.b64decode(spec["request"]).decode())
            usage = ["keyUsage=critical,digitalSignature,keyEncipherment", "extendedKeyUsage=clientAuth"]
            authority = arguments["client-ca-file"].removesuffix(".crt")
            pki.sign_request(f"{folder}/request", f"{folder}/certificate", authority, usage)
            value["status"] = {"certificate": pki.in_base64(f"{folder}/certificate")}


def is_ready(value: dict) -> bool:
    conditions = value.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def fits(node: dict, template: dict) -> bool:
    labels = node["metadata"].get("labels", {})
    return all(labels.get(name) == wanted for name, wanted in template["spec"].get("nodeSelector", {}).items())


class Leader:
    """Of several API servers the controllers of one work: of the one whose name is in etcd, as long as it writes it again."""

    PLACE, PATIENCE = "/stand-in/", 10.0

    def __init__(self, etcd: Etcd) -> None:
        self.etcd, self.name = etcd, socket.gethostname()
        self.is_ours, self.asked, self.seen, self.since = False, 0.0, 0, time.monotonic()

    def leads(self) -> bool:
        now = time.monotonic()
        if now - self.asked > self.PATIENCE / 4:
            self.asked = now
            revision, value = self.etcd.one("leader", self.PLACE)
            if revision != self.seen:
                self.seen, self.since = revision, now
            if value.get("name", self.name) == self.name or now - self.since > self.PATIENCE:
                self.is_ours = self.etcd.change("leader", {"name": self.name}, revision, self.PLACE) > 0
            else:
                self.is_ours = False
        return self.is_ours


class Controllers:
    def __init__(self, store: Store) -> None:
        self.store, self.leader = store, Leader(store.etcd)
        self.pods, self.nodes = store.kind("", "v1", "pods"), store.kind("", "v1", "nodes")

    def run(self) -> None:
        seen = -1
        while True:
            with self.store.changed:
                self.store.changed.wait_for(lambda seen=seen: self.store.version > seen, timeout=5)
                seen = self.store.version
                try:
                    if self.leader.leads():
                        self.reconcile()
                except Refused as refused:
                    print(f"controllers: {refused}", file=sys.stderr, flush=True)
                    seen = -1
                except Exception:
                    traceback.print_exc(file=sys.stderr)
            # What comes together is seen together.
            time.sleep(0.3)

    def reconcile(self) -> None:
        nodes = self.store.all(self.nodes)
        names = [node["metadata"]["name"] for node in nodes]
        pods: dict[str, list[dict]] = {}
        for pod in self.store.all(self.pods):
            owner = pod["metadata"].get("ownerReferences", [{"uid": ""}])[0]["uid"]
            if pod["spec"].get("nodeName", "") in ["", *names]:
                pods.setdefault(owner, []).append(pod)
            else:
                self.remove(pod)
        for plural in WORKLOADS:
            kind = self.store.kind("apps", "v1", plural)
            for workload in self.store.all(kind):
                self.tend(kind, workload, nodes, pods.pop(workload["metadata"]["uid"], []))
        jobs = self.store.kind("batch", "v1", "jobs")
        for job in self.store.all(jobs):
            self.tend_job(jobs, job, nodes, pods.pop(job["metadata"]["uid"], []))
        for left in [pod for owner, found in pods.items() if owner for pod in found]:
            if left["metadata"]["ownerReferences"][0]["kind"] != "Node":
                self.remove(left)

    def remove(self, pod: dict) -> None:
        self.store.delete(self.pods, pod["metadata"]["namespace"], pod["metadata"]["name"], WHO)

    def tend(self, kind: Kind, workload: dict, nodes: list[dict], pods: list[dict]) -> None:
        template = workload["spec"]["template"]
        revision = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        current = [pod for pod in pods if pod["metadata"]["labels"]["pod-template-hash"] == revision]
        for pod in pods:
            if pod not in current:
                self.remove(pod)
        if kind.plural == "daemonsets":
            places = [node["metadata"]["name"] for node in nodes if fits(node, template)]
            missing = [place for place in places if place not in [pod["spec"].get("nodeName") for pod in current]]
            wanted = len(places)
        else:
            wanted = workload["spec"].get("replicas", 1)
            for pod in current[wanted:]:
                self.remove(pod)
            missing = [self.place(nodes, template)] * max(wanted - len(current), 0)
        for place in missing:
            if place:
                self.create(kind, workload, place, revision)
        self.tell(kind, workload, wanted, sum(is_ready(pod) for pod in current[:wanted]))

    def place(self, nodes: list[dict], template: dict) -> str:
        """The name of a node; empty when none is ready and open."""
        for node in nodes:
            if is_ready(node) and not node.get("spec", {}).get("unschedulable") and fits(node, template):
                return node["metadata"]["name"]
        return ""

    def create(self, kind: Kind, workload: dict, place: str, revision: str) -> None:
        metadata, template = workload["metadata"], workload["spec"]["template"]
        labels = {**template.get("metadata", {}).get("labels", {}), "pod-template-hash": revision}
        owner = {"apiVersion": kind.api_version, "kind": kind.kind, "name": metadata["name"], "uid": metadata["uid"]}
        name, namespace = f"{metadata['name']}-{uuid.uuid4().hex[:5]}", metadata["namespace"]
        owners = [{**owner, "controller": True}]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": labels, "ownerReferences": owners},
            "spec": {**template["spec"], "nodeName": place},
            "status": {"phase": "Pending"},
        }
        self.store.put(self.pods, pod, WHO)

    def tend_job(self, kind: Kind, job: dict, nodes: list[dict], pods: list[dict]) -> None:
        place = self.place(nodes, job["spec"]["template"])
        if not pods and place and not job.get("status", {}).get("succeeded"):
            self.create(kind, job, place, "job")
        if any(is_ready(pod) for pod in pods) and not job.get("status", {}).get("succeeded"):
            job["status"] = {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
            self.store.put(kind, job, WHO, is_new=False)

    def tell(self, kind: Kind, workload: dict, wanted: int, ready: int) -> None:
        status = {"observedGeneration": workload["metadata"]["generation"]}
        if kind.plural == "daemonsets":
            counts = ["currentNumberScheduled", "desiredNumberScheduled", "updatedNumberScheduled"]
            status.update(dict.fromkeys(counts, wanted), numberReady=ready, numberAvailable=ready, numberMisscheduled=0)
        else:
            status.update(replicas=wanted, updatedReplicas=wanted, readyReplicas=ready, availableReplicas=ready)
            available = "True" if ready >= wanted else "False"
            status["conditions"] = [
                {"type": "Available", "status": available},
                {"type": "Progressing", "status": "True"},
            ]
        if workload.get("status") != status:
            self.store.put(kind, {**workload, "status": status}, WHO, is_new=False)


def start(store: Store) -> None:
    threading.Thread(target=Controllers(store).run, daemon=True).start()
