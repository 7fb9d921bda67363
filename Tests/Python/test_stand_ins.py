"""The API server that stands in for the real one in the deployment tests: what patches make of objects, what is selected, and
what two of them see of each other.
"""

import pathlib
import queue
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Deployment/stand-ins/kubernetes"))

import controllers
import kinds
from merge import json_merge, strategic_merge
from objects import Refused, Store

POD = {
    "spec": {
        "containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}],
        "nodeSelector": {"os": "linux"},
    }
}


class Merging(unittest.TestCase):
    def test_members_of_a_list_are_the_same_by_their_name(self):
        patch = {"spec": {"containers": [{"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}]}}
        images = [each["image"] for each in strategic_merge(POD, patch)["spec"]["containers"]]
        self.assertEqual(images, ["a:1", "b:2", "c:1"])

    def test_a_member_is_deleted_and_a_field_is_taken_away(self):
        patch = {"spec": {"containers": [{"name": "a", "$patch": "delete"}], "nodeSelector": None}}
        self.assertEqual(strategic_merge(POD, patch), {"spec": {"containers": [{"name": "b", "image": "b:1"}]}})

    def test_ports_of_a_service_and_of_a_container_have_other_keys(self):
        target = {"ports": [{"port": 80, "targetPort": 1}]}
        self.assertEqual(
            strategic_merge(target, {"ports": [{"port": 80, "targetPort": 2}]})["ports"],
            [{"port": 80, "targetPort": 2}],
        )

    def test_lists_without_a_key_are_replaced(self):
        self.assertEqual(strategic_merge({"args": ["a", "b"]}, {"args": ["c"]}), {"args": ["c"]})
        self.assertEqual(json_merge(POD, {"spec": {"containers": []}})["spec"]["containers"], [])

    def test_what_was_there_is_not_changed(self):
        strategic_merge(POD, {"spec": {"containers": [{"name": "a", "image": "a:9"}]}})
        self.assertEqual(POD["spec"]["containers"][0]["image"], "a:1")


class Kinds(unittest.TestCase):
    def test_a_definition_adds_its_kinds_for_each_version_that_is_served(self):
        versions = [{"name": "v1", "served": True}, {"name": "v1beta1", "served": False}]
        names = {"kind": "IPPool", "plural": "ippools"}
        spec = {"group": "crd.example.com", "names": names, "scope": "Cluster", "versions": versions}
        found = kinds.of_definition({"spec": spec})
        self.assertEqual([each.api_version for each in found], ["crd.example.com/v1"])
        listed = kinds.resources([*kinds.built_in(), *found], "crd.example.com/v1")
        self.assertIn("ippools", [each["name"] for each in listed["resources"]])

    def test_a_version_that_there_is_not_has_no_answer(self):
        self.assertIsNone(kinds.resources(kinds.built_in(), "crd.example.com/v1"))


class Etcd:
    """As much of etcd as several API servers need of it; each of them has a handle of its own."""

    def __init__(self, values: dict):
        self.values, self.told, self.others = values, queue.Queue(), [self]

    def beside(self):
        other = Etcd(self.values)
        self.others.append(other)
        other.others = self.others
        return other

    def revision(self):
        return max((revision for revision, _ in self.values.values()), default=0)

    def everything(self):
        kept = {
            key: entry
            for key, entry in self.values.items()
            if entry[1] is not None and not key.startswith("/stand-in/")
        }
        return kept, self.revision()

    def one(self, key, prefix):
        return self.values.get(prefix + key, (0, {}))

    def change(self, key, value, known, prefix=""):
        if self.values.get(prefix + key, (0, None))[0] != known:
            return 0
        revision = self.revision() + 1
        self.values[prefix + key] = (revision, value)
        for each in self.others:
            if not prefix:
                each.told.put((revision, key, value))
        return revision

    def changes(self, revision):
        while True:
            yield self.told.get()


class SeveralServers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        etcd = Etcd({})
        self.first, self.second = (Store(each, f"{self.folder.name}/log") for each in [etcd, etcd.beside()])
        self.kind = self.first.kind("", "v1", "configmaps")

    def put(self, store, data, is_new=False):
        metadata = {"name": "shared", "namespace": "default"}
        value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        return store.put(self.kind, value, "somebody", is_new=is_new)

    def wait_for(self, store, version):
        with store.changed:
            self.assertTrue(store.changed.wait_for(lambda: store.version >= version, timeout=60))

    def test_what_one_server_stores_the_other_one_has(self):
        stored = self.put(self.first, {"a": "1"}, is_new=True)
        self.wait_for(self.second, int(stored["metadata"]["resourceVersion"]))
        found = self.second.get(self.kind, "default", "shared")
        self.assertEqual(found["data"], {"a": "1"})
        self.assertEqual(found["metadata"]["resourceVersion"], stored["metadata"]["resourceVersion"])

    def test_a_change_of_what_another_one_has_changed_is_refused(self):
        self.put(self.first, {"a": "1"}, is_new=True)
        with self.assertRaises(Refused) as refused:
            # The second one has not been told yet that there is a newer one.
            self.second.objects.pop("/configmaps/default/shared", None)
            self.put(self.second, {"a": "2"}, is_new=True)
        self.assertEqual(refused.exception.code, 409)

    def test_the_controllers_of_one_of_them_work(self):
        leaders = [controllers.Leader(store.etcd) for store in (self.first, self.second)]
        leaders[1].name = "another"
        self.assertEqual([each.leads() for each in leaders], [True, False])


if __name__ == "__main__":
    unittest.main()
