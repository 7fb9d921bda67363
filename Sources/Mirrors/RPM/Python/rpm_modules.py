"""The modules (modularity of RHEL 8 and 9) to which packages belong, and the vendor's documents about them."""

import re

from rpm_packages import nevra


def modular_names(members):
    """The members that come from a module."""
    return {nevra(p) for p in members if getattr(p, "_is_in_active_module", lambda: False)()}


def chosen_modules(base, names):
    """The module builds that have a member, and those that they require."""
    container = base._moduleContainer
    active = [m for m in container.getModulePackages() if container.isModuleActive(m)]
    chosen = [m for m in active if names.intersection(m.getArtifacts())]
    pending = list(chosen)
    while pending:
        for dependency in pending.pop().getModuleDependencies():
            required = {name for pair in dependency.getRequires() for name in dict(pair)}
            for module in active:
                if module.getName() in required and module not in chosen:
                    chosen.append(module)
                    pending.append(module)
    return chosen


def field(document, name):
    """A scalar one level below `data`; libmodulemd writes these files, always with two spaces."""
    match = re.search(rf"(?m)^  {name}:[ ]+(.*?)[ ]*$", document)
    return match.group(1).strip("'\"") if match else ""


def module_documents(base, members):
    """The vendor's own documents for the modules of the members, unchanged, and their defaults."""
    names = modular_names(members)
    if not names:
        return ""
    chosen = chosen_modules(base, names)
    builds = {(m.getName(), m.getStream(), m.getVersion(), m.getContext(), m.getArch()) for m in chosen}
    kept = []
    for repository in base.repos.iter_enabled():
        if repository.get_metadata_path("modules"):
            for document in documents(repository.get_metadata_content("modules")):
                if is_about(document, builds) and document not in kept:
                    kept.append(document)
    return "".join(f"---\n{document}...\n" for document in kept)


def documents(text):
    """The documents of a YAML stream, as they are."""
    return [re.split(r"(?m)^\.\.\.[ \t]*$", part)[0] for part in re.split(r"(?m)^---[ \t]*$\n?", text)]


def is_about(document, builds):
    """Whether a document describes one of the builds, or the defaults of a module that has one."""
    match = re.search(r"(?m)^document:[ ]*(\S+)", document)
    kind = match.group(1) if match else ""
    if kind == "modulemd":
        return tuple(field(document, n) for n in ("name", "stream", "version", "context", "arch")) in builds
    return kind == "modulemd-defaults" and field(document, "module") in {build[0] for build in builds}
