"""scripts/translations: what it reports of a translation, and what it lets pass."""

import importlib.machinery
import importlib.util
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def loaded(path):
    """A program without an ending as a module."""
    loader = importlib.machinery.SourceFileLoader(path.name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.name, loader))
    sys.modules[path.name] = module
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = writes
    return module


translations = loaded(ROOT / "scripts/translations")

LINES = {language: translations.language_line("operator.md", language) for language in ("", "ko")}
ORIGINAL = f"""# The operator

{LINES[""]}

Give `--all`, see [the gate](security-gate.md).

## Steps

```sh
sh ./target-setup all   # everything
# and then
echo "#1" a#b
```

```
outputs/
  bundle.json   every file
```

### Words

The end.
"""
TRANSLATION = f"""# 운영자

{LINES["ko"]}

`--all` 옵션은 [보안 게이트](security-gate.md)를 보십시오.

## 단계

```sh
sh ./target-setup all        # 전체
# 그다음
echo "#1" a#b
```

```
outputs/
  bundle.json   모든 파일
```

### 용어

끝.
"""
RECORDED = translations.recorded(ORIGINAL, TRANSLATION)


def found(translation, original=ORIGINAL):
    return [(failure, what) for failure, _, what in translations.compared("operator.md", "ko", original, translation)]


class Sections(unittest.TestCase):
    def test_headings_in_code_are_text(self):
        text = "before\n\n# A\n```\n# no heading\n```\n\n## B\n"
        self.assertEqual(
            [(section.level, section.title, section.line) for section in translations.sections(text)],
            [(0, "", 1), (1, "A", 3), (2, "B", 8)],
        )

    def test_blank_lines_at_the_end_count_for_nothing(self):
        digests = {translations.digest(translations.sections(f"# A\n\ntext{end}")[0]) for end in ("", "\n", "\n \n\n")}
        self.assertEqual(len(digests), 1)

    def test_a_digest_belongs_to_what_is_directly_below_it(self):
        mark = "<!-- of: 0123456789ab -->"
        cases = [
            (f"{mark}\n# A\n", ["0123456789ab"]),
            (f"{mark}\nbefore\n# A\n", ["0123456789ab", ""]),
            (f"# A\n{mark}\ntext\n## B\n", ["", ""]),
            (f"```\n{mark}\n```\n# A\n", ["", ""]),
        ]
        for text, expected in cases:
            with self.subTest(text):
                self.assertEqual([section.recorded for section in translations.sections(text)], expected)


class Comparison(unittest.TestCase):
    def test_a_recorded_translation_is_whole(self):
        self.assertEqual(found(RECORDED), [])

    def test_recording_again_changes_nothing(self):
        self.assertEqual(translations.recorded(ORIGINAL, RECORDED), RECORDED)

    def test_english_text_may_change_without_the_translation(self):
        changed = ORIGINAL.replace("The end.", "The very end.").replace("# everything", "# all of it")
        problems = found(RECORDED, changed)
        self.assertEqual([failure for failure, _ in problems], [False, False])
        self.assertEqual([what.split(";")[0] for _, what in problems], ['behind: "단계"', 'behind: "용어"'])
        self.assertEqual(found(translations.recorded(changed, RECORDED), changed), [])

    def test_a_new_section_may_stand_there_in_english(self):
        added = "\n## New\n\nSomething new.\n"
        translation = RECORDED + added.replace("##", "<!-- of: 000000000000 -->\n##")
        self.assertEqual(found(translation, ORIGINAL + added), [(False, 'not translated: "New"')])

    def test_a_new_section_is_named_wherever_it_is(self):
        original = ORIGINAL.replace("## Steps", "## New\n\nSomething new.\n\n## Steps")
        problems = list(translations.compared("operator.md", "ko", original, RECORDED))
        self.assertEqual([(failure, line) for failure, line, _ in problems], [(True, 2)])
        self.assertIn('"New"', problems[0][2])
        shorter = ORIGINAL[: ORIGINAL.index("## Steps")] + ORIGINAL[ORIGINAL.index("### Words") :]
        self.assertEqual(found(RECORDED, shorter), [(True, 'surplus: "단계"')])

    def test_what_fails(self):
        sections = RECORDED.split("<!-- of: ")
        cases = {
            "missing": ("<!-- of: ".join(sections[:-1]), 'missing after this section: "Words"'),
            "surplus": (RECORDED + "\n## 더\n", 'surplus: "더"'),
            "level": (RECORDED.replace("### ", "## "), '"용어" has level 2, in its place'),
            "command": (
                RECORDED.replace("sh ./target-setup all ", "sh ./target-setup undo "),
                "has the code 'sh ./target-setup undo', the original 'sh ./target-setup all'",
            ),
            "file": (RECORDED.replace("bundle.json ", "묶음.json "), "the original 'bundle.json'"),
            "line of code": (RECORDED.replace('echo "#1" a#b\n', ""), "has the code"),
            "block": (RECORDED.replace("```\noutputs/", "outputs/").replace("파일\n```", "파일"), "1 code blocks"),
            "language": (RECORDED.replace("```sh", "```bash"), "the original '```sh'"),
            "digest": (RECORDED.replace("<!-- of: " + sections[2][:12] + " -->\n", ""), '"단계" has no digest'),
            "languages": (RECORDED.replace(LINES["ko"], LINES[""]), "the first line below the title"),
        }
        for name, (text, expected) in cases.items():
            with self.subTest(name):
                problems = found(text)
                self.assertEqual(len(problems), 1, problems)
                self.assertTrue(problems[0][0])
                self.assertIn(expected, problems[0][1])

    def test_names_and_links_that_a_translation_leaves_out_are_reported(self):
        text = RECORDED.replace("`--all`", "`--al`").replace("(security-gate.md)", "(build-host.md)")
        self.assertEqual(
            found(text),
            [
                (False, '"운영자" has other names than the original: +--al ---all'),
                (
                    False,
                    '"운영자" has other links than the original: +docs/guide/build-host.md -docs/guide/security-gate.md',
                ),
            ],
        )


class Recording(unittest.TestCase):
    def test_other_sections_leave_the_file_as_it_was(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "docs/guide").mkdir(parents=True)
            (root / "docs/ko").mkdir()
            (root / "docs/guide/operator.md").write_text(ORIGINAL, encoding="utf-8")
            place = root / "docs/ko/operator.md"
            place.write_text("# 운영자\n", encoding="utf-8")
            with self.assertRaisesRegex(ValueError, 'missing after this section: "Steps"'):
                translations.record(root, "ko/operator.md")
            self.assertEqual(place.read_text(encoding="utf-8"), "# 운영자\n")
            place.write_text(TRANSLATION, encoding="utf-8")
            translations.record(root, "docs/ko/operator.md")
            self.assertEqual(place.read_text(encoding="utf-8"), RECORDED)
            self.assertEqual([path.name for path in place.parent.iterdir()], ["operator.md"])

    def test_only_translations_are_written(self):
        for argument in ("README.md", "fr/README.md", "ko/recipes.md", "ko/../README.md"):
            with self.subTest(argument), self.assertRaisesRegex(ValueError, "not one of ko"):
                translations.record(ROOT, argument)


class Repository(unittest.TestCase):
    def test_no_translation_is_broken(self):
        failures = [text for is_failure, text in translations.report(ROOT) if is_failure]
        self.assertEqual(failures, [])


if __name__ == "__main__":
    unittest.main()
