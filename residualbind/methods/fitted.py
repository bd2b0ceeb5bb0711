"""A fitted method: what it predicts, what it cost, and its file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tangermeme.predict import predict
from torch import nn

from tangermeme_gia._core.identity import tensors_checksum
from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.storage import write_atomically
from tangermeme_gia._core.tensor_files import read_tensor_file, tensor_file

from ..data.transforms import Transform
from ..network.with_structure import WithStructure
from .inputs import KINDS, as_channels
from .recipes import Recipe
from .registry import get_method

FORMAT = "residualbind-method"
FORMAT_VERSION = 1
_BATCH_SIZE = 512
_PROFILE = "profile"
# What the header of a file says as it is, by the type it has.
_PLAIN = {
    "name": str,
    "channels": int,
    "length": int,
    "epochs": int,
    "seconds": float,
    "pearson": float,
    "trials": int,
    "random_state": int,
    "experiment": str,
}


@dataclass(frozen=True, eq=False, repr=False)
class Fitted:
    """What does a method predict, and what did it cost to fit it?

    What `fit_method` and `load_fitted` return.

    Parameters
    ----------
    name: str
        The method, one of `method_names()`.

    model: torch.nn.Module
        In eval mode, of inputs with `channels` channels.

    recipe: Recipe
        How it was trained, with the settings that were chosen.

    channels, length: int
        Size of the input.

    epochs: int
        Of the training, or iterations; without those of trials.

    seconds: float
        Of the fit and its trials, without folding.

    pearson: float
        Correlation on the validation probes, which chose the epoch.

    trials, random_state: int
        Settings that were tried, and the seed.

    experiment: str
        Name of the experiment; "" if it has none.

    transform: Transform or None
        What the scores were transformed by.

    profile: torch.Tensor, shape=(4, length)
        Mean frequency of A, C, G and U at each position of the training probes.

    Examples
    --------
    >>> from residualbind import fit_method, prepare, simulate_rnacompete
    >>> data = prepare(simulate_rnacompete(400).data)
    >>> fit_method("matrixreduce", data, epochs=1).recipe
    Recipe(optimizer='l-bfgs', epochs=1)
    """

    name: str
    model: nn.Module
    recipe: Recipe
    channels: int
    length: int
    epochs: int
    seconds: float
    pearson: float
    trials: int
    random_state: int
    experiment: str
    transform: Transform | None
    profile: torch.Tensor

    def __repr__(self) -> str:
        return (
            f"Fitted({get_method(self.name).title}, {self.channels} channels, "
            f"{self.n_parameters:,} parameters, {self.epochs} epochs; validation "
            f"Pearson {self.pearson:.3f})"
        )

    @property
    def n_parameters(self) -> int:
        """Numbers that were fitted."""
        return sum(p.numel() for p in self.model.parameters())

    def predict(
        self,
        X: torch.Tensor,
        *,
        cache_folder: str | Path | None = None,
        n_jobs: int | None = None,
        device: str | torch.device | None = None,
    ) -> torch.Tensor:
        """Which scores does it predict?

        Parameters
        ----------
        X: torch.Tensor, shape=(n, 4, 6, 9 or 64, length)
            One-hot sequences; structure that is not there and needed is predicted.

        cache_folder, n_jobs: optional
            As of `structure_profiles`.

        device: optional
            Where to compute; None is the CPU. Default is None.

        Returns
        -------
        y: torch.Tensor, shape=(n, 1)
            In the scale of training; `transform.invert` gives that of the data.

        Raises
        ------
        ValueError
            If the length is not that of the training probes.
        """
        if X.ndim != 3 or X.shape[2] != self.length:
            raise ValueError(
                f"`X` has shape {tuple(X.shape)}; the model was fitted to probes of "
                f"{self.length} columns."
            )
        X = as_channels(X, self.channels, cache_folder=cache_folder, n_jobs=n_jobs)
        where = "cpu" if device is None else device
        y: torch.Tensor = predict(
            self.model, X.float(), batch_size=_BATCH_SIZE, device=where
        )
        return y

    def sequence_model(self) -> nn.Module:
        """The model as a function of one-hot sequences, shape=(n, 4, length).

        Models that read structure fold what they are given (`WithStructure`), so that
        every experiment takes any method.

        Raises
        ------
        ImportError
            If the model reads structure and ViennaRNA is not installed.
        """
        if self.channels == len(RNA):
            return self.model
        return WithStructure(self.model, KINDS[self.channels])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Keep the model and all that is known of it in one file.

        Parameters
        ----------
        path: str or path-like
            The file to write, such as "thermonet.safetensors"; an existing one is
            replaced in one step.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        header = {name: json.dumps(getattr(self, name)) for name in _PLAIN}
        transform = None if self.transform is None else self.transform.to_dict()
        header |= {
            "format": FORMAT,
            "format_version": str(FORMAT_VERSION),
            "recipe": json.dumps(self.recipe.to_dict()),
            "transform": json.dumps(transform),
        }
        state = self.model.state_dict()
        tensors = {
            f"model.{k}": v.detach().cpu().contiguous() for k, v in state.items()
        }
        tensors[_PROFILE] = self.profile
        header["checksum"] = tensors_checksum(tensors, header)
        write_atomically(Path(path), tensor_file(tensors, header))


def load_fitted(path: str | os.PathLike[str]) -> Fitted:
    """What does a saved method predict?

    Parameters
    ----------
    path: str or path-like
        A file that `Fitted.save` wrote.

    Returns
    -------
    fitted: Fitted

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is of another kind, damaged, or of a newer version.

    Examples
    --------
    >>> import tempfile
    >>> from residualbind import fit_method, prepare, simulate_rnacompete
    >>> data = prepare(simulate_rnacompete(400).data)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fit_method("matrixreduce", data, epochs=1).save(f"{folder}/m.safetensors")
    ...     load_fitted(f"{folder}/m.safetensors").name
    'matrixreduce'
    """
    source = f"`path`={os.fspath(path)!r}"
    header, tensors = read_tensor_file(Path(path))
    if header.get("format") != FORMAT:
        raise ValueError(f"{source} is no file of a method that was fitted.")
    if header.get("format_version") != str(FORMAT_VERSION):
        raise ValueError(
            f"{source} has format version {header.get('format_version')!r}; this "
            f"version of tangermeme-gia reads {FORMAT_VERSION}."
        )
    if header.pop("checksum", None) != tensors_checksum(tensors, header):
        raise ValueError(
            f"{source} is damaged: its content is not what was saved. Fit or copy it "
            "again."
        )
    try:
        return _parsed(header, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ValueError(f"{source} cannot be read: {error}") from error


def _parsed(header: dict[str, str], tensors: dict[str, torch.Tensor]) -> Fitted:
    plain: dict[str, Any] = {
        k: kind(json.loads(header[k])) for k, kind in _PLAIN.items()
    }
    recipe = Recipe.from_dict(json.loads(header["recipe"]))
    transform = json.loads(header["transform"])
    profile = tensors.pop(_PROFILE)
    method = get_method(plain["name"])
    with torch.random.fork_rng([]):
        model = method.build(plain["channels"], plain["length"], **recipe.settings)
    model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items()})
    return Fitted(
        model=model.eval(),
        recipe=recipe,
        transform=None if transform is None else Transform.from_dict(transform),
        profile=profile,
        **plain,
    )
