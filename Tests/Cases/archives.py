"""Makes image archives as many programs write them, and prints a line for each that says what is right.

    python3 archives.py FOLDER

A line has, with tabs between: file, exit status, arguments, names in the registry (with commas), a word that is said.
"""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import pathlib
import sys
import tarfile

folder = pathlib.Path(sys.argv[1])
OCI = "application/vnd.oci.image."


def tar(entries: list) -> bytes:
    """A tar of pairs of a name and bytes, or the target of a link as text; `=TARGET` is a hard link."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                is_hard = content.startswith("=")
                entry.type = tarfile.LNKTYPE if is_hard else tarfile.SYMTYPE
                entry.linkname = content.lstrip("=")
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def describe(data: bytes, kind: str, **more) -> dict:
    media_type = kind if "/" in kind else OCI + kind
    return {"mediaType": media_type, "digest": f"sha256:{sha(data)}", "size": len(data), **more}


def dump(value) -> bytes:
    return json.dumps(value).encode()


class Image:
    def __init__(self, name: str, layers: int = 2, architecture: str = "amd64"):
        self.layers = [tar([(f"{name}-{number}", name.encode() * 40)]) for number in range(layers)]
        self.packed = [gzip.compress(layer, mtime=0) for layer in self.layers]
        ids = [f"sha256:{sha(layer)}" for layer in self.layers]
        self.config = dump({"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}})
        self.architecture = architecture
        self.manifest = self.make_manifest([describe(layer, "layer.v1.tar+gzip") for layer in self.packed])

    def make_manifest(self, layers) -> bytes:
        return dump(
            {
                "schemaVersion": 2,
                "mediaType": OCI + "manifest.v1+json",
                "config": describe(self.config, "config.v1+json"),
                "layers": layers,
            }
        )

    def descriptor(self, **more) -> dict:
        return describe(self.manifest, "manifest.v1+json", **more)

    def platform(self) -> dict:
        return self.descriptor(platform={"os": "linux", "architecture": self.architecture})

    @property
    def blobs(self) -> list:
        return [self.manifest, self.config, *self.packed]


def blobs(contents: list) -> list:
    return [(f"blobs/sha256/{sha(content)}", content) for content in dict.fromkeys(contents)]


def layout(descriptors: list, contents: list, *more) -> list:
    index = dump({"schemaVersion": 2, "manifests": descriptors})
    return [*blobs(contents), ("index.json", index), *more, ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')]


def named(name: str) -> dict:
    return {"annotations": {"io.containerd.image.name": name}}


def referred(name: str) -> dict:
    return {"annotations": {"org.opencontainers.image.ref.name": name}}


def classic(images: list) -> list:
    entries, items = [], []
    for image, tags in images:
        names = []
        for layer in image.layers:
            place = f"{sha(layer)[:12]}"
            entries += [(f"{place}/VERSION", b"1.0"), (f"{place}/json", b"{}"), (f"{place}/layer.tar", layer)]
            names.append(f"{place}/layer.tar")
        entries.append((f"{sha(image.config)}.json", image.config))
        items.append({"Config": f"{sha(image.config)}.json", "RepoTags": tags, "Layers": names})
    return [*entries, ("manifest.json", dump(items)), ("repositories", b"{}")]


def crane(image: Image, tags) -> list:
    names = [f"{sha(layer)}.tar.gz" for layer in image.packed]
    item = {"Config": f"sha256:{sha(image.config)}", "RepoTags": tags, "Layers": names}
    return [(item["Config"], image.config), *zip(names, image.packed), ("manifest.json", dump([item]))]


def write(file: str, data: bytes, status: int, arguments: str, names: str, said: str = "") -> None:
    (folder / file).write_bytes(data)
    print("\t".join([file, str(status), arguments or "-", names or "-", said or "-"]))


a, b, arm = Image("a"), Image("b"), Image("arm", architecture="arm64")
many = dump({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [a.platform(), arm.platform()]})
plain = classic([(a, ["acme/classic:1", "quay.io/acme/other:2"])])

write("classic.tar", tar(plain), 0, "", "acme/classic:1,acme/other:2")
write("classic.tar.gz", gzip.compress(tar(plain)), 0, "", "acme/classic:1")
write("classic.tar.bz2", bz2.compress(tar(plain)), 0, "", "acme/classic:1")
write("classic.tar.xz", lzma.compress(tar(plain)), 0, "", "acme/classic:1")
write("dots.tar", tar([(f"./{name}", content) for name, content in plain]), 0, "", "acme/classic:1")
write("around.tar", tar([(f"saved/here/{name}", content) for name, content in plain]), 0, "", "acme/classic:1")
shared = [
    (name, "=" + "x/layer.tar" if name == f"{sha(a.layers[0])[:12]}/layer.tar" else content) for name, content in plain
]
write("hardlink.tar", tar([("x/layer.tar", a.layers[0]), *shared]), 0, "", "acme/classic:1")
write("crane.tar", tar(crane(a, ["acme/crane:1"])), 0, "", "acme/crane:1")
write("crane-nameless.tar", tar(crane(a, None)), 1, "", "", "does not say what its image is called")
write("crane-named.tar", tar(crane(a, None)), 0, "--name acme/given:1", "acme/given:1")
write(
    "layer-xz.tar",
    tar([(n, lzma.compress(c) if n.endswith("layer.tar") else c) for n, c in plain]),
    0,
    "",
    "acme/classic:1",
)
c = Image("c")
write(
    "wrong-layer.tar",
    tar(
        [
            (name, b.layers[0] if name.endswith("layer.tar") else content)
            for name, content in classic([(c, ["acme/wrong:1"])])
        ]
    ),
    1,
    "",
    "",
    "has digest",
)
write(
    "one-bad.tar",
    tar([e for e in classic([(a, ["acme/good:1"]), (b, ["acme/bad:1"])]) if e[0] != f"{sha(b.config)}.json"]),
    1,
    "",
    "acme/good:1",
    "acme/bad:1",
)
write("rootfs.tar", tar([("etc/passwd", b"x"), ("usr/bin/y", b"y")]), 1, "", "", "docker export")
write("cut.tar", tar(plain)[:9000], 1, "", "", "cut.tar")
write("page.tar", b"<!DOCTYPE html><html>log in</html>", 1, "", "", "HTML")

write(
    "store-multi.tar",
    tar(
        layout(
            [
                a.descriptor(**named("docker.io/acme/s1:1")),
                a.descriptor(**named("docker.io/acme/s1:2")),
                b.descriptor(**named("docker.io/acme/s2:1")),
            ],
            a.blobs + b.blobs,
        )
    ),
    0,
    "",
    "acme/s1:1,acme/s1:2,acme/s2:1",
)
write("ref-full.tar", tar(layout([a.descriptor(**referred("quay.io/acme/full:3"))], a.blobs)), 0, "", "acme/full:3")
write("ref-tag.tar", tar(layout([a.descriptor(**referred("3"))], a.blobs)), 1, "", "", "--name")
write(
    "ref-tag-named.tar",
    tar(layout([a.descriptor(**referred("3"))], a.blobs)),
    0,
    "--name quay.io/acme/tag",
    "acme/tag:3",
)
repo_tags = dump(
    [
        {
            "Config": f"blobs/sha256/{sha(a.config)}",
            "RepoTags": ["acme/repotags:1"],
            "Layers": [f"blobs/sha256/{sha(layer)}" for layer in a.packed],
        }
    ]
)
write("repotags.tar", tar(layout([a.descriptor()], a.blobs, ("manifest.json", repo_tags))), 0, "", "acme/repotags:1")
for word, layers in (("empty", []), ("null", None)):
    bare = a.make_manifest(layers)
    own = dump(
        [
            {
                "Config": f"blobs/sha256/{sha(a.config)}",
                "RepoTags": [f"acme/bare-{word}:1"],
                "Layers": [f"blobs/sha256/{sha(layer)}" for layer in a.layers],
            }
        ]
    )
    first = describe(bare, "manifest.v1+json", **named(f"docker.io/acme/bare-{word}:1"))
    write(
        f"bare-{word}.tar",
        tar(layout([first], [bare, a.config, *a.layers], ("manifest.json", own))),
        0,
        "",
        f"acme/bare-{word}:1",
        "manifest.json",
    )
    write(f"bare-{word}-alone.tar", tar(layout([first], [bare, a.config, *a.layers])), 1, "", "", "bare-")
swapped = a.make_manifest([describe(layer, "layer.v1.tar+gzip") for layer in b.packed])
write(
    "swapped.tar",
    tar(
        layout(
            [describe(swapped, "manifest.v1+json", **named("quay.io/acme/swapped:1"))], [swapped, a.config, *b.packed]
        )
    ),
    1,
    "",
    "",
    "diff_id",
)
write(
    "disagree.tar",
    tar(layout([b.descriptor(**named("docker.io/acme/repotags:1"))], a.blobs + b.blobs, ("manifest.json", repo_tags))),
    1,
    "",
    "",
    "different configurations",
)
top = describe(many, "index.v1+json", **named("quay.io/acme/multi:1"))
write("multi.tar", tar(layout([top], [many, *a.blobs, *arm.blobs])), 0, "", "acme/multi:1")
write("partial.tar", tar(layout([top], [many, *a.blobs])), 0, "", "acme/multi:1", "linux/arm64 is not in the archive")
write("partial-manifests.tar", tar(layout([top], [many, *a.blobs, arm.manifest])), 0, "", "acme/multi:1", "linux/arm64")
write("nothing.tar", tar(layout([top], [many])), 1, "", "", "missing")
statement = b'{"predicate":1}'
proof_config = dump({"architecture": "unknown", "os": "unknown", "rootfs": {"type": "layers", "diff_ids": []}})
proof = dump(
    {
        "schemaVersion": 2,
        "mediaType": OCI + "manifest.v1+json",
        "config": describe(proof_config, "config.v1+json"),
        "layers": [describe(statement, "application/vnd.in-toto+json")],
    }
)
attested = dump(
    {
        "schemaVersion": 2,
        "mediaType": OCI + "index.v1+json",
        "manifests": [
            a.platform(),
            describe(
                proof,
                "manifest.v1+json",
                platform={"os": "unknown", "architecture": "unknown"},
                annotations={"vnd.docker.reference.type": "attestation-manifest"},
            ),
        ],
    }
)
seen = describe(attested, "index.v1+json", **named("quay.io/acme/attested:1"))
write("buildx.tar", tar(layout([seen], [attested, *a.blobs, proof, proof_config, statement])), 0, "", "acme/attested:1")
write("buildx-bare.tar", tar(layout([seen], [attested, *a.blobs])), 0, "", "acme/attested:1", "attestations")
signature = f"sha256-{sha(a.manifest)}.sig"
write(
    "signed.tar",
    tar(
        layout(
            [
                a.descriptor(**named("quay.io/acme/signed:1")),
                describe(proof, "manifest.v1+json", **referred(signature)),
            ],
            [*a.blobs, proof, proof_config, statement],
        )
    ),
    0,
    "",
    f"acme/signed:1,acme/signed:{signature}",
)
regctl = [
    ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
    ("index.json", dump({"schemaVersion": 2, "manifests": [top]})),
    ("manifest.json", dump([])),
    *blobs([many, a.manifest, a.config, *a.packed, arm.manifest, arm.config, *arm.packed]),
]
write("regctl.tar", tar(regctl), 0, "", "acme/multi:1")
empty = Image("empty", 0)
write(
    "scratch.tar",
    tar(
        [
            ("c", empty.config.replace(b"[]", b"null")),
            ("manifest.json", dump([{"Config": "c", "RepoTags": ["acme/empty:1"], "Layers": None}])),
        ]
    ),
    0,
    "",
    "acme/empty:1",
)
text = "\ufeff# made by hand\r\n\r\n./one.tar   acme/c1:1 # the first\r\nstore.tar\tacme/c2:1\r\n"
write(
    "container-images.tar.gz",
    gzip.compress(
        tar(
            [
                ("container-images/container-images.txt", text.encode()),
                ("container-images/one.tar", tar(plain)),
                ("container-images/store.tar", tar(layout([top], [many, *a.blobs]))),
            ]
        )
    ),
    0,
    "",
    "acme/c1:1,acme/c2:1",
)
write(
    "container-images-16.tar.gz",
    gzip.compress(
        tar(
            [("container-images/container-images.txt", text.encode("utf-16")), ("container-images/one.tar", tar(plain))]
        )
    ),
    1,
    "",
    "",
    "UTF-16",
)
