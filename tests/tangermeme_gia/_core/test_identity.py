import re
import types

import pytest
import torch
from torch import nn

from tangermeme_gia._core.identity import describe

SOURCE = """
SCALE = {scale}

def helper(x):
    return x + {shift}

def make(power):
    return lambda x: (helper(x) * SCALE) ** power

class Settings:
    kind = {kind!r}
"""


def module(scale=1.0, shift=1, kind="a"):
    made = types.ModuleType("of_a_user")
    exec(SOURCE.format(scale=scale, shift=shift, kind=kind), vars(made))
    return made


@pytest.mark.parametrize(
    ("change", "power", "path"),
    [
        ({"scale": 2.0}, 2, "f.SCALE"),
        ({"shift": 2}, 2, "f.helper"),
        ({}, 3, "f.power"),
    ],
)
def test_what_a_function_reads_is_part_of_it(change, power, path):
    before, again = (describe(f=module().make(2)) for _ in range(2))
    assert before == again
    after = describe(f=module(**change).make(power))
    assert {name for name in before if before[name] != after[name]} == {path}


def test_attributes_of_a_class_are_part_of_its_objects():
    a, b = (describe(s=module(kind=kind).Settings()) for kind in "ab")
    assert {name: (a[name], b[name]) for name in a if a[name] != b[name]} == {
        "s.Settings.kind": ("'a'", "'b'")
    }


def test_values_of_learned_tensors_are_left_out_and_no_others():
    first, second = nn.Linear(2, 1), nn.Linear(2, 1)
    learned = [*first.parameters(), *second.parameters()]
    assert describe(learned, m=first) == describe(learned, m=second)
    assert describe(m=first) != describe(m=second)


def test_what_contains_itself_ends():
    items = [torch.float32, re.compile("a"), nn.functional.relu]
    items.append(items)
    assert describe(x=items)["x[3]"] == "the same as x"
