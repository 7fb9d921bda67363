"""What the API server stores: whatever it is given of a kind that it knows, in the real etcd."""

from __future__ import annotations

import contextlib
import copy
import datetime
import json
import sys
import threading
import time
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


def of_revision(revision: int, value: dict) -> dict:
    """An object with the version that its place in etcd gives it."""
    return {**value, "metadata": {**value["metadata"], "resourceVersion": str(revision)}}


class Store:
    """Objects by "GROUP/PLURAL/NAMESPACE/NAME", as they are in etcd: what is changed here or by another API server comes by
    its watch. All that changes them holds `changed`, which those who watch wait for.
    """

    def __init__(self, etcd: Etcd, written: str) -> None:
        self.etcd, self.written = etcd, written
        self.changed = threading.Condition()
        found, self.version = etcd.everything()
        self.objects = {key: of_revision(revision, value) for key, (revision, value) in found.items()}
        self.events: list[tuple[int, str, str, dict]] = []
        threading.Thread(target=self.follow, daemon=True).start()
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"]:
            if f"/namespaces//{name}" not in self.objects:
                namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                # Another API server may do the same.
                with contextlib.suppress(Refused):
                    self.put(self.kind("", "v1", "namespaces"), namespace, who="system:apiserver")

    def follow(self) -> None:
        """Takes over what changes in etcd."""
        while True:
            try:
                for revision, key, value in self.etcd.changes(self.version + 1):
                    with self.changed:
                        self.take_over(revision, key, value)
            except TimeoutError:
                continue
            except OSError as error:
                print(f"etcd: {error}", file=sys.stderr, flush=True)
                self.etcd.turn()
            time.sleep(0.5)

    def take_over(self, revision: int, key: str, value: dict | None) -> None:
        event = "DELETED" if value is None else "MODIFIED" if key in self.objects else "ADDED"
        if value is None:
            value = of_revision(revision, self.objects.pop(key))
        else:
            self.objects[key] = of_revision(revision, value)
        self.version = revision
        self.events.append((revision, event, key, copy.deepcopy(value)))
        self.changed.notify_all()

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
                    if key in self.objects:
                        self.store(key, self.objects[key], "DELETED", who)
            self.store(self.key(kind, namespace, name), value, "DELETED", who)
        return value

    def store(self, key: str, value: dict, event: str, who: str) -> None:
        """Changes it in etcd, if it is still as it is known here, and waits until it has come back from there."""
        old = self.objects.get(key)
        known = int(old["metadata"]["resourceVersion"]) if old else 0
        revision = self.etcd.change(key, None if event == "DELETED" else value, known)
        if not revision:
            # What another one has made of it comes by the watch; whoever asks again will see it.
            self.changed.wait(timeout=1)
            raise Refused(409, "Conflict" if old else "AlreadyExists", f"{key} has been changed meanwhile")
        value["metadata"]["resourceVersion"] = str(revision)
        # What was ever asked for, for the report of the test.
        with open(self.written, "a", encoding="utf-8") as log:
            log.write(json.dumps({"at": now(), "who": who, "event": event, "object": value}) + "\n")
        self.changed.wait_for(lambda: self.version >= revision, timeout=60)
