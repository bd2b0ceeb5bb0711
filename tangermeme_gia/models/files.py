"""Model files of other tools: TorchScript, torch.export, ONNX.

They hold the computation beside the weights, so that no code of the user's is needed.
"""

from __future__ import annotations

import hashlib
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .failures import describe_error

_SAVED = (
    "is a file of `torch.save`: weights, or a model whose code would have to be run to "
    "read it. Give the class or a function that builds the model as `--model "
    "nets.py:Net`, and the file as `--weights`"
)
_FORCE_SAFE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def kind_of_file(path: str | Path) -> str | None:
    """Which tool wrote a model file; None if it is of none of these.

    Examples
    --------
    >>> kind_of_file("net.onnx"), kind_of_file("net.txt")
    ('ONNX', None)
    """
    if Path(path).suffix.lower() == ".onnx":
        return "ONNX"
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = [name.partition("/")[2] for name in archive.namelist()]
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "TorchScript"
    if "archive_format" in names or any(n.startswith("models/") for n in names):
        return "torch.export"
    return "torch.save" if "data.pkl" in names else None


def check_whole(path: Path) -> None:
    """Raise if a part of an archive of torch is not what was written.

    torch itself looks at no checksum: a flipped bit is another weight.

    Raises
    ------
    ValueError
        Naming the first part whose checksum is another.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(
            f"the checksum of its part {damaged} is not that of its bytes, so that the "
            "file is damaged, or was written without checksums"
        )


def load_file_model(path: str | Path) -> torch.nn.Module:
    """The model of a file that `kind_of_file` knows.

    Raises
    ------
    ValueError
        If it cannot be read, or not without running code that it brings along.

    ImportError
        If it is ONNX, and onnxruntime is missing.
    """
    kind = kind_of_file(path)
    if kind == "torch.save":
        raise ValueError(f"`--model`: {path} {_SAVED}.")
    loaders: dict[str | None, Callable[[Path], torch.nn.Module]] = {
        "ONNX": Onnx,
        "torch.export": Exported,
        "TorchScript": _load_torchscript,
    }
    try:
        check_whole(Path(path))
        return loaders[kind](Path(path))
    except ImportError:
        raise
    except Exception as error:  # of whatever library reads it
        raise ValueError(
            f"`--model`: {path} cannot be read as a file of {kind}: "
            f"{describe_error(error)}."
        ) from error


class Exported(torch.nn.Module):
    """A program of `torch.export.save`, which is in eval or train mode for good.

    Parameters
    ----------
    path: Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        with _without_code():
            program = torch.export.load(path)
        self.digest = _digest(path)
        inputs = set(program.graph_signature.user_inputs)
        nodes = [n for n in program.graph.nodes if n.op == "placeholder"]
        values = [n.meta.get("val") for n in nodes if n.name in inputs]
        first = next((v for v in values if isinstance(v, torch.Tensor)), None)
        n = first.shape[0] if first is not None and first.ndim else None
        self.n_rows = n if isinstance(n, int) else None
        self.program = program.module()

    def train(self, mode: bool = True) -> Exported:
        """The same: what the program does was settled when it was exported."""
        self.training = mode
        return self

    def forward(self, *inputs: torch.Tensor) -> Any:
        """What the program gives."""
        return in_groups(self.program, inputs, self.n_rows)


class Onnx(torch.nn.Module):
    """A model of an ONNX file, which onnxruntime computes, without gradients.

    Parameters
    ----------
    path: Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.digest = str(path.resolve()), _digest(path)
        self._session: Any = None
        given = self.session.get_inputs()
        self.names = [value.name for value in given]
        self.types = [value.type for value in given]
        self.outputs = [value.name for value in self.session.get_outputs()]
        n = given[0].shape[0] if given and given[0].shape else None
        self.n_rows = n if isinstance(n, int) else None

    @property
    def session(self) -> Any:
        """That of onnxruntime, which a pickled model opens again."""
        if self._session is None:
            runtime = _import_onnxruntime()
            known = runtime.get_available_providers()
            wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
            options = runtime.SessionOptions()
            options.intra_op_num_threads = torch.get_num_threads()
            self._session = runtime.InferenceSession(
                self.path, options, providers=[p for p in wanted if p in known]
            )
        return self._session

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_session": None}

    def forward(self, *inputs: torch.Tensor) -> Any:
        """Its output, or several by their names."""
        if any(x.requires_grad for x in inputs) and torch.is_grad_enabled():
            raise TypeError(
                "an ONNX model has no gradients, so that `deep_lift_shap` and others "
                "that use them cannot explain it; `saturation_mutagenesis` does."
            )
        if len(inputs) != len(self.names):
            raise TypeError(
                f"the ONNX model takes {len(self.names)} inputs "
                f"({', '.join(self.names)}), not {len(inputs)}; those beside the "
                "sequence come by `args`."
            )
        return in_groups(self._run, inputs, self.n_rows)

    def _run(self, *inputs: torch.Tensor) -> Any:
        arrays = [
            x.detach().cpu().numpy().astype(_dtype(kind), copy=False)
            for x, kind in zip(inputs, self.types, strict=True)
        ]
        given = dict(zip(self.names, arrays, strict=True))
        y = [
            torch.from_numpy(value).to(inputs[0].device)
            for value in self.session.run(None, given)
        ]
        return y[0] if len(y) == 1 else dict(zip(self.outputs, y, strict=True))


def in_groups(
    run: Callable[..., Any], inputs: Sequence[torch.Tensor], n_rows: int | None
) -> Any:
    """Outputs of a model that takes a fixed number of sequences, of any number.

    The last group is filled up with its last sequence.

    Examples
    --------
    >>> in_groups(lambda X: 2 * X.reshape(2, 1), [torch.arange(3)], 2).flatten()
    tensor([0, 2, 4])
    """
    n = len(inputs[0])
    if n_rows is None or n == n_rows:
        return run(*inputs)
    parts = []
    for start in range(0, n, n_rows):
        places = torch.arange(start, start + n_rows).clamp(max=n - 1)
        parts.append(run(*(x[places.to(x.device)] for x in inputs)))
    return _joined(parts, n)


def _joined(parts: list[Any], n: int) -> Any:
    first = parts[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(parts)[:n]
    if isinstance(first, dict):
        return {key: _joined([part[key] for part in parts], n) for key in first}
    if isinstance(first, list | tuple):
        return tuple(_joined(list(heads), n) for heads in zip(*parts, strict=True))
    return first


def _load_torchscript(path: Path) -> torch.nn.Module:
    with warnings.catch_warnings():
        # torch advises to export instead, which is for who writes such files.
        warnings.simplefilter("ignore", DeprecationWarning)
        model: torch.nn.Module = torch.jit.load(  # type: ignore[no-untyped-call]
            path, map_location="cpu"
        )
    return model


@contextmanager
def _without_code() -> Iterator[None]:
    """`torch.load` refuses what would run code, also where torch itself calls it."""
    before = os.environ.get(_FORCE_SAFE)
    os.environ[_FORCE_SAFE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_FORCE_SAFE]
        else:
            os.environ[_FORCE_SAFE] = before


def _import_onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "ONNX models need onnxruntime: `pip install 'tangermeme-gia[onnx]'`."
        ) from error
    return onnxruntime


def _dtype(kind: str) -> Any:
    """NumPy's, of one as ONNX writes it, such as tensor(float)."""
    name = kind.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64"}.get(name, name))


def _digest(path: Path) -> str:
    """Of the whole file, as the code of a program is part of what a model is."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
