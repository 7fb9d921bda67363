"""What is changed in pip, in pip's own process."""

import copy

from pip._internal.commands.install import InstallCommand
from pip._internal.distributions.sdist import SourceDistribution
from pip._internal.exceptions import InstallationError
from pip._internal.index.collector import LinkCollector
from pip._internal.models.format_control import FormatControl
from pip._internal.models.link import Link
from pip._vendor.packaging import markers

NO_WHEEL = "is not a wheel: it would have to be built here and on the target"


class ResolvingCommand(InstallCommand):
    """pip's install command, which keeps how it found the files: for wheels, and for sources."""

    def __init__(self):
        super().__init__(name="install", summary="")

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
    """The sizes that an index gives in its JSON pages, by URL; pip has no use for them."""
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


def pretend(version, machine):
    """pip chooses wheels by --python-version, but evaluates markers for the Python that runs it."""
    target = {
        "implementation_name": "cpython",
        "implementation_version": version,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
        "sys_platform": "linux",
    }
    markers.default_environment = lambda: dict(target)
