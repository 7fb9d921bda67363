"""What the benchmarks share: content to work on, the time and memory of a command, and rows for docs/performance.md.

BENCH_ROWS names a file to which each benchmark adds what it measured as JSON lines, one for each way of a job: `script`,
`job`, `way`, `rounds`, the medians `wall` and `cpu` (seconds), `peak` and `written` (megabytes), `base`: the way that the
others are compared with, `wall_ratio` and `cpu_ratio`: the medians of the rounds' own ratios to it, and `note`.
"""

import hashlib
import json
import os
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
from typing import NamedTuple


class Usage(NamedTuple):
    wall: float  # seconds
    cpu: float  # seconds, user and system, of the command and what it started
    peak: float  # megabytes, of the largest process
    written: float  # megabytes that went to files, those that are removed again included


def make_files(folder: pathlib.Path, count: int, total: int) -> dict[str, str]:
    """Files of sizes that fall geometrically, as those of a cluster do; their names with their SHA-256."""
    weights = [0.93**index for index in range(count)]
    digests = {}
    for index, weight in enumerate(weights):
        data = random.Random(index).randbytes(int(total * weight / sum(weights)))
        name = f"file-{index:02}"
        (folder / name).write_bytes(data)
        digests[name] = hashlib.sha256(data).hexdigest()
    return digests


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def measure(command: str, folder: pathlib.Path, fills: int = 0) -> Usage:
    """Runs a shell command in a folder; ends the benchmark if it fails.

    fills: How many bytes of the page cache it will fill. As much memory is used and given back first: a virtual machine gets
    what was not just in use from its host again, page by page, for which the way that comes first would pay.
    """
    bytearray(b"\1") * fills
    # GNU time starts the command from a small process: one started from here would inherit our peak memory.
    with tempfile.NamedTemporaryFile("r") as report:
        timed = ["/usr/bin/time", "-f", "%e %U %S %M %O", "-o", report.name, "sh", "-c", command]
        process = subprocess.run(timed, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if process.returncode != 0:
            sys.exit(f"error: exit status {process.returncode} of: {command[:200]}\n{process.stderr}")
        wall, user, system, kilobytes, blocks = map(float, report.read().split())
    return Usage(wall, user + system, kilobytes / 1000, blocks * 512 / 1e6)


def medians(runs: list[Usage]) -> Usage:
    return Usage(*(statistics.median(column) for column in zip(*runs)))


def ratio(runs: list[Usage], base: list[Usage], column: int) -> float | None:
    """The median of what each round takes of the base in the same round, which what disturbs both leaves as it is."""
    ratios = [run[column] / other[column] for run, other in zip(runs, base) if other[column]]
    return statistics.median(ratios) if ratios else None


def add_row(job: str, way: str, **values: object) -> None:
    if "BENCH_ROWS" in os.environ:
        with open(os.environ["BENCH_ROWS"], "a") as rows:
            rows.write(json.dumps({"script": pathlib.Path(sys.argv[0]).name, "job": job, "way": way, **values}) + "\n")


def add_rows(job: str, runs: dict[str, list[Usage]], base: str, notes: dict[str, str] | None = None) -> None:
    """A row for each way of a job."""
    for way, usages in runs.items():
        # What was measured once is compared with the medians of the others.
        others = runs[base] if len(usages) == len(runs[base]) else [medians(runs[base])] * len(usages)
        values = {name: round(value, 4) for name, value in medians(usages)._asdict().items()}
        ratios = {f"{name}_ratio": ratio(usages, others, column) for column, name in enumerate(("wall", "cpu"))}
        note = (notes or {}).get(way, "")
        add_row(job, way, rounds=len(usages), **values, base=base, **ratios, note=note)
