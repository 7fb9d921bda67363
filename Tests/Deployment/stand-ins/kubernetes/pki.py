"""Keys, certificates and kubeconfigs as kubeadm makes them; by openssl, which kubespray installs on every node."""

from __future__ import annotations

import base64
import os
import pathlib
import subprocess
import tempfile

SERVER, CLIENT = "serverAuth", "clientAuth"


def openssl(*arguments: str, **options: object) -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, **options).stdout


def key_of(certificate: str) -> str:
    return certificate.removesuffix(".crt") + ".key"


def make_key(place: str) -> None:
    if not os.path.exists(place):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        # Whole or not at all: kubelet may be started anew meanwhile.
        openssl("genrsa", "-out", f"{place}.{os.getpid()}", "2048")
        os.chmod(f"{place}.{os.getpid()}", 0o600)
        os.replace(f"{place}.{os.getpid()}", place)


def make_authority(place: str, name: str) -> None:
    """A certificate authority at PLACE.crt and PLACE.key; one that is there stays."""
    make_key(f"{place}.key")
    if not os.path.exists(f"{place}.crt"):
        extensions = ["-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign"]
        request = ["req", "-x509", "-new", "-key", f"{place}.key", "-subj", f"/CN={name}", "-days", "3650"]
        openssl(*request, *extensions, "-out", f"{place}.crt")


def sign_request(request: str, place: str, authority: str, extensions: list[str]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".ext") as file:
        file.write("\n".join(extensions) + "\n")
        file.flush()
        signer = ["-CA", f"{authority}.crt", "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "365"]
        openssl("x509", "-req", "-in", request, *signer, "-extfile", file.name, "-out", place)


def subject_of(name: str, groups: list[str]) -> str:
    return "".join(f"/O={group}" for group in groups) + f"/CN={name}"


def make_request(key: str, subject: str) -> str:
    return openssl("req", "-new", "-key", key, "-subj", subject).decode()


def make_certificate(place: str, authority: str, subject: str, usage: str, names: list[str] | None = None) -> None:
    """PLACE.crt and PLACE.key, signed anew by the authority; a key that is there stays."""
    make_key(f"{place}.key")
    extensions = ["keyUsage=critical,digitalSignature,keyEncipherment", f"extendedKeyUsage={usage}"]
    if names:
        extensions.append(
            "subjectAltName=" + ",".join(f"{'IP' if is_address(name) else 'DNS'}:{name}" for name in names)
        )
    with tempfile.NamedTemporaryFile("w", suffix=".csr") as request:
        request.write(make_request(f"{place}.key", subject))
        request.flush()
        sign_request(request.name, f"{place}.crt", authority, extensions)


def is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def fingerprint(certificate: str) -> str:
    """The hash of the public key that a node is told when it joins."""
    public = openssl("x509", "-in", certificate, "-noout", "-pubkey")
    der = openssl("pkey", "-pubin", "-outform", "DER", input=public)
    return "sha256:" + openssl("dgst", "-sha256", "-r", input=der).decode().split()[0]


def in_base64(file: str) -> str:
    return base64.b64encode(pathlib.Path(file).read_bytes()).decode()


def kubeconfig(server: str, authority: str, user: str, access: dict[str, str]) -> str:
    """The text as kubeadm writes it; kubespray looks for lines of it by their indentation."""
    lines = [
        "apiVersion: v1",
        "clusters:",
        "- cluster:",
        f"    certificate-authority-data: {in_base64(authority)}",
        f"    server: {server}",
        "  name: cluster.local",
        "contexts:",
        "- context:",
        "    cluster: cluster.local",
        f"    user: {user}",
        f"  name: {user}@cluster.local",
        f"current-context: {user}@cluster.local",
        "kind: Config",
        "preferences: {}",
        "users:",
        f"- name: {user}",
        "  user:",
        *(f"    {name}: {value}" for name, value in access.items()),
    ]
    return "\n".join(lines) + "\n"


def write(place: str, text: str) -> None:
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        os.chmod(place, 0o600)
        file.write(text)
