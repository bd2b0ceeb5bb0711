"""Saved models: what goes in comes out, and damaged files say what is wrong."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn

from residualbind.data.transforms import Transform
from residualbind.network import weights
from residualbind.network.model import ResidualBind, ResidualBindConfig
from residualbind.network.weights import load, load_metadata, model_from_tensors, save

SMALL = ResidualBindConfig.released(filters=6, hidden=5, n_outputs=2)


def build(config: ResidualBindConfig = SMALL, seed: int = 0) -> ResidualBind:
    """A model in which every weight and batch-norm statistic is random."""
    generator = torch.Generator().manual_seed(seed)
    model = ResidualBind(config)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) - 0.3)
                tensor.abs_() if tensor.ndim == 1 else None
            else:
                tensor.fill_(17)
    return model.eval()


def sequences(n: int = 3) -> torch.Tensor:
    return torch.rand(n, 4, 41, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def rewrite(
    path: Path,
    tensors: dict[str, torch.Tensor | None] | None = None,
    **metadata: str | None,
) -> None:
    """Change some tensors and metadata of a file; None removes."""
    with safe_open(path, framework="pt") as file:
        header: dict[str, str | None] = {**file.metadata(), **metadata}
        kept = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    changed = {**kept, **(tensors or {})}
    safetensors.torch.save_file(
        {name: tensor for name, tensor in changed.items() if tensor is not None},
        path,
        {key: value for key, value in header.items() if value is not None},
    )


# Round trips


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_loaded_model_has_the_same_state_and_predictions(
    path: Path, dtype: torch.dtype
) -> None:
    model = build().to(dtype)
    save(model, path)
    loaded = load(str(path))
    assert loaded.config == model.config
    assert not any(module.training for module in loaded.modules())
    state = loaded.state_dict()
    assert list(state) == list(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert state[name].dtype == tensor.dtype
        assert state[name].device.type == "cpu"
        assert torch.equal(state[name], tensor)
    X = sequences().to(dtype)
    with torch.no_grad():
        assert torch.equal(loaded(X), model(X))
        assert loaded(X).std() > 0


@pytest.mark.parametrize(
    "config",
    [
        ResidualBindConfig(),
        ResidualBindConfig(channels=9, length=60, pool_size=7, dilations=(3,)),
        ResidualBindConfig.released(sigmoid=True, dropout_block=0.25, kernel_size=7),
    ],
)
def test_any_config_comes_back(path: Path, config: ResidualBindConfig) -> None:
    save(ResidualBind(config), path)
    assert load(path).config == config
    assert load_metadata(path).config == config


def test_a_loaded_model_can_be_trained_further(path: Path) -> None:
    save(build(), path)
    model = load(path).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    assert all(parameter.requires_grad for parameter in model.parameters())
    before = model.conv.weight.clone()
    model(sequences()).sum().backward()
    optimizer.step()
    assert not torch.equal(model.conv.weight, before)
    assert model.conv_norm.num_batches_tracked == 18


def test_a_loaded_model_does_not_depend_on_the_file(path: Path) -> None:
    model = build()
    save(model, path)
    loaded = load(path)
    with open(path, "r+b") as file:
        file.write(b"\0" * path.stat().st_size)
    path.unlink()
    with torch.no_grad():
        assert torch.equal(loaded(sequences()), model(sequences()))


def test_saving_and_loading_change_neither_the_model_nor_random_state(
    path: Path,
) -> None:
    model = build().train()
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    random_state = torch.get_rng_state()
    save(model, path)
    load(path)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert model.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, kept[name])


def test_weights_that_are_not_contiguous_are_saved_as_they_are(path: Path) -> None:
    model = build()
    weight = model.dense.weight
    model.dense.weight = nn.Parameter(weight.detach().T.contiguous().T)
    assert not model.dense.weight.is_contiguous()
    save(model, path)
    assert torch.equal(load(path).dense.weight, weight)


def test_metadata_comes_back(path: Path) -> None:
    y = np.random.default_rng(0).gamma(2.0, size=(50, 2))
    transform = Transform.fit(y, "log")
    provenance = {
        "seed": 3,
        "data": {"sha256": "00ff", "probes": [27_000, 3_000]},
        "pearson": 0.674,
        "note": "Größe",
    }
    save(
        build(),
        path,
        transform=transform,
        experiments=["RNCMPT00001", "RNCMPT00002"],
        provenance=provenance,
    )
    metadata = load_metadata(path)
    assert metadata.config == SMALL
    assert metadata.experiments == ("RNCMPT00001", "RNCMPT00002")
    assert metadata.provenance == provenance
    assert metadata.transform is not None
    np.testing.assert_array_equal(metadata.transform.apply(y), transform.apply(y))
    np.testing.assert_allclose(metadata.transform.invert(transform.apply(y)), y)


def test_metadata_that_was_not_given_comes_back_empty(path: Path) -> None:
    save(build(), path)
    assert load_metadata(path) == (SMALL, None, None, {}, None)


def test_a_profile_comes_back(path: Path) -> None:
    profile = torch.rand(4, SMALL.length) / 4
    save(build(), path, profile=profile)
    torch.testing.assert_close(load_metadata(path).profile, profile)


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (torch.zeros(4, 7), r"of shape \(4, 7\) must have shape \(4, "),
        (torch.full((4, SMALL.length), 0.3), "together at most 1"),
        (torch.full((4, SMALL.length), -0.3), "each at least 0"),
        (torch.full((4, SMALL.length), torch.nan), "each at least 0"),
    ],
)
def test_a_profile_that_is_none_is_refused(
    path: Path, profile: torch.Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        save(build(), path, profile=profile)
    assert not path.exists()


def test_a_damaged_profile_is_named(path: Path) -> None:
    save(build(), path)
    for text in ("[[1]]", "no", "3", "null", "[[1], [1, 2]]", '["a"]'):
        rewrite(path, profile=text)
        with pytest.raises(ValueError, match="has an invalid profile"):
            load_metadata(path)


def test_metadata_is_read_without_the_tensors(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(build(), path)
    rewrite(path, {"conv.weight": None})
    assert load_metadata(path).config == SMALL


def test_the_file_is_plain_safetensors_with_metadata_in_json(path: Path) -> None:
    model = build()
    transform = Transform.fit([[1, 2], [3, 4]], "log")
    save(model, path, experiments=["a", "b"], transform=transform)
    assert set(safetensors.torch.load_file(path)) == set(model.state_dict())
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    assert (metadata["format"], metadata["format_version"]) == ("residualbind", "1")
    assert json.loads(metadata["config"]) == {
        **asdict(SMALL),
        "dilations": [1, 2, 4, 8],
    }
    assert json.loads(metadata["transform"]) == {
        "kind": "chain",
        "steps": [
            {"kind": "log", "minimum": [1.0, 2.0]},
            {"kind": "zscore", **transform.steps[1]},
        ],
    }
    assert json.loads(metadata["experiments"]) == ["a", "b"]
    assert json.loads(metadata["provenance"]) == {}
    header = int.from_bytes(path.read_bytes()[:8], "little")
    assert header % 8 == 0  # so that the tensors are aligned


def test_equal_models_give_equal_files(tmp_path: Path) -> None:
    for i in range(6):
        save(build(), tmp_path / f"{i}", experiments=["a", "b"], provenance={"x": 1})
    files = {file.read_bytes() for file in tmp_path.iterdir()}
    assert len(files) == 1
    save(build(seed=1), tmp_path / "other", experiments=["a", "b"])
    assert (tmp_path / "other").read_bytes() not in files


# Writing


def test_saving_replaces_an_earlier_file_and_leaves_nothing_else(path: Path) -> None:
    save(build(seed=0), path)
    save(build(seed=1), path)
    assert torch.equal(load(path).conv.weight, build(seed=1).conv.weight)
    assert os.listdir(path.parent) == [path.name]


def test_saved_files_have_the_permissions_of_any_new_file(path: Path) -> None:
    save(build(), path)
    (path.parent / "other").touch()
    assert path.stat().st_mode == (path.parent / "other").stat().st_mode


def test_saving_through_a_symbolic_link_replaces_what_it_points_to(
    tmp_path: Path,
) -> None:
    (tmp_path / "runs").mkdir()
    target, link = tmp_path / "runs" / "3", tmp_path / "best"
    save(build(seed=0), target)
    link.symlink_to(target)
    save(build(seed=1), link)
    assert link.is_symlink()
    assert torch.equal(load(target).conv.weight, build(seed=1).conv.weight)


class DiskFull(OSError):
    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [DiskFull, KeyboardInterrupt])
@pytest.mark.parametrize("exists", [True, False])
def test_a_failed_write_leaves_an_earlier_file_and_no_other(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    failure: type[BaseException],
    exists: bool,
) -> None:
    if exists:
        save(build(seed=0), path)
    before = path.read_bytes() if exists else None

    def fail(*args: Any) -> None:
        (temporary,) = set(path.parent.iterdir()) - {path}
        assert temporary.name.startswith(".model.safetensors.")
        raise failure

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(failure):
        save(build(seed=1), path)
    assert os.listdir(path.parent) == ([path.name] if exists else [])
    assert (path.read_bytes() if exists else None) == before


def test_the_content_is_on_disk_before_the_file_gets_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    for step in ("fsync", "replace"):
        done = getattr(os, step)
        monkeypatch.setattr(
            os, step, lambda *a, step=step, done=done: steps.append(step) or done(*a)
        )
    save(build(), path)
    assert steps == ["fsync", "replace"]


def test_saving_into_a_folder_that_does_not_exist_is_an_error_naming_the_path(
    tmp_path: Path,
) -> None:
    path = tmp_path / "nowhere" / "model.safetensors"
    with pytest.raises(FileNotFoundError, match=r"nowhere.*folder does not exist"):
        save(build(), path)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"experiments": ["A1CF"]}, ValueError, r"`experiments` has 1 names.* 2 out"),
        ({"experiments": "AB"}, TypeError, r"`experiments`='AB' must be a sequence"),
        ({"experiments": ["A", 1]}, TypeError, r"`experiments`=\['A', 1\] must be"),
        (
            {"transform": Transform.fit([[1.0, 2.0, 3.0], [2.0, 3.0, 5.0]])},
            ValueError,
            r"`transform` cannot be saved with a model of 2 .*fitted on 3 output",
        ),
        ({"provenance": {"loss": np.float32(1)}}, TypeError, r"`provenance` must hold"),
    ],
)
def test_metadata_that_does_not_fit_the_model_is_an_error_and_writes_nothing(
    path: Path, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        save(build(), path, **options)
    assert os.listdir(path.parent) == []


def test_another_kind_of_model_is_an_error(path: Path) -> None:
    with pytest.raises(TypeError, match=r"`model` is a Linear, not a ResidualBind"):
        save(nn.Linear(2, 2), path)  # type: ignore[arg-type]


# Reading


def test_every_missing_unexpected_and_misshaped_tensor_is_listed_at_once(
    path: Path,
) -> None:
    save(build(), path)
    rewrite(
        path,
        {
            "conv.weight": None,
            "block.norms.3.running_var": None,
            "conv2.weight": torch.zeros(3),
            "conv2.bias": torch.zeros(3),
            "dense.weight": torch.zeros(5, 30),
            "output.bias": torch.zeros(3),
            "conv_norm.weight": torch.zeros(6, dtype=torch.int64),
        },
    )
    with pytest.raises(ValueError, match="does not hold the weights") as raised:
        load(path)
    message = str(raised.value)
    for part in (
        repr(str(path)),
        "missing ['conv.weight', 'block.norms.3.running_var']",
        "'dense.weight' has shape (5, 30), not (5, 24)",
        "'output.bias' has shape (3,), not (2,)",
        "'conv_norm.weight' has type torch.int64, not torch.float32",
    ):
        assert part in message
    assert "unexpected ['conv2.bias', 'conv2.weight']" in message


@pytest.mark.parametrize("read", [load, load_metadata])
class TestUnreadableFiles:
    def test_missing_file(self, read: Any, path: Path) -> None:
        with pytest.raises(
            FileNotFoundError, match=r"model\.safetensors.*no such file"
        ):
            read(path)

    def test_folder(self, read: Any, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="no such file"):
            read(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" * 9])
    def test_another_format(self, read: Any, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"model\.saf.*not a safetensors file"):
            read(path)

    def test_truncated(self, read: Any, path: Path) -> None:
        save(build(), path)
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(ValueError, match=r"model\.saf.*not a safetensors.*damaged"):
            read(path)

    @pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
    def test_a_file_of_another_program(
        self, read: Any, path: Path, metadata: dict[str, str] | None
    ) -> None:
        safetensors.torch.save_file({"x": torch.zeros(1)}, path, metadata)
        with pytest.raises(ValueError, match="not one written by `residualbind"):
            read(path)

    @pytest.mark.parametrize(
        ("metadata", "message"),
        [
            ({"format_version": "2"}, r"format version 2, but .* reads up to 1; inst"),
            ({"format_version": "one"}, r"format version 'one', not a number"),
            ({"format_version": None}, r"format version '', not a number"),
            ({"config": None}, r"no readable 'config' metadata"),
            ({"transform": "{"}, r"no readable 'transform' metadata"),
            ({"config": "[]"}, r"'config' metadata of the wrong type: \[\]"),
            ({"experiments": '"AB"'}, r"'experiments' metadata of the wrong type"),
            ({"experiments": '["A"]'}, r"damaged: `experiments` has 1 names"),
            ({"experiments": '["A", 2]'}, r"damaged: `experiments`=\['A', 2\]"),
            ({"provenance": "null"}, r"'provenance' metadata of the wrong type: null"),
            ({"transform": '{"kind": "sqrt"}'}, r"invalid transform.*kind 'sqrt'"),
            ({"transform": '{"kind": "clip"}'}, r"invalid transform: "),
        ],
    )
    def test_damaged_metadata(
        self, read: Any, path: Path, metadata: dict[str, str | None], message: str
    ) -> None:
        save(build(), path)
        rewrite(path, **metadata)
        with pytest.raises(ValueError, match=rf"model\.safetensors.*{message}"):
            read(path)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"attention": 1, "hidden": None},
                r"\['attention'\], missing fields \['hid",
            ),
            (
                {"attention": 1, "heads": 2},
                r"\['attention', 'heads'\], missing fields \[\]",
            ),
            (
                {"filters": None, "sigmoid": None},
                r"\[\], missing fields \['filters', 'sig",
            ),
        ],
    )
    def test_config_of_another_version(
        self, read: Any, path: Path, changes: dict[str, int | None], message: str
    ) -> None:
        save(build(), path)
        config = {
            k: v for k, v in {**asdict(SMALL), **changes}.items() if v is not None
        }
        rewrite(path, config=json.dumps(config))
        with pytest.raises(ValueError, match=rf"unknown fields {message}"):
            read(path)

    def test_config_that_no_model_can_have(self, read: Any, path: Path) -> None:
        save(build(), path)
        rewrite(path, config=json.dumps({**asdict(SMALL), "length": -1}))
        with pytest.raises(ValueError, match=r"invalid config: `length`=-1 must be"):
            read(path)


def test_a_model_from_tensors_is_in_eval_mode_and_holds_them() -> None:
    state = build().state_dict()
    model = model_from_tensors(SMALL, state, "memory")
    assert not model.training
    assert model.conv.weight.data_ptr() == state["conv.weight"].data_ptr()
    with pytest.raises(ValueError, match=r"^memory does not hold.*filters=7"):
        model_from_tensors(ResidualBindConfig.released(filters=7), state, "memory")


def test_no_pickle_is_read_or_written(path: Path) -> None:
    source = Path(weights.__file__).read_text(encoding="utf-8")
    assert "import pickle" not in source
    assert "torch.load" not in source
    assert "torch.save" not in source
    torch.save({"x": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="not a safetensors file"):
        load(path)


def test_a_flipped_bit_of_the_weights_is_found(tmp_path):
    path = tmp_path / "model.safetensors"
    save(ResidualBind(), path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is damaged: its weights or what it"):
        load(path)


@pytest.mark.parametrize(
    "change", [{"provenance": '{"seed": 2}'}, {"checksum": None}, {"checksum": "x"}]
)
def test_what_a_file_says_of_its_weights_is_as_it_was_saved(tmp_path, change):
    path = tmp_path / "model.safetensors"
    save(ResidualBind(), path, provenance={"seed": 1})
    rewrite(path, **change)
    with pytest.raises(ValueError, match="is damaged: its weights or what it says"):
        load(path)
