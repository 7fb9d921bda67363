/// The program of ours that asks dnf's own library for the closure.
///
/// It is Python because that library is. dnf's command line can download or print addresses, but not with the
/// checksums, and it takes twins of another architecture along wherever a name matches them.
enum RPMSolverScript {
  /// The text of the program.
  static let text = #"""
    """Asks dnf which packages make the wanted ones installable on an empty system, and tells it as JSON.

    Reads a request from standard input and writes the answer to the file that the request names. Uses what dnf 4.7 to
    4.20 share; Python 3.6 is enough.
    """
    import hashlib
    import json
    import logging
    import os
    import re
    import sys
    import urllib.parse

    import dnf
    import dnf.conf
    import dnf.exceptions
    import dnf.rpm

    TRUSTED = ("sha256", "sha512")

    # Stands for a minimal installation where the repositories describe none.
    MINIMAL = (
        "NetworkManager", "audit", "bash", "chrony", "coreutils", "dnf", "dracut", "e2fsprogs", "firewalld", "glibc",
        "iproute", "iputils", "kbd", "kmod", "man-db", "openssh-clients", "openssh-server", "policycoreutils",
        "procps-ng", "rpm", "selinux-policy-targeted", "sudo", "systemd", "systemd-udev", "util-linux", "xfsprogs")


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
        sys.stderr.write("say: %s\n" % text)
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


    def local_key(url, folders):
        """A key that the repository expects on this machine; when it is not there, one of that name beside the sources."""
        if not url.startswith("file:"):
            return url
        path = urllib.parse.unquote(urllib.parse.urlparse(url).path)
        for candidate in [path] + [os.path.join(folder, os.path.basename(path)) for folder in folders]:
            if os.path.isfile(candidate):
                return "file://" + urllib.parse.quote(candidate)
        return url


    def load(base, request, warnings):
        base.read_all_repos()
        enabled = list(base.repos.iter_enabled())
        if not enabled:
            raise Failure("noRepository", ", ".join(request["repositories"]))
        for repository in enabled:
            repository.gpgkey = [local_key(url, request["keys"]) for url in repository.gpgkey]
            repository.metadata_expire = 0  # We are only asked when the answer should be new.
        say("reading the metadata of " + ", ".join(r.id for r in enabled))
        try:
            base.fill_sack(load_system_repo=False)
        except dnf.exceptions.RepoError as error:
            raise Failure("repository", "; ".join(warnings.texts + [str(error)]))
        # No twins of another architecture, not even for a file dependency.
        every = base.sack.query()
        base.sack.add_excludes(every.difference(every.filter(arch=[request["machine"], "noarch"])))
        skipped = [{"id": r.id, "reason": reason(r.id, warnings.texts)} for r in enabled if not r.enabled]
        del warnings.texts[:]
        return skipped


    def reason(name, texts):
        """What dnf said about a repository that it left out: the line of the transfer if there is one."""
        said = [text for text in texts if "'%s'" % name in text] or ["dnf gave no reason"]
        return said[0].split("\n")[-1].strip(" -")


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
        left = {name: "no repository has it" for name in mark(base, optional)}
        names = [name for name in optional if name not in left]
        try:
            solve(base, wanted + names)
            return names, left
        except dnf.exceptions.DepsolveError:
            chosen = []
            for name in names:  # One excludes another, or lacks something.
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
        return sorted(names) or list(MINIMAL)


    def siblings(members, minimal):
        """Packages of a minimal system that must be upgraded together with a member, being of the same build and
        requiring exactly its version."""
        names = {package.name for package in members}
        sources = {package.sourcerpm for package in members}
        found = set()
        for package in minimal:
            if package.name in names or package.sourcerpm not in sources:
                continue
            for requirement in package.requires:
                exact = re.match(r"([^\s(]+)(\([^)]*\))? = ", str(requirement))
                if exact and exact.group(1) in names:
                    found.add(package.name)
        return found


    def closure(base, wanted, warnings):
        members = solve(base, wanted)
        try:
            minimal = solve(base, minimal_system(base), weak=True)
            extra = set()
            while True:
                more = siblings(members, minimal)
                if not more - extra:
                    return members, sorted(extra)
                extra |= more
                members = solve(base, wanted + sorted(extra))
        except (dnf.exceptions.Error, Failure) as error:
            reason = error.value if isinstance(error, Failure) else error
            warnings.texts.append("packages that are upgraded together were not added: %s" % reason)
            return solve(base, wanted), []


    def needs_dnf(package, url):
        """Whether dnf must fetch a package: its connection has settings that only dnf has, or its checksum is of a kind
        that is trusted no more."""
        repository = package.repo
        parts = urllib.parse.urlparse(url)
        return bool(
            package.returnIdSum()[0] not in TRUSTED
            or parts.scheme not in ("http", "https", "file") or parts.username or repository.username or repository.proxy
            or repository.sslclientcert or repository.sslcacert or not repository.sslverify
            or repository.get_http_headers())


    def located(package):
        location = package.location.lstrip("/")
        if package.baseurl:
            return os.path.join(package.baseurl, location)
        return package.repo.remote_location(location)


    def quoted(url):
        """Characters that RPM allows in names and URLs do not, such as a circumflex."""
        return urllib.parse.quote(url, safe="/:@!$&'()*+,;=%~?#[]")


    def sha256(path):
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
        return digest.hexdigest()


    def described(package, url, is_modular):
        kind, value = package.returnIdSum()
        if kind not in TRUSTED:  # Then dnf has fetched and checked it.
            kind, value = "sha256", sha256(package.localPkg())
        return {
            "name": package.name, "epoch": int(package.epoch), "version": package.version,
            "release": package.release, "arch": package.arch, "url": quoted(url), "digest": "%s:%s" % (kind, value),
            "size": int(package.downloadsize), "repository": package.reponame,
            "isModular": is_modular, "buildTime": int(package.buildtime)}


    def descriptions(base, members):
        by_dnf = {}
        urls = {}
        for package in members:
            url = located(package)
            if not url:
                raise Failure("repository", "%s: no mirror with http, https or file" % package.reponame)
            urls[package] = url
            if needs_dnf(package, url):
                by_dnf[package] = package.reponame
        if by_dnf:
            say("dnf itself fetches %d packages of %s" % (len(by_dnf), ", ".join(sorted(set(by_dnf.values())))))
            base.download_packages(list(by_dnf))
            for package in by_dnf:
                urls[package] = "file://" + urllib.parse.quote(os.path.abspath(package.localPkg()))
        modular = modular_names(members)
        return [described(p, urls[p], nevra(p) in modular) for p in members]


    def nevra(package):
        return "%s-%d:%s-%s.%s" % (package.name, int(package.epoch), package.version, package.release, package.arch)


    def modular_names(members):
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
        match = re.search(r"(?m)^  %s:[ ]+(.*?)[ ]*$" % name, document)
        return match.group(1).strip("'\"") if match else ""


    def module_documents(base, members):
        """The vendor's own documents for the modules of the members, unchanged, and their defaults."""
        names = modular_names(members)
        if not names:
            return ""
        chosen = chosen_modules(base, names)
        builds = {
            (m.getName(), m.getStream(), m.getVersion(), m.getContext(), m.getArch()) for m in chosen}
        modules = {m.getName() for m in chosen}
        kept = []
        for repository in base.repos.iter_enabled():
            if not repository.get_metadata_path("modules"):
                continue
            for text in re.split(r"(?m)^---[ \t]*$\n?", repository.get_metadata_content("modules")):
                document = re.split(r"(?m)^\.\.\.[ \t]*$", text)[0]
                kind = re.search(r"(?m)^document:[ ]*(\S+)", document)
                kind = kind.group(1) if kind else ""
                build = tuple(field(document, n) for n in ("name", "stream", "version", "context", "arch"))
                if kind == "modulemd" and build in builds or (
                        kind == "modulemd-defaults" and field(document, "module") in modules):
                    if document not in kept:
                        kept.append(document)
        return "".join("---\n%s...\n" % document for document in kept)


    def answer(request, warnings):
        base = configured(request)
        with base:
            skipped = load(base, request, warnings)
            say("solving for %d packages" % (len(request["wanted"]) + len(request["optional"])))
            optional, left = allowed(base, request["wanted"], request["optional"])
            del warnings.texts[:]
            members, extra = closure(base, request["wanted"] + optional, warnings)
            used = sorted({package.reponame for package in members})
            return {
                "packages": descriptions(base, members), "siblings": extra, "skipped": skipped, "left": left,
                "modules": module_documents(base, members), "warnings": warnings.texts,
                "repositories": [
                    {"id": r.id, "gpgcheck": bool(r.gpgcheck), "keys": list(r.gpgkey)}
                    for r in (base.repos[name] for name in used)]}


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
            result = {"other": "; ".join(warnings.texts + [str(error)])}
        with open(request["answer"], "w", encoding="utf-8") as file:
            json.dump(result, file)


    main()

    """#
}
