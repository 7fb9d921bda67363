"""The real etcd, asked as the API server asks it: with its certificates; by the JSON that it speaks beside gRPC."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request

PREFIX = "/registry/"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Etcd:
    def __init__(self, endpoints: list[str], ca: str, certificate: str, key: str) -> None:
        self.endpoints = endpoints
        context = ssl.create_default_context(cafile=ca)
        context.load_cert_chain(certificate, key)
        handler = urllib.request.HTTPSHandler(context=context)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)

    def ask(self, path: str, body: dict | None = None) -> dict:
        """The answer of the first endpoint that gives one."""
        failure: OSError | None = None
        data = None if body is None else json.dumps(body).encode()
        for endpoint in self.endpoints:
            try:
                with self.opener.open(urllib.request.Request(endpoint + path, data), timeout=10) as answer:
                    return json.load(answer)
            except OSError as error:
                failure = error
        raise OSError(f"etcd: {', '.join(self.endpoints)}: {failure}")

    def is_healthy(self) -> bool:
        return self.ask("/health").get("health") == "true"

    def everything(self) -> dict[str, dict]:
        """All objects, by their keys without the prefix."""
        wanted = {"key": encoded(PREFIX), "range_end": encoded(PREFIX[:-1] + "0")}
        found = {}
        for entry in self.ask("/v3/kv/range", wanted).get("kvs", []):
            key = base64.b64decode(entry["key"]).decode().removeprefix(PREFIX)
            found[key] = json.loads(base64.b64decode(entry["value"]))
        return found

    def put(self, key: str, value: dict) -> None:
        self.ask("/v3/kv/put", {"key": encoded(PREFIX + key), "value": encoded(json.dumps(value))})

    def delete(self, key: str) -> None:
        self.ask("/v3/kv/deleterange", {"key": encoded(PREFIX + key)})
