#!/usr/bin/env python3
"""Measures whole runs of download-all in the world that Benchmarks/whole-run has made; started by it.

For each program in turn, round by round: a first run in an empty folder with an empty cache, three reruns, and the start
of both programs; with the package archives and PyPI, and without. The stand-ins' logs tell when the first byte of a file
and of an image was asked for, the cache when the catalog was written.
"""

import argparse
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

LINE = re.compile(r"^(\d+) (\w+) (\S+) .* at=([\d.]+) took=([\d.]+)$")
RERUNS = 3
STARTS = 20
VARIANTS = {"without packages and pypi": True, "everything": False}


class Program:
    """One build of both programs, and the folder in which it works."""

    def __init__(self, name: str, folder: pathlib.Path, work: pathlib.Path) -> None:
        self.name, self.folder, self.site = name, folder, work / f"site-{name}"
        # The tree names the content of the stand-ins: it is not the release's, so it is given and not fetched.
        self.tree = work / "tree"
        self.repository = next(parent for parent in folder.parents if (parent / "target-scripts").is_dir())

    def clear(self, alone: bool) -> None:
        """An empty folder with the settings of a newcomer, but for what would change this machine."""
        shutil.rmtree(self.site, ignore_errors=True)
        (self.site / "config").mkdir(parents=True)
        for part in ("target-scripts", "pkglist", "imagelists"):
            (self.site / part).symlink_to(self.repository / part)
        skip = "  skip: true\n" if alone else ""
        (self.site / "config/config.yml").write_text(
            f"kubespray:\n  source: {self.tree}\npackages:\n  install: false\n{skip}"
            + (f"pypi:\n{skip}" if alone else "")
        )

    def run(self, *arguments: str) -> tuple[float, float, float]:
        """Seconds, megabytes at the peak of the program itself, and the time when it started."""
        with open(self.site / "log", "w") as log:
            started, clock = time.perf_counter(), time.time()
            command = [self.folder / "download-all", *arguments]
            process = subprocess.Popen(command, cwd=self.site, stdout=log, stderr=log)
            peak = Peak(process.pid)
            status = process.wait()
            seconds = time.perf_counter() - started
        if status:
            sys.exit(f"error: {self.name}: exit status {status}\n{(self.site / 'log').read_text()[-4000:]}")
        return seconds, peak.megabytes, clock

    def start(self, command: list[str]) -> float:
        """Milliseconds of a start."""
        begun = time.perf_counter()
        for _ in range(STARTS):
            subprocess.run([*command, "--help"], stdout=subprocess.DEVNULL, check=True, cwd=self.site)
        return 1000 * (time.perf_counter() - begun) / STARTS


class Peak:
    """The highest memory of a process, as the kernel counts it; looked at often, since it goes with the process."""

    def __init__(self, pid: int) -> None:
        self.pid, self.megabytes = pid, 0.0
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        try:
            while True:
                text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
                found = re.search(r"VmHWM:\s+(\d+)", text)
                if not found:
                    return
                self.megabytes = max(self.megabytes, int(found[1]) * 1024 / 1e6)
                time.sleep(0.05)
        except OSError:
            return


def first_request(logs: pathlib.Path, name: str, wanted: re.Pattern, since: float) -> float | None:
    """Seconds until the first download whose address fits began."""
    begun = []
    for line in (logs / name).read_text().splitlines():
        found = LINE.match(line)
        if found and found[1] in ("200", "206") and found[2] == "GET" and wanted.search(found[3]):
            at = float(found[4]) - float(found[5])
            if at >= since - 1:
                begun.append(at - since)
    return min(begun, default=None)


def first_run(program: Program, logs: pathlib.Path, alone: bool) -> dict[str, float]:
    program.clear(alone)
    subprocess.run(["sync"], check=True)
    seconds, peak, clock = program.run()
    catalogs = [
        path.stat().st_mtime - clock
        for path in (program.site / "cache").rglob("*")
        if "catalog" in str(path.relative_to(program.site)) and path.suffix == ".json"
    ]
    moments = {
        "catalog known s": min(catalogs, default=None),
        "first file s": first_request(
            logs, "access.log", re.compile(r"^(?!codeload|.*/kubespray/|.*/index.yaml$)"), clock
        ),
        "first image s": first_request(logs, "registry.log", re.compile(r"/blobs/"), clock),
    }
    return {
        "first run s": seconds,
        **{name: value for name, value in moments.items() if value is not None},
        "peak MB": peak,
    }


def measure(program: Program, logs: pathlib.Path, alone: bool) -> dict[str, float]:
    result = first_run(program, logs, alone)
    reruns = [program.run() for _ in range(RERUNS)]
    result["rerun s"] = statistics.median(seconds for seconds, _, _ in reruns)
    result["rerun peak MB"] = max(peak for _, peak, _ in reruns)
    result["download-all --help ms"] = program.start([program.folder / "download-all"])
    result["target-setup --help ms"] = program.start(["sh", program.site / "outputs/target-setup"])
    result["lib/ MB"] = sum(path.stat().st_size for path in (program.site / "outputs/lib").iterdir()) / 1e6
    return result


def differences(old: pathlib.Path, new: pathlib.Path) -> list[str]:
    """How two manifests differ: fields, and files by path."""

    def flat(path: pathlib.Path) -> dict[str, object]:
        manifest = json.loads(path.read_text())
        files = {
            f"file {entry['path']}": {key: value for key, value in entry.items() if key != "path"}
            for entry in manifest.pop("files")
        }
        return {**manifest, **files}

    left, right = flat(old), flat(new)
    lines = []
    for key in sorted(left.keys() | right.keys()):
        if left.get(key) != right.get(key) and key not in ("created", "tool"):
            lines.append(f"{key}: {json.dumps(left.get(key))} -> {json.dumps(right.get(key))}")
    return lines


def show(title: str, results: dict[str, list[dict[str, float]]]) -> None:
    print(f"\n{title}, medians")
    names = list(results)
    header = "".join(f"{name:>10}" for name in names)
    print(f"{'':24}{header}{'new/old' if len(names) > 1 else '':>10}")
    for row in results[names[-1]][0]:
        values = [[run[row] for run in results[name] if row in run] for name in names]
        medians = [statistics.median(column) if column else float("nan") for column in values]
        ratio = f"{medians[-1] / medians[0]:10.2f}" if len(medians) > 1 and medians[0] else ""
        spread = "  ".join(f"{min(column):.1f}-{max(column):.1f}" for column in values if column)
        print(f"{row:24}" + "".join(f"{value:10.2f}" for value in medians) + ratio + f"   ({spread})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--logs", type=pathlib.Path, required=True)
    parser.add_argument("--results", type=pathlib.Path)
    options = parser.parse_args()
    programs = [
        Program(name, pathlib.Path(folder), options.work)
        for name, folder in (item.split("=", 1) for item in options.program)
    ]
    kept = options.results or options.work / "results"
    kept.mkdir(parents=True, exist_ok=True)
    for title, alone in VARIANTS.items():
        results: dict[str, list[dict[str, float]]] = {program.name: [] for program in programs}
        for number in range(options.rounds):
            for program in programs if number % 2 == 0 else reversed(programs):
                result = measure(program, options.logs, alone)
                results[program.name].append(result)
                print(f"{title}, round {number + 1}, {program.name}: {json.dumps(result)}", file=sys.stderr, flush=True)
                manifest = kept / f"bundle-{'alone' if alone else 'everything'}-{program.name}.json"
                shutil.copy(program.site / "outputs/bundle.json", manifest)
                shutil.rmtree(program.site)
        (kept / f"{'alone' if alone else 'everything'}.json").write_text(json.dumps(results, indent=1))
        show(title, results)
        if len(programs) > 1:
            kind = "alone" if alone else "everything"
            lines = differences(kept / f"bundle-{kind}-old.json", kept / f"bundle-{kind}-new.json")
            print(f"bundle.json: {len(lines)} differences but for its time and the program's version")
            (kept / f"differences-{kind}.txt").write_text("\n".join(lines) + "\n")
            print("\n".join(f"  {line[:200]}" for line in lines[:40]))


if __name__ == "__main__":
    main()
