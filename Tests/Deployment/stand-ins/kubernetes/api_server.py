"""Stands in for kube-apiserver: stores what it is given in the real etcd, with discovery, patches and watches enough for the
real kubectl. It is given what kubeadm's manifest has, and refuses to start when a file that is named there is missing.
"""

from __future__ import annotations

import ctypes
import http.server
import json
import os
import re
import signal
import socket
import ssl
import sys
import time
import urllib.parse

import controllers
import kinds
import merge
import pki
from etcd import Etcd
from objects import Refused, Store

WRITTEN = "/var/log/stand-in-objects.jsonl"
PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]+)(?!/(?:status|finalize)$))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<part>[^/]+))?)?$"
)
PATCHES = {
    "application/merge-patch+json": merge.json_merge,
    "application/strategic-merge-patch+json": merge.strategic_merge,
    "application/apply-patch+yaml": merge.strategic_merge,
}


def selected(value: dict, query: dict[str, str]) -> bool:
    """Whether the selectors of a request choose an object."""
    for term in filter(None, query.get("fieldSelector", "").split(",")):
        path, _, wanted = term.replace("==", "=").partition("=")
        negated, found = path.endswith("!"), value
        for part in path.rstrip("!").split("."):
            found = found.get(part, {}) if isinstance(found, dict) else {}
        if (str(found or "") == wanted) == negated:
            return False
    labels = value["metadata"].get("labels", {})
    for term in filter(None, re.split(r",(?![^(]*\))", query.get("labelSelector", ""))):
        name, _, wanted = term.replace("==", "=").partition("=")
        if name.startswith("!"):
            fits = name[1:] not in labels
        elif "=" not in term:
            fits = name in labels
        elif name.endswith("!"):
            fits = labels.get(name[:-1]) != wanted
        else:
            fits = labels.get(name) == wanted
        if not fits:
            return False
    return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store
    arguments: dict[str, str]

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def answer(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(address.query))
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        try:
            code, value = self.respond(address.path, body)
        except Refused as refused:
            code, value = refused.code, self.status(refused)
        except Exception as error:
            print(f"{self.command} {self.path}: {error!r}", file=sys.stderr, flush=True)
            code, value = 500, self.status(Refused(500, "InternalError", repr(error)))
        if value is not None:
            self.send(code, value)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    @staticmethod
    def status(refused: Refused) -> dict:
        told = {"status": "Failure", "message": str(refused), "reason": refused.reason, "code": refused.code}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, **told}

    def send(self, code: int, value: dict | str) -> None:
        data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain" if isinstance(value, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def user(self) -> str:
        """Who asks: by a certificate of the cluster's authority, or by a token of kubeadm."""
        certificate = self.connection.getpeercert()
        if certificate:
            return dict(pair for part in certificate["subject"] for pair in part)["commonName"]
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        identifier, _, secret = token.partition(".")
        known = self.store.objects.get(f"/secrets/kube-system/bootstrap-token-{identifier}")
        if kind == "Bearer" and known and known["stringData"]["token-secret"] == secret:
            return f"system:bootstrap:{identifier}"
        return "system:anonymous"

    def respond(self, path: str, body: bytes) -> tuple[int, dict | str | None]:
        if path in ("/healthz", "/livez", "/readyz"):
            return 200, "ok"
        if path == "/version":
            version = self.arguments["version"]
            major, minor, _ = version.split(".")
            return 200, {"major": major, "minor": minor, "gitVersion": f"v{version}", "platform": "linux/amd64"}
        who = self.user()
        if who == "system:anonymous" and path != "/api/v1/namespaces/kube-public/configmaps/cluster-info":
            raise Refused(401, "Unauthorized", "Unauthorized")
        if path == "/openapi/v2":
            # No schema: kubectl leaves it to the server to judge.
            return 200, ""
        found = self.discover(path)
        if found is not None:
            return 200, found
        match = PATH.match(path)
        if not match:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        while True:
            try:
                return self.serve(who, match, body)
            except Refused as refused:
                # Another API server was first: once more, with what it has made of the object.
                if refused.reason != "Conflict":
                    raise

    def discover(self, path: str) -> dict | None:
        known = self.store.kinds()
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            return kinds.groups(known)
        if path.startswith(("/api/", "/apis/")):
            api_version = path.split("/", 2)[2]
            return kinds.resources(known, api_version)
        return None

    def serve(self, who: str, match: re.Match, body: bytes) -> tuple[int, dict | None]:
        kind = self.store.kind(match["group"] or "", match["version"], match["plural"])
        namespace, name, part = match["namespace"] or "", match["name"], match["part"]
        if part == "eviction":
            return 201, self.store.delete(kind, namespace, name, who)
        if part not in (None, "status", "approval"):
            raise Refused(404, "NotFound", f"{kind.plural}/{part} is not known here")
        if self.command == "GET":
            return self.read(kind, namespace, name)
        if self.command == "DELETE":
            if not name:
                raise Refused(405, "MethodNotAllowed", "a collection is not deleted here")
            return 200, self.store.delete(kind, namespace, name, who)
        value = json.loads(body)
        if self.command == "POST":
            value.setdefault("metadata", {}).update({"namespace": namespace} if kind.namespaced else {})
            controllers.admit(kind, value, self.arguments)
            return 201, value if "dryRun" in self.query else self.store.put(kind, value, who)
        return 200, self.change(who, kind, namespace, name, value)

    def change(self, who: str, kind: kinds.Kind, namespace: str, name: str, value: dict) -> dict:
        with self.store.changed:
            if self.command == "PATCH":
                sort = self.headers.get("Content-Type", "")
                if sort not in PATCHES:
                    raise Refused(415, "UnsupportedMediaType", f"{sort} is not known here")
                try:
                    old = self.store.get(kind, namespace, name)
                except Refused:
                    # Only what is applied by the server may be new.
                    if "apply" not in sort:
                        raise
                    old = {"metadata": {"namespace": namespace}}
                value = PATCHES[sort](old, value)
            else:
                self.store.get(kind, namespace, name)
            return value if "dryRun" in self.query else self.store.put(kind, value, who, is_new=False)

    def read(self, kind: kinds.Kind, namespace: str, name: str | None) -> tuple[int, dict | None]:
        if name:
            return 200, self.store.get(kind, namespace, name)
        if self.query.get("watch") in ("true", "1"):
            try:
                self.watch(kind, namespace)
            except OSError:
                # Who watches ends it by going away.
                self.close_connection = True
            return 200, None
        found = [value for value in self.store.all(kind, namespace) if selected(value, self.query)]
        version = str(self.store.version)
        return 200, {
            "kind": f"{kind.kind}List",
            "apiVersion": kind.api_version,
            "metadata": {"resourceVersion": version},
            "items": found,
        }

    def watch(self, kind: kinds.Kind, namespace: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        seen = int(self.query.get("resourceVersion") or self.store.version)
        start = f"{kind.group}/{kind.plural}/" + (f"{namespace}/" if namespace else "")
        if self.query.get("sendInitialEvents") == "true":
            seen = self.store.version
            for value in self.store.all(kind, namespace):
                if selected(value, self.query):
                    self.tell("ADDED", value)
            marked = {"resourceVersion": str(seen), "annotations": {"k8s.io/initial-events-end": "true"}}
            self.tell("BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": marked})
        end = time.monotonic() + int(self.query.get("timeoutSeconds") or 300)
        while time.monotonic() < end:
            with self.store.changed:
                self.store.changed.wait_for(lambda seen=seen: self.store.version > seen, timeout=1)
                events = [event for event in self.store.events if event[0] > seen]
                seen = self.store.version
            for _, event, key, value in events:
                if key.startswith(start) and selected(value, self.query):
                    self.tell(event, {**value, "apiVersion": kind.api_version, "kind": kind.kind})
        self.wfile.write(b"0\r\n\r\n")

    def tell(self, event: str, value: dict) -> None:
        data = json.dumps({"type": event, "object": value}).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


def main(version: str, flags: list[str]) -> None:
    # It ends with kubelet (PR_SET_PDEATHSIG): not every systemd in a container sees to that.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    given = dict(flag.removeprefix("--").split("=", 1) for flag in flags)
    for flag, value in given.items():
        if value.startswith("/") and flag != "audit-log-path" and not os.path.exists(value):
            sys.exit(f"kube-apiserver (stand-in): --{flag}: {value} is not there")
    etcd = Etcd(given["etcd-servers"].split(","), given["etcd-cafile"], given["etcd-certfile"], given["etcd-keyfile"])
    Handler.store = Store(etcd, WRITTEN)
    Handler.arguments = {**given, "version": version, "ca-key": pki.key_of(given["client-ca-file"])}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(given["tls-cert-file"], given["tls-private-key-file"])
    context.load_verify_locations(given["client-ca-file"])
    context.verify_mode = ssl.CERT_OPTIONAL
    server = Server(("::", int(given["secure-port"])), Handler)
    # The handshake belongs to the thread of the connection; in the one that accepts it would hold up all others.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    controllers.start(Handler.store)
    print(f"kube-apiserver (stand-in) v{version} serves {len(Handler.store.objects)} objects", flush=True)
    server.serve_forever()
