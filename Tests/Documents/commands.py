"""Prints the commands of our programs that the documents tell to type, one a line: PLACE, FOLDER, COMMAND, with tabs between.

PLACE is DOCUMENT:LINE; FOLDER is where it is typed, `bundle` for what starts with ./target-setup and `site` for the rest.
Read are blocks of shell and of console, and what stands in the text between backquotes and is a command. Words that stand for
something of the reader's are replaced by something that is there. A block below `<!-- not run: REASON -->` is left out, and
printed with FOLDER `excused` and the reason.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = r"(?:download-all|target-setup)"
# What the programs are called with: alone, by a path, by sh, below sudo, with variables before.
COMMAND = re.compile(rf"(?:[A-Z_]+=\S* |sudo |sh |\./|\S+/|\$ )*{PROGRAMS}(?: .*)?$")
FENCE = re.compile(r"\s*```(\w*)\s*$")
EXCUSE = re.compile(r"\s*<!-- not run: (.*) -->\s*$")
INLINE = re.compile(r"`([^`]+)`")
STANDING_FOR = {
    "DIGITS": "0" * 64,
    "ADDRESS": "10.0.0.5",
    "PORT": "8080",
    "FILE": "image.tar",
    "LIST": "list",
    "DIR": "made",
    "FOLDER": "made",
    "MEDIA...": "/media/usb",
    "STEP": "nginx",
    "TOKEN=...": "TOKEN=secret",
}


def documents():
    """The documents that people type from."""
    return [ROOT / "README.md", *sorted(ROOT.glob("docs/guide/*.md")), ROOT / "docs/troubleshooting.md"]


def typed(line):
    """A line without its comment and its prompt, with something in place of what stands for it; None if it is no command."""
    line = re.sub(r"(?:^|\s)#.*", "", line.strip()).strip()
    line = line.removeprefix("$ ").removeprefix("sudo ")
    parts = re.split(r"\s(?:&&|\|)\s", line)
    if not any(COMMAND.match(part) for part in parts):
        return None
    return " ".join(STANDING_FOR.get(word, word) for word in line.split(" "))


def lines_of(path):
    """The lines of a document as (number, line, kind): code, text, or excused with the reason instead of the line."""
    language = excuse = None
    in_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if fence := FENCE.match(line):
            in_code = not in_code
            language = fence.group(1)
            if not in_code:
                excuse = None
        elif in_code:
            # What a program prints has no language; commands in it stand behind a prompt.
            if language in ("sh", "bash", "console") or line.strip().startswith("$ "):
                yield number, line, "code" if excuse is None else f"excused {excuse}"
        elif found := EXCUSE.match(line):
            excuse = found.group(1)
        else:
            yield number, line, "text"


def commands():
    """All of them as (place, folder, command)."""
    for path in documents():
        name = path.relative_to(ROOT)
        joined = ""
        for number, line, kind in lines_of(path):
            if kind == "text":
                for text in INLINE.findall(line):
                    # A program's name alone, or an output that only begins with one, is no command.
                    if re.match(rf"(?:sudo )?(?:sh )?(?:\./)?{PROGRAMS} [a-z-]", text) and (command := typed(text)):
                        # The name of a command alone is no call of it.
                        yield f"{name}:{number}", folder(command), re.sub(r"^(\S+ [a-z-]+)$", r"\1 --help", command)
                continue
            if line.rstrip().endswith("\\"):
                joined += line.rstrip()[:-1] + " "
                continue
            command = typed(joined + line.strip())
            joined = ""
            if command:
                reason = kind.removeprefix("excused ") if kind.startswith("excused") else None
                yield f"{name}:{number}", "excused" if reason else folder(command), reason or command


def folder(command):
    """Where a command is typed."""
    return "bundle" if re.search(r"(?:^| )(?:sh )?\./target-setup", command) else "site"


if __name__ == "__main__":
    for place, where, command in commands():
        sys.stdout.write(f"{place}\t{where}\t{command}\n")
