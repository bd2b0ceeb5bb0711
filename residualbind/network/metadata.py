"""What a model file says about its model, as texts of a safetensors header."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.short import in_short

from ..data.transforms import Transform
from .model import ResidualBindConfig

FORMAT = "residualbind"
FORMAT_VERSION = 1
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "config": (dict,),
    "transform": (dict, type(None)),
    "experiments": (list, type(None)),
    "provenance": (dict,),
}
# Frequencies that add up to 1 are read back in single precision.
_ROUNDING = 1e-3


@in_short
class Metadata(NamedTuple):
    """What a weights file says about its model."""

    config: ResidualBindConfig
    transform: Transform | None
    experiments: tuple[str, ...] | None
    provenance: dict[str, Any]
    profile: torch.Tensor | None = None


def metadata_to_header(
    config: ResidualBindConfig,
    transform: Transform | None,
    experiments: Sequence[str] | None,
    provenance: Mapping[str, Any] | None,
    profile: torch.Tensor | None,
) -> dict[str, str]:
    """The texts of a file's header, checked.

    Raises
    ------
    TypeError, ValueError
        As `weights.save`.
    """
    _check_experiments(experiments, config.n_outputs)
    _check_transform(transform, config.n_outputs)
    header = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "config": json.dumps(asdict(config)),
        "transform": json.dumps(None if transform is None else transform.to_dict()),
        "experiments": json.dumps(None if experiments is None else list(experiments)),
        "provenance": _provenance_to_json(provenance),
    }
    if profile is not None:
        header["profile"] = json.dumps(_checked_profile(profile, config).tolist())
    return header


def parse_metadata(path: Path, header: dict[str, str]) -> Metadata:
    source = f"`path`={str(path)!r}"
    if header.get("format") != FORMAT:
        raise ValueError(
            f"{source} is a safetensors file, but not one written by "
            "`residualbind.network.weights.save`."
        )
    version = header.get("format_version", "")
    if not version.isdecimal():
        raise ValueError(f"{source} has format version {version!r}, not a number.")
    if int(version) > FORMAT_VERSION:
        raise ValueError(
            f"{source} has format version {version}, but this version of "
            f"tangermeme-gia reads up to {FORMAT_VERSION}; install a newer one."
        )
    parsed = {key: _parse_json(source, header, key) for key in _JSON_TYPES}
    config = _parse_config(source, parsed["config"])
    experiments = parsed["experiments"]
    try:
        _check_experiments(experiments, config.n_outputs)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} is damaged: {error}") from error
    return Metadata(
        config=config,
        transform=_parse_transform(source, parsed["transform"]),
        experiments=None if experiments is None else tuple(experiments),
        provenance=parsed["provenance"],
        profile=_parse_profile(source, header, config),
    )


def _parse_json(source: str, header: dict[str, str], key: str) -> Any:
    try:
        value = json.loads(header[key])
    except (KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{source} has no readable {key!r} metadata.") from error
    if not isinstance(value, _JSON_TYPES[key]):
        raise ValueError(
            f"{source} has {key!r} metadata of the wrong type: {header[key]}"
        )
    return value


def _parse_config(source: str, state: dict[str, Any]) -> ResidualBindConfig:
    known = [field.name for field in fields(ResidualBindConfig)]
    unknown = [name for name in state if name not in known]
    missing = [name for name in known if name not in state]
    if unknown or missing:
        raise ValueError(
            f"{source} has a config that does not fit this version of tangermeme-gia: "
            f"unknown fields {unknown}, missing fields {missing}."
        )
    try:
        return ResidualBindConfig(**state)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} has an invalid config: {error}") from error


def _parse_transform(source: str, state: dict[str, Any] | None) -> Transform | None:
    if state is None:
        return None
    try:
        return Transform.from_dict(state)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} has an invalid transform: {error}") from error


def _parse_profile(
    source: str, header: dict[str, str], config: ResidualBindConfig
) -> torch.Tensor | None:
    if "profile" not in header:
        return None
    try:
        profile = torch.tensor(json.loads(header["profile"]), dtype=torch.float32)
        return _checked_profile(profile, config)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{source} has an invalid profile: {error}") from error


def _check_experiments(experiments: Sequence[str] | None, n_outputs: int) -> None:
    if experiments is None:
        return
    if isinstance(experiments, str) or not all(
        isinstance(name, str) for name in experiments
    ):
        raise TypeError(
            f"`experiments`={experiments!r} must be a sequence of names, "
            "one for each output."
        )
    if len(experiments) != n_outputs:
        raise ValueError(
            f"`experiments` has {len(experiments)} names, but `model` has "
            f"{n_outputs} output(s); give one name for each."
        )


def _check_transform(transform: Transform | None, n_outputs: int) -> None:
    if transform is None:
        return
    try:
        transform.apply(np.zeros((1, n_outputs)))
    except ValueError as error:
        raise ValueError(
            f"`transform` cannot be saved with a model of {n_outputs} output(s): "
            f"{error}"
        ) from error


def _provenance_to_json(provenance: Mapping[str, Any] | None) -> str:
    try:
        return json.dumps(dict(provenance or {}))
    except TypeError as error:
        raise TypeError(
            f"`provenance` must hold JSON types only (dict, list, str, int, float, "
            f"bool, None): {error}"
        ) from error


def _checked_profile(profile: torch.Tensor, config: ResidualBindConfig) -> torch.Tensor:
    expected = (len(RNA), config.length)
    sums = profile.sum(dim=0)
    if (
        tuple(profile.shape) != expected
        or not bool((profile >= 0).all())
        or not bool((sums <= 1 + _ROUNDING).all())
    ):
        raise ValueError(
            f"`profile` of shape {tuple(profile.shape)} must have shape {expected} "
            "and hold frequencies that are each at least 0 and together at most 1."
        )
    return profile.detach().cpu()
