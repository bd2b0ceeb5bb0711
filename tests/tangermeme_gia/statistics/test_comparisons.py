import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.statistics.comparisons import Comparison


def result(local: object, heads: bool = False) -> GIAResult:
    """A result with these local importances, shape=(n, n_conditions, ...)."""
    effects = torch.as_tensor(local, dtype=torch.float64)
    before = torch.ones_like(effects[:, 0])
    conditions = pd.DataFrame({"site": range(effects.shape[1])})
    after = effects + before[:, None]
    if heads:
        return GIAResult([before, before], [after, after - effects / 2], conditions)
    return GIAResult(before, after, conditions)


def noisy(seed: int) -> torch.Tensor:
    return torch.randn(7, 4, 2, generator=torch.Generator().manual_seed(seed))


def test_agreement_correlates_effects_over_the_conditions_of_an_output():
    a, b = noisy(0).double(), noisy(1).double()
    b[:, :, 1] = 3 * a[:, :, 1] + 1
    table = Comparison({"a": result(a), "b": result(b)}).agreement()
    assert table["background_a"].tolist() == ["a", "a"]
    assert table["background_b"].tolist() == ["b", "b"]
    x, y = a.mean(0)[:, 0].numpy(), b.mean(0)[:, 0].numpy()
    np.testing.assert_allclose(table["pearson"], [np.corrcoef(x, y)[0, 1], 1])
    ranks = np.corrcoef(x.argsort().argsort(), y.argsort().argsort())[0, 1]
    np.testing.assert_allclose(table["spearman"], [ranks, 1])
    assert table["sign_agreement"][0] == (np.sign(x) == np.sign(y)).mean()
    assert table["n_conditions"].tolist() == [4, 4]


def test_every_pair_is_listed_and_few_conditions_have_no_correlation():
    results = {name: result([[[1.0], [2.0]]]) for name in "abc"}
    table = Comparison(results, "model").agreement()
    pairs = list(zip(table["model_a"], table["model_b"], strict=True))
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]
    assert table["pearson"].isna().all()
    assert table["spearman"].isna().all()
    assert (table["sign_agreement"] == 1).all()
    assert Comparison({"a": results["a"]}, "model").agreement().empty


def test_spread_tells_range_sign_and_whether_all_intervals_leave_zero_out():
    sure, flipped = [[[2.0], [1.0], [1.0]]], [[[4.0], [-1.0], [0.9]]]
    jitter = torch.tensor([-0.1, 0.1])[:, None, None] * torch.tensor([[[1], [1], [9]]])
    comparison = Comparison(
        {
            "a": result(torch.tensor(sure) + 0.1 * jitter),
            "b": result(torch.tensor(flipped) + 0.1 * jitter),
        }
    )
    spread = comparison.spread()
    np.testing.assert_allclose(spread["mean"], [3, 0, 0.95], atol=1e-6)
    np.testing.assert_allclose(spread["range"], [2, 2, 0.1], atol=1e-6)
    np.testing.assert_allclose(spread["lowest"], [2, -1, 0.9], atol=1e-6)
    np.testing.assert_allclose(spread["highest"], [4, 1, 1], atol=1e-6)
    assert spread["same_sign"].tolist() == [True, False, True]
    assert spread["robust"].tolist() == [True, False, False]


@pytest.mark.parametrize("across", ["background", "model"])
def test_confidence_is_the_one_asked_for(across):
    # t of means 1 and standard errors 1 / 3: 0 is outside of 80 % and not of 99 %.
    local = 1 + torch.tensor([-1.0, 0, 1])[:, None, None] / 3**0.5
    comparison = Comparison({"a": result(local), "b": result(local)}, across)
    assert [comparison.spread(c)["robust"].item() for c in (0.8, 0.99)] == [True, False]
    frame = comparison.to_frame(0.8)
    assert frame["high"].tolist() == pytest.approx([1 + 1.885618 / 3] * 2, rel=1e-6)


def test_effects_below_zero_under_every_background_are_robust():
    down = noisy(0) / 100 - 1
    spread = Comparison({"a": result(down), "b": result(down - 1)}).spread()
    assert spread["robust"].all()
    assert spread["same_sign"].all()


def test_the_interval_over_models_has_the_confidence_asked_for():
    comparison = Comparison({str(e): result([[[e]]] * 5) for e in (1.0, 3.0)}, "model")
    frame = comparison.summary(0.5)
    # The upper quartile of t with one degree of freedom is 1.
    assert frame["high"].item() == pytest.approx(2 + frame["se"].item())


def test_models_whose_noise_is_opposed_share_no_variance():
    local = noisy(5)
    frame = Comparison({"a": result(local), "b": result(-local)}, "model").summary()
    np.testing.assert_allclose(frame["se"], frame["between_sd"] / 2**0.5)


def test_models_without_shared_noise_give_the_t_interval_of_their_means():
    effects = [1.0, 2.0, 6.0]
    summary = Comparison(
        {str(e): result(torch.full((5, 1, 1), e)) for e in effects}, "model"
    ).summary()
    assert summary["effect"].item() == pytest.approx(3)
    assert summary["between_sd"].item() == pytest.approx(np.std(effects, ddof=1))
    assert summary["se"].item() == pytest.approx(np.std(effects, ddof=1) / 3**0.5)
    # The 97.5 % point of t with two degrees of freedom.
    assert summary["high"].item() == pytest.approx(3 + 4.302653 * summary["se"].item())
    assert summary["low"].item() == pytest.approx(3 - 4.302653 * summary["se"].item())
    assert summary[["n_models", "n"]].iloc[0].tolist() == [3, 5]


def test_noise_that_models_share_enters_the_interval():
    # Identical models do not differ; the backgrounds they were asked on still do.
    local = noisy(3)
    same = Comparison({name: result(local) for name in "abc"}, "model").summary()
    expected = result(local).to_frame()["se"]
    np.testing.assert_allclose(same["se"], expected)
    np.testing.assert_allclose(same["between_sd"], 0, atol=1e-12)


def test_outputs_of_several_heads_keep_their_rows():
    local = noisy(4)
    results = {name: result(local, heads=True) for name in "ab"}
    summary = Comparison(results, "model").summary()
    frame = results["a"].to_frame()
    assert summary["output"].tolist() == frame["output"].tolist()
    np.testing.assert_allclose(summary["se"], frame["se"])
    np.testing.assert_allclose(summary["effect"], frame["effect"])


def test_one_model_or_one_background_has_no_interval():
    one_model = Comparison({"a": result(noisy(0))}, "model").summary()
    assert one_model[["se", "low", "high", "between_sd"]].isna().all().all()
    assert one_model["effect"].notna().all()
    both = {"a": result(noisy(0)[:1]), "b": result(noisy(1)[:1])}
    one_background = Comparison(both, "model").summary()
    assert one_background[["se", "low", "high"]].isna().all().all()
    assert one_background["between_sd"].notna().all()


def test_results_that_only_have_tables_get_an_upper_bound():
    class Table:
        def __init__(self, frame: pd.DataFrame) -> None:
            self.frame = frame

        def to_frame(self, confidence: float = 0.95) -> pd.DataFrame:
            return self.frame.copy()

    full = {name: result(noisy(seed)) for seed, name in enumerate("abc")}
    tables = {name: Table(r.to_frame()) for name, r in full.items()}
    bound, exact = (
        Comparison(tables, "model").summary(),
        Comparison(full, "model").summary(),
    )
    assert (bound["se"] >= exact["se"]).all()
    errors = np.mean([r.to_frame()["se"] ** 2 for r in full.values()], axis=0)
    expected = np.sqrt(exact["between_sd"] ** 2 / 3 + errors)
    np.testing.assert_allclose(bound["se"], expected)


@pytest.mark.parametrize("n_models", [3, 10])
@pytest.mark.parametrize(
    ("model_sd", "background_sd", "low", "high"),
    [
        (1, 0, 0.94, 0.96),
        (1, 0.2, 0.94, 0.965),
        # Conservative where backgrounds matter more than models; never too narrow.
        (1, 5, 0.95, 1.0),
        (0, 5, 0.96, 1.0),
    ],
)
def test_intervals_cover_the_mean_over_models_and_backgrounds(
    n_models, model_sd, background_sd, low, high
):
    # Each of many conditions is a repetition of its own.
    rng = np.random.default_rng(0)
    repetitions = 4000
    model = model_sd * rng.normal(size=(n_models, 1, repetitions))
    background = background_sd * rng.normal(size=(1, 20, repetitions))
    local = model + background + rng.normal(size=(n_models, 20, repetitions))
    results = {str(i): result(rows[:, :, None]) for i, rows in enumerate(local)}
    frame = Comparison(results, "model").summary()
    assert low < ((frame["low"] < 0) & (frame["high"] > 0)).mean() <= high


def test_models_on_different_backgrounds_are_refused():
    comparison = Comparison({"a": result(noisy(0)), "b": result(noisy(1)[:5])}, "model")
    with pytest.raises(ValueError, match=r"different numbers .*'a': \{7\}, 'b': \{5\}"):
        comparison.summary()
    assert comparison.to_frame()["n"].tolist() == 8 * [7] + 8 * [5]


def test_outputs_named_by_several_indices_are_compared_one_by_one():
    a = torch.randn(7, 4, 2, 2, generator=torch.Generator().manual_seed(0)).double()
    table = Comparison({"a": result(a), "b": result(-a)}).agreement()
    assert table["output"].tolist() == [(0, 0), (0, 1), (1, 0), (1, 1)]
    np.testing.assert_allclose(table["pearson"], -1)
    assert table["n_conditions"].tolist() == [4] * 4


def test_a_column_that_is_taken_is_kept_under_another_name():
    given = result([[[1.0], [2.0]]])
    given.conditions["background"] = ["hairpin", "unstructured"]
    comparison = Comparison({"profile": given})
    frame = comparison.to_frame()
    assert frame["background"].tolist() == ["profile", "profile"]
    assert frame["condition_background"].tolist() == ["hairpin", "unstructured"]
    assert "condition_background" in comparison.spread()
    assert given.conditions.columns.tolist() == ["site", "background"]


def test_backgrounds_are_chosen_and_no_sample():
    comparison = Comparison({"a": result(noisy(0)), "b": result(noisy(1))})
    with pytest.raises(ValueError, match="backgrounds are chosen: use `spread`"):
        comparison.summary()


def test_a_comparison_is_narrowed_to_an_output_with_its_label():
    results = {"a": result(noisy(0)), "b": result(noisy(1))}
    whole, one = Comparison(results, "model"), Comparison(results, "model").output(1)
    for method in ("to_frame", "spread", "agreement", "summary"):
        table = getattr(whole, method)()
        rows = table[table["output"] == 1].reset_index(drop=True)
        pd.testing.assert_frame_equal(getattr(one, method)(), rows)


def in_clusters(local, labels) -> GIAResult:
    return GIAResult(*result(local), clusters=labels)


def test_independent_backgrounds_are_their_own_clusters_beside_others():
    local = torch.randn(8, 2, 1, generator=torch.Generator().manual_seed(4))
    plain, shared = result(local[:6]), in_clusters(local, [0, 0, 0, 0, 1, 1, 1, 1])
    frame = Comparison({"profile": plain, "shuffle": shared}).to_frame()
    assert frame["n"].tolist() == [6, 6, 8, 8]
    assert frame["n_clusters"].tolist() == [6, 6, 2, 2]
    np.testing.assert_allclose(frame["df"], [5, 5, 1, 1])
    expected = [plain.to_frame(), shared.to_frame()]
    columns = ["effect", "se", "low", "high"]
    np.testing.assert_allclose(frame[columns], pd.concat(expected)[columns])
    assert "n_clusters" not in Comparison({"profile": plain}).to_frame()
    spread = Comparison({"profile": plain, "shuffle": shared}).spread()
    assert spread.columns[:2].tolist() == ["site", "output"]


def test_what_models_share_comes_from_the_templates():
    """Equal templates: as a summary of the means of each template."""
    rng = np.random.default_rng(5)
    pull = 3 * rng.normal(size=(4, 1, 1)).repeat(3, axis=0)
    local = torch.from_numpy(rng.normal(size=(3, 12, 2, 1)) + pull)
    labels = np.repeat(range(4), 3)
    models = {str(i): in_clusters(each, labels) for i, each in enumerate(local)}
    means = {
        str(i): result(each.reshape(4, 3, 2, 1).mean(dim=1))
        for i, each in enumerate(local)
    }
    summary = Comparison(models, "model").summary()
    expected = Comparison(means, "model").summary()
    columns = ["effect", "se", "low", "high", "between_sd"]
    np.testing.assert_allclose(summary[columns], expected[columns])
    assert summary["n"].tolist() == [12, 12]
    assert summary["n_clusters"].tolist() == [4, 4]
    naive = Comparison({k: result(local[int(k)]) for k in models}, "model").summary()
    assert (naive["se"] < 0.8 * summary["se"]).all()


def test_few_templates_limit_the_degrees_of_freedom():
    local = torch.randn(5, 9, 1, 1, generator=torch.Generator().manual_seed(7))
    labels = np.repeat(range(3), 3)
    models = {str(i): in_clusters(each, labels) for i, each in enumerate(local)}
    row = Comparison(models, "model").summary().iloc[0]
    # t with 2 degrees of freedom, of 3 templates, not 4, of 5 models.
    t = 0.95 * (2 / (1 - 0.95**2)) ** 0.5
    assert (row["high"] - row["effect"]) / row["se"] == pytest.approx(t)
    alike = {k: GIAResult(*r, clusters=[0] * 9) for k, r in models.items()}
    with pytest.warns(UserWarning, match="all 9 backgrounds are of one cluster"):
        row = Comparison(alike, "model").summary().iloc[0]
    assert np.isnan(row["low"])


def test_models_on_other_clusters_are_no_sample():
    local = torch.randn(6, 1, 1, generator=torch.Generator().manual_seed(8))
    one, other = ([0, 0, 1, 1, 2, 2], [0, 1, 2, 0, 1, 2])
    models = {"a": in_clusters(local, one), "b": in_clusters(local, other)}
    with pytest.raises(ValueError, match="`results` are of backgrounds in other clus"):
        Comparison(models, "model").summary()
    models["b"] = result(local)
    with pytest.raises(ValueError, match="have clusters for 1 of 2 models"):
        Comparison(models, "model").summary()


@pytest.mark.parametrize("templates", [10, 30])
def test_a_summary_covers_where_few_templates_are_shared(templates):
    """Models that hardly differ: all variance is of the templates."""
    rng = np.random.default_rng(templates)
    labels, n = np.repeat(range(templates), 20), 1000
    shared = rng.normal(size=(templates, n))[labels]
    shared += rng.normal(size=(len(labels), n))
    models, naive = {}, {}
    for name in "abc":
        local = torch.from_numpy(shared + 0.02 * rng.normal(size=n))[..., None]
        models[name], naive[name] = in_clusters(local, labels), result(local)
    covered = []
    for results in (models, naive):
        table = Comparison(results, "model").summary()
        covered.append(((table["low"] <= 0) & (table["high"] >= 0)).mean())
    # Two degrees of freedom, of three models, are too few here, not too many.
    assert covered[0] > 0.94
    assert covered[1] < covered[0] - 0.15
