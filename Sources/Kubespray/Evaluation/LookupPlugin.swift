/// The Ansible lookup plugin of ours that evaluates kubespray's download variables.
///
/// It is Python because Ansible's extension points are. It runs in the environment that ``PythonEnvironment``
/// made, uses only what ansible-core 2.16 to 2.20 share, and writes one JSON file a host
/// (``HostEvaluation``).
enum LookupPlugin {
  /// The name to give to `lookup()`; the file is `lookup_plugins/kubespray_catalog.py`.
  static let name = "kubespray_catalog"

  /// The text of the plugin.
  static let text = #"""
    """Evaluates kubespray's download variables as one host sees them and writes them down as JSON.

    Everything is rendered by Ansible's own templar. One value that cannot be rendered never hides the others: its
    error is recorded under the name of the field.
    """
    import hashlib
    import json
    import os
    import re

    from ansible.plugins.lookup import LookupBase

    try:  # ansible-core 2.19 and later render only text that is marked as a template.
        from ansible.template import trust_as_template as trusted
    except ImportError:
        def trusted(text):
            return text

    ENTRY_FIELDS = ("enabled", "file", "container", "url", "repo", "tag", "checksum", "sha256", "groups")
    URL_NAME = re.compile(r"_url$")
    VERSION_NAME = re.compile(r"_version$")
    JUST_A_NAME = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
    IMAGE_NAME = re.compile(r"_image_(repo|tag)$")


    def plain(value):
        """Reduces a rendered value to what JSON holds; text types of Ansible become plain text."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set)):
            return [plain(item) for item in value]
        return str(value)


    def truth(value):
        """Reads a flag as Ansible's conditions do."""
        if isinstance(value, str):
            return value.strip().lower() in ("true", "yes", "on", "1", "y", "t")
        return bool(value)


    # What differs between any two hosts and never decides what they download.
    PERSONAL = re.compile(
        r"(ansible_|inventory_)|(ip6?|access_ip6?|main_ip|fallback_ip|etcd_member_name|hostvars|vars|omit)$")


    def signature(variables):
        """One text for all hosts of the same groups and variables, which are evaluated once."""
        shared = {str(key): value for key, value in variables.items() if not PERSONAL.match(str(key))}
        text = json.dumps(shared, sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


    def trusted_deeply(value):
        """A structure, each text of which is a template."""
        if isinstance(value, dict):
            return {key: trusted_deeply(item) for key, item in value.items()}
        if isinstance(value, list):
            return [trusted_deeply(item) for item in value]
        return trusted(value) if isinstance(value, str) else value


    def split_condition(text, word):
        """The parts of a condition that such a word joins outside of parentheses and quotes."""
        if re.search(r"\bif\b.*\belse\b", text):
            return [text]
        parts, start, depth, quote = [], 0, 0, None
        for place, letter in enumerate(text):
            if quote:
                quote = None if letter == quote else quote
            elif letter in "'\"":
                quote = letter
            elif letter in "([{":
                depth += 1
            elif letter in ")]}":
                depth -= 1
            elif depth == 0 and letter.isspace() and re.match(word + r"[\s(]", text[place + 1:]):
                parts.append(text[start:place])
                start = place + 1 + len(word)
        return [part.strip() for part in parts + [text[start:]]]


    def without_parentheses(text):
        """A condition without parentheses around the whole of it."""
        text = text.strip()
        while text.startswith("(") and text.endswith(")"):
            depth = 0
            for place, letter in enumerate(text):
                depth += {"(": 1, ")": -1}.get(letter, 0)
                if depth == 0:
                    break
            if place != len(text) - 1:
                break
            text = text[1:-1].strip()
        return text


    def first_line(error):
        return " ".join(str(error).split())[:300]


    class Evaluation:
        def __init__(self, templar, loader, variables, request):
            self.templar = templar
            self.loader = loader
            self.variables = variables
            self.request = request
            self.errors = []
            self.scopes = {}
            self.role_images = {}
            self.rendered = {}
            self.conditions = {}

        def render(self, template, templar=None):
            """The value of a template; kubespray asks for many of them more than once."""
            if templar is not None:
                return plain(templar.template(template))
            for _ in range(20):  # a variable that names itself is left to Ansible to complain about
                name = JUST_A_NAME.fullmatch(template) if isinstance(template, str) else None
                if not name or name[1] not in self.variables:
                    break
                template = self.variables[name[1]]
            if not isinstance(template, str):
                return plain(self.templar.template(template))
            if template not in self.rendered:
                self.rendered[template] = plain(self.templar.template(template))
            return self.rendered[template]

        def attempt(self, subject, template, templar=None, needed=True):
            """The rendered value, or None with the error recorded."""
            try:
                return self.render(template, templar)
            except Exception as error:  # whatever a filter or a lookup raises
                if needed:
                    self.errors.append({"subject": subject, "message": first_line(error)})
                return None

        def entry(self, name, raw):
            result = {}
            for field in ENTRY_FIELDS:
                if field in raw:
                    result[field] = self.attempt("downloads." + name + "." + field, raw[field])
            for field in ("enabled", "file", "container"):
                result[field] = truth(result.get(field, False))
            return result

        def named(self, pattern, needed=True):
            """Raw text and rendered value of each variable that kubespray declares under such a name."""
            result = {}
            for name in self.request["names"]:
                if pattern.search(name) and name in self.variables:
                    raw = self.variables[name]
                    value = self.attempt(name, raw, needed=needed)
                    result[name] = {"template": str(raw), "value": None if value is None else str(value)}
            return result

        def checksum(self, stem):
            """The checksum that kubespray keeps beside a URL under a variable of its own, if there is exactly one."""
            wanted = re.compile(re.escape(stem) + r"_(?:[a-z0-9]+_)*checksum$")
            found = set()
            for name in self.request["names"]:
                if wanted.match(name) and name in self.variables:
                    try:
                        value = self.render(self.variables[name])
                    except Exception:
                        continue
                    if isinstance(value, str) and value:
                        found.add(value)
            return found.pop() if len(found) == 1 else None

        def scope(self, path):
            """A templar that also knows the defaults of one role."""
            if path not in self.scopes:
                merged = {}
                merged.update(self.load(path) or {})
                own = [name for name in merged if name.endswith("_image_repo")]
                merged.update(self.variables)
                templar = self.templar.copy_with_new_env(available_variables=merged)
                for name in own:
                    value = self.attempt(name, merged[name], templar)
                    self.role_images[name] = {"template": str(merged[name]), "value": value}
                self.scopes[path] = templar
            return self.scopes[path]

        def decided(self, condition, key, templar):
            """Whether a role runs or a task is done: True, False, or None where that is not known here."""
            if condition is None:
                return True
            condition = without_parentheses(condition)
            if (condition, key) not in self.conditions:
                self.conditions[condition, key] = self.decide(condition, key, templar)
            return self.conditions[condition, key]

        def decide(self, condition, key, templar):
            """What is unknown in one part of a condition does not hide what another part decides."""
            for word, deciding in (("or", True), ("and", False)):
                parts = split_condition(condition, word)
                if len(parts) > 1:
                    values = [self.decided(part, key, templar) for part in parts]
                    return deciding if deciding in values else None if None in values else not deciding
            try:
                return truth(self.render(trusted("{{ " + condition + " }}"), templar))
            except Exception:
                return None

        def holds(self, condition, path, templar):
            """Whether a role runs; what is unknown here may hold."""
            return self.decided(condition, path, templar) is not False

        def load(self, path):
            """The variables of a file; none when it is not there."""
            if not path or not os.path.exists(path):
                return None
            try:
                return self.loader.load_from_file(path, trusted_as_template=True)
            except TypeError:
                return self.loader.load_from_file(path)

        def chart(self, item):
            """What a dependency on the role for Helm charts installs, before and after evaluation."""
            templar = self.scope(item["defaults"])
            enabled = self.decided(item["condition"], item["defaults"], templar)
            try:
                releases = self.render(trusted_deeply(item["releases"]), templar)
                repositories = self.render(trusted_deeply(item["repositories"]), templar)
            except Exception as error:
                return {"error": first_line(error), "enabled": enabled}
            return {"releases": releases, "repositories": repositories, "enabled": enabled}

        def composed(self, item):
            """One image reference that a role's template puts together."""
            templar = self.scope(item.get("defaults"))
            enabled = self.holds(item.get("condition"), item.get("defaults"), templar)
            try:
                reference = str(self.render(trusted(item["template"]), templar)).strip()
            except Exception as error:
                return {"error": first_line(error), "enabled": enabled}
            return {"reference": reference, "enabled": enabled}

        def package_scope(self, item):
            """A templar that knows what a role sees on a release."""
            key = (tuple(item["defaults"]), item["release"])
            if key not in self.scopes:
                merged = {}
                for path in item["defaults"]:
                    merged.update(self.load(path) or {})
                merged.update(self.variables)
                for path in item["variables"]:
                    merged.update(self.load(path) or {})
                facts = dict(merged.get("ansible_facts") or {})
                facts.update(item["facts"])
                merged.update({"ansible_" + name: value for name, value in item["facts"].items()})
                merged.update(ansible_facts=facts, is_ostree=False, is_fedora_coreos=False)
                self.scopes[key] = self.templar.copy_with_new_env(available_variables=merged)
            return key, self.scopes[key]

        def packages(self, item):
            """The names of packages that a task installs on a release."""
            result = {"enabled": None}
            try:
                key, templar = self.package_scope(item)
                result["enabled"] = self.decided(item["condition"], key, templar)
                names = [self.render(trusted(name), templar) for name in item["names"]]
                result["names"] = [name for entry in names for name in (entry if isinstance(entry, list) else [entry])]
            except Exception as error:  # whatever a file, a filter or a lookup raises
                result["error"] = first_line(error)
            return result

        def setting(self, item):
            """The value of a variable of some role, as JSON text."""
            try:
                return json.dumps(self.render(trusted(item["template"]), self.scope(item["defaults"])))
            except Exception:
                return None

        def everything(self):
            downloads = self.variables.get("downloads") or {}
            urls = self.named(URL_NAME)
            for name, url in urls.items():
                url["checksum"] = self.checksum(re.sub(r"(_download)?_url$", "", name))
            composed = [self.composed(item) for item in self.request["composed"]]
            return {
                "host": str(self.variables.get("inventory_hostname")),
                "groups": plain(self.variables.get("group_names") or []),
                "architecture": self.attempt("image_arch", self.variables.get("image_arch")),
                "downloads": {str(name): self.entry(str(name), raw) for name, raw in downloads.items()},
                "urls": urls,
                "images": self.named(IMAGE_NAME),
                "roleImages": self.role_images,
                "versions": {name: item["value"] for name, item in self.named(VERSION_NAME, needed=False).items()},
                "composed": composed,
                "charts": [self.chart(item) for item in self.request["charts"]],
                "packages": [self.packages(item) for item in self.request["packages"]],
                "settings": {item["name"]: self.setting(item) for item in self.request["settings"]},
                "errors": self.errors,
            }


    class LookupModule(LookupBase):
        def run(self, terms, variables=None, **kwargs):
            with open(terms[0], encoding="utf-8") as source:
                request = json.load(source)
            path = os.path.join(request["output"], signature(variables) + ".json")
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                return [path]
            result = Evaluation(self._templar, self._loader, variables, request).everything()
            with open(path, "w", encoding="utf-8") as target:
                json.dump(result, target, sort_keys=True)
            return [path]
    """#
}
