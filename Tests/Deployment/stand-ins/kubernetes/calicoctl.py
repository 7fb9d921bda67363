"""Stands in for calicoctl with the datastore kubernetes: gets and stores calico's resources as the objects that they are."""

from __future__ import annotations

import json
import os
import sys

from client import Cluster

GROUP = "/apis/crd.projectcalico.org/v1"
KINDS = {
    "ippool": "ippools",
    "felixconfig": "felixconfigurations",
    "felixconfiguration": "felixconfigurations",
    "bgpconfig": "bgpconfigurations",
    "bgpconfiguration": "bgpconfigurations",
    "bgppeer": "bgppeers",
    "clusterinformation": "clusterinformations",
}


def refuse(why: str) -> None:
    sys.exit(f"calicoctl (stand-in): {why}")


def place_of(kind: str) -> str:
    name = kind.lower()
    if name not in KINDS and name.rstrip("s") not in KINDS:
        refuse(f"{kind} is not known")
    return f"{GROUP}/{KINDS.get(name) or KINDS[name.rstrip('s')]}"


def told(value: dict) -> dict:
    return {**value, "apiVersion": "projectcalico.org/v3"}


def get(cluster: Cluster, kind: str, names: list[str], as_json: bool) -> None:
    place = place_of(kind)
    try:
        found = [cluster.get(f"{place}/{name}") for name in names] if names else cluster.get(place)["items"]
    except FileNotFoundError:
        refuse(f"resource does not exist: {kind}({names[0]})")
    if as_json:
        print(json.dumps(told(found[0]) if names else {"items": [told(value) for value in found]}))
        return
    print("NAME   CIDR")
    for value in found:
        print(f"{value['metadata']['name']}   {value.get('spec', {}).get('cidr', '')}")


def apply(cluster: Cluster, text: str) -> None:
    value = json.loads(text)
    if value.get("apiVersion") != "projectcalico.org/v3":
        refuse(f"{value.get('apiVersion')} is no version of calico's resources")
    cluster.apply(place_of(value["kind"]), {**value, "apiVersion": "crd.projectcalico.org/v1"})
    print(f"Successfully applied 1 '{value['kind']}' resource(s)")


def main(version: str, arguments: list[str]) -> None:
    words = [word for word in arguments if word != "--allow-version-mismatch"]
    if words[:1] in (["version"], ["--version"]):
        print(f"Client Version:    v{version}")
        return
    if os.environ.get("DATASTORE_TYPE") != "kubernetes" or "KUBECONFIG" not in os.environ:
        refuse("only the datastore kubernetes, with KUBECONFIG, is known")
    cluster = Cluster(os.environ["KUBECONFIG"])
    if words[:1] == ["get"] and len(words) > 1:
        names = [word for word in words[2:] if not word.startswith("-") and word != "json"]
        get(cluster, words[1], names, "json" in words or "-ojson" in words)
    elif words == ["apply", "-f", "-"]:
        apply(cluster, sys.stdin.read())
    else:
        refuse(f"{' '.join(words)} is not known")
