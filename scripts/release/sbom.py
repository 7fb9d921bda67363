"""Prints what a release is made of, as SPDX 2.3 (spdx.github.io/spdx-spec/v2.3): libraries and Swift packages.

Usage: sbom.py NAME VERSION ORIGINS WORKSPACE-STATE
ORIGINS has lines LIBRARY SOURCE VERSION; the state is SwiftPM's .build/workspace-state.json.
"""

import hashlib
import json
import os
import sys
import time


def identifier(text):
    """A name as SPDX takes it."""
    return "SPDXRef-" + "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in text)


def package(name, version, note, place="NOASSERTION"):
    """A package that the release holds."""
    return {
        "SPDXID": identifier(f"{name}-{version}"),
        "name": name,
        "versionInfo": version,
        "downloadLocation": place,
        "filesAnalyzed": False,
        "comment": note,
    }


def what_of(files):
    """How the files of a package are part of the release."""
    linked = sorted(file for file in files if file.endswith(".a"))
    carried = sorted(files - set(linked))
    notes = [("carried in lib/", carried), ("linked into the programs", linked)]
    return "; ".join(f"{how}: {', '.join(names)}" for how, names in notes if names)


def main():
    """Reads the arguments, and prints the document."""
    name, version, origins, state = sys.argv[1:]
    libraries = {}
    with open(origins, encoding="utf-8") as lines:
        for line in lines:
            library, source, number = line.split()
            libraries.setdefault((source, number), set()).add(library)
    packages = [package(source, number, what_of(files)) for (source, number), files in sorted(libraries.items())]
    with open(state, encoding="utf-8") as text:
        for dependency in json.load(text)["object"]["dependencies"]:
            checkout = dependency["state"].get("checkoutState", {})
            number = checkout.get("version") or checkout.get("revision", "unknown")
            reference = dependency["packageRef"]
            packages.append(package(reference["name"], number, "linked into the programs", "NOASSERTION"))
    packages.sort(key=lambda item: item["SPDXID"])
    own = package("kubespray-offline", version, "the programs")
    content = json.dumps(packages, sort_keys=True).encode()
    when = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{hashlib.sha256(content).hexdigest()}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", when),
            "creators": ["Tool: scripts/dist"],
        },
        "packages": [own, *packages],
        "relationships": [
            {
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": own["SPDXID"],
            }
        ]
        + [
            {
                "spdxElementId": own["SPDXID"],
                "relationshipType": "CONTAINS",
                "relatedSpdxElement": item["SPDXID"],
            }
            for item in packages
        ],
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
