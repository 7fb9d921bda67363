extension ResolverScript {
  /// What it asks pip, and what it answers.
  static let job = #"""
    def resolve(wanted, texts):
        """The files for what is wanted; where patch levels of Python matter, for the first and for the last."""
        files = []
        for patch in (0, 99):
            command, items = run_pip(f"{job['python']}.{patch}", wanted)
            for item in items:
                files += files_of(command, item)
            texts = texts + [line for item in items for line in item["metadata"].get("requires_dist", [])]
            if not any(map(depends_on_patch_level, texts)):
                break
        return files


    def depends_on_patch_level(text):
        """Whether a marker compares with a patch level of this Python: python_full_version < "3.11.3"."""
        if "python_full_version" not in text and "implementation_version" not in text:
            return False
        return re.search(rf"""["']{re.escape(job["python"])}\.""", text) is not None


    def files_of(command, item):
        """The wheel that pip chose, and the source of the same version."""
        project = canonicalize_name(item["metadata"]["name"])
        version = Version(item["metadata"]["version"])
        info = item["download_info"]
        name = urllib.parse.unquote(os.path.basename(urllib.parse.urlsplit(info["url"]).path))
        hashes = info.get("archive_info", {}).get("hashes", {})
        if item["is_direct"]:
            link = Link(info["url"])
        else:
            links = [each.link for each in command.wheels.find_all_candidates(project)]
            # The file of an index before a copy of it on this machine.
            link = min((link for link in links if link.filename == name), key=lambda link: link.is_file)
        file = described(command, project, version, link, hashes)
        file["requires_python"] = item["metadata"].get("requires_python") or ""
        file["yanked"] = item["is_yanked"]
        file["direct"] = item["is_direct"]
        found = [file]
        if job["sources"] and not item["is_direct"]:
            source = best_source(command, project, lambda each: each == version)
            found += [source] if source else []
        return found


    def best_source(command, project, accepts):
        """The source distribution of the newest version that is accepted."""
        found = [each for each in command.sources.find_all_candidates(project) if accepts(each.version)]
        if not found:
            return None
        kinds = (".zip", ".tar.gz")
        rank = lambda link: (kinds.index(link.ext) if link.ext in kinds else -1, not link.is_file)
        best = max(found, key=lambda each: (each.version, rank(each.link)))
        return described(command, project, best.version, best.link, {})


    def described(command, project, version, link, hashes):
        """What a mirror must know about a file."""
        hashes = {**hashes, **link._hashes}
        size = sizes.get(link.url_without_fragment)
        if link.is_file:
            with open(link.file_path, "rb") as file:
                hashes["sha256"] = hashlib.sha256(file.read()).hexdigest()
            size = os.path.getsize(link.file_path)
        return {
            "project": project,
            "version": str(version),
            "name": link.filename,
            "url": with_credentials(command, link.url_without_fragment),
            "size": size,
            "hashes": {name: value for name, value in hashes.items() if name in ("sha256", "sha512")},
            "requires_python": link.requires_python or "",
            "yanked": False,
            "direct": False,
        }


    def with_credentials(command, url):
        """The URL with the name and password that pip sends there, unless they are in netrc, which others read."""
        parts = urllib.parse.urlsplit(url)
        if not parts.scheme.startswith("http") or get_netrc_auth(url):
            return url
        sent = command.session.prepare_request(Request("GET", url)).headers.get("Authorization", "")
        if not sent.startswith("Basic "):
            return url
        name, _, password = base64.b64decode(sent[6:]).decode("latin-1").partition(":")
        user = urllib.parse.quote(name, safe="") + ":" + urllib.parse.quote(password, safe="")
        return urllib.parse.urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}"))


    def texts_of(paths, seen=()):
        """The requirement files and those that they name, as they are."""
        for path in paths:
            if path in seen or "://" in path:
                continue
            try:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            except (OSError, UnicodeDecodeError):
                continue  # pip says why, with the line that names it
            yield text
            named = re.findall(r"^\s*(?:-r|--requirement|-c|--constraint)[=\s]*([^\s#]+)", text, re.MULTILINE)
            nested = [os.path.join(os.path.dirname(path), each) for each in named]
            yield from texts_of(nested, (*seen, path))


    def resolve_requirements(warnings):
        """All requirement files together; each by itself when they contradict each other."""
        paths = job["requirements"]
        texts = list(texts_of(paths))

        def arguments(paths):
            return [word for path in paths for word in ("--requirement", path)]

        try:
            return resolve(arguments(paths), texts) if paths else []
        except Failure as failure:
            if len(paths) < 2:
                raise
            files = [file for path in paths for file in resolve(arguments([path]), texts)]
            together = f"{', '.join(paths)} cannot be installed together for Python {job['python']}"
            warnings.append(f"{together}, but each by itself ({last_line(failure)})")
            return files


    def resolve_extra(wanted, warnings):
        """One more package, which need not agree with anything else."""
        text = str(wanted)
        try:
            return resolve([text], [text])
        except Failure as failure:
            command, reason, project = failure.command, last_line(failure), canonicalize_name(wanted.name)
            if not is_known(command, project):
                raise
        source = best_source(command, project, wanted.specifier.contains) if job["sources"] else None
        rest = "only its source distribution is carried" if source else "it is left out"
        warnings.append(f"{text} has no wheel for Python {job['python']} on {job['machine']}; {rest} ({reason})")
        return [source] if source else []


    def is_known(command, project):
        """Whether any source of pip has the project: a wrong name or a dead network is not a missing wheel."""
        if any(page is not None and url.endswith(f"/{project}/") for url, page in pages.items()):
            return True
        return any(finder.find_all_candidates(project) for finder in (command.wheels, command.sources))


    def last_line(failure):
        """The reason, without pip's label."""
        lines = [line.strip() for line in str(failure).splitlines() if line.strip()]
        return re.sub(r"^ERROR: ", "", lines[-1]) if lines else "pip gave no reason"


    def settings():
        """What decides a resolution beside the job and the state of the servers."""
        command = Resolver(name="install", summary="")
        with contextlib.redirect_stdout(sys.stderr):
            options, _ = command.parse_args([])
        names = ("index_url", "extra_index_urls", "no_index", "find_links", "pre", "trusted_hosts")
        chosen = {name: getattr(options, name, None) for name in names}
        texts = list(texts_of(job["requirements"] + options.constraints))
        return {"pip": pip_version, "options": chosen, "texts": texts}


    def main():
        if job["python"] is None:
            return settings()
        warnings = []
        try:
            wanted = [Requirement(text) for text in job["extra"]]
            files = resolve_requirements(warnings)
            for requirement in wanted:
                files += resolve_extra(requirement, warnings)
        except (Failure, InvalidRequirement) as failure:
            return {"failure": str(failure)}
        return {"files": files, "warnings": warnings}


    pages = memoize_pages()
    sizes = keep_sizes()
    refuse_builds()
    json.dump(main(), answers)
    """#
}
