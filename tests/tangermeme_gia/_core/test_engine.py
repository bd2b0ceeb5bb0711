import functools

import numpy as np
import pytest
import torch
from tangermeme.predict import predict

from tangermeme_gia.experiments.importance import global_importance
from tangermeme_gia.experiments.positions import positional_bias
from tangermeme_gia.experiments.spacing import motif_spacing

CONDITIONS = [[("GACC", start)] for start in range(21)]
# A sequence of 24 int8 bases takes 96 bytes, twice; its float32 output 4, and 16 more
# for what is computed of it.
PER_SEQUENCE = 2 * 96 + 4 + 16


@pytest.mark.parametrize("n_sequences", [1, 3, 7, 10, 35, 100])
@pytest.mark.parametrize("batch_size", [1, 4, 64, None])
def test_the_memory_limit_holds(X, additive_model, recorder, n_sequences, batch_size):
    result = global_importance(
        additive_model,
        X,
        CONDITIONS,
        func=lambda model, X, args=None, batch_size=None: recorder(model, X, args),
        max_memory=n_sequences * PER_SEQUENCE,
        batch_size=batch_size,
    )
    assert max(recorder.sizes) <= n_sequences
    # Two backgrounds, or one where no more fit, come first.
    assert sum(recorder.sizes) == min(n_sequences, 2) + 10 + 210
    expected = positional_bias(additive_model, X, "GACC")
    assert torch.equal(result.y_afters, expected.y_afters)


def test_the_memory_of_float_sequences_is_counted(X, additive_model, recorder):
    kwargs = {"func": recorder, "max_memory": 8 * (4 * 2 * 96 + 20)}
    global_importance(additive_model, X.float(), CONDITIONS, **kwargs)
    assert max(recorder.sizes) == 8


def test_the_memory_of_outputs_and_args_counts(X, recorder):
    class Wide(torch.nn.Module):
        def forward(self, X, arg):
            return X.sum(dim=1).repeat(1, 50) + arg.sum()

    limit = 2 * 96 + 20 * 24 * 50 + 4 * 30
    kwargs = {"func": recorder, "args": [torch.zeros(10, 30)], "max_memory": 5 * limit}
    global_importance(Wide(), X, CONDITIONS, **kwargs)
    # The outputs' size is known only after those of the backgrounds.
    assert max(recorder.sizes[-42:]) == 5


def test_the_memory_of_args_alone_counts(X, recorder):
    class Plain(torch.nn.Module):
        def forward(self, X, arg):
            return X.sum(dim=(1, 2))[:, None]

    args = [torch.zeros(10, 5_000)]
    limit = 3 * (PER_SEQUENCE + 4 * 5_000)
    options = {"func": recorder, "args": args, "max_memory": limit}
    global_importance(Plain(), X, CONDITIONS, **options)
    assert max(recorder.sizes) == 3


def test_equal_placements_are_predicted_once(X, additive_model, recorder):
    conditions = [[("GA", 3)], [("C", 9)], [("G", 3), ("A", 4)], [], [("GA", 3)]]
    result = global_importance(additive_model, X, conditions, func=recorder)
    assert recorder.sizes == [2, 10, 30]
    for i, condition in enumerate(conditions):
        alone = global_importance(additive_model, X, [condition])
        torch.testing.assert_close(result.y_afters[:, [i]], alone.y_afters)


@pytest.mark.parametrize("spacings", [range(8), [0, 3, 3]])
def test_motifs_that_stay_put_are_predicted_once(X, additive_model, recorder, spacings):
    result = motif_spacing(additive_model, X, ["GA", "C"], spacings, func=recorder)
    n_distinct = len(set(spacings))
    # Both together and the second alone for each spacing, and the first alone.
    assert recorder.sizes == [2, 10, 10 * (2 * n_distinct + 1)]
    assert result.y_afters.shape[1] == 3 * len(spacings)


def test_conditions_share_batches_across_backgrounds(X, additive_model, recorder):
    global_importance(additive_model, X, CONDITIONS, func=recorder)
    assert recorder.sizes == [2, 10, 210]
    recorder.batches.clear()
    kwargs = {"func": recorder, "max_memory": 60 * PER_SEQUENCE}
    global_importance(additive_model, X, CONDITIONS, **kwargs)
    assert recorder.sizes == [2, 10, 60, 60, 60, 30]


def test_blocks_are_whole_batches(X, additive_model, recorder):
    global_importance(
        additive_model,
        X,
        [("GA", 0)],
        func=lambda model, X, args=None, batch_size=None: recorder(model, X),
        max_memory=7 * PER_SEQUENCE,
        batch_size=3,
    )
    assert recorder.sizes[-2:] == [6, 4]


def test_the_background_is_run_once(X, additive_model, recorder):
    global_importance(additive_model, X, CONDITIONS, func=recorder)
    seen = [x for batch in recorder.batches for x in batch if (x == X[3]).all()]
    assert len(seen) == 1


def test_a_limit_below_one_sequence_says_so(X, additive_model):
    with pytest.raises(ValueError, match="`max_memory`=50 bytes is less than one"):
        global_importance(additive_model, X, CONDITIONS, max_memory=50)


def test_numbers_of_numpy_will_do(X, additive_model):
    options = {"max_memory": np.int64(2000), "batch_size": np.int64(4)}
    result = global_importance(additive_model, X, CONDITIONS, **options)
    expected = global_importance(additive_model, X, CONDITIONS)
    assert torch.equal(result.y_afters, expected.y_afters)


@pytest.mark.parametrize("max_memory", [0, -1, 1.5, "1G"])
def test_a_wrong_limit_is_named(X, additive_model, max_memory):
    with pytest.raises(ValueError, match=r"`max_memory`=.* must be a positive number"):
        global_importance(additive_model, X, CONDITIONS, max_memory=max_memory)


@pytest.mark.filterwarnings("ignore:`insert`=True moves")
@pytest.mark.parametrize("insert", [False, True])
def test_lengths_may_differ_between_conditions(X, insert):
    class Length(torch.nn.Module):
        def forward(self, X):
            return torch.full((len(X), 1), float(X.shape[-1]))

    conditions = [[], [("GA", 0)], [("GAT", 0)], [("CC", 9)], [("GA", 0), ("C", 9)]]
    y = global_importance(Length(), X, conditions, insert=insert).y_afters
    assert (y[3, :, 0] - 24).tolist() == ([0, 2, 3, 2, 3] if insert else 5 * [0])


def test_args_follow_their_background(X, additive_model):
    class WithArgs(torch.nn.Module):
        def forward(self, X, a, b):
            return 1000 * a + b + 0 * X.sum(dim=(1, 2))[:, None]

    a, b = torch.arange(10)[:, None], torch.rand(10, 1)
    for max_memory in (None, 300, 2000):
        y = global_importance(
            WithArgs(), X, CONDITIONS, args=[a, b], max_memory=max_memory
        ).y_afters
        assert torch.equal(y, (1000 * a + b)[:, None].expand(10, 21, 1))


def test_wrong_args_are_named(X, additive_model):
    args = [torch.zeros(10, 1), torch.zeros(9, 1)]
    with pytest.raises(ValueError, match=r"`args\[1\]` has 9 rows, but `X` has 10"):
        global_importance(additive_model, X, CONDITIONS, args=args)


def test_what_func_may_return_is_named(X, additive_model):
    with pytest.raises(
        TypeError, match=r"`func` returned a dict \{\}; needed is a tensor"
    ):
        global_importance(additive_model, X, CONDITIONS, func=lambda *_, **__: {})


@pytest.mark.filterwarnings("ignore:`insert`=True moves")
def test_outputs_that_cannot_be_compared_are_an_error(X):
    class PerBase(torch.nn.Module):
        def forward(self, X):
            return X.sum(dim=1)

    with pytest.raises(ValueError, match="belong to places"):
        global_importance(PerBase(), X, [("GA", 0)], insert=True)

    class Short(PerBase):
        def forward(self, X):
            assert X.shape[-1] < 40
            return super().forward(X)

    message = r"outputs of shape \(24,\) before and \(26,\) after; they must agree"
    with pytest.raises(ValueError, match=message):
        global_importance(Short(), X, [("GA", 0)], insert=True)
    global_importance(PerBase(), X, [("GA", 0)])


def test_a_failing_condition_is_noted(X, additive_model):
    def fails_late(model, X, args=None):
        if len(X) not in (2, 10):
            raise RuntimeError("no")
        return torch.zeros(len(X), 1)

    with pytest.raises(RuntimeError, match="no") as info:
        global_importance(additive_model, X, CONDITIONS, func=fails_late)
    if hasattr(info.value, "add_note"):
        assert info.value.__notes__ == ["while running conditions 0 to 20"]


def test_the_batch_size_depends_on_the_length(additive_model, recorder):
    sizes = {}

    def record(model, X, args=None, batch_size=32):
        sizes[X.shape[-1]] = batch_size
        return torch.zeros(len(X), 1)

    for length in (24, 4096, 200_000):
        X = torch.zeros(1, 4, length, dtype=torch.int8)
        global_importance(additive_model, X, [("GA", 0)], func=record)
    assert sizes == {24: 341, 4096: 2, 200_000: 1}


def test_a_batch_size_that_func_holds_already_is_kept(X, additive_model):
    sizes = []

    def record(model, X, args=None, batch_size=32):
        sizes.append(batch_size)
        return torch.zeros(len(X), 1)

    bound = functools.partial(record, batch_size=3)
    global_importance(additive_model, X, [("GA", 0)], func=bound)
    global_importance(additive_model, X, [("GA", 0)], func=bound, batch_size=5)
    assert sizes == [3, 3, 3, 5, 5, 5]


def test_progress_is_shown_on_request(X, additive_model, capfd):
    global_importance(additive_model, X, CONDITIONS)
    assert capfd.readouterr().err == ""
    global_importance(additive_model, X, CONDITIONS, verbose=True)
    assert "210/210" in capfd.readouterr().err


def test_the_outputs_are_those_of_predict(X, additive_model):
    result = global_importance(additive_model, X, CONDITIONS)
    assert torch.equal(result.y_before, predict(additive_model, X))


def test_low_precision_is_that_of_predict(X):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 1))
    full, half = (
        global_importance(model, X, CONDITIONS, dtype=dtype, device="cpu")
        for dtype in ("float32", "bfloat16")
    )
    assert half.y_before.dtype == torch.bfloat16
    assert torch.equal(half.y_before, predict(model, X, dtype="bfloat16"))
    assert not torch.equal(half.y_afters.float(), full.y_afters)
    torch.testing.assert_close(half.y_afters.float(), full.y_afters, atol=0.02, rtol=0)
