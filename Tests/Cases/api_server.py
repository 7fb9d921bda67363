"""Stands in for the API server of a cluster: what "target-setup prune" asks, over TLS, answered as the real one does.

python3 api_server.py FOLDER PORT

FOLDER has server.pem (certificate and key), clients.pem (certificates of authorities, the first of which is the cluster's),
objects.json (a list of objects for each path), and may have mode, whose word is read with each request:

  broken     the page of a proxy instead of an answer
  cut        half of the answer
  gone       the second page is asked for too late
  elsewhere  objects of another kind

Users: a certificate of CN admin, or the token "admin", sees everything; the token "nobody" is known and may see nothing. Each
request is written to FOLDER/asked.
"""

import base64
import http.server
import json
import pathlib
import ssl
import sys
import time
import urllib.parse

folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])


def status(code: int, reason: str, message: str) -> dict:
    answer = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return answer | {"message": message, "reason": reason, "code": code}


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def user(self) -> str | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token in ("admin", "nobody"):
            return token
        certificate = self.connection.getpeercert() or {}
        subject, issuer = (dict(part[0] for part in certificate.get(of, ())) for of in ("subject", "issuer"))
        # The real one asks for any certificate, and looks at it when the connection is made: who has a wrong one is told so.
        if (
            not certificate
            or issuer["commonName"] != "ca"
            or ssl.cert_time_to_seconds(certificate["notAfter"]) < time.time()
        ):
            return None
        return subject["commonName"]

    def do_GET(self) -> None:
        question = urllib.parse.urlsplit(self.path)
        with (folder / "asked").open("a") as file:
            file.write(f"{self.user()} {self.path}\n")
        mode = folder / "mode"
        code, answer = self.answer(question.path, urllib.parse.parse_qs(question.query), mode)
        if mode.exists() and mode.read_text() == "broken":
            return self.send(200, "text/html", b"<html><body>Please log in</body></html>")
        data = json.dumps(answer).encode()
        if mode.exists() and mode.read_text() == "cut":
            data = data[: len(data) // 2]
        self.send(code, "application/json", data)
        return None

    def answer(self, path: str, query: dict, mode: pathlib.Path) -> tuple[int, dict]:
        user = self.user()
        if user is None:
            return 401, status(401, "Unauthorized", "Unauthorized")
        group, name = path.split("/")[2:-1], path.rsplit("/", 1)[1]
        if user != "admin":
            where = "" if group == ["v1"] else group[0]
            what = f'{name} is forbidden: User "{user}" cannot list resource "{name}" in API group "{where}"'
            return 403, status(403, "Forbidden", f"{what} at the cluster scope")
        objects = json.loads((folder / "objects.json").read_text()).get(path)
        if objects is None:
            return 404, status(404, "NotFound", "the server could not find the requested resource")
        word = mode.read_text() if mode.exists() else ""
        if word == "elsewhere":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        start = 0
        if mark := query.get("continue", [""])[0]:
            start = json.loads(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))["start"]
            if word == "gone":
                return 410, status(
                    410, "Expired", "The provided continue parameter is too old to display a consistent list"
                )
        end = start + int(query.get("limit", ["0"])[0] or len(objects))
        metadata = {"resourceVersion": "4711"}
        if end < len(objects):
            mark = base64.urlsafe_b64encode(json.dumps({"v": "meta.k8s.io/v1", "rv": 4711, "start": end}).encode())
            metadata |= {"continue": mark.decode().rstrip("="), "remainingItemCount": len(objects) - end}
        kind = {"pods": "PodList", "nodes": "NodeList"}.get(name, "List")
        # Go writes null for a list of nothing.
        return 200, {"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": objects[start:end] or None}

    def send(self, code: int, kind: str, data: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "server.pem")
context.load_verify_locations(folder / "clients.pem")
# A client without a certificate may have a token; X509_V_FLAG_NO_CHECK_TIME, of which Python has no name.
context.verify_mode = ssl.CERT_OPTIONAL
context.verify_flags |= 0x200000
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Server)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
