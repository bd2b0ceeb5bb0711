"""Bundled models, on files written here; the real ones are data, not code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from residualbind.network import pretrained
from residualbind.network.model import ResidualBind, ResidualBindConfig
from residualbind.network.pretrained import (
    load_pretrained,
    load_profile,
    pretrained_names,
)
from residualbind.network.weights import save

CONFIG = ResidualBindConfig(length=12, pool_size=4, filters=3, hidden=2)
ROWS = [
    "0\t0\t0\t0\t0",  # padding in every probe
    "1\t0.125\t0.25\t0.125\t0",  # in half of them
    *(f"{i}\t0.1\t0.2\t0.3\t0.4" for i in range(2, 12)),
]
HEADER = "position\tA\tC\tG\tU"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the bundled files: two models, only A1CF with a profile."""
    monkeypatch.setattr(pretrained, "_root", lambda: tmp_path)
    for name in ("B2", "A1CF"):
        save(ResidualBind(CONFIG), tmp_path / f"{name}.safetensors")
    (tmp_path / "A1CF.profile.tsv").write_text("\n".join([HEADER, *ROWS, ""]))
    (tmp_path / "README.md").write_text("not a model")
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_names_are_those_of_the_weights_files_in_order() -> None:
    assert pretrained_names() == ("A1CF", "B2")


def test_without_a_folder_there_are_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "_root", lambda: tmp_path / "none")
    assert pretrained_names() == ()
    with pytest.raises(ValueError, match=r"`name`='A1CF' is not .*known: \[\]"):
        load_pretrained("A1CF")


def test_bundled_files_are_looked_for_inside_the_package() -> None:
    root = pretrained._root()
    assert root.name == "pretrained"
    assert (root.parent / "network" / "model.py").is_file()


def test_every_bundled_model_predicts_and_has_a_profile_of_its_length() -> None:
    for name in pretrained_names():
        model, profile = load_pretrained(name), load_profile(name)
        assert not model.training
        X = torch.zeros(2, model.config.channels, model.config.length)
        assert model(X).isfinite().all()
        assert profile.shape == (4, model.config.length)


def test_a_pretrained_model_is_the_saved_one_in_eval_mode(folder: Path) -> None:
    torch.manual_seed(5)
    expected = ResidualBind(CONFIG).eval()
    save(expected, folder / "new.safetensors")
    model = load_pretrained("new")
    X = torch.rand(3, 4, 12)
    assert not model.training
    assert torch.equal(model(X), expected(X))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("read", [load_pretrained, load_profile])
@pytest.mark.parametrize("name", ["a1cf", "A1CF.safetensors", "../A1CF", "", "README"])
def test_an_unknown_name_is_an_error_listing_the_known_ones(
    read: Callable[[str], object], name: str
) -> None:
    message = rf"`name`='{name}' is not a pretrained model; known: \['A1CF', 'B2'\]"
    with pytest.raises(ValueError, match=message):
        read(name)


@pytest.mark.usefixtures("folder")
def test_a_profile_holds_the_frequencies_with_padding_left_out() -> None:
    profile = load_profile("A1CF")
    assert profile.shape == (4, 12)
    assert profile.dtype == torch.float32
    assert profile.is_contiguous()
    torch.testing.assert_close(profile[:, 5], torch.tensor([0.1, 0.2, 0.3, 0.4]))
    torch.testing.assert_close(profile[:, 1], torch.tensor([0.125, 0.25, 0.125, 0.0]))
    torch.testing.assert_close(
        profile.sum(dim=0), torch.tensor([0.0, 0.5] + [1.0] * 10)
    )


@pytest.mark.usefixtures("folder")
def test_a_model_without_a_profile_is_an_error_naming_the_file() -> None:
    with pytest.raises(ValueError, match=r"`name`='B2' .*B2\.profile\.tsv"):
        load_profile("B2")


def test_a_column_may_sum_to_one_but_for_rounding(folder: Path) -> None:
    rows = [*ROWS[:11], "11\t0.33334\t0.33334\t0.33334\t0"]
    (folder / "A1CF.profile.tsv").write_text("\n".join([HEADER, *rows]))
    assert load_profile("A1CF")[:, 11].sum() == pytest.approx(1.00002)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], r"has the columns \[\]"),
        (["position\tA\tC\tG\tT", *ROWS], r"has the columns .*'T'"),
        ([HEADER.replace("\t", ","), *ROWS], r"has the columns"),
        ([HEADER, *ROWS[:-1]], r"has 11 rows; .* from 0 to 11"),
        ([HEADER, *ROWS, "12\t0\t0\t0\t0"], r"has 13 rows"),
        ([HEADER, *ROWS[::-1]], r"has 12 rows; .* in order"),
        ([HEADER, *ROWS[:5], "", *ROWS[5:]], r"has 13 rows"),
        *(
            ([HEADER, *ROWS[:-1], f"11\t{row}"], r"has \[.*\] at position 11; expected")
            for row in (
                "0.1\tx\t0\t0",
                "0.1\t0.1\t0.1",
                "0.1\t0.1\t0.1\t0.1\t0.1",
                "-0.1\t0\t0\t0",
                "0.5\t0.5\t0.1\t0",
                "nan\t0\t0\t0",
            )
        ),
    ],
)
def test_a_malformed_profile_is_an_error_naming_the_file(
    folder: Path, lines: list[str], message: str
) -> None:
    (folder / "A1CF.profile.tsv").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=rf"A1CF\.profile\.tsv {message}"):
        load_profile("A1CF")
