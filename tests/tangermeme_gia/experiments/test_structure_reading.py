"""Effects beside the folds of sequences that are made again from their patterns."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import PackedSequence, one_hot_encode, random_one_hot

from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.patterns import place
from tangermeme_gia.experiments.importance import global_importance
from tangermeme_gia.experiments.sites import multi_site
from tangermeme_gia.experiments.structure_reading import importance_by_structure
from tangermeme_gia.structure.folding import fold, unpaired_probabilities

PPM = torch.tensor([[0.5, 0.0], [0.0, 1.0], [0.5, 0.0], [0.0, 0.0]])


class Linear(torch.nn.Module):
    """Two outputs, each a weighted sum of the letters."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weights = torch.nn.Parameter(torch.randn(2, 4, 24, generator=generator))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.einsum("ncl,ocl->no", X[..., :24].float(), self.weights)


class TwoHeads(Linear):
    def forward(self, X: torch.Tensor) -> list[torch.Tensor]:
        y = super().forward(X)
        return [y, y[:, :1]]


CONDITIONS = [[("GACC", 2)], [(PPM, 9), ("CNG", 14)], []]


def read(X, patterns=CONDITIONS, model=None, **options):
    keywords = {"alphabet": RNA, "random_state": 0}
    result = global_importance(model or Linear(), X, patterns, **keywords)
    return result, importance_by_structure(result, X, patterns, **keywords, **options)


def test_a_row_is_the_sequence_with_its_patterns(X):
    result, frame = read(X)
    assert len(frame) == 3 * 10 * 2
    assert frame.columns.tolist() == [
        *result.conditions.columns,
        "background",
        "output",
        "energy_before",
        "energy",
        "unpaired",
        "local_importance",
    ]
    keys = frame[["background", "output"]].to_numpy().tolist()
    assert keys == [[i, k] for _ in range(3) for i in range(10) for k in range(2)]
    local = result.local_importance.transpose(0, 1).flatten().double().tolist()
    assert frame["local_importance"].tolist() == pytest.approx(local)
    before = np.repeat(fold(X, alphabet=RNA).energies, 2)
    sites = [[2, 3, 4, 5], [9, 10, 14, 16], []]
    for number, condition in enumerate(CONDITIONS):
        rows = frame.iloc[20 * number : 20 * (number + 1)]
        treated = place(X, condition, RNA, random_state=0)
        assert np.array_equal(rows["energy_before"], before)
        energies = fold(treated, alphabet=RNA).energies
        assert np.array_equal(rows["energy"][::2], energies)
        if sites[number]:
            unpaired = unpaired_probabilities(treated, alphabet=RNA)
            expected = unpaired[:, sites[number]].mean(axis=1)
            assert np.allclose(rows["unpaired"][::2], expected)
    assert frame["unpaired"][40:].isna().all()
    assert not frame["energy"].equals(frame["energy_before"])


def test_gaps_are_no_part_of_a_site_where_each_background_has_its_own(X):
    motifs = torch.stack([one_hot_encode(m) for m in ["GAC", "CGA"] * 5])
    motifs[::2, :, 1] = 0
    frame = read(X, [(motifs, 8)])[1]
    treated = place(X, [(motifs, 8)], RNA)
    unpaired = unpaired_probabilities(treated, alphabet=RNA)[:, 8:11]
    first = frame["unpaired"][::2].to_numpy()
    assert first[0] == pytest.approx(unpaired[0, [0, 2]].mean())
    assert first[1] == pytest.approx(unpaired[1].mean())


def test_controls_are_left_out_and_other_experiments_can_be_read(X):
    result = multi_site(Linear(), X, "GAC", [2, 9], n_controls=1, alphabet=RNA)
    patterns = [[("GAC", 2)], [("GAC", 2), ("GAC", 9)]]
    frame = importance_by_structure(result, X, patterns, alphabet=RNA)
    assert set(frame["control"]) == {"none"}
    assert len(frame) == 2 * 10 * 2
    expected = result.local_importance[:, :2].transpose(0, 1).flatten().double()
    assert frame["local_importance"].tolist() == pytest.approx(expected.tolist())
    turned = [*range(2, len(result.conditions)), 0, 1]  # controls first
    other = result._replace(
        y_afters=result.y_afters[:, turned],
        conditions=result.conditions.iloc[turned].reset_index(drop=True),
    )
    again = importance_by_structure(other, X, patterns, alphabet=RNA)
    pd.testing.assert_frame_equal(again, frame)


@pytest.mark.filterwarnings("ignore:`insert`=True moves")
def test_inserted_patterns_packed_backgrounds_and_heads(X):
    keywords = {"alphabet": RNA, "insert": True}
    patterns = [("GGGACCC", 3)]
    result = global_importance(TwoHeads(), X, patterns, **keywords)
    frame = importance_by_structure(result, X, patterns, **keywords)
    assert frame["output"].tolist()[:3] == [(0, 0), (0, 1), (1, 0)]
    treated = place(X, patterns, RNA, insert=True)
    unpaired = unpaired_probabilities(treated, alphabet=RNA)[:, 3:10].mean(axis=1)
    assert np.allclose(frame["unpaired"][::3], unpaired)
    packed = PackedSequence.from_one_hot(X)
    again = importance_by_structure(result, packed, patterns, **keywords)
    pd.testing.assert_frame_equal(again, frame)


def test_nothing_given_is_changed(X):
    result, _ = read(X)
    before, table = X.clone(), result.conditions.copy()
    importance_by_structure(result, X, CONDITIONS, alphabet=RNA, random_state=0)
    assert torch.equal(X, before)
    assert result.conditions.equals(table)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"result": 3}, TypeError, "`result` is a int; it must be a GIAResult"),
        ({"X": random_one_hot((9, 4, 24))}, ValueError, "`X` has 9 backgrounds and"),
        ({"patterns": [("GA", 1)]}, ValueError, "`patterns` has 1 conditions and"),
        ({"random_state": None}, ValueError, "`random_state`=None, but `patterns`"),
        ({"alphabet": "ABCD"}, ValueError, "no complementary bases"),
        ({"X": torch.ones(10, 4, 24)}, ValueError, "is not one-hot: sequence 0"),
        ({"patterns": [[("G", 30)], [], []]}, ValueError, "condition 0: `start`=30"),
    ],
)
def test_what_does_not_belong_together_is_refused(X, change, error, message):
    result = global_importance(Linear(), X, CONDITIONS, random_state=0)
    given = {"result": result, "X": X, "patterns": CONDITIONS, "random_state": 0}
    with pytest.raises(error, match=message):
        importance_by_structure(**given | change)


def test_a_condition_may_not_have_the_name_of_a_number_of_the_frame(X):
    result = global_importance(Linear(), X, [("GA", 1)])
    renamed = result._replace(
        conditions=result.conditions.rename(columns={"n_patterns": "energy"})
    )
    with pytest.raises(ValueError, match=r"the columns \['energy'\], which the frame"):
        importance_by_structure(renamed, X, [("GA", 1)])


def test_viennarna_is_named_if_it_is_missing(monkeypatch, X):
    result = global_importance(Linear(), X, [("GA", 1)])
    monkeypatch.setitem(sys.modules, "RNA", None)
    with pytest.raises(ImportError, match=r"tangermeme-gia\[vienna\]"):
        importance_by_structure(result, X, [("GA", 1)])


def test_the_template_of_each_background_is_a_column(X):
    labels = [f"probe {i // 2}" for i in range(len(X))]
    keywords = {"alphabet": RNA, "random_state": 0}
    result = global_importance(Linear(), X, CONDITIONS, clusters=labels, **keywords)
    frame = importance_by_structure(result, X, CONDITIONS, **keywords)
    plain = read(X)[1]
    assert frame["cluster"].tolist() == [labels[i] for i in frame["background"]]
    pd.testing.assert_frame_equal(frame.drop(columns="cluster"), plain)
