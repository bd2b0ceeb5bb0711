import pytest
import torch

from tangermeme_gia._core.outputs import as_columns, find_output, output_labels

HEADS = [torch.arange(6.0).reshape(1, 2, 3), torch.tensor([[9.0]])]


def test_labels_and_columns_come_in_the_same_order():
    assert output_labels(HEADS)[3:] == [(0, 1, 0), (0, 1, 1), (0, 1, 2), (1, 0)]
    assert as_columns(HEADS).tolist() == [[0, 1, 2, 3, 4, 5, 9]]
    assert as_columns(HEADS[0], leading=2).shape == (1, 2, 3)
    assert output_labels(torch.zeros(5)) == [0]
    assert output_labels([torch.zeros(5), torch.zeros(5)]) == [0, 1]


@pytest.mark.parametrize(
    ("labels", "label", "place"),
    [
        ([0], None, 0),
        ([(1, 5)], None, 0),
        ([0, 1, 2], 2, 2),
        ([(0, 0), (0, 1), (0, 2)], 1, 1),
        ([(0, 0), (0, 1), (0, 2)], (0, 1), 1),
        ([(0, 0), (1, 0)], 1, 1),
        ([(0, 0, 4), (0, 1, 4)], 1, 1),
        ([(0, 0)], 0, 0),
        ([(0, 0), (0, 1), (1, 0)], (1, 0), 2),
    ],
)
def test_an_index_is_enough_where_one_axis_is_longer_than_1(labels, label, place):
    assert find_output(labels, label) == place


@pytest.mark.parametrize(
    ("labels", "label", "text"),
    [
        ([0, 1, 2], 3, "`label`=3 is none of the outputs: 0, 1, 2"),
        ([0, 1, 2], -1, "`label`=-1 is none of the outputs"),
        ([0, 1], None, "has 2 outputs, 0, 1; choose one by `result.output"),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], 1, r"`label`=1 is none .*\(1, 1\)\."),
        ([(0, 0, 0), (0, 0, 1), (1, 0)], 1, "`label`=1 is none of the outputs"),
        (list(range(30)), (3,), r"`label`=\(3,\) is none .*: 0, 1, .* 9, \.\.\.\."),
    ],
)
def test_what_chooses_no_output_is_named(labels, label, text):
    with pytest.raises(ValueError, match=text):
        find_output(labels, label)
