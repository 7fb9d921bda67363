"""What the benchmarks share: content to work on, and the time and memory of a command."""

import hashlib
import pathlib
import random
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


def measure(command: str, folder: pathlib.Path) -> Usage:
    """Runs a shell command in a folder; ends the benchmark if it fails."""
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
