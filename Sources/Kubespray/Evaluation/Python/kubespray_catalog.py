"""Evaluates kubespray's download variables as one host sees them and writes them down as JSON.

An Ansible lookup plugin: lookup('kubespray_catalog', REQUEST) reads the file REQUEST, writes one and returns its path.
The messages are those of EvaluationMessages.swift. It uses only what ansible-core 2.14 to 2.20 share.
"""

import json
import os
import sys

from ansible.plugins.lookup import LookupBase

try:  # ansible-core 2.19 and later render only text that is marked as a template.
    from ansible.template import trust_as_template as trusted
except ImportError:

    def trusted(text):
        return text


sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from catalog_answers import everything
from catalog_rendering import Rendering
from catalog_values import signature


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        with open(terms[0], encoding="utf-8") as source:
            request = json.load(source)
        path = os.path.join(request["output"], signature(variables) + ".json")
        try:  # one host speaks for all that are like it
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return [path]
        result = everything(Rendering(self._templar, self._loader, variables, trusted), request)
        with open(path, "w", encoding="utf-8") as target:
            json.dump(result, target, sort_keys=True)
        return [path]
