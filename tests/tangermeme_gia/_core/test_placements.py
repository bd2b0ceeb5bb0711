import numpy as np
import pytest
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia._core.letters import check_sequences, one_hot
from tangermeme_gia._core.motif import Motif
from tangermeme_gia._core.patterns import compile_conditions
from tangermeme_gia._core.placements import Placement


@pytest.fixture
def X() -> torch.Tensor:
    X = random_one_hot((30, 4, 25), random_state=0)
    X[:, :, 22:] = 0
    return X


@pytest.fixture(params=[False, True], ids=["substituted", "inserted"])
def placements(request) -> list[Placement]:
    """Shared letters, a draw per background, and both together."""
    ppm = torch.rand(4, 4, generator=torch.Generator().manual_seed(0))
    own = one_hot(Motif.parse(ppm / ppm.sum(0)).draw(30, 0), 4)
    if not request.param:
        own[::3, :, 1] = 0
    conditions = [[("GAT", 2)], [(ppm / ppm.sum(0), 9)], [(own, 3), ("CC", 18)], []]
    return compile_conditions(conditions, 30, 25, insert=request.param, random_state=1)


@pytest.mark.parametrize(
    "rows",
    [
        slice(7, 19),
        slice(0, 1),
        np.array([5, 3, 3, 29]),
        torch.tensor([5, 3, 3, 29]),
        torch.arange(30) % 4 == 1,
        slice(4, 4),
    ],
    ids=str,
)
def test_chunks_equal_the_whole(X, placements, rows):
    for placement in placements:
        whole = placement.apply(X)
        assert torch.equal(placement.apply(X[rows], rows), whole[rows])


def test_writing_in_place_equals_applying(X):
    own = one_hot(Motif.parse(torch.full((4, 5), 0.25)).draw(30, 0), 4)
    own[::2, :, 2] = 0
    for placement in compile_conditions([[("GAT", 2), (own, 9)]], 30, 25):
        batch = X[5:9].clone()
        placement.write(batch, slice(5, 9))
        assert torch.equal(batch, placement.apply(X)[5:9])
        assert not torch.equal(batch, X[5:9])


def test_treated_sequences_are_one_hot_and_keep_padding(X, placements):
    for placement in placements:
        treated = placement.apply(X)
        check_sequences(treated)
        assert treated.shape[-1] == placement.length
        # No pattern reaches the three columns of padding.
        assert (treated.sum(dim=1) == 0).sum() == 30 * 3


def test_a_wrong_number_of_rows_is_refused(X, placements):
    with pytest.raises(ValueError, match=r"`X` has 3 rows .* `rows` selects 30"):
        placements[1].apply(X[:3])
    with pytest.raises(ValueError, match=r"`X` has 3 rows .* `rows` selects 1 "):
        placements[1].apply(X[:3], slice(0, 1))


def test_a_wrong_length_is_refused(X, placements):
    with pytest.raises(ValueError, match=r"`X` has length 24; .* compiled for 25"):
        placements[0].apply(X[:, :, :24])
    with pytest.raises(ValueError, match="`X` has 30 rows of length 24"):
        placements[0].write(X[:, :, :24].clone())


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16])
def test_any_dtype_of_one_hot_is_taken(X, dtype):
    check_sequences(X.to(dtype))
    placement = compile_conditions([[("GAT", 2)]], 30, 25)[0]
    treated = placement.apply(X.to(dtype))
    assert treated.dtype == dtype
    assert torch.equal(treated.to(torch.int8), placement.apply(X))
