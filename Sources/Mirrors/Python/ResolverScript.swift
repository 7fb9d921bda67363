/// The Python program that asks pip, in pip's own process, what a mirror needs.
///
/// pip's command line alone cannot: it chooses wheels for another Python, but evaluates environment markers for
/// the Python that runs it (pip issue 11010), drops sizes, and lists source distributions only by building them.
/// Of pip's inner names it uses few; ``PrivatePip/versions`` says with which versions of pip it was seen working.
enum ResolverScript {
  /// The whole program; reads a ``ResolverJob`` and writes a ``ResolverAnswer``.
  static let text = pip + "\n\n" + job

  /// What it changes in pip.
  private static let pip = #"""
    """Asks pip which files of a package index are needed on another machine with another Python.

    Reads a job as JSON from standard input, writes the answer as JSON to standard output. Nothing is installed
    or built.
    """
    import base64
    import contextlib
    import copy
    import hashlib
    import io
    import json
    import os
    import re
    import sys
    import tempfile
    import urllib.parse

    job = json.load(sys.stdin)
    answers = sys.stdout
    sys.path.insert(0, job["pip"])

    from pip import __version__ as pip_version
    from pip._internal.commands.install import InstallCommand
    from pip._internal.distributions.sdist import SourceDistribution
    from pip._internal.exceptions import InstallationError
    from pip._internal.index.collector import LinkCollector
    from pip._internal.models.format_control import FormatControl
    from pip._internal.models.link import Link
    from pip._vendor.packaging import markers
    from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
    from pip._vendor.packaging.utils import canonicalize_name
    from pip._vendor.packaging.version import Version
    from pip._vendor.requests import Request
    from pip._vendor.requests.utils import get_netrc_auth


    NO_WHEEL = "is no wheel: it would have to be built here and on the target"


    class Failure(Exception):
        """What pip said when it gave up, and the command that did."""

        def __init__(self, text, command):
            super().__init__(text)
            self.command = command


    class Resolver(InstallCommand):
        """pip's install command, which keeps how it found the files: for wheels, and for sources."""

        def _build_package_finder(self, **given):
            source_options = copy.copy(given["options"])
            source_options.format_control = FormatControl({":all:"}, set())
            self.session = given["session"]
            self.wheels = super()._build_package_finder(**given)
            self.sources = super()._build_package_finder(**{**given, "options": source_options})
            return self.wheels

        def get_requirements(self, *arguments, **options):
            requirements = super().get_requirements(*arguments, **options)
            for each in requirements:
                if each.editable or (each.link is not None and not each.link.is_wheel):
                    raise InstallationError(f"{each} {NO_WHEEL}")
            return requirements


    def memoize_pages():
        """One request for each page of an index, however many resolutions ask for it; the pages by their URL."""
        fetch, pages = LinkCollector.fetch_response, {}

        def fetch_once(self, location, *arguments, **options):
            if location.url not in pages:
                pages[location.url] = fetch(self, location, *arguments, **options)
            return pages[location.url]

        LinkCollector.fetch_response = fetch_once
        return pages


    def keep_sizes():
        """The sizes that an index tells in its JSON pages; pip has no use for them."""
        from_json, sizes = Link.from_json.__func__, {}

        def from_json_with_size(cls, file_data, *arguments, **options):
            link = from_json(cls, file_data, *arguments, **options)
            if link is not None and isinstance(file_data.get("size"), int):
                sizes[link.url_without_fragment] = file_data["size"]
            return link

        Link.from_json = classmethod(from_json_with_size)
        return sizes


    def refuse_builds():
        """The metadata of anything but a wheel is made by running it: other people's code, and compilers."""

        def refuse(self, *arguments, **options):
            raise InstallationError(f"{self.req} {NO_WHEEL}")

        SourceDistribution.prepare_distribution_metadata = refuse


    def pretend(version):
        """pip chooses wheels by --python-version, but evaluates markers for the Python that runs it."""
        target = {
            "implementation_name": "cpython",
            "implementation_version": version,
            "os_name": "posix",
            "platform_machine": job["machine"],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": version,
            "python_version": version.rpartition(".")[0],
            "sys_platform": "linux",
        }
        markers.default_environment = lambda: dict(target)


    def run_pip(version, wanted):
        """The command after its end, and its report; quiet unless it fails."""
        pretend(version)
        log, command = io.StringIO(), Resolver(name="install", summary="")
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "report.json")
            arguments = ["--quiet", "--no-input", "--dry-run", "--ignore-installed", "--report", report]
            arguments += ["--target", f"{folder}/target"]
            arguments += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", version]
            arguments += [word for platform in job["platforms"] for word in ("--platform", platform)]
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                try:
                    status = command.main(arguments + wanted)
                except SystemExit as end:
                    status = end.code
            if status != 0:
                raise Failure(log.getvalue(), command)
            with open(report, encoding="utf-8") as file:
                return command, json.load(file)["install"]
    """#
}
