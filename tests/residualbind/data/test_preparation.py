import numpy as np
import pytest
import torch

from residualbind.data.preparation import prepare
from residualbind.data.rnacompete import RNAcompete
from residualbind.data.transforms import Transform


@pytest.fixture
def data() -> RNAcompete:
    rng = np.random.default_rng(0)
    X = torch.zeros(120, 4, 10, dtype=torch.int8)
    X[:, 0] = 1
    y = torch.tensor(rng.lognormal(size=(120, 1)), dtype=torch.float32)
    return RNAcompete(X, y, np.repeat(["A", "B"], [100, 20]), ("one",))


def test_every_split_is_transformed_by_the_fit_of_the_training_split(data):
    prepared = prepare(data, transform="log", random_state=3)
    parts = data.split(random_state=3)
    expected = Transform.fit(parts.train.y, "log")
    for part, raw in zip(prepared[:3], parts, strict=True):
        np.testing.assert_allclose(part.y, expected.apply(raw.y), rtol=1e-5, atol=1e-6)
        assert torch.equal(part.X, raw.X)
    assert prepared.train.y.mean() == pytest.approx(0, abs=1e-6)
    assert abs(prepared.test.y.mean()) > 1e-3
    np.testing.assert_allclose(
        prepared.transform.invert(prepared.test.y), parts.test.y, rtol=1e-4
    )


def test_splits_are_fitted_apart_only_when_asked(data):
    prepared = prepare(data, transform="zscore", fit_per_split=True)
    for part in prepared[:3]:
        assert part.y.mean() == pytest.approx(0, abs=1e-6)
    together = prepare(data, transform="zscore")
    assert together.transform.to_dict() == prepared.transform.to_dict()
    assert torch.equal(together.train.y, prepared.train.y)
    assert not torch.equal(together.test.y, prepared.test.y)


@pytest.mark.parametrize("fit_per_split", [False, True])
def test_an_absent_test_set_stays_empty(data, fit_per_split):
    set_a = data.subset(np.arange(100))
    prepared = prepare(set_a, transform="clip", fit_per_split=fit_per_split)
    assert [len(part) for part in prepared[:3]] == [90, 10, 0]


def test_an_unknown_recipe_is_an_error(data):
    with pytest.raises(ValueError, match="'sqrt' is not a transform"):
        prepare(data, transform="sqrt")
