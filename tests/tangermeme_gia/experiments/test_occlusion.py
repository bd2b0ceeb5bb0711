import re

import numpy as np
import pytest
import torch
from tangermeme.ablate import ablate, ablate_annotations
from tangermeme.ersatz import dinucleotide_shuffle, shuffle
from tangermeme.utils import PackedSequence, one_hot_encode, random_one_hot
from torch.testing import assert_close

from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.outputs import as_heads
from tangermeme_gia.backgrounds import replacements
from tangermeme_gia.experiments.importance import global_importance
from tangermeme_gia.experiments.occlusion import (
    occlusion,
    occlusion_annotations,
)

LENGTH = 60
WINDOWS = [(0, 24), (10, 50), (36, 60)]
ANNOTATIONS = [[2, 0, 24], [0, 10, 50], [2, 36, 60]]
SHUFFLES = {"shuffle": shuffle, "dinucleotide": dinucleotide_shuffle}


class Additive(torch.nn.Module):
    """Two outputs, each the sum of a weight per letter and position, and of `args`."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        weight = torch.randn(2, 4, LENGTH, generator=generator, dtype=torch.float64)
        self.weight = torch.nn.Parameter(weight)

    def forward(self, X: torch.Tensor, extra: torch.Tensor | None = None):
        y = torch.einsum("nal,oal->no", X, self.weight)
        return y if extra is None else y + extra


class Heads(Additive):
    def forward(self, X: torch.Tensor, extra: torch.Tensor | None = None):
        y = super().forward(X)
        return y, y.prod(dim=1)


@pytest.fixture
def X() -> torch.Tensor:
    return random_one_hot((4, 4, LENGTH), random_state=0)


@pytest.fixture
def background() -> torch.Tensor:
    return random_one_hot((9, 4, LENGTH), random_state=1)


def seeds(n: int, random_state: int = 3) -> list[int]:
    return np.random.SeedSequence(random_state).generate_state(n).tolist()


@pytest.mark.parametrize("model", [Additive(), Heads()], ids=["tensor", "list"])
@pytest.mark.parametrize("name", SHUFFLES)
def test_shuffled_windows_equal_ablate_of_each_sequence_alone(X, name, model):
    result = occlusion(model, X, WINDOWS, background=name, n=6, random_state=3)
    for i, (start, end) in enumerate(WINDOWS):
        for row, seed in enumerate(seeds(len(X))):
            options = {"shuffle_fn": SHUFFLES[name], "random_state": seed}
            both = ablate(model, X[[row]], start, end, n=6, **options)
            for mine, before, after in zip(
                result.heads, *map(as_heads, both), strict=True
            ):
                assert_close(mine.y_before[[row]], before)
                assert_close(mine.y_afters[[row], 6 * i : 6 * i + 6], after)


@pytest.mark.parametrize("name", SHUFFLES)
def test_shuffled_annotations_equal_ablate_annotations_of_each_alone(X, name):
    model, extra = Additive(), torch.arange(4.0)[:, None]
    result = occlusion_annotations(
        model, X, ANNOTATIONS, background=name, n=6, random_state=3, args=(extra,)
    )
    parts = [
        ablate_annotations(
            model,
            X,
            [annotation],
            shuffle_fn=SHUFFLES[name],
            n=6,
            random_state=seed,
            args=(extra[[annotation[0]]],),
        )
        for annotation, seed in zip(ANNOTATIONS, seeds(3), strict=True)
    ]
    expected = torch.cat([part.y_afters[:, 0] for part in parts])
    torch.testing.assert_close(result.y_afters, expected)
    before = torch.cat([part.y_befores[:, 0] for part in parts])
    torch.testing.assert_close(result.y_before, before)


@pytest.mark.parametrize("background_name", [*SHUFFLES, "given"])
@pytest.mark.parametrize("experiment", [occlusion, occlusion_annotations])
def test_equal_rows_have_draws_of_their_own(X, background, background_name, experiment):
    given = background if background_name == "given" else background_name
    same = X[:1].expand(30, -1, -1)
    regions = [(0, 40)] if experiment is occlusion else [[0, 0, 40]] * 30
    result = experiment(Sequences(), same, regions, background=given, n=2)
    assert len(torch.unique(result.y_afters[:, 0], dim=0)) > 5
    # Neither is a draw of one row the other draw of its neighbour.
    equal = (result.y_afters[1:, 0] == result.y_afters[:-1, 1]).flatten(1).all(dim=1)
    assert equal.float().mean() < 0.4


@pytest.mark.parametrize("kept", [0, 1 << 25])
def test_orders_are_the_same_whether_they_are_kept_or_not(X, monkeypatch, kept):
    monkeypatch.setattr(replacements, "_KEPT", kept)
    windows = [(0, 24), (10, 34), (36, 60)]
    result = occlusion(Additive(), X, windows, n=6, random_state=3)
    after = ablate(Additive(), X[[2]], 10, 34, n=6, random_state=seeds(4)[2])[1]
    assert_close(result.y_afters[[2], 6:12], after)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "repetitions"), [(50, 1000), (200, 600), (1000, 250)])
def test_intervals_of_the_default_cover_the_mean_over_sequences(n, repetitions):
    # Sequences of a profile: what a shuffle of the window leaves of it on average is
    # the mean of its columns.
    model, rng = Additive(), np.random.default_rng(n)
    weight = model.weight.detach().numpy()[0]
    profile = rng.dirichlet(np.ones(4), size=LENGTH).T
    start, end = 10, 22
    mean = profile[:, start:end].mean(axis=1, keepdims=True) - profile[:, start:end]
    truth = (mean * weight[:, start:end]).sum()
    held = []
    for seed in range(repetitions):
        letters = (rng.random((n, 1, LENGTH)) > profile.cumsum(axis=0)).sum(axis=1)
        X = torch.eye(4, dtype=torch.int8)[letters.clip(max=3)].transpose(1, 2)
        result = occlusion(model, X, (start, end), n=3, random_state=seed)
        row = result.output(0).average("draw").to_frame().iloc[0]
        held.append(row["low"] <= truth <= row["high"])
    error = 3 * np.sqrt(0.95 * 0.05 / repetitions)
    assert 0.95 - error < np.mean(held) < 0.95 + error


def test_an_additive_model_loses_what_the_background_does_not_give_back(X, background):
    # All sequences of the background are drawn, so that the average is exact.
    model = Additive()
    result = occlusion(model, X, WINDOWS, background=background, n=9)
    effects = result.average("draw").local_importance
    for i, (start, end) in enumerate(WINDOWS):
        weight = model.weight[..., start:end].detach()
        mean = background[..., start:end].double().mean(dim=0)
        lost = X[..., start:end].double()
        expected = torch.einsum("nal,oal->no", mean - lost, weight)
        torch.testing.assert_close(effects[:, i], expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("background_name", [*SHUFFLES, "given"])
def test_annotations_of_all_sequences_draw_what_a_window_draws(
    X, background, background_name
):
    given = background if background_name == "given" else background_name
    options = {"background": given, "n": 4, "random_state": 5}
    window = occlusion(Additive(), X, WINDOWS[1], **options)
    annotations = [[row, *WINDOWS[1]] for row in range(len(X))]
    annotated = occlusion_annotations(Additive(), X, annotations, **options)
    torch.testing.assert_close(annotated.y_afters, window.y_afters)
    torch.testing.assert_close(annotated.y_before, window.y_before)


def test_the_table_says_what_was_replaced_in_which_draw(X, background):
    result = occlusion(Additive(), X, WINDOWS[:2], background=background, n=2)
    table = result.conditions
    assert table["start"].tolist() == [0, 0, 10, 10]
    assert table["end"].tolist() == [24, 24, 50, 50]
    assert table["draw"].tolist() == [0, 1, 0, 1]
    assert set(table["background"]) == {"given"}
    mean = result.average("draw")
    assert mean.conditions.columns.tolist() == ["start", "end", "background"]
    torch.testing.assert_close(mean.y_afters[:, 1], result.y_afters[:, 2:].mean(dim=1))
    assert len(mean.to_frame()) == 4
    one = occlusion(Additive(), X, (0, 12), n=2)
    assert one.conditions["start"].tolist() == [0, 0]
    tensor = occlusion(Additive(), X, torch.tensor(WINDOWS[:2]), n=2)
    assert tensor.conditions["end"].tolist() == [24, 24, 50, 50]


class Sequences(torch.nn.Module):
    """The sequences themselves, so that a test can read them."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X


def test_padding_stays_padding_and_nothing_outside_the_window_changes(X, background):
    X[1, :, 5:9] = 0
    result = occlusion(Sequences(), X, (3, 12), background=background, n=5)
    for draw in range(5):
        Y = result.y_afters[:, draw]
        assert torch.equal(Y.sum(dim=1), X.sum(dim=1).float())
        assert torch.equal(Y[..., :3], X[..., :3].float())
        assert torch.equal(Y[..., 12:], X[..., 12:].float())
        for y in Y[[0, 2, 3], :, 3:12]:
            assert any(torch.equal(y, b) for b in background[..., 3:12].float())


@pytest.mark.parametrize("name", SHUFFLES)
@pytest.mark.parametrize("packed", [False, True])
def test_a_shuffle_leaves_padding_and_N_where_they_are(X, name, packed):
    X[1, :, :7] = 0
    X[1, :, 20] = 0
    X[2, :, 50:] = 0
    given = PackedSequence.from_one_hot(X) if packed else X
    options = {"background": name, "n": 5, "random_state": 0}
    result = occlusion(Sequences(), given, WINDOWS, **options)
    regions = [[1, 10, 50], [2, 36, 60]]
    annotated = occlusion_annotations(Sequences(), given, regions, **options)
    for i, (start, end) in enumerate(WINDOWS):
        drawn = result.y_afters[:, 5 * i : 5 * i + 5].to(torch.int8)
        for Y in drawn.transpose(0, 1):
            assert torch.equal(Y.sum(dim=1), X.sum(dim=1))
            assert torch.equal(Y.sum(dim=2), X.sum(dim=2))
        for y, x in zip(drawn, X, strict=True):
            assert not torch.equal(y, x.expand_as(y))
            assert len(torch.unique(y, dim=0)) > 1
            for run in range(start, end - 1):
                # Where a run of letters ends its last letter stays.
                if name == "dinucleotide" and x[:, run].any() > x[:, run + 1].any():
                    assert torch.equal(y[..., run], x[:, run].expand(5, 4))
    for y, (row, start, end) in zip(annotated.y_afters, regions, strict=True):
        assert torch.equal(y.sum(dim=1), X[row].sum(dim=0).expand(5, -1).float())
        assert torch.equal(y.sum(dim=2), X[row].sum(dim=1).expand(5, -1).float())
        assert not torch.equal(y[..., start:end], X[[row] * 5, :, start:end].float())
    # The other sequences are shuffled as they are without padding beside them.
    alone = occlusion(Sequences(), X[:1], WINDOWS, **options)
    assert torch.equal(result.y_afters[:1], alone.y_afters)


@pytest.mark.parametrize("name", SHUFFLES)
def test_regions_with_padding_follow_the_seed(X, name):
    X[:, :, :7] = 0
    X[1] = X[0]
    options = {"background": name, "n": 3}
    first, second, again = (
        occlusion(Sequences(), X, (0, 40), random_state=seed, **options).y_afters
        for seed in (0, 1, 0)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_dinucleotides_of_a_region_with_padding_are_kept(X):
    X[:, :, 30] = 0
    result = occlusion(Sequences(), X, (0, 60), background="dinucleotide", n=4)

    def counts(Y):
        return torch.einsum("nal,nbl->nab", Y[..., :-1], Y[..., 1:])

    for draw in range(4):
        after = result.y_afters[:, draw]
        assert torch.equal(counts(after), counts(X.float()))


@pytest.mark.parametrize("region", ["NNNNNN", "NACGNN", "AAAAAA", "ACACAC"])
def test_a_region_with_one_dinucleotide_shuffle_is_an_error(region):
    X = one_hot_encode(region + "GATTACA")[None]
    options = {"background": "dinucleotide", "n": 3}
    with pytest.raises(ValueError, match=r"(?i)all dinucleotide shuffles"):
        occlusion(Sequences(), X, (0, 6), **options)
    assert len(occlusion(Sequences(), X, (0, 6), n=3).conditions) == 3


def test_few_shuffles_are_made_at_once(monkeypatch):
    made = []

    def spy(region, n, **kwargs):
        made.append(len(region) * n)
        return dinucleotide_shuffle(region, n=n, **kwargs)

    monkeypatch.setattr(replacements, "dinucleotide_shuffle", spy)
    X = random_one_hot((40, 4, LENGTH), random_state=0)
    options = {"background": "dinucleotide", "n": 6, "random_state": 0}
    expected = occlusion(Additive(), X, (0, LENGTH), **options)
    assert max(made) == 40 * 6 / 4
    # A limit of 24 sequences, with outputs: one region's draws, but no more.
    made.clear()
    result = occlusion(
        Additive(), X, (0, LENGTH), max_memory=24 * (4 * LENGTH + 32), **options
    )
    assert max(made) == 6
    assert_close(result.y_afters, expected.y_afters)


def test_the_draws_of_a_sequence_are_different_sequences(X, background):
    result = occlusion(Sequences(), X, (0, LENGTH), background=background, n=9)
    for drawn in result.y_afters:
        assert len(torch.unique(drawn, dim=0)) == 9
    assert not torch.equal(result.y_afters[0], result.y_afters[1])


@pytest.mark.parametrize("background_name", [*SHUFFLES, "given"])
def test_no_batch_size_or_memory_limit_changes_the_draws(
    X, background, background_name
):
    given = background if background_name == "given" else background_name
    options = {"background": given, "n": 5, "random_state": 2}
    for experiment, regions in [
        (occlusion, WINDOWS),
        (occlusion_annotations, ANNOTATIONS),
    ]:
        expected = experiment(Sequences(), X, regions, **options)
        for parts in [{"batch_size": 2}, {"max_memory": 6000}, {"max_memory": 18000}]:
            result = experiment(Sequences(), X, regions, **options, **parts)
            assert torch.equal(result.y_afters, expected.y_afters)
        other = experiment(Sequences(), X, regions, **{**options, "random_state": 4})
        assert not torch.equal(other.y_afters, expected.y_afters)


def test_packed_sequences_and_rna_give_the_same(X, background):
    packed, given = map(PackedSequence.from_one_hot, (X, background))
    for experiment, regions in [
        (occlusion, WINDOWS),
        (occlusion_annotations, ANNOTATIONS),
    ]:
        for mine, theirs in [("shuffle", "shuffle"), (given, background)]:
            result = experiment(
                Additive(),
                packed,
                regions,
                background=mine,
                random_state=1,
                n=3,
                alphabet=RNA,
            )
            expected = experiment(
                Additive(), X, regions, background=theirs, random_state=1, n=3
            )
            assert_close(result.y_afters, expected.y_afters)


def test_nothing_given_is_changed(X, background):
    model, copies = Additive().train(), (X.clone(), background.clone())
    args = [torch.zeros(4, 1)]
    occlusion(model, X, WINDOWS, background=background, n=2, args=args)
    occlusion_annotations(
        model,
        X,
        ANNOTATIONS,
        background=background,
        n=2,
        additional_func_kwargs={"args": args},
    )
    assert model.training
    assert torch.equal(X, copies[0])
    assert torch.equal(background, copies[1])
    assert args[0].shape == (4, 1)


@pytest.mark.parametrize(
    ("windows", "options", "error", "text"),
    [
        ([], {}, ValueError, "`windows` is empty"),
        ([(3, 3)], {}, ValueError, "`windows` holds the region 3 to 3"),
        ([(-1, 3)], {}, ValueError, "`windows` holds the region -1 to 3"),
        ([(0, 61)], {}, ValueError, "end by 60, the length of `X`"),
        ([(0.0, 3.0)], {}, ValueError, "dtype float64; it must be integers"),
        ([(0, 1, 3)], {}, ValueError, "`windows` has shape (1, 3)"),
        (WINDOWS, {"n": 0}, ValueError, "`n`=0 must be at least 1"),
        (WINDOWS, {"background": "profile"}, ValueError, "`background`='profile'"),
        (WINDOWS, {"background": 3}, TypeError, "`background` is of type int"),
    ],
)
def test_what_does_not_fit_is_an_error(X, windows, options, error, text):
    with pytest.raises(error, match=re.escape(text)):
        occlusion(Additive(), X, windows, **options)


def test_a_background_that_does_not_fit_is_an_error(X, background):
    with pytest.raises(ValueError, match="9 sequences, fewer than the `n`=20"):
        occlusion(Additive(), X, WINDOWS, background=background)
    with pytest.raises(ValueError, match="`background` has length 59, `X` 60"):
        occlusion(Additive(), X, WINDOWS, background=background[..., 1:], n=2)
    with pytest.raises(ValueError, match=r"`X` has shape \(0, .* at least one"):
        occlusion(Additive(), X[:0], WINDOWS)


def test_an_annotation_of_no_sequence_and_too_few_args_are_errors(X):
    with pytest.raises(ValueError, match="names sequence 4; `X` has sequences 0 to 3"):
        occlusion_annotations(Additive(), X, [[4, 0, 5]])
    with pytest.raises(ValueError, match=re.escape("`args[0]` has 3 rows")):
        occlusion_annotations(Additive(), X, ANNOTATIONS, args=[torch.zeros(3, 1)])


@pytest.mark.parametrize("kept", [[0, 1, 2, 3], [0, 4, 2]])
def test_regions_with_other_draws_are_not_averaged(X, kept):
    result = occlusion(Additive(), X, WINDOWS[:2], n=3).select(kept)
    with pytest.raises(ValueError, match="`column`='draw' does not hold the same val"):
        result.average("draw")


def test_draws_of_different_regions_are_never_averaged(X):
    result = occlusion(Additive(), X, [*WINDOWS[:2], WINDOWS[0]], n=3)
    expected = result.y_afters.reshape(len(X), 3, 3, -1).mean(dim=2)
    # A window that is there twice has its own draws each time.
    torch.testing.assert_close(result.average("draw").y_afters, expected)
    mixed = result.select([5, 0, 3, 2, 4, 1]).average("draw")
    assert mixed.conditions["start"].tolist() == [10, 0]
    torch.testing.assert_close(mixed.y_afters, expected[:, [1, 0]])


def test_only_columns_of_the_conditions_are_averaged(X):
    result = global_importance(Additive(), X, [("GC", 2)])
    with pytest.raises(ValueError, match="`column`='draw' is no column of the condit"):
        result.average("draw")
