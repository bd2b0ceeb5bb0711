import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save as save_tensors
from torch import nn

from residualbind.network.model import ResidualBind, ResidualBindConfig
from residualbind.network.schedule import Schedule
from residualbind.network.trainer import TrainingError
from residualbind.network.training import train

SMALL = ResidualBindConfig(
    length=20, filters=8, kernel_size=3, dilations=(1, 2), pool_size=5, hidden=8
)


def examples(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Sequences scored by their number of A, with noise."""
    generator = torch.Generator().manual_seed(seed)
    letters = torch.randint(4, (n, 20), generator=generator)
    X = nn.functional.one_hot(letters, 4).transpose(1, 2).to(torch.int8)
    noise = torch.randn(n, 1, generator=generator)
    return X, X[:, 0].float().sum(dim=1, keepdim=True) + noise


def small_model(seed: int = 0) -> ResidualBind:
    torch.manual_seed(seed)
    return ResidualBind(SMALL)


def frozen(model: ResidualBind) -> ResidualBind:
    model.conv.weight.requires_grad_(False)
    return model


def run(model=None, n=200, **options):
    model = model or small_model()
    options = {"epochs": 4, "lr": 0.01, "batch_size": 32} | options
    return model, train(model, examples(n), examples(60, seed=1), **options)


def assert_same_state(a: nn.Module, b: nn.Module) -> None:
    for name, tensor in a.state_dict().items():
        assert torch.equal(tensor, b.state_dict()[name]), name


def assert_same_history(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        a.drop(columns="seconds"), b.drop(columns="seconds"), check_exact=True
    )


def test_the_paper_recipe_learns():
    _, result = run(n=600, epochs=15)
    assert result.best_pearson > 0.75
    assert result.history["train_loss"].iloc[-1] < result.history["train_loss"].iloc[0]
    assert result.history.columns.tolist() == [
        "epoch",
        "train_loss",
        "valid_loss",
        "valid_pearson",
        "lr",
        "seconds",
    ]


def test_equal_seeds_repeat_bit_for_bit_and_others_do_not():
    (a, first), (b, second), (c, _) = run(), run(), run(random_state=1)
    assert_same_state(a, b)
    assert_same_history(first.history, second.history)
    assert not torch.equal(a.conv.weight, c.conv.weight)


def test_global_random_state_and_data_are_left_alone():
    train_data, valid_data = examples(100), examples(50, seed=1)
    copies = [t.clone() for t in (*train_data, *valid_data)]
    torch.manual_seed(7)
    expected = torch.rand(3)
    model = small_model()
    torch.manual_seed(7)
    train(model, train_data, valid_data, epochs=2)
    assert torch.equal(torch.rand(3), expected)
    for copy, tensor in zip(copies, (*train_data, *valid_data), strict=True):
        assert torch.equal(copy, tensor)


def test_the_model_ends_in_eval_mode_with_its_best_state():
    model, result = run(epochs=8, lr=0.05)
    assert not model.training
    row = result.history.loc[result.history["epoch"] == result.best_epoch]
    assert row["valid_pearson"].item() == result.best_pearson
    assert result.best_pearson == result.history["valid_pearson"].max()
    X, y = examples(60, seed=1)
    with torch.no_grad():
        r = np.corrcoef(model(X.float())[:, 0], y[:, 0])[0, 1]
    assert r == pytest.approx(result.best_pearson, abs=1e-5)


def test_training_stops_after_patience_epochs_without_improvement():
    # So small a step changes nothing that a correlation could see in 3 epochs.
    _, result = run(epochs=30, lr=1e-12, schedule=Schedule(patience=3, lr_patience=2))
    assert len(result.history) == result.best_epoch + 3
    assert result.history["lr"].iloc[-1] == pytest.approx(0.3e-12)


class Recorder(nn.Module):
    """A linear model that remembers which examples each mini-batch held."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(80, 1)
        self.batches: list[torch.Tensor] = []

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.batches.append(X.detach().clone())
        return self.linear(X.flatten(start_dim=1))


def test_every_example_is_seen_once_per_epoch():
    X, y = examples(103)
    X = X.float() + torch.arange(103).view(-1, 1, 1)  # every example is unlike others
    model = Recorder()
    train(model, (X, y), examples(50, seed=1), epochs=2, batch_size=20, lr=1e-5)
    assert [len(batch) for batch in model.batches] == [18, 17, 17, 17, 17, 17] * 2
    seen = torch.cat(model.batches).flatten(start_dim=1)
    for epoch in (seen[:103], seen[103:]):
        order = epoch[:, 0].add(1e-3).floor().argsort()
        assert len(torch.unique(epoch, dim=0)) == 103
        assert not torch.equal(order, torch.arange(103))
    assert not torch.equal(seen[:103], seen[103:])


def test_nan_scores_of_one_output_do_not_reach_the_loss():
    X, y = examples(200)
    both = torch.cat([y, -y], dim=1)
    both[::2, 1] = torch.nan
    model = small_model()
    model.output = nn.Linear(8, 2)
    result = train(model, (X, both), examples_of_two(60), epochs=10, lr=0.01)
    assert np.isfinite(result.history["train_loss"]).all()
    assert result.best_pearson > 0.5


def examples_of_two(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    X, y = examples(n, seed=1)
    return X, torch.cat([y, -y], dim=1)


def test_classification_trains_with_cross_entropy():
    X, y = examples(300)
    config = ResidualBindConfig(
        length=20, filters=8, kernel_size=3, pool_size=5, hidden=8, sigmoid=True
    )
    torch.manual_seed(0)
    model = ResidualBind(config)
    labels = (y > 5).float()
    result = train(
        model,
        (X[:200], labels[:200]),
        (X[200:], labels[200:]),
        epochs=10,
        lr=0.01,
        loss=nn.functional.binary_cross_entropy,
    )
    assert result.best_pearson > 0.4


def test_objects_with_X_and_y_train_as_pairs_do():
    class Data:
        def __init__(self, X, y):
            self.X, self.y = X, y

    model, other = small_model(), small_model()
    train(model, examples(100), examples(50, seed=1), epochs=1)
    train(other, Data(*examples(100)), Data(*examples(50, seed=1)), epochs=1)
    assert_same_state(model, other)


def test_a_run_continues_from_its_checkpoint_as_if_never_stopped(tmp_path):
    straight, expected = run(epochs=6)
    run(epochs=3, checkpoint_folder=tmp_path)
    resumed, result = run(epochs=6, checkpoint_folder=tmp_path)
    assert_same_state(straight, resumed)
    assert_same_history(expected.history, result.history)
    table = pd.read_csv(tmp_path / "history.tsv", sep="\t")
    pd.testing.assert_frame_equal(table, result.history)


def test_descent_with_momentum_learns_and_resumes(tmp_path):
    options = {"schedule": Schedule(momentum=0.9), "lr": 0.003}
    straight, expected = run(epochs=6, **options)
    assert expected.best_pearson > 0.5
    run(epochs=3, checkpoint_folder=tmp_path, **options)
    resumed, result = run(epochs=6, checkpoint_folder=tmp_path, **options)
    assert_same_state(straight, resumed)
    assert_same_history(expected.history, result.history)
    with pytest.raises(ValueError, match=r"`momentum` was 0.9, now absent"):
        run(epochs=6, checkpoint_folder=tmp_path, lr=0.003)


def test_descent_with_momentum_takes_nesterovs_steps():
    torch.manual_seed(0)
    model, reference = nn.Linear(4, 1), nn.Linear(4, 1)
    reference.load_state_dict(model.state_dict())
    X, y = torch.randn(50, 4), torch.randn(50, 1)
    options = {"batch_size": 50, "lr": 0.1, "epochs": 3}
    result = train(model, (X, y), (X, y), schedule=Schedule(momentum=0.9), **options)
    velocity = [torch.zeros_like(p) for p in reference.parameters()]
    for _ in range(result.best_epoch):
        loss = nn.functional.mse_loss(reference(X), y)
        gradients = torch.autograd.grad(loss, list(reference.parameters()))
        with torch.no_grad():
            for p, v, g in zip(
                reference.parameters(), velocity, gradients, strict=True
            ):
                v.mul_(0.9).add_(g)
                p -= 0.1 * (g + 0.9 * v)
    torch.testing.assert_close(model.weight, reference.weight)


def test_a_run_may_go_on_with_more_patience(tmp_path):
    run(epochs=1, checkpoint_folder=tmp_path)
    _, result = run(checkpoint_folder=tmp_path, schedule=Schedule(patience=99))
    assert len(result.history) == 4


def test_a_finished_run_is_read_back_without_training(tmp_path):
    model, result = run(checkpoint_folder=tmp_path)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    again, repeated = run(checkpoint_folder=tmp_path)
    assert_same_state(model, again)
    pd.testing.assert_frame_equal(result.history, repeated.history)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


KILLED_RUN = """
import sys, time, torch
sys.path.insert(0, {tests!r})
import test_training as t

class Slow(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = t.small_model()
    def forward(self, X):
        if self.training:
            time.sleep(0.05)
        return self.inner(X)

model = Slow()
_, result = t.run(model, epochs=5, checkpoint_folder=sys.argv[1])
torch.save(model.state_dict(), sys.argv[2])
"""


def test_a_run_killed_mid_epoch_ends_as_the_straight_run(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(KILLED_RUN.format(tests=str(Path(__file__).parent)))
    folder = tmp_path / "killed"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def start(name: str) -> subprocess.Popen:
        command = [sys.executable, script, tmp_path / name, tmp_path / f"{name}.pt"]
        return subprocess.Popen(command, env=environment)

    killed, straight = start("killed"), start("straight")
    deadline = time.monotonic() + 120
    while epochs_done(folder) < 2:
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.1)  # an epoch takes 0.35 s: this is the middle of the third
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert 2 <= epochs_done(folder) < 5
    assert not (tmp_path / "killed.pt").exists()
    assert start("killed").wait() == 0
    assert straight.wait() == 0
    states = [torch.load(tmp_path / f"{name}.pt") for name in ("killed", "straight")]
    assert states[0].keys() == states[1].keys()
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name
    histories = [
        pd.read_csv(tmp_path / name / "history.tsv", sep="\t")
        for name in ("killed", "straight")
    ]
    assert_same_history(*histories)


def epochs_done(folder: Path) -> int:
    table = folder / "history.tsv"
    return len(table.read_text().splitlines()) - 1 if table.exists() else 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 0.1}, r"run; `lr` was 0.01, now 0.1: choose another `checkpoint_f"),
        ({"schedule": Schedule(lr_decay=0.5)}, "`lr_decay` was 0.3, now 0.5:"),
        ({"random_state": 5}, r"`random_state` was 0, now 5:"),
        ({"batch_size": 33}, r"`batch_size` was 32, now 33:"),
        ({"dtype": torch.bfloat16}, r"`dtype` was None, now torch.bfloat16:"),
        ({"n": 150}, "`train.X` changed, `train.y` changed:"),
        ({"model": small_model(seed=1)}, "`weights to start from` changed:"),
        (
            {"model": frozen(small_model())},
            r"`model.conv.weight` was torch.float32 \(8, 4, 3\), trained, now torch.fl",
        ),
        (
            {"model": ResidualBind(replace(SMALL, dropout_dense=0.3))},
            "`model.config.dropout_dense` was 0.5, now 0.3",
        ),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, change, message):
    run(epochs=1, checkpoint_folder=tmp_path)
    with pytest.raises(ValueError, match=message):
        run(checkpoint_folder=tmp_path, **change)


class Linear(nn.Module):
    """A small model with settings that leave no trace in its tensors."""

    def __init__(self, dropout: float = 0.0, act=torch.relu, factor=1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(80, 1)
        self.act = act
        self.settings = {"factor": factor}

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        y = self.linear(self.dropout(X.flatten(start_dim=1)))
        return self.act(y) * self.settings["factor"] + y


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            {"loss": nn.HuberLoss(delta=10.0)},
            {"loss": nn.HuberLoss(delta=0.01)},
            "`loss.delta` was 10.0, now 0.01:",
        ),
        (
            {"loss": partial(nn.functional.huber_loss, delta=1.0)},
            {"loss": partial(nn.functional.huber_loss, delta=2.0)},
            r"`loss.keywords\['delta'\]` was 1.0, now 2.0:",
        ),
        (
            {"loss": lambda a, b: ((a - b) ** 2).mean()},
            {"loss": lambda a, b: (a - b).abs().mean()},
            "`loss` changed:",
        ),
        (
            {"loss": nn.functional.mse_loss},
            {"loss": nn.functional.l1_loss},
            "`loss` was torch.nn.functional.mse_loss, now torch.nn.functional.l1_loss:",
        ),
        (
            {"loss": nn.BCEWithLogitsLoss(pos_weight=torch.tensor(1.0))},
            {"loss": nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))},
            "`loss.pos_weight` changed:",
        ),
        ({}, {"model": Linear(dropout=0.5)}, "`model.dropout.p` was 0.0, now 0.5:"),
        ({}, {"model": Linear(act=torch.tanh)}, "`model.act` was relu, now tanh:"),
        (
            {},
            {"model": Linear(factor=2.0)},
            r"`model.settings\['factor'\]` was 1.0, now 2.0:",
        ),
    ],
)
def test_what_has_no_tensor_belongs_to_the_run(tmp_path, first, second, message):
    common = {"epochs": 1, "checkpoint_folder": tmp_path}
    run(**({"model": Linear()} | first | common))
    with pytest.raises(ValueError, match=message):
        run(**({"model": Linear()} | second | common))


def test_what_cannot_be_described_is_refused_and_not_equated(tmp_path):
    model = Linear()
    model.session = threading.Lock()
    with pytest.raises(TypeError, match=r"`model.session` is a _thread.lock, of which"):
        run(model, checkpoint_folder=tmp_path)


def test_a_restart_leaves_no_trace_of_the_run_before(tmp_path):
    run(Linear(), epochs=2, checkpoint_folder=tmp_path)
    options = {"lr": 0.1, "epochs": 1}
    _, alone = run(Linear(), **options)
    _, again = run(Linear(), checkpoint_folder=tmp_path, restart=True, **options)
    assert_same_history(alone.history, again.history)
    assert epochs_done(tmp_path) == 1


def test_a_longer_run_than_asked_for_is_not_handed_out(tmp_path):
    run(Linear(), epochs=3, checkpoint_folder=tmp_path)
    with pytest.raises(ValueError, match="3 epochs are done, but `epochs` is 1: "):
        run(Linear(), epochs=1, checkpoint_folder=tmp_path)
    path = tmp_path / "other"
    still = {"lr": 1e-12, "checkpoint_folder": path, "epochs": 6}
    run(Linear(), **still)
    with pytest.raises(ValueError, match=r"6 epochs are done, but a `patience` of 2 "):
        run(Linear(), schedule=Schedule(patience=2), **still)


@pytest.mark.parametrize("position", [-1, -5_000, 200])
def test_a_flipped_bit_in_a_checkpoint_is_found(tmp_path, position):
    run(epochs=1, checkpoint_folder=tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"checkpoint.safetensors is damaged.*restart"):
        run(checkpoint_folder=tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no safetensors",
        save_tensors({"a": torch.ones(2)}),
        save_tensors({"a": torch.ones(2)}, {"run": "{}", "history": "[]"}),
    ],
)
def test_a_foreign_file_is_refused_by_name(tmp_path, content):
    (tmp_path / "checkpoint.safetensors").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"checkpoint.safetensors is damaged, or no checkpoint of this"
    ):
        run(Linear(), checkpoint_folder=tmp_path)


def test_a_folder_in_place_of_the_checkpoint_is_no_damage(tmp_path):
    (tmp_path / "checkpoint.safetensors").mkdir()
    with pytest.raises(IsADirectoryError):
        run(Linear(), checkpoint_folder=tmp_path)


def test_a_folder_in_which_another_training_runs_is_refused(tmp_path):
    class Meanwhile(Linear):
        def forward(self, X):
            if self.training:
                with pytest.raises(
                    ValueError, match=r"another training writes to .*: "
                ):
                    run(Linear(), epochs=1, checkpoint_folder=tmp_path)
            return super().forward(X)

    run(Meanwhile(), epochs=1, checkpoint_folder=tmp_path)
    assert epochs_done(tmp_path) == 1


def test_an_interrupted_model_goes_on_in_the_same_session(tmp_path, monkeypatch):
    model = Linear()
    epoch = 7  # mini-batches: the second epoch is cut in its middle
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "backward", interrupt_at(epoch + 4))
        with pytest.raises(KeyboardInterrupt):
            run(model, checkpoint_folder=tmp_path)
    once, _ = run(Linear(), epochs=1)
    assert_same_state(model, once)
    run(model, checkpoint_folder=tmp_path)
    straight, _ = run(Linear())
    assert_same_state(model, straight)


def interrupt_at(call: int):
    calls, backward = [], torch.Tensor.backward

    def interrupting(value: torch.Tensor) -> None:
        calls.append(value)
        if len(calls) == call:
            raise KeyboardInterrupt
        backward(value)

    return interrupting


def test_a_mini_batch_without_a_score_changes_nothing():
    X, y = examples(64)
    y[8:] = torch.nan
    model = Linear()
    result = train(model, (X, y), examples(60, seed=1), epochs=1, batch_size=2)
    assert np.isfinite(result.history["train_loss"]).all()
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_the_training_loss_is_the_mean_over_measured_scores():
    # A loss of 1 where one score of the batch is measured and 4 where both are: by
    # hand, for 3 batches of 2 with 2, 1 and 1 scores: (2 * 4 + 1 + 1) / 4.
    X, y = examples(6)
    y[torch.tensor([0, 3])] = torch.nan

    def loss(y_hat, y):
        return y_hat.sum() * 0 + (4.0 if len(y) == 2 else 1.0)

    sizes = []
    model = Linear()
    result = train(
        model,
        (X, y),
        examples(60, seed=1),
        epochs=1,
        batch_size=2,
        lr=1e-6,
        loss=lambda a, b: sizes.append(len(b)) or loss(a, b),
    )
    sizes = [n for n in sizes if n < 60]
    expected = sum(n * (4 if n == 2 else 1) for n in sizes) / 4
    assert sum(sizes) == 4
    assert result.history["train_loss"][0] == pytest.approx(expected)


def test_a_full_disk_is_an_error_that_keeps_the_last_checkpoint(tmp_path):
    run(epochs=1, checkpoint_folder=tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    code = (
        "import resource, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import test_training as t\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    t.run(epochs=2, checkpoint_folder=sys.argv[2])\n"
        "except t.TrainingError as error:\n    print(error)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code, Path(__file__).parent, tmp_path],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "checkpoint of epoch 2 could not be written" in output
    assert "File too large" in output
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(tmp_path):
    class Breaks(Recorder):
        def forward(self, X):
            y = super().forward(X)
            return y * torch.nan if len(self.batches) > 10 else y

    with pytest.raises(TrainingError, match=r"training loss became nan in epoch 2; "):
        run(Breaks(), checkpoint_folder=tmp_path)
    assert epochs_done(tmp_path) == 1


def test_a_model_of_constants_is_an_error():
    class Constant(Recorder):
        def forward(self, X):
            return super().forward(X) * 0

    with pytest.raises(TrainingError, match="Pearson was undefined in all 4 epochs"):
        run(Constant())


def test_training_can_use_mixed_precision():
    model, result = run(dtype=torch.bfloat16)
    full, expected = run()
    assert model.conv.weight.dtype == torch.float32
    assert not torch.equal(model.conv.weight, full.conv.weight)
    assert result.best_pearson == pytest.approx(expected.best_pearson, abs=0.1)


def test_verbose_shows_loss_pearson_and_learning_rate(capsys):
    run(epochs=1, verbose=True)
    shown = capsys.readouterr().err
    assert all(f"{word}=" in shown for word in ("loss", "pearson", "best", "lr"))


X, Y = examples(20)


@pytest.mark.parametrize(
    ("train_data", "options", "message"),
    [
        ((X, Y[:10]), {}, "`train` has 20 sequences but 10 rows of scores"),
        (
            (X[:2], Y[:2]),
            {},
            "`train` has 2 measured scores in some output; at least 3",
        ),
        ((X[:0], Y[:0]), {}, "`train` has 0 measured scores"),
        ((X, Y * 0), {}, "`train` are constant in output 0; there is nothing"),
        ((X, Y / 0), {}, "`train` has infinite scores"),
        (
            (X, torch.cat([Y, Y], 1)),
            {},
            r"maps 2 sequences to a Tensor of shape \(2, 1",
        ),
        ((X, Y), {"epochs": 0}, "`epochs`=0 must be at least 1"),
        ((X, Y), {"batch_size": 1}, "`batch_size`=1 must be at least 2"),
        ((X, Y), {"lr": 0}, "`lr`=0 must be a finite number above 0"),
        ((X, Y), {"lr": float("inf")}, "`lr`=inf must be a finite"),
        ((X, Y), {"lr": "0.1"}, "`lr`='0.1' must be a finite"),
        ((X, Y), {"dtype": torch.int32}, "`dtype`=torch.int32 must be one of"),
        ((X, Y), {"device": "gpu"}, "`device`='gpu' must be one such as cpu, cuda"),
        ((X, Y), {"device": "meta"}, "`device`='meta' cannot be used: "),
    ],
)
def test_bad_input_is_named(train_data, options, message):
    with pytest.raises(ValueError, match=message):
        train(small_model(), train_data, (X, Y), **options)


@pytest.mark.parametrize(
    ("train_data", "options", "message"),
    [
        ((X.numpy(), Y), {}, "`train` has `X` of type int8; a torch.Tensor"),
        ((X, Y.tolist()), {}, "`train` has `y` of type list"),
        ((X, Y + 1j), {}, "`train` has `y` of type torch.complex64"),
        ((X, Y), {"schedule": 3}, "`schedule`=3 must be a Schedule"),
        ((X, Y), {"loss": "mse"}, "`loss`='mse' must be a function"),
        ((X, Y), {"loss": lambda a, b: (a - b) ** 2}, r"a Tensor of shape \(20,\)"),
        ((X, Y), {"loss": lambda a, b: (a - b).mean().detach()}, "follows from the"),
        ((X, Y), {"loss": lambda a, b: None}, "`loss` gives a NoneType"),
    ],
)
def test_what_is_of_a_wrong_type_is_named(train_data, options, message):
    with pytest.raises(TypeError, match=message):
        train(small_model(), train_data, (X, Y), **options)


def test_a_model_whose_weights_are_all_frozen_has_nothing_to_learn():
    with pytest.raises(ValueError, match="`model` has no parameters to train"):
        run(small_model().requires_grad_(False))


def test_scores_may_be_in_double_precision():
    train_data, valid = examples(200), examples(60, seed=1)
    _, expected = run(epochs=1)
    doubled = [(x, y.double()) for x, y in (train_data, valid)]
    result = train(small_model(), *doubled, epochs=1, lr=0.01, batch_size=32)
    assert result.best_pearson == pytest.approx(expected.best_pearson, abs=1e-5)


def test_a_file_is_no_checkpoint_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"`checkpoint_folder`: .*is a file"):
        run(checkpoint_folder=tmp_path / "file")


def test_the_checkpoint_holds_no_pickle(tmp_path):
    run(epochs=1, checkpoint_folder=tmp_path)
    data = (tmp_path / "checkpoint.safetensors").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["__metadata__"].keys() == {"history", "run", "options", "checksum"}
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "checkpoint.safetensors",
        "history.tsv",
        "training.lock",
    ]
