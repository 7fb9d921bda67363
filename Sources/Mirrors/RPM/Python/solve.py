"""Asks dnf which packages make the wanted ones installable on an empty system, and answers as JSON.

Reads a request from standard input and writes the answer to the file that the request names; both are described in
SolverMessages.swift. It is Python because dnf's library is: dnf's command line can download or print addresses, but not
with the checksums, and it takes twins of another architecture along wherever a name matches them. Uses what dnf 4.7 to
4.20 share; Python 3.6 is enough.
"""

import json
import logging
import os
import sys
import urllib.parse

import dnf
import dnf.conf
import dnf.exceptions
import dnf.rpm

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import rpm_modules
import rpm_packages

# Stands for a minimal installation where the repositories describe none.
MINIMAL = """
    NetworkManager audit bash chrony coreutils dnf dracut e2fsprogs firewalld glibc iproute iproute2 iputils kbd kmod
    man-db openssh-clients openssh-server policycoreutils procps procps-ng rpm selinux-policy-targeted sudo systemd
    systemd-udev udev util-linux xfsprogs zypper
""".split()  # noqa: SIM905  a list of words


class Failure(Exception):
    """What the person must know; `kind` tells which of the fields of the answer has it."""

    def __init__(self, kind, value):
        Exception.__init__(self, kind)
        self.kind = kind
        self.value = value


class Warnings(logging.Handler):
    """Collects what dnf warns of."""

    def __init__(self):
        logging.Handler.__init__(self, logging.WARNING)
        self.texts = []

    def emit(self, record):
        text = record.getMessage().strip()
        if text not in self.texts:
            self.texts.append(text)


def say(text):
    """Tells the program that started this one what is being done."""
    sys.stderr.write(f"say: {text}\n")
    sys.stderr.flush()


def configured(request):
    """A base whose every folder is ours."""
    conf = dnf.conf.Conf()
    if request.get("configuration"):
        conf.read(request["configuration"])
    root = request["root"]
    for name in ("cachedir", "persistdir", "logdir", "installroot"):
        path = os.path.join(root, name)
        os.makedirs(path, exist_ok=True)
        setattr(conf, name, path)
    conf.reposdir = request["repositories"]
    conf.varsdir = request["variables"]
    conf.substitutions.update_from_etc("/", varsdir=request["variables"])
    if conf.arch != request["machine"]:
        conf.ignorearch = True
        conf.arch = request["machine"]
    release = dnf.rpm.detect_releasever("/") if request.get("configuration") else None
    conf.substitutions.setdefault("releasever", release or request["version"])
    conf.module_platform_id = "platform:el" + request["version"]
    conf.plugins = False
    conf.keepcache = True
    conf.best = True
    conf.install_weak_deps = False
    conf.multilib_policy = "best"
    return dnf.Base(conf)


def load(base, request, warnings):
    """Reads the metadata; returns the repositories that could not be used and did not have to be."""
    base.read_all_repos()
    enabled = list(base.repos.iter_enabled())
    if not enabled:
        raise Failure("noRepository", ", ".join(request["repositories"]))
    for repository in enabled:
        repository.gpgkey = [rpm_packages.local_key(url, request["keys"]) for url in repository.gpgkey]
        repository.metadata_expire = 0  # We are only asked when the answer should be new.
    say("reading the metadata of " + ", ".join(r.id for r in enabled))
    try:
        base.fill_sack(load_system_repo=False)
    except dnf.exceptions.RepoError as error:
        raise Failure("repository", "; ".join([*warnings.texts, str(error)])) from error
    # No twins of another architecture, not even for a file dependency.
    every = base.sack.query()
    base.sack.add_excludes(every.difference(every.filter(arch=[request["machine"], "noarch"])))
    skipped = [{"id": r.id, "reason": rpm_packages.reason(r.id, warnings.texts)} for r in enabled if not r.enabled]
    del warnings.texts[:]
    return skipped


def mark(base, names):
    """Asks for packages; returns the names that no repository has."""
    missing = []
    for name in names:
        try:
            base.install(name)
        except dnf.exceptions.MarkingError:
            missing.append(name)
    return missing


def solve(base, names, weak=False):
    """The packages that dnf would install for these names."""
    base.reset(goal=True)
    base.conf.install_weak_deps = weak
    base.conf.best = not weak
    missing = mark(base, names)
    if missing and not weak:
        raise Failure("missing", missing)
    base.resolve()
    return sorted(base.transaction.install_set)


def allowed(base, wanted, optional):
    """The optional names that can be had beside the wanted ones, and why the others cannot."""
    if not optional:
        return [], {}
    base.reset(goal=True)
    left = dict.fromkeys(mark(base, optional), "no repository has it")
    names = [name for name in optional if name not in left]
    try:
        solve(base, wanted + names)
        return names, left
    except dnf.exceptions.DepsolveError:
        return one_by_one(base, wanted, names, left)


def one_by_one(base, wanted, names, left):
    """The names that can be had beside those before them: one excludes another, or lacks something."""
    chosen = []
    for name in names:
        try:
            solve(base, wanted + chosen + [name])
            chosen.append(name)
        except dnf.exceptions.DepsolveError as error:
            left[name] = str(error)
    return chosen, left


def minimal_system(base):
    """The packages that a minimal installation has: groups of comps where there are any, else our list."""
    base.read_comps(arch_filter=True)
    groups = {"core"}
    for environment in base.comps.environments if base.comps else ():
        if environment.id == "minimal-environment":
            groups.update(group.name for group in environment.group_ids)
    names = set()
    for group in base.comps.groups if base.comps else ():
        if group.id in groups:
            names.update(p.name for p in list(group.mandatory_packages) + list(group.default_packages))
    return sorted(names) or MINIMAL


def closure(base, wanted, warnings):
    """The packages that the wanted ones need on an empty system, and those that must be upgraded with them."""
    members = solve(base, wanted)
    try:
        minimal = solve(base, minimal_system(base), weak=True)
        extra = set()
        while True:
            more = rpm_packages.siblings(members, minimal)
            if not more - extra:
                return members, sorted(extra)
            extra |= more
            members = solve(base, wanted + sorted(extra))
    except (dnf.exceptions.Error, Failure) as error:
        reason = error.value if isinstance(error, Failure) else error
        warnings.texts.append(f"packages that are upgraded together were not added: {reason}")
        return solve(base, wanted), []


def descriptions(base, members):
    """The packages as the answer has them, fetched by dnf where only dnf can."""
    urls = addresses(members)
    by_dnf = {p: p.reponame for p in members if rpm_packages.needs_dnf(p, urls[p])}
    if by_dnf:
        say(f"dnf itself fetches {len(by_dnf)} packages of {', '.join(sorted(set(by_dnf.values())))}")
        base.download_packages(list(by_dnf))
        for package in by_dnf:
            urls[package] = "file://" + urllib.parse.quote(os.path.abspath(package.localPkg()))
    modular = rpm_modules.modular_names(members)
    return [rpm_packages.described(p, urls[p], rpm_packages.nevra(p) in modular) for p in members]


def addresses(members):
    """The URL of each package."""
    urls = {package: rpm_packages.located(package) for package in members}
    for package, url in urls.items():
        if not url:
            raise Failure("repository", f"{package.reponame}: no mirror with http, https or file")
    return urls


def answer(request, warnings):
    """The whole answer, when there is a solution."""
    base = configured(request)
    with base:
        skipped = load(base, request, warnings)
        say(f"solving for {len(request['wanted']) + len(request['optional'])} packages")
        optional, left = allowed(base, request["wanted"], request["optional"])
        del warnings.texts[:]
        members, extra = closure(base, request["wanted"] + optional, warnings)
        used = sorted({package.reponame for package in members})
        return {
            "packages": descriptions(base, members),
            "siblings": extra,
            "skipped": skipped,
            "left": left,
            "modules": rpm_modules.module_documents(base, members),
            "warnings": warnings.texts,
            "repositories": [
                {
                    "id": r.id,
                    "gpgcheck": bool(r.gpgcheck),
                    "checksMetadata": bool(r.repo_gpgcheck),
                    "keys": list(r.gpgkey),
                }
                for r in (base.repos[name] for name in used)
            ],
        }


def main():
    request = json.load(sys.stdin)
    warnings = Warnings()
    logger = logging.getLogger("dnf")
    logger.addHandler(warnings)
    logger.propagate = False
    try:
        result = answer(request, warnings)
    except Failure as failure:
        result = {failure.kind: failure.value}
    except dnf.exceptions.DepsolveError as error:
        result = {"unsolvable": str(error)}
    except dnf.exceptions.Error as error:
        result = {"other": "; ".join([*warnings.texts, str(error)])}
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main()
