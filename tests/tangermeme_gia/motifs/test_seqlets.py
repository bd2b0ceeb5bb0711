import numpy as np
import pandas as pd
import pytest

from tangermeme_gia.motifs.seqlets import call_seqlets

PLACES = ["example_idx", "start", "end"]


def single(X):
    """Every position above 1, alone."""
    rows, start = np.nonzero(X.numpy() > 1)
    table = {"example_idx": rows, "start": start, "end": start + 1}
    return pd.DataFrame({**table, "attribution": X[rows, start]})


def wide(X):
    """The same with a base on either side."""
    table = single(X)
    return table.assign(start=table["start"] - 1, end=table["end"] + 1)


def test_what_raises_and_what_lowers_is_found():
    values = np.array([[0, 2, 0, 0, -3], [0, 0, 1, 5, 0.0]])
    found = call_seqlets(values, single)
    assert found[PLACES].to_numpy().tolist() == [[0, 1, 2], [0, 4, 5], [1, 3, 4]]
    assert found["attribution"].tolist() == [2, -3, 5]


def test_what_lowers_gives_way_where_both_overlap():
    found = call_seqlets(np.array([[0, 2, -3, 0, -4, 0.0]]), wide)
    assert found["attribution"].tolist() == [2, -4]


def test_contributions_that_are_all_the_same_have_none():
    found = call_seqlets(np.zeros((3, 7)), lambda X: pytest.fail("was asked"))
    assert len(found) == 0
    assert found.columns.tolist() == [*PLACES, "attribution"]


@pytest.mark.parametrize(
    ("caller", "match"),
    [
        (lambda X: None, "`seqlets` returned a NoneType; .* example_idx, start, end"),
        (lambda X: pd.DataFrame({"start": [1]}), "the columns example_idx"),
        (lambda X: wide(X).assign(end=9), "returned 0 to 9 of sequence 0; .* 3 bases"),
        (lambda X: wide(X).assign(start=-1), "returned -1 to 3"),
        (lambda X: wide(X).assign(example_idx=2), "of sequence 2; there are 1"),
    ],
)
def test_what_a_caller_may_not_return(caller, match):
    with pytest.raises(ValueError, match=match):
        call_seqlets(np.array([[0, 2, 0.0]]), caller)
