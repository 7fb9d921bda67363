"""Renders kubespray's templates by Ansible's own templar.

One value that cannot be rendered never hides the others: its error is recorded under its name.
"""

import os
import re

from catalog_conditions import accepts_unknown, decide
from catalog_values import first_line, plain, truth

JUST_A_NAME = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


class Rendering:
    """The variables of one host, and what was rendered with them."""

    def __init__(self, templar, loader, variables, trusted):
        self.templar = templar
        self.loader = loader
        self.variables = variables
        self.trusted = trusted
        self.errors = []
        self.role_images = {}
        self.scopes = {}
        self.rendered = {}
        self.conditions = {}

    def render(self, template, templar=None):
        """The value of a template; kubespray asks for many of them more than once."""
        if templar is not None:
            return plain(templar.template(template))
        template = self.followed(template)
        if not isinstance(template, str):
            return plain(self.templar.template(template))
        if template not in self.rendered:
            self.rendered[template] = plain(self.templar.template(template))
        return self.rendered[template]

    def followed(self, template):
        """The template that a template which is nothing but a name stands for."""
        for _ in range(20):  # a variable that names itself is left to Ansible to complain about
            name = JUST_A_NAME.fullmatch(template) if isinstance(template, str) else None
            if not name or name[1] not in self.variables:
                break
            template = self.variables[name[1]]
        return template

    def attempt(self, subject, template, templar=None, needed=True):
        """The rendered value, or None with the error recorded."""
        try:
            return self.render(template, templar)
        except Exception as error:  # whatever a filter or a lookup raises
            if needed:
                self.errors.append({"subject": subject, "message": first_line(error)})
            return None

    def decided(self, condition, key, templar):
        """Whether a role runs or a task is done in a scope: True, False, or None where that is not known here."""

        def evaluate(part):
            if (part, key) not in self.conditions:
                self.conditions[part, key] = self.decided_part(part, templar)
            return self.conditions[part, key]

        return decide(condition, evaluate)

    def decided_part(self, part, templar):
        try:
            return truth(self.render(self.trusted("{{ " + part + " }}"), templar))
        except Exception:  # whatever a filter or a lookup raises
            return None

    def decided_by_release(self, condition, facts, release):
        """Whether a condition holds on a release for every cluster, for none, or (None) for some."""
        key = ("any cluster", release)
        if key not in self.scopes:
            variables = {"ansible_" + name: value for name, value in facts.items()}
            variables.update(ansible_facts=facts, is_fedora_coreos=False)
            self.scopes[key] = self.templar.copy_with_new_env(available_variables=variables)

        def evaluate(part):
            return None if accepts_unknown(part) else self.decided_part(part, self.scopes[key])

        return decide(condition, evaluate)

    def trusted_deeply(self, value):
        """A structure, each text of which is a template."""
        if isinstance(value, dict):
            return {key: self.trusted_deeply(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.trusted_deeply(item) for item in value]
        return self.trusted(value) if isinstance(value, str) else value

    def load(self, path):
        """The variables of a file; none when it is not there."""
        if not path or not os.path.exists(path):
            return {}
        try:
            return self.loader.load_from_file(path, trusted_as_template=True) or {}
        except TypeError:
            return self.loader.load_from_file(path) or {}

    def scope(self, path):
        """A templar that also knows the defaults of one role."""
        if path not in self.scopes:
            defaults = self.load(path)
            merged = {**defaults, **self.variables}
            templar = self.templar.copy_with_new_env(available_variables=merged)
            for name in defaults:
                if name.endswith("_image_repo"):
                    value = self.attempt(name, merged[name], templar)
                    self.role_images[name] = {"template": str(merged[name]), "value": value}
            self.scopes[path] = templar
        return self.scopes[path]

    def with_variables(self, variables):
        """A templar that also knows the variables of one task."""
        if not variables:
            return self.templar
        return self.templar.copy_with_new_env(available_variables={**self.variables, **variables})

    def release_scope(self, defaults, variables, facts, release):
        """A templar that knows what a role sees on a release, and its name among the scopes."""
        key = (tuple(defaults), release)
        if key not in self.scopes:
            merged = {}
            for path in defaults:
                merged.update(self.load(path))
            merged.update(self.variables)
            for path in variables:
                merged.update(self.load(path))
            merged.update({"ansible_" + name: value for name, value in facts.items()})
            merged["ansible_facts"] = {**(merged.get("ansible_facts") or {}), **facts}
            merged.update(is_ostree=False, is_fedora_coreos=False)
            self.scopes[key] = self.templar.copy_with_new_env(available_variables=merged)
        return key, self.scopes[key]
