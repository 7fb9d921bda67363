"""The API server that stands in for the real one in the deployment tests: what patches make of objects, what is selected."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Deployment/stand-ins/kubernetes"))

import kinds
from merge import json_merge, strategic_merge

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


if __name__ == "__main__":
    unittest.main()
