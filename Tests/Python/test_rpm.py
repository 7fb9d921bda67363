import pathlib
import tempfile
import types
import unittest

import sources  # noqa: F401
from rpm_modules import documents, field, is_about
from rpm_packages import local_key, needs_dnf, quoted, reason, siblings


def package(name, source="", requires=()):
    return types.SimpleNamespace(name=name, sourcerpm=source, requires=list(requires))


class Siblings(unittest.TestCase):
    def test_of_the_same_build_and_requiring_exactly_its_version(self):
        members = [package("systemd-libs", "systemd-252.src.rpm")]
        minimal = [
            package("systemd", "systemd-252.src.rpm", ["bash", "systemd-libs(x86-64) = 252-1"]),
            package("systemd-pam", "systemd-252.src.rpm", ["systemd-libs >= 252"]),
            package("other", "other-1.src.rpm", ["systemd-libs = 252-1"]),
            package("systemd-libs", "systemd-252.src.rpm", ["systemd-libs = 252-1"]),
        ]
        self.assertEqual(siblings(members, minimal), {"systemd"})


class Addresses(unittest.TestCase):
    def test_names_that_urls_do_not_allow(self):
        self.assertEqual(quoted("https://h/a^b-1.0~rc.rpm?x=%20"), "https://h/a%5Eb-1.0~rc.rpm?x=%20")

    def test_a_key_beside_the_sources_stands_for_one_that_is_not_here(self):
        with tempfile.TemporaryDirectory() as folder:
            key = pathlib.Path(folder, "RPM-GPG-KEY-x y")
            key.touch()
            found = local_key("file:///nowhere/RPM-GPG-KEY-x%20y", [folder])
            self.assertEqual(found, f"file://{folder}/RPM-GPG-KEY-x%20y")
            self.assertEqual(local_key("file:///nowhere/other", [folder]), "file:///nowhere/other")
            self.assertEqual(local_key("https://example.com/key", [folder]), "https://example.com/key")

    def test_what_only_dnf_can_fetch(self):
        def answer(url="https://h/x.rpm", kind="sha256", **settings):
            given = dict.fromkeys(("username", "proxy", "sslclientcert", "sslcacert"))
            repository = types.SimpleNamespace(**{**given, "sslverify": True, "get_http_headers": list, **settings})
            return needs_dnf(types.SimpleNamespace(repo=repository, returnIdSum=lambda: (kind, "0")), url)

        self.assertFalse(answer())
        self.assertTrue(answer(kind="sha1"))
        self.assertTrue(answer(url="https://name:word@h/x.rpm"))
        self.assertTrue(answer(url="ftp://h/x.rpm"))
        self.assertTrue(answer(proxy="http://proxy:3128"))
        self.assertTrue(answer(sslverify=False))
        self.assertTrue(answer(get_http_headers=lambda: ["X: y"]))

    def test_why_a_repository_was_left_out(self):
        said = ["Failed to download metadata for repo 'epel': x\n  - Curl error (6): no such host - ", "other"]
        self.assertEqual(reason("epel", said), "Curl error (6): no such host")
        self.assertEqual(reason("crb", said), "dnf gave no reason")


class Modules(unittest.TestCase):
    TEXT = """---
document: modulemd
version: 2
data:
  name: nginx
  stream: "1.24"
  version: 9
  context: 2a
  arch: x86_64
...
---
document: modulemd-defaults
version: 1
data:
  module: nginx
  stream: "1.24"
...
---
document: modulemd
data:
  name: php
  stream: 8.2
  version: 1
  context: 3b
  arch: x86_64
"""

    def test_documents_stay_as_they_are(self):
        found = [text for text in documents(self.TEXT) if text]
        self.assertEqual(len(found), 3)
        self.assertIn("".join(f"---\n{text}...\n" for text in found[:2]), self.TEXT)

    def test_fields_are_those_of_data(self):
        document = documents(self.TEXT)[1]
        self.assertEqual((field(document, "stream"), field(document, "version")), ("1.24", "9"))
        self.assertEqual(field(document, "document"), "")

    def test_builds_and_their_defaults_are_kept(self):
        builds = {("nginx", "1.24", "9", "2a", "x86_64")}
        kept = [field(text, "name") or field(text, "module") for text in documents(self.TEXT) if is_about(text, builds)]
        self.assertEqual(kept, ["nginx", "nginx"])


if __name__ == "__main__":
    unittest.main()
