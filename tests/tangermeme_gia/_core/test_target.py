import functools
import inspect

import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.predict import predict
from tangermeme.saturation_mutagenesis import saturation_mutagenesis

from tangermeme_gia import best_kmers, global_importance, kmer_scan, multi_site
from tangermeme_gia._core.target import check_target, select_output

Y = torch.arange(2 * 3 * 4).reshape(2, 3, 4)


class Tracks(torch.nn.Module):
    """Outputs of shape (n, 3, length): letters A, C and G."""

    def forward(self, X):
        return X[:, :3]


class Heads(torch.nn.Module):
    """Two heads by name: numbers of A and C, and of T."""

    def forward(self, X):
        n = X.sum(dim=-1)
        return {"ac": n[:, :2], "t": n[:, 3:]}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (1, Y[:, 1]),
        ((1,), Y[:, 1]),
        ((2, 3), Y[:, 2, 3]),
        (lambda y: y.sum(dim=-1), Y.sum(dim=-1)),
    ],
)
def test_what_a_target_names(target, expected):
    assert torch.equal(select_output(Y, check_target(target)), expected)


@pytest.mark.parametrize("heads", [{"a": Y, "b": 2 * Y}, [Y, 2 * Y], (Y, 2 * Y)])
def test_heads_have_keys_or_numbers(heads):
    key = "b" if isinstance(heads, dict) else 1
    assert torch.equal(select_output(heads, key), 2 * Y)
    assert torch.equal(select_output(heads, (key, 2, 0)), 2 * Y[:, 2, 0])


@pytest.mark.parametrize(
    ("y", "target", "text"),
    [
        (Y, 3, r"`target` has 3 for axis 1, .* shape \(2, 3, 4\), which has 3 outputs"),
        (Y, (0, 0, 0), r"`target` has 0 for axis 3, .* which has no axis 3"),
        (Y, "counts", "names the head 'counts', but .* which has none"),
        ({"a": Y}, "b", r"the head 'b', but the model gives a dict .* \['a'\]"),
        ([Y], 1, r"the head 1, but the model gives a list with the heads \[0\]"),
    ],
)
def test_outputs_that_are_not_there_are_named(y, target, text):
    with pytest.raises(ValueError, match=text):
        select_output(y, target)


@pytest.mark.parametrize("target", [True, 1.5, [1], (1, None)])
def test_what_is_no_target_is_named(target):
    with pytest.raises(TypeError, match=r"`target`=.* must be an integer, the key"):
        check_target(target)


@pytest.mark.parametrize(("target", "text"), [(-1, "negative"), ((), "is empty")])
def test_negative_and_empty_targets_are_refused(target, text):
    with pytest.raises(ValueError, match=text):
        check_target(target)


@pytest.mark.parametrize("target", [0, 2, (1, 9), lambda y: y.sum(dim=-1)])
def test_a_target_is_that_part_of_all_outputs(X, target):
    whole = multi_site(Tracks(), X, "GACC", [0, 9])
    part = multi_site(Tracks(), X, "GACC", [0, 9], target=target)
    expected = select_output(whole.y_before, target)
    torch.testing.assert_close(part.y_before, expected)
    for i in range(2):
        expected = select_output(whole.y_afters[:, i], target)
        torch.testing.assert_close(part.y_afters[:, i], expected)


def test_a_head_is_chosen_of_a_model_that_gives_a_dict(X):
    result = multi_site(Heads(), X, "TTAC", [2], target=("ac", 1))
    torch.testing.assert_close(result.y_before, X[:, 1].sum(dim=-1).float())


@pytest.mark.parametrize(
    ("target", "labels"),
    [
        (2, [(2, i) for i in range(24)]),
        ((2, 5), [(2, 5)]),
        (lambda y: y[:, 0, :2], [0, 1]),
    ],
)
def test_tables_have_the_labels_of_what_was_asked_for(X, target, labels):
    result = multi_site(Tracks(), X, "GACC", [3], target=target)
    assert result.outputs == labels
    assert result.to_frame()["output"].tolist() == labels
    scan = kmer_scan(Tracks(), X, k=1, target=target)
    assert scan.to_frame()["output"].tolist() == 4 * labels


def test_a_head_is_named_in_tables(X):
    result = multi_site(Heads(), X, "GACC", [3], target="ac")
    assert result.outputs == [("ac", 0), ("ac", 1)]
    assert multi_site(Heads(), X, "GACC", [3], target=("ac", 1)).outputs == [("ac", 1)]
    best = best_kmers(Heads(), X, k=1, target="t", top=1)
    assert best.top()[["kmer", "output"]].values.tolist() == [["T", "t"]]


def test_nothing_but_the_target_is_kept(X):
    kept = []

    def spy(model, X, args=None, batch_size=None):
        y = predict(model, X, batch_size=batch_size)
        kept.append(y.shape[1:])
        return y

    global_importance(Tracks(), X, [("GA", 0)], func=spy, target=(2, 5))
    assert kept == 3 * [(1,)]  # an axis is kept for functions that need one


@pytest.mark.parametrize("func", [deep_lift_shap, saturation_mutagenesis])
def test_attributions_explain_the_target(X, func):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 3))
    part = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 1))
    part[1].load_state_dict({k: v[[2]] for k, v in model[1].state_dict().items()})
    keywords = {"random_state": 0} if func is deep_lift_shap else {}
    options = {"func": func, "additional_func_kwargs": keywords}
    found = multi_site(model, X, "GACC", [3], target=2, **options)
    expected = multi_site(part, X, "GACC", [3], **options)
    torch.testing.assert_close(found.y_afters, expected.y_afters)


def test_scans_and_races_rank_by_the_target(X):
    scan = kmer_scan(Tracks(), X, k=2, start=4, target=(2, 4))
    best = best_kmers(Tracks(), X, k=2, start=4, target=(2, 4), top=4, random_state=0)
    assert list(best.kmers) == ["GA", "GC", "GG", "GT"]
    assert scan.effect.shape == (16,)
    with pytest.raises(ValueError, match=r"shape \(3, 24\); choose one with `target`"):
        best_kmers(Tracks(), X, k=2)


def test_the_shared_options_are_in_the_signature():
    parameters = inspect.signature(multi_site).parameters
    assert list(parameters)[:5] == ["model", "X", "motif", "starts", "alphabet"]
    shown = {"target", "func", "batch_size", "device", "n_controls", "random_state"}
    assert shown < set(parameters)
    assert parameters["func"].default is predict
    assert str(parameters["batch_size"]) == "batch_size: 'int | None' = None"
    assert "batch_size" in multi_site.__doc__


def test_predict_with_settings_keeps_predicts_shape(X):
    func = functools.partial(predict, batch_size=4)
    result = multi_site(Tracks(), X, "GACC", [3], func=func, target=(0, 3))
    assert result.y_before.shape == (10,)
