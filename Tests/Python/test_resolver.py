import pathlib
import tempfile
import unittest

import sources  # noqa: F401
from resolver_texts import depends_on_patch_level, file_name, last_line, texts_of, with_credentials


class Texts(unittest.TestCase):
    def test_requirement_files_name_others(self):
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            (place / "inner").mkdir()
            (place / "a.txt").write_text("x\n-r inner/b.txt\n--constraint=c.txt # why\n-r https://example.com/d.txt\n")
            (place / "inner/b.txt").write_text("y\n-r ../a.txt\n")  # comes back to the first
            (place / "c.txt").write_text("z\n")
            texts = list(texts_of([str(place / "a.txt")]))
            self.assertEqual([text[0] for text in texts][:2], ["x", "y"])
            self.assertIn("z\n", texts)

    def test_a_file_that_cannot_be_read_is_left_to_pip(self):
        self.assertEqual(list(texts_of(["/nowhere/requirements.txt"])), [])


class PatchLevels(unittest.TestCase):
    def test_only_markers_of_this_python_count(self):
        cases = [
            ('backports; python_full_version < "3.11.3"', True),
            ("backports; implementation_version < '3.11.3'", True),
            ('backports; python_full_version < "3.12.3"', False),
            ('backports; python_full_version < "3.11"', False),
            ('backports; python_version < "3.11.3"', False),
            ("ansible==9.13.0", False),
        ]
        for text, expected in cases:
            with self.subTest(text):
                self.assertEqual(depends_on_patch_level(text, "3.11"), expected)


class Addresses(unittest.TestCase):
    def test_names_are_unescaped(self):
        self.assertEqual(file_name("https://example.com/a/x%2By-1.0.whl?token=1#sha256=0"), "x+y-1.0.whl")

    def test_credentials_are_escaped_and_replace_others(self):
        # name, and p@ss/word
        sent = "Basic bmFtZTpwQHNzL3dvcmQ="
        expected = "https://name:p%40ss%2Fword@example.com/x"
        self.assertEqual(with_credentials("https://example.com/x", sent), expected)
        self.assertEqual(with_credentials("https://old:one@example.com/x", sent), expected)

    def test_other_kinds_of_authorization_are_left(self):
        self.assertEqual(with_credentials("https://example.com/x", "Bearer abc"), "https://example.com/x")
        self.assertEqual(with_credentials("https://example.com/x", ""), "https://example.com/x")


class Reasons(unittest.TestCase):
    def test_the_last_line_is_the_reason(self):
        self.assertEqual(last_line("WARNING: x\nERROR: No matching distribution\n\n"), "No matching distribution")
        self.assertEqual(last_line(" \n"), "pip gave no reason")


if __name__ == "__main__":
    unittest.main()
