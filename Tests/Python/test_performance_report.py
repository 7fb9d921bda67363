"""What Benchmarks/report writes of the rows that benchmarks give."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

REPORT = pathlib.Path(__file__).resolve().parents[2] / "Benchmarks/report"
MARKS = "<!-- begin: written by make bench -->\nold figures\n<!-- end: written by make bench -->\n"


def report(rows: list[dict]) -> tuple[str, str]:
    """The document, and the plot if there is one."""
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "rows").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (work / "page.md").write_text(f"before\n{MARKS}after\n")
        command = [sys.executable, REPORT, work / "rows", "--to", work / "page.md", "--plot", work / "plot.svg"]
        # Without peers, whose versions take time to tell.
        subprocess.run(command, check=True, env={"PATH": ""})
        plot = work / "plot.svg"
        return (work / "page.md").read_text(), plot.read_text() if plot.exists() else ""


def way(name: str, wall: float, **more: object) -> dict:
    job = "8 files, 6 MB; 1 MB/s, 300 ms, 2 % lost"
    return {"script": "lines", "job": job, "way": name, "wall": wall, "base": "the line's limit", **more}


def size(job: str, items: int, wall: float, peak: float) -> dict:
    return {
        "script": "scale",
        "job": job,
        "way": "x",
        "items": items,
        "unit": "images",
        "wall": wall,
        "cpu": 1,
        "peak": peak,
    }


class PerformanceReport(unittest.TestCase):
    def test_only_what_stands_between_the_marks_is_written_again(self) -> None:
        page, _ = report([way("the line's limit", 7, wall_ratio=1)])
        self.assertTrue(page.startswith("before\n"))
        self.assertTrue(page.endswith("after\n"))
        self.assertNotIn("old figures", page)

    def test_what_was_not_measured_is_named_and_has_no_figures(self) -> None:
        page, plot = report([way("the line's limit", 7, wall_ratio=1)])
        self.assertIn("Not measured here: `Benchmarks/program`, `Benchmarks/files`", page)
        self.assertNotIn("## Scale", page)
        self.assertEqual(plot, "")

    def test_a_goal_that_is_missed_is_said_to_be(self) -> None:
        page, _ = report([way("the line's limit", 7, wall_ratio=1), way("download-all", 14, wall_ratio=2)])
        self.assertRegex(page, r"2\.00 of the line's limit, at most 1\.1: \*\*not met\*\*")

    def test_a_run_that_failed_after_cuts_has_not_met_the_goal(self) -> None:
        page, _ = report([way("download-all", 0, again=None, cuts=6, note="failed after 6 cuts")])
        self.assertIn("failed after 6 cuts, at most 2 %: **not met**", page)

    def test_growth_that_is_not_linear_and_memory_above_the_goal_are_named(self) -> None:
        rows = [size("images, again", 100, 0.1, 30), size("images, again", 1000, 3, 200)]
        page, plot = report(rows)
        self.assertIn("images, again: the largest takes 3.00 for each of the size before", page)
        self.assertIn("images, again: 200 MB at the peak", page)
        self.assertIn("images, again: 3.00 s for 1000", page)
        self.assertIn(">images, again</text>", plot)


if __name__ == "__main__":
    unittest.main()
