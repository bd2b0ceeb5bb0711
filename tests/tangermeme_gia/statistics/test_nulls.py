"""Where an effect stands among those of words, on effects that are known."""

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia import GIAResult
from tangermeme_gia.statistics import EffectNull, FewEffectsWarning, effect_null


def result(effect, random=(), shuffled=(), *, letters=None, n=20) -> GIAResult:
    """A motif and words whose effects are these on every background, to 1 on average.

    The motif's own effect differs between backgrounds by 0.01.
    """
    effects = torch.tensor([effect, *random, *shuffled], dtype=torch.float64)
    controls = [f"random {i + 1}" for i in range(len(random))]
    controls += [f"shuffled {i + 1}" for i in range(len(shuffled))]
    table = pd.DataFrame({"motif": "GATA", "control": ["none", *controls]})
    table["control_letters"] = [
        "",
        *(letters or [f"ACG{i}" for i in range(len(controls))]),
    ]
    local = effects.repeat(n, 1)
    local[:, 0] += 0.01 * (-1.0) ** torch.arange(n)
    return GIAResult(torch.ones(n, 1, dtype=torch.float64), local[..., None] + 1, table)


def test_percentiles_count_words_below_and_half_of_those_alike():
    null = effect_null(result(2.0, [0, 1, 2, 3], [2, 5]))
    random, shuffled = null.place(2.0), null.place(2.0, "shuffled")
    assert random.percentile == 100 * 2.5 / 4
    assert (random.n_below, random.n_equal, random.n_words) == (2, 1, 4)
    assert random.reads == "above 2 of 4 random words, like 1"
    assert shuffled.percentile == 25
    assert shuffled.reads == "above 0 of 2 shuffles, like 1"
    assert null.place(0.5).percentile == 25
    # What rounding can tell apart is not alike.
    assert null.place(2.0 + 1e-9).n_equal == 1
    assert null.place(2.0 + 1e-3).n_equal == 0


@pytest.mark.parametrize(
    ("effect", "words", "reads"),
    [
        (9.0, [0, 1, 2, 3], "above all 4 random words"),
        (-9.0, [0, 1, 2, 3], "below all 4 random words"),
        (-1.0, [-2, -1, 0, 1], "below 2 of 4 random words, like 1"),
        (-0.5, [-1], "below 0 of 1 random word"),
        (0.0, [0, 0], "above 0 of 2 random words, like 2"),
    ],
)
def test_words_are_of_the_side_on_which_the_effect_is(effect, words, reads):
    assert effect_null(result(effect, words)).place(effect).reads == reads


def test_the_interval_is_exact_over_words_and_reaches_over_ties():
    words = [float(i) for i in range(20)]
    standing = effect_null(result(99.0, words)).place(99.0)
    assert (standing.percentile, standing.high) == (100, 100)
    assert standing.low == pytest.approx(100 * 0.025 ** (1 / 20))
    tied = effect_null(result(1.0, 20 * [1.0])).place(1.0)
    assert (tied.percentile, tied.low, tied.high) == (50, 0, 100)
    narrow = effect_null(result(9.5, words)).place(9.5, confidence=0.5)
    wide = effect_null(result(9.5, words)).place(9.5)
    assert wide.low < narrow.low < 50 < narrow.high < wide.high


def test_the_interval_of_the_table_is_over_backgrounds_as_well():
    words = [2 + 0.001 * i for i in range(-50, 50)]
    null = effect_null(result(2.0005, words))
    row = null.to_frame().iloc[0]
    alone = null.place(row["effect"])
    ends = row["low"], row["high"]
    both = null.place(row["effect"], interval=ends)
    assert (row["percentile_low"], row["percentile_high"]) == both[1:3]
    # The effect's own interval reaches 5 words further, either way.
    assert both.low == pytest.approx(null.place(ends[0]).low)
    assert both.low < alone.low < alone.high < both.high


def test_of_one_background_the_interval_is_not_known():
    null = effect_null(result(2.0, [0.0, 1.0], n=1))
    row = null.to_frame().iloc[0]
    assert row["percentile"] == 100
    assert np.isnan([row["percentile_low"], row["percentile_high"]]).all()


class Letters(torch.nn.Module):
    """1 for each G, 10 for each A, 0 for others."""

    def forward(self, X):
        return (10 * X[:, 0].sum(dim=1) + X[:, 2].sum(dim=1)).float()[:, None]


@pytest.fixture
def blank() -> torch.Tensor:
    X = torch.zeros(4, 4, 24)
    X[:, 1] = 1
    return X


@pytest.mark.filterwarnings("ignore:a shuffled control of")
def test_shuffles_that_are_the_motif_are_left_out_and_counted(blank):
    found = gia.global_importance(
        Letters(), blank, [("GGG", 3)], n_controls=30, random_state=0
    )
    frame = effect_null(found).to_frame().set_index("arm")
    assert frame["n_left_out"].tolist() == [0, 30]
    assert frame["n_words"].tolist() == [30, 0]
    assert frame.loc["shuffled", "reads"] == "no shuffle is another word"
    assert frame.loc["shuffled", ["percentile", "percentile_low"]].isna().all()
    # Random words of other letters with the same effect are no such thing.
    assert frame.loc["random", "n_distinct"] > 20
    both = [("GGG", 3), ("GGA", 12)]
    found = gia.global_importance(Letters(), blank, both, n_controls=30, random_state=0)
    frame = effect_null(found).to_frame()
    assert frame["n_left_out"].tolist() == [0, 0]
    assert frame["n_equal"][1] == 30


@pytest.mark.filterwarnings("ignore::tangermeme_gia.statistics.FewEffectsWarning")
def test_each_arrangement_has_words_in_its_own_places():
    X = random_one_hot((6, 4, 24), random_state=0)
    weight = torch.arange(24.0)

    def model(X):
        return (X[:, 0].float() * weight).sum(dim=1, keepdim=True)

    found = gia.multi_site(model, X, "AAC", [1, 8, 19], n_controls=40, random_state=0)
    null = effect_null(found)
    assert null.motifs.conditions["n_sites"].tolist() == [1, 2, 3]
    assert null.words.groupby(["condition", "arm"]).size().tolist() == 6 * [40]
    effects = found.to_frame()
    for i, n_sites in enumerate([1, 2, 3]):
        same = effects[effects["n_sites"] == n_sites]
        random = same[same["control"].str.startswith("random")]["effect"]
        np.testing.assert_allclose(np.sort(null.of("random", i)), np.sort(random))
    # A condition alone has no controls, and they none without it.
    for part in (
        lambda t: [0, *range(3, len(t))],
        lambda t: np.flatnonzero(t["control"] == "none"),
    ):
        with pytest.raises(ValueError, match="a condition without its controls"):
            effect_null(found.select(part(found.conditions)))


def test_outputs_have_percentiles_of_their_own(blank):
    def model(X):
        y = Letters()(X)
        return torch.cat([y, -y], dim=1)

    found = gia.global_importance(
        model, blank, [("AAG", 3)], n_controls=25, random_state=0
    )
    null = effect_null(found)
    first, second = null.place(21.0, output=0), null.place(-21.0, output=1)
    assert first.percentile + second.percentile == pytest.approx(100)
    assert null.to_frame()["output"].tolist() == [0, 0, 1, 1]
    assert null.to_frame()["percentile"][2] == second.percentile
    with pytest.raises(ValueError, match="the result has 2 outputs"):
        null.place(21.0)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: effect_null(5), TypeError, "`result` is a int"),
        (
            lambda: effect_null(result(1.0, [2.0]).select(control="none")),
            ValueError,
            "a condition without its controls",
        ),
        (
            lambda: effect_null(
                GIAResult(torch.zeros(2, 1), torch.zeros(2, 1, 1), pd.DataFrame([1]))
            ),
            ValueError,
            "`result` has no controls .* `n_controls`",
        ),
        (
            lambda: effect_null(result(1.0, [float("nan")])),
            ValueError,
            "NaN or infinite, the first that of row 1",
        ),
        (
            lambda: effect_null(result(1.0, [2.0])).place(1.0, "shuffled"),
            ValueError,
            r"`arm`='shuffled' must be one of \['random'\]",
        ),
        (
            lambda: effect_null(result(1.0, [2.0])).of("random", 1),
            ValueError,
            "`condition`=1 is none of the 1 rows",
        ),
        (
            lambda: effect_null(result(1.0, [2.0])).place(float("inf")),
            ValueError,
            "`effect`=inf must be finite",
        ),
        (
            lambda: effect_null(result(1.0, [2.0])).place(1.0, confidence=1.0),
            ValueError,
            "`confidence`=1.0",
        ),
    ],
)
def test_what_cannot_be_compared_is_named(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()


def test_a_null_is_shown_saved_and_loaded(tmp_path):
    null = effect_null(result(2.0, [0.0, 1.0], [3.0]))
    assert repr(null) == (
        "EffectNull: 3 words in the place of 1 condition, on 20 backgrounds\n"
        "  effect 2: above all 2 random words\n"
        "  effect 2: above 0 of 1 shuffle"
    )
    assert "above" in null._repr_html_()
    null.save(tmp_path / "null.gia")
    loaded = gia.load(tmp_path / "null.gia")
    assert isinstance(loaded, EffectNull)
    pd.testing.assert_frame_equal(loaded.to_frame(), null.to_frame())


def test_controls_that_were_saved_while_they_ran_make_the_same_null(tmp_path, blank):
    def ask(**options):
        return gia.global_importance(
            Letters(), blank, [("AGT", 3)], n_controls=20, random_state=0, **options
        )

    ask(save_to=tmp_path / "null")
    stored = effect_null(gia.load(tmp_path / "null"))
    pd.testing.assert_frame_equal(stored.to_frame(), effect_null(ask()).to_frame())


@pytest.mark.parametrize("effects", ["normal", "mostly 0"])
def test_a_random_word_has_a_uniform_percentile(effects):
    # benchmarks/nulls.py measures more shapes.
    n, n_words = 400, 60
    rng = np.random.default_rng(0)
    words = rng.standard_normal((n, 1 + n_words))
    if effects == "mostly 0":
        words[rng.random(words.shape) < 0.9] = 0
    controls = ["none", *(f"random {i}" for i in range(n_words))]
    table = pd.DataFrame({"motif": np.repeat(np.arange(n), 1 + n_words)})
    table["control"], table["control_letters"] = n * controls, "ACGT"
    local = torch.from_numpy(words.reshape(1, -1, 1))
    null = effect_null(GIAResult(torch.zeros(1, 1), local, table))
    found = null.to_frame()["percentile"].to_numpy()
    assert len(found) == n
    # Four standard errors of a mean of uniform numbers, and of a share of 5 %.
    assert abs(found.mean() - 50) < 4 * 100 / np.sqrt(12 * n)
    shares = np.array([(found <= 5).mean(), (found >= 95).mean()])
    assert (shares < 0.05 + 4 * np.sqrt(0.05 * 0.95 / n)).all()
    if effects == "normal":
        assert (shares > 0.05 - 4 * np.sqrt(0.05 * 0.95 / n)).all()


def test_few_effects_are_warned_of_for_motifs_not_words():
    null = effect_null(result(2.0, [0.0, 0.0]))
    null.to_frame()
    silent = result(2.0, [0.0])
    silent = silent._replace(y_afters=torch.ones_like(silent.y_afters))
    with pytest.warns(FewEffectsWarning):
        effect_null(silent).to_frame()
