"""Asks the API server, with a kubeconfig as kubectl would."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import time
import urllib.error
import urllib.request

import yaml


class Cluster:
    def __init__(self, kubeconfig: str) -> None:
        with open(kubeconfig, encoding="utf-8") as file:
            text = yaml.safe_load(file)
        cluster, self.user = text["clusters"][0]["cluster"], text["users"][0]["user"]
        self.server = cluster["server"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        if "client-certificate" in self.user:
            context.load_cert_chain(self.user["client-certificate"], self.user["client-key"])
        elif "client-certificate-data" in self.user:
            with tempfile.NamedTemporaryFile() as file:
                file.write(
                    b"".join(base64.b64decode(self.user[f"client-{part}-data"]) for part in ["certificate", "key"])
                )
                file.flush()
                context.load_cert_chain(file.name)
        handler = urllib.request.HTTPSHandler(context=context)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)

    def ask(self, method: str, path: str, body: dict | None = None, sort: str = "application/json") -> dict:
        """The answer; `FileNotFoundError` when there is no such object, `OSError` for any other refusal."""
        request = urllib.request.Request(self.server + path, method=method, headers={"Content-Type": sort})
        if "token" in self.user:
            request.add_header("Authorization", f"Bearer {self.user['token']}")
        if body is not None:
            request.data = json.dumps(body).encode()
        try:
            with self.opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            message = json.loads(error.read() or b"{}").get("message", error.reason)
            if error.code == 404:
                raise FileNotFoundError(message) from error
            raise OSError(f"{method} {path}: {error.code} {message}") from error

    def get(self, path: str) -> dict:
        return self.ask("GET", path)

    def merge(self, path: str, patch: dict) -> dict:
        return self.ask("PATCH", path, patch, "application/merge-patch+json")

    def apply(self, path: str, value: dict) -> None:
        """Stores an object, whether it is there or not. PATH is that of its kind in its namespace."""
        place = f"{path}/{value['metadata']['name']}"
        try:
            self.get(place)
        except FileNotFoundError:
            self.ask("POST", path, value)
        else:
            self.merge(place, value)

    def wait(self, seconds: int) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                self.get("/version")
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)
