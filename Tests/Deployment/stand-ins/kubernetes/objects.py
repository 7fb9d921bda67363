"""What the API server stores: whatever it is given of a kind that it knows, in the real etcd."""

from __future__ import annotations

import copy
import datetime
import json
import threading
import uuid
from typing import TYPE_CHECKING

import kinds

if TYPE_CHECKING:
    from etcd import Etcd

DEFINITIONS = "customresourcedefinitions"


class Refused(Exception):
    """What is answered instead of an object."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason = code, reason


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """Objects by "GROUP/PLURAL/NAMESPACE/NAME". All that changes them holds `changed`, which those who watch wait for."""

    def __init__(self, etcd: Etcd, written: str) -> None:
        self.etcd, self.written = etcd, written
        self.changed = threading.Condition()
        self.objects = etcd.everything()
        self.version = max([int(each["metadata"]["resourceVersion"]) for each in self.objects.values()], default=0)
        self.events: list[tuple[int, str, str, dict]] = []
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"]:
            if f"/namespaces//{name}" not in self.objects:
                namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                self.put(self.kind("", "v1", "namespaces"), namespace, who="system:apiserver")

    def kinds(self) -> list[kinds.Kind]:
        found = kinds.built_in()
        for key, value in list(self.objects.items()):
            if key.startswith(f"apiextensions.k8s.io/{DEFINITIONS}/"):
                found += kinds.of_definition(value)
        return found

    def kind(self, group: str, version: str, plural: str) -> kinds.Kind:
        for kind in self.kinds():
            if (kind.group, kind.version, kind.plural) == (group, version, plural):
                return kind
        raise Refused(404, "NotFound", "the server could not find the requested resource")

    @staticmethod
    def key(kind: kinds.Kind, namespace: str, name: str) -> str:
        return f"{kind.group}/{kind.plural}/{namespace if kind.namespaced else ''}/{name}"

    def get(self, kind: kinds.Kind, namespace: str, name: str) -> dict:
        value = self.objects.get(self.key(kind, namespace, name))
        if value is None:
            raise Refused(404, "NotFound", f'{kind.plural}{"." if kind.group else ""}{kind.group} "{name}" not found')
        return {**copy.deepcopy(value), "apiVersion": kind.api_version, "kind": kind.kind}

    def all(self, kind: kinds.Kind, namespace: str = "") -> list[dict]:
        start = f"{kind.group}/{kind.plural}/" + (f"{namespace}/" if namespace else "")
        return [
            {**copy.deepcopy(value), "apiVersion": kind.api_version, "kind": kind.kind}
            for key, value in sorted(self.objects.items())
            if key.startswith(start)
        ]

    def put(self, kind: kinds.Kind, value: dict, who: str, is_new: bool = True) -> dict:
        """Stores an object that is new, or that takes the place of the one of its name."""
        metadata = value.setdefault("metadata", {})
        if not metadata.get("name"):
            if not metadata.get("generateName"):
                raise Refused(422, "Invalid", f"{kind.kind}: metadata.name or generateName is required")
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        name, namespace = metadata["name"], metadata.get("namespace", "")
        key = self.key(kind, namespace, name)
        with self.changed:
            self.judge(kind, value, key, is_new)
            old = self.objects.get(key)
            if old is None:
                metadata.update(uid=str(uuid.uuid4()), creationTimestamp=now(), generation=1)
            else:
                kept = {
                    each: old["metadata"][each]
                    for each in ["uid", "creationTimestamp", "resourceVersion", "generation"]
                }
                metadata.update(kept)
                if value == old:
                    return value
                metadata["generation"] += value.get("spec") != old.get("spec")
            self.complete(kind, value)
            self.store(key, value, "ADDED" if old is None else "MODIFIED", who)
        return value

    def judge(self, kind: kinds.Kind, value: dict, key: str, is_new: bool) -> None:
        metadata = value["metadata"]
        if value.get("apiVersion") != kind.api_version or value.get("kind") != kind.kind:
            raise Refused(400, "BadRequest", f"{value.get('apiVersion')} {value.get('kind')} is no {kind.kind}")
        if is_new and key in self.objects:
            raise Refused(409, "AlreadyExists", f'{kind.plural} "{metadata["name"]}" already exists')
        namespace = metadata.get("namespace", "")
        if kind.namespaced and f"/namespaces//{namespace}" not in self.objects:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')

    def complete(self, kind: kinds.Kind, value: dict) -> None:
        """What the real server adds and somebody waits for."""
        if kind.plural == "namespaces":
            value["status"] = {"phase": "Active"}
        if kind.plural == DEFINITIONS:
            established = [{"type": each, "status": "True"} for each in ["NamesAccepted", "Established"]]
            value["status"] = {"conditions": established, "acceptedNames": value["spec"]["names"]}

    def delete(self, kind: kinds.Kind, namespace: str, name: str, who: str) -> dict:
        with self.changed:
            value = self.get(kind, namespace, name)
            if kind.plural == "namespaces":
                for key in [key for key in self.objects if key.split("/")[2] == name]:
                    self.store(key, self.objects[key], "DELETED", who)
            self.store(self.key(kind, namespace, name), value, "DELETED", who)
        return value

    def store(self, key: str, value: dict, event: str, who: str) -> None:
        self.version += 1
        value["metadata"]["resourceVersion"] = str(self.version)
        if event == "DELETED":
            self.etcd.delete(key)
            self.objects.pop(key)
        else:
            self.etcd.put(key, value)
            self.objects[key] = copy.deepcopy(value)
        self.events.append((self.version, event, key, copy.deepcopy(value)))
        # What was ever asked for, for the report of the test.
        with open(self.written, "a", encoding="utf-8") as log:
            log.write(json.dumps({"at": now(), "who": who, "event": event, "object": value}) + "\n")
        self.changed.notify_all()
