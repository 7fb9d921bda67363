"""Answers a job; see resolve.py."""

import contextlib
import io
import json
import os
import sys
import tempfile

from pip import __version__ as pip_version
from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
from pip._vendor.packaging.utils import canonicalize_name
from resolver_files import FoundFiles
from resolver_pip import ResolvingCommand, keep_sizes, memoize_pages, pretend, refuse_builds
from resolver_texts import depends_on_patch_level, files_of, last_line, texts_of


class Failure(Exception):
    """What pip said when it gave up, and the command that did."""

    def __init__(self, text, command):
        super().__init__(text)
        self.command = command


class Resolver:
    """A job, and pip as it is changed for it. One for all Pythons: they share the pages of the index."""

    def __init__(self, job):
        self.job = job
        self.python = None
        self.pages = memoize_pages()
        self.files = FoundFiles(keep_sizes())
        self.warnings = []
        refuse_builds()

    def settings(self):
        """What decides a resolution beside the job and the state of the servers, and the files that were read for it."""
        command = ResolvingCommand()
        with contextlib.redirect_stdout(sys.stderr):
            options, _ = command.parse_args([])
        names = ("index_url", "extra_index_urls", "no_index", "find_links", "pre", "trusted_hosts")
        chosen = {name: getattr(options, name, None) for name in names}
        files = list(files_of(self.job["requirements"] + options.constraints))
        texts = [text for _, text in files if text is not None]
        read = [path for _, paths in command.parser.config.iter_config_files() for path in paths]
        settings = json.dumps({"pip": pip_version, "options": chosen, "texts": texts})
        return {"settings": settings, "read": read + [path for path, _ in files]}

    def answer(self, python):
        """The files for a Python, or what pip said when there is no solution."""
        self.python, self.warnings = python, []
        try:
            wanted = [Requirement(text) for text in self.job["extra"]]
            files = self.required()
            for requirement in wanted:
                files += self.additional(requirement)
        except (Failure, InvalidRequirement) as failure:
            return {"failure": str(failure)}
        return {"files": files, "warnings": self.warnings}

    def required(self):
        """All requirement files together; each by itself when they contradict each other."""
        paths = self.job["requirements"]
        texts = texts_of(paths)
        try:
            return self.resolve(requirement_arguments(paths), texts) if paths else []
        except Failure as failure:
            if len(paths) < 2:
                raise
            files = [file for path in paths for file in self.resolve(requirement_arguments([path]), texts)]
            together = f"{', '.join(paths)} cannot be installed together for Python {self.python}"
            self.warnings.append(f"{together}, but each by itself ({last_line(str(failure))})")
            return files

    def additional(self, wanted):
        """One more package, which need not agree with anything else."""
        text = str(wanted)
        try:
            return self.resolve([text], [text])
        except Failure as failure:
            command, reason, project = failure.command, last_line(str(failure)), canonicalize_name(wanted.name)
            if not self.is_known(command, project):
                raise
        source = None
        if self.job["sources"]:
            source = self.files.best_source(command, project, wanted.specifier.contains)
        rest = "only its source distribution is carried" if source else "it is left out"
        machine = f"Python {self.python} on {self.job['machine']}"
        self.warnings.append(f"{text} has no wheel for {machine}; {rest} ({reason})")
        return [source] if source else []

    def is_known(self, command, project):
        """Whether any source of pip has the project: a wrong name or a dead network is not a missing wheel."""
        if any(page is not None and url.endswith(f"/{project}/") for url, page in self.pages.items()):
            return True
        return any(finder.find_all_candidates(project) for finder in (command.wheels, command.sources))

    def resolve(self, wanted, texts):
        """The files for what is wanted; where patch levels of Python matter, for the first and for the last."""
        python, files = self.python, []
        for patch in (0, 99):
            command, items = self.run_pip(f"{python}.{patch}", wanted)
            for item in items:
                files += self.files.of_item(command, item, self.job["sources"])
            texts = texts + [line for item in items for line in item["metadata"].get("requires_dist", [])]
            if not any(depends_on_patch_level(text, python) for text in texts):
                break
        return files

    def run_pip(self, version, wanted):
        """The command after its end, and its report; quiet unless it fails."""
        pretend(version, self.job["machine"])
        log, command = io.StringIO(), ResolvingCommand()
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "report.json")
            arguments = ["--quiet", "--no-input", "--dry-run", "--ignore-installed", "--report", report]
            arguments += ["--target", f"{folder}/target"]
            arguments += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", version]
            arguments += [word for platform in self.job["platforms"] for word in ("--platform", platform)]
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                try:
                    status = command.main(arguments + wanted)
                except SystemExit as end:
                    status = end.code
            if status != 0:
                raise Failure(log.getvalue(), command)
            with open(report, encoding="utf-8") as file:
                return command, json.load(file)["install"]


def requirement_arguments(paths):
    """The words by which pip reads requirement files."""
    return [word for path in paths for word in ("--requirement", path)]
