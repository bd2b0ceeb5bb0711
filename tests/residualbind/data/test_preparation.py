import numpy as np
import pytest
import torch

from residualbind.data.encoding import encode_sequences
from residualbind.data.preparation import prepare
from residualbind.data.rnacompete import RNAcompete
from residualbind.data.splits import split_sets
from residualbind.data.transforms import Transform


@pytest.fixture
def data() -> RNAcompete:
    rng = np.random.default_rng(0)
    letters = torch.from_numpy(rng.integers(4, size=(120, 30)))
    X = torch.nn.functional.one_hot(letters, 4).transpose(1, 2).to(torch.int8)
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
    assert torch.equal(prepared.test_scores, data.split().test.y)
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


def with_copies(sets: str) -> RNAcompete:
    """Probes 0 to 5 measured in each of the sets, and six of its own in each."""
    shared = ["ACGUA" + base * 9 for base in ("A", "C", "G", "U", "AC", "GU")]
    rng = np.random.default_rng(1)
    letters, labels = [], []
    for label in sets.split():
        own = ["".join(rng.choice(list("ACGU"), 20)) for _ in range(6)]
        # Copies are found on what the letters mean: T is U, in either case.
        again = [s.replace("U", "T").lower() if labels else s for s in shared]
        letters += own + again
        labels += [label] * 12
    y = torch.arange(float(len(labels)))[:, None]
    return RNAcompete(encode_sequences(letters), y, np.array(labels), ("one",))


def test_copies_in_several_sets_are_counted_in_a_warning():
    with pytest.warns(
        UserWarning, match="6 of 12 validation and 6 of 12 test probes are copies"
    ):
        prepared = prepare(with_copies("train valid test"), transform="none")
    assert [len(part) for part in prepared[:3]] == [12, 12, 12]


def test_duplicates_are_dropped_where_asked():
    data = with_copies("train valid test")
    prepared = prepare(data, transform="none", drop_duplicates=True)
    kept = [part.y[:, 0].tolist() for part in prepared[:3]]
    assert kept == [[*range(12)], [*range(12, 18)], [*range(24, 30)]]


@pytest.mark.parametrize("seed", range(5))
def test_a_split_keeps_copies_together(seed):
    once = with_copies("A").subset(range(12))
    threefold = once.subset([row for row in range(12) for _ in range(3)])
    parts = threefold.split(valid_fraction=0.25, random_state=seed)
    assert (len(parts.train), len(parts.valid)) == (27, 9)
    assert not set(parts.train.sequences) & set(parts.valid.sequences)


def test_without_copies_the_split_is_that_of_the_rows(data):
    parts = data.split(random_state=2)
    rows = split_sets(data.sets, random_state=2)
    assert torch.equal(parts.valid.y, data.y[rows.valid])


def test_an_unknown_recipe_is_an_error(data):
    with pytest.raises(ValueError, match="'sqrt' is not a transform"):
        prepare(data, transform="sqrt")
