"""The real etcd, asked as the API server asks it: with its certificates; by the JSON that it speaks beside gRPC."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "/registry/"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()


class Etcd:
    def __init__(self, endpoints: list[str], ca: str, certificate: str, key: str) -> None:
        self.endpoints = endpoints
        context = ssl.create_default_context(cafile=ca)
        context.load_cert_chain(certificate, key)
        handler = urllib.request.HTTPSHandler(context=context)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)

    def ask(self, path: str, body: dict | None = None) -> dict:
        """The answer of the first endpoint that gives one; that one is asked first from then on."""
        failure: OSError | None = None
        data = None if body is None else json.dumps(body).encode()
        for endpoint in list(self.endpoints):
            try:
                with self.opener.open(urllib.request.Request(endpoint + path, data), timeout=10) as answer:
                    found = json.load(answer)
                    self.endpoints = [endpoint, *(each for each in self.endpoints if each != endpoint)]
                    return found
            except OSError as error:
                failure = error
        raise OSError(f"etcd: {', '.join(self.endpoints)}: {failure}")

    def unhealthy(self) -> list[str]:
        """Those of the endpoints that do not say that they are healthy."""
        found = []
        for endpoint in self.endpoints:
            health = None
            with contextlib.suppress(OSError), self.opener.open(f"{endpoint}/health", timeout=10) as answer:
                health = json.load(answer).get("health")
            if health != "true":
                found.append(endpoint)
        return found

    def everything(self) -> tuple[dict[str, tuple[int, dict]], int]:
        """All objects by their keys without the prefix, each with the revision of its last change; and the revision of all."""
        wanted = {"key": encoded(PREFIX), "range_end": encoded(PREFIX[:-1] + "0")}
        answer = self.ask("/v3/kv/range", wanted)
        found = {}
        for entry in answer.get("kvs", []):
            key = decoded(entry["key"]).removeprefix(PREFIX)
            found[key] = (int(entry["mod_revision"]), json.loads(decoded(entry["value"])))
        return found, int(answer["header"]["revision"])

    def changes(self, revision: int) -> Iterator[tuple[int, str, dict | None]]:
        """What has changed from a revision on, and what changes from now on: revision, key, value (None where it is gone).
        Ends with `TimeoutError` when nothing has for some seconds, which may be because that member is gone.
        """
        place = {"key": encoded(PREFIX), "range_end": encoded(PREFIX[:-1] + "0"), "start_revision": str(revision)}
        request = urllib.request.Request(
            f"{self.endpoints[0]}/v3/watch", json.dumps({"create_request": place}).encode()
        )
        with self.opener.open(request, timeout=10) as answer:
            for line in answer:
                told = json.loads(line)
                if "result" not in told:
                    raise OSError(f"{self.endpoints[0]}/v3/watch: {told}")
                for event in told["result"].get("events", []):
                    entry = event["kv"]
                    value = None if event.get("type") == "DELETE" else json.loads(decoded(entry["value"]))
                    yield int(entry["mod_revision"]), decoded(entry["key"]).removeprefix(PREFIX), value

    def turn(self) -> None:
        """The first endpoint becomes the last one."""
        self.endpoints = [*self.endpoints[1:], self.endpoints[0]]

    def change(self, key: str, value: dict | None, known: int, prefix: str = PREFIX) -> int:
        """Stores or deletes a value whose last change is the known one (0: it is new). The revision of this change; 0 when
        somebody else has changed it.
        """
        place = encoded(prefix + key)
        unchanged = {"key": place, "target": "MOD", "result": "EQUAL", "mod_revision": str(known)}
        wanted = {"request_delete_range": {"key": place}}
        if value is not None:
            wanted = {"request_put": {"key": place, "value": encoded(json.dumps(value))}}
        answer = self.ask("/v3/kv/txn", {"compare": [unchanged], "success": [wanted]})
        return int(answer["header"]["revision"]) if answer.get("succeeded") else 0

    def one(self, key: str, prefix: str) -> tuple[int, dict]:
        """A value and the revision of its last change; 0 and nothing where there is none."""
        for entry in self.ask("/v3/kv/range", {"key": encoded(prefix + key)}).get("kvs", []):
            return int(entry["mod_revision"]), json.loads(decoded(entry["value"]))
        return 0, {}
