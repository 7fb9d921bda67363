"""The catalog's questions, with a templar that knows names and text in place of Ansible's."""

import re
import unittest

import sources  # noqa: F401
from catalog_answers import everything, packages
from catalog_checks import refusals
from catalog_rendering import Rendering
from catalog_values import first_line, plain, signature, truth


class Templar:
    """Puts values for names: enough of Jinja for these tests, and strict about what it does not know."""

    def __init__(self, variables):
        self.variables = variables
        self.rendered = []

    def copy_with_new_env(self, available_variables):
        return Templar(available_variables)

    def template(self, value):
        self.rendered.append(value)
        if isinstance(value, dict):
            return {key: self.template(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.template(item) for item in value]
        if not isinstance(value, str):
            return value
        whole = re.fullmatch(r"\{\{ *([a-z_]+) *\}\}", value)
        if whole:
            return self.template(self.variables[whole[1]])
        return re.sub(r"\{\{ *([a-z_]+) *\}\}", lambda match: str(self.template(self.variables[match[1]])), value)


def rendering(**variables):
    return Rendering(Templar(variables), None, variables, lambda text: text)


class Values(unittest.TestCase):
    def test_plain_is_what_json_holds(self):
        class Text(str):
            pass

        value = plain({Text("a"): (1, Text("b"), None), "c": {2.5}})
        self.assertEqual(value, {"a": [1, "b", None], "c": [2.5]})
        self.assertIs(type(value["a"][1]), str)

    def test_truth_as_in_ansible(self):
        for value in (True, "yes", " True ", "on", "1", 1, ["x"]):
            self.assertTrue(truth(value), value)
        for value in (False, "no", "", "False", None, 0, []):
            self.assertFalse(truth(value), value)

    def test_hosts_that_differ_only_in_themselves_have_one_signature(self):
        one = {"inventory_hostname": "a", "ip": "10.0.0.1", "ansible_host": "a", "kube_version": "1.30.0"}
        other = {"inventory_hostname": "b", "ip": "10.0.0.2", "ansible_host": "b", "kube_version": "1.30.0"}
        self.assertEqual(signature(one), signature(other))
        self.assertNotEqual(signature(one), signature({**one, "kube_version": "1.31.0"}))
        self.assertNotEqual(signature(one), signature({**one, "ipv4_only": True}))

    def test_a_secret_that_cannot_be_opened_is_its_cipher_text(self):
        class Secret:
            def __init__(self, text):
                self._ciphertext = text

            def __str__(self):
                raise ValueError("no vault secrets found")

        self.assertEqual(signature({"a": Secret("1")}), signature({"a": Secret("1")}))
        self.assertNotEqual(signature({"a": Secret("1")}), signature({"a": Secret("2")}))

    def test_errors_are_one_line(self):
        self.assertEqual(first_line(ValueError("a\n  b")), "a b")
        self.assertEqual(len(first_line("x" * 1000)), 300)


class Everything(unittest.TestCase):
    def ask(self, names=(), **variables):
        return everything(rendering(**variables), {"names": list(names)})

    def test_a_value_that_cannot_be_rendered_hides_no_other(self):
        answer = self.ask(
            downloads={"etcd": {"enabled": "true", "url": "{{ missing }}", "tag": "{{ version }}", "file": "yes"}},
            version="1.2",
        )
        entry = answer["downloads"]["etcd"]
        self.assertEqual((entry["enabled"], entry["file"], entry["container"]), (True, True, False))
        self.assertEqual((entry["url"], entry["tag"]), (None, "1.2"))
        self.assertEqual([each["subject"] for each in answer["errors"]], ["downloads.etcd.url"])

    def test_the_checksum_beside_a_url(self):
        names = [
            "kubelet_download_url",
            "kubelet_binary_checksum",
            "etcd_download_url",
            "etcd_a_checksum",
            "etcd_b_checksum",
        ]
        answer = self.ask(
            names,
            kubelet_download_url="https://{{ host }}/kubelet",
            kubelet_binary_checksum="sha256:1",
            etcd_download_url="https://{{ host }}/etcd",
            etcd_a_checksum="1",
            etcd_b_checksum="2",
            host="example.com",
        )
        kubelet = answer["urls"]["kubelet_download_url"]
        self.assertEqual(kubelet["template"], "https://{{ host }}/kubelet")
        self.assertEqual((kubelet["value"], kubelet["checksum"]), ("https://example.com/kubelet", "sha256:1"))
        self.assertIsNone(answer["urls"]["etcd_download_url"]["checksum"])

    def test_a_variable_that_names_itself_is_an_error(self):
        answer = self.ask(["loop_url"], loop_url="{{ loop_url }}", image_arch="amd64")
        self.assertIsNone(answer["urls"]["loop_url"]["value"])
        self.assertEqual(answer["architecture"], "amd64")
        self.assertEqual(answer["errors"][0]["subject"], "loop_url")

    def test_the_same_template_is_rendered_once(self):
        variables = {"a_url": "{{ b_url }}", "b_url": "https://{{ host }}/x", "host": "example.com"}
        host = rendering(**variables)
        everything(host, {"names": ["a_url", "b_url"]})
        self.assertEqual(host.templar.rendered.count("https://{{ host }}/x"), 1)

    def test_what_a_host_does_not_use_is_nobody_s_trouble(self):
        entry = {"enabled": False, "repo": "{{ missing }}", "tag": "1", "container": True}
        answer = self.ask(
            ["x_image_tag"],
            downloads={"off": entry, "on": {**entry, "enabled": True}},
            x_image_tag="{{ missing }}",
        )
        self.assertEqual([each["subject"] for each in answer["errors"]], ["downloads.on.repo", "x_image_tag"])
        host = rendering(x_image_tag="{{ missing }}")
        request = {"names": ["x_image_tag"], "composed": [{"template": "x:{{ x_image_tag }}", "condition": "off"}]}
        everything(host, request)
        self.assertEqual(host.errors, [])

    def test_an_address_of_the_user_s_comes_with_kubespray_s_own(self):
        class Loader:
            def load_from_file(self, path, trusted_as_template):
                return {"kubelet_download_url": "https://{{ host }}/kubelet", "etcd_download_url": "https://x/etcd"}

        variables = {
            "kubelet_download_url": "https://mirror/{{ host }}",
            "etcd_download_url": "",
            "host": "example.com",
            "files_repo": "http://mirror",
            "downloads": {
                "kubelet": {"url": "{{ kubelet_download_url }}"},
                "etcd": {"url": "{{ etcd_download_url }}"},
            },
        }
        host = Rendering(Templar(variables), Loader(), variables, lambda text: text)
        answer = everything(host, {"names": ["kubelet_download_url", "etcd_download_url"], "defaults": __file__})
        kubelet = answer["urls"]["kubelet_download_url"]
        self.assertEqual(kubelet["value"], "https://mirror/example.com")
        self.assertEqual(
            kubelet["own"], {"template": "https://{{ host }}/kubelet", "value": "https://example.com/kubelet"}
        )
        self.assertEqual(answer["downloads"]["kubelet"]["url"], "https://mirror/example.com")
        self.assertEqual(answer["downloads"]["etcd"]["url"], "https://x/etcd")
        self.assertEqual(answer["addresses"], {"files_repo": {"template": "http://mirror", "value": "http://mirror"}})

    def test_missing_keys_of_a_request_are_nothing(self):
        answer = everything(
            rendering(repo="quay.io/x"),
            {
                "names": [],
                "composed": [{"template": " {{ repo }}/a:1 "}, {"template": "{{ missing }}", "condition": "repo"}],
            },
        )
        self.assertEqual(answer["composed"][0], {"reference": "quay.io/x/a:1", "enabled": True})
        self.assertEqual(answer["composed"][1]["enabled"], False)  # "quay.io/x" is no truth
        self.assertIn("missing", answer["composed"][1]["error"])
        self.assertEqual((answer["charts"], answer["packages"], answer["settings"]), ([], [], {}))


class Packages(unittest.TestCase):
    def ask(self, **item):
        request = {
            "defaults": [],
            "variables": [],
            "facts": {"os_family": "Debian"},
            "release": "Debian 12",
            "conditions": [],
            **item,
        }
        return packages(rendering(engine="docker", engine_packages=["docker-ce", "docker-cli"], wanted="yes"), request)

    def test_names_may_be_lists(self):
        answer = self.ask(names=["{{ engine_packages }}", "conntrack-{{ engine }}"])
        self.assertEqual(answer, {"enabled": True, "names": ["docker-ce", "docker-cli", "conntrack-docker"]})

    def test_an_undecided_condition_may_hold(self):
        self.assertIsNone(self.ask(names=["x"], conditions=["unknown_fact", "wanted"])["enabled"])
        self.assertIs(self.ask(names=["x"], conditions=["(wanted or unknown_fact)"])["enabled"], True)

    def test_facts_of_the_release_are_known(self):
        answer = self.ask(names=["for-{{ ansible_os_family }}"])
        self.assertEqual(answer["names"], ["for-Debian"])

    def test_what_beside_the_release_decides_about_a_listed_package(self):
        def listed(*conditions):
            return self.ask(names=["x"], conditions=list(conditions), isListed=True, uncertain=["minor"])

        # `wanted` is a variable of this cluster; another cluster's may differ.
        self.assertEqual(listed("wanted")["open"], ["wanted"])
        self.assertEqual(listed()["open"], [])
        unknown = ["no_fact is defined", "engine | d(1)"]
        self.assertEqual(listed(*unknown)["open"], unknown)
        self.assertNotIn("open", listed("wanted", "is_fedora_coreos"))
        self.assertNotIn("open", self.ask(names=["x"]))

    def test_a_name_that_cannot_be_rendered_is_said(self):
        answer = self.ask(names=["{{ missing }}"])
        self.assertIn("missing", answer["error"])
        self.assertNotIn("names", answer)


class Checks(unittest.TestCase):
    def ask(self, *tasks, **variables):
        asked = rendering(**variables)
        asked.load = lambda path: list(tasks)
        return refusals(asked, ["checks.yml"])

    def test_what_is_known_not_to_hold_is_told_with_what_the_task_says(self):
        task = {"name": "Stop", "assert": {"that": ["good", "bad"], "fail_msg": "not {{ bad }}\n"}, "when": "asked"}
        self.assertEqual(self.ask(task, good=True, bad=False, asked=True), [{"check": "Stop", "message": "not False"}])
        self.assertEqual(self.ask(task, good=True, bad=True, asked=True), [])
        self.assertEqual(self.ask(task, good=True, bad=False, asked=False), [])

    def test_what_asks_about_a_machine_is_not_known(self):
        task = {"name": "Stop", "assert": {"that": "memory"}}
        self.assertEqual(self.ask(task), [])
        self.assertEqual(self.ask({**task, "when": ["memory"], "assert": {"that": "bad"}}, bad=False), [])

    def test_a_task_may_have_variables_and_conditions_as_templates(self):
        task = {"vars": {"found": "{{ bad }}"}, "ansible.builtin.assert": {"that": "{{ found }}"}}
        self.assertEqual(self.ask(task, bad=False), [{"check": "checks.yml", "message": "found"}])

    def test_other_tasks_are_passed_over(self):
        self.assertEqual(self.ask({"debug": {"msg": "x"}}, "no task", {"block": []}), [])

    def test_a_file_that_cannot_be_read_is_passed_over(self):
        def load(path):
            if path == "broken.yml":
                raise ValueError("not YAML")
            return [{"name": "Stop", "assert": {"that": "bad"}}]

        asked = rendering(bad=False)
        asked.load = load
        self.assertEqual(refusals(asked, ["broken.yml", "checks.yml"]), [{"check": "Stop", "message": "bad"}])


if __name__ == "__main__":
    unittest.main()
