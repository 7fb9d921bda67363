"""The documents: their links lead somewhere, their commands exist, and the first page stays one."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where documents lie; what is built, fetched or tried out has some of its own.
PLACES = ["*.md", "docs/**/*.md", "Tests/**/*.md"]
LONGEST_README = 150
# Words that stand for something of the reader's, and what takes no command.
PROGRAMS = {
    "download-all": ROOT / "docs/man/download-all.1",
    "target-setup": ROOT / "docs/man/target-setup.1",
}


def documents():
    """All documents of the repository."""
    return sorted({path for place in PLACES for path in ROOT.glob(place)})


def parts(text):
    """The lines of a document as (line, whether it is code)."""
    is_code = False
    for line in text.splitlines():
        if line.startswith("```"):
            is_code = not is_code
            continue
        yield line, is_code


def anchor(heading):
    """What a heading is called in links, as forges make it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip())
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def anchors(path):
    """The places in a document that links can name."""
    return {
        anchor(line.lstrip("#"))
        for line, is_code in parts(path.read_text(encoding="utf-8"))
        if not is_code and line.startswith("#")
    }


def links(path):
    """The links of a document to other places of the repository."""
    text = "\n".join(line for line, is_code in parts(path.read_text(encoding="utf-8")) if not is_code)
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:src|srcset)=\"([^\"]+)\"", text)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def commands(path):
    """What the documents tell to type for one of our programs, as (program, words)."""
    for line, is_code in parts(path.read_text(encoding="utf-8")):
        if not is_code:
            continue
        for program in PROGRAMS:
            match = re.match(rf"(?:[A-Z]+=\S+ )*(?:sh )?(?:\S*/)?{program}(?: +([^#|<>]*))?(?:$|[#|<>])", line.strip())
            if match:
                yield program, (match.group(1) or "").split()


def known_words(manual):
    """The commands and steps that a manual page knows, and its options."""
    text = manual.read_text(encoding="utf-8").replace("\\-", "-")
    text = re.sub(r"\\f[A-Z]", "", text)
    return set(re.findall(r"[a-z][a-z-]+", text)), set(re.findall(r"--[a-z][a-z0-9-]+", text))


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for path in documents():
            for link in links(path):
                name, _, place = link.partition("#")
                target = (path.parent / name).resolve() if name else path
                with self.subTest(document=path.relative_to(ROOT), link=link):
                    self.assertTrue(target.exists(), "there is no such file")
                    if place:
                        self.assertIn(place, anchors(target))

    def test_commands_exist(self):
        count = 0
        for path in documents():
            for program, words in commands(path):
                names, options = known_words(PROGRAMS[program])
                count += 1
                with self.subTest(document=path.relative_to(ROOT), command=f"{program} {' '.join(words)}"):
                    if words and re.fullmatch(r"[a-z][a-z-]+", words[0]):
                        self.assertIn(words[0], names)
                    for word in words:
                        if word.startswith("--"):
                            self.assertIn(word.partition("=")[0], options)
        self.assertGreater(count, 30)

    def test_headings_of_every_language_can_be_linked(self):
        cases = {
            "TLS and a login": "tls-and-a-login",
            "TLS와 로그인": "tls와-로그인",
            "`--json`의 이벤트": "--json의-이벤트",
            "署名、検証": "署名検証",
            "在容器中运行 Ansible": "在容器中运行-ansible",
        }
        for heading, place in cases.items():
            with self.subTest(heading):
                self.assertEqual(anchor(f" {heading}"), place)

    def test_the_first_page_is_short(self):
        self.assertLessEqual(len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()), LONGEST_README)


if __name__ == "__main__":
    unittest.main()
