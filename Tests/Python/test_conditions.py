import unittest

import sources  # noqa: F401
from catalog_conditions import accepts_unknown, decide, joined, split_condition, without_parentheses

KNOWN = {"yes": True, "no": False}


def known(part):
    return KNOWN[part]  # raises where it is not known


class SplitCondition(unittest.TestCase):
    def test_parts(self):
        cases = [
            ("a and b", "and", ["a", "b"]),
            ("a and b and c", "and", ["a", "b", "c"]),
            ("a or b", "and", ["a or b"]),
            ("a\n  and b", "and", ["a", "b"]),
            ("not (a and b) and c", "and", ["not (a and b)", "c"]),
            ("a and(b)", "and", ["a", "(b)"]),
            ("x in ['a and b'] and c", "and", ["x in ['a and b']", "c"]),
            ("x == ' and ' or y", "or", ["x == ' and '", "y"]),
            ("android and sand", "and", ["android", "sand"]),
            ("{'a': b or c}.a or d", "or", ["{'a': b or c}.a", "d"]),
            # `and` binds less than if-else there.
            ("a if b else c and d", "and", ["a if b else c and d"]),
        ]
        for text, word, parts in cases:
            with self.subTest(text):
                self.assertEqual(split_condition(text, word), parts)


class WithoutParentheses(unittest.TestCase):
    def test_only_those_around_everything_go(self):
        cases = [
            ("a", "a"),
            (" (a) ", "a"),
            ("((a or b))", "a or b"),
            ("(a) or (b)", "(a) or (b)"),
            ("(a", "(a"),
            ("((a) or (b))", "(a) or (b)"),
        ]
        for text, bare in cases:
            with self.subTest(text):
                self.assertEqual(without_parentheses(text), bare)


class Decide(unittest.TestCase):
    def test_three_values(self):
        cases = [
            (None, True),
            ("yes", True),
            ("no", False),
            ("unknown", None),
            ("yes and unknown", None),
            ("no and unknown", False),
            ("unknown and no", False),
            ("yes or unknown", True),
            ("unknown or yes", True),
            ("no or unknown", None),
            ("no or no", False),
            ("(yes or unknown) and (no or yes)", True),
            # `or` binds less than `and`.
            ("yes or unknown and no", True),
            ("no and unknown or yes", True),
            ("(unknown and no)", False),
        ]
        for condition, value in cases:
            with self.subTest(condition):
                self.assertIs(decide(condition, known), value)


class Parts(unittest.TestCase):
    def test_joined(self):
        cases = [([], True), ([True, None], None), ([None, False], False), ([True, True], True)]
        for values, result in cases:
            with self.subTest(values):
                self.assertIs(joined(values), result)

    def test_what_has_a_value_without_a_variable(self):
        for part in ("x is defined", "x is not defined", "x is  undefined", "x | default(1)", "x|d('') == ''"):
            self.assertTrue(accepts_unknown(part), part)
        for part in ("x", "defined", "x == 'default'", "x | dict2items", "x is version('1', '>')"):
            self.assertFalse(accepts_unknown(part), part)


if __name__ == "__main__":
    unittest.main()
