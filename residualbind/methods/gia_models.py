"""DeepBind's published files for tangermeme-gia's commands: an entry point names this.

Has what `tangermeme_gia.models.providers.Provider` asks for.
"""

from __future__ import annotations

from pathlib import Path

from tangermeme_gia.models.providers import ModelSource


def names() -> tuple[str, ...]:
    """None comes with the package."""
    return ()


def reads(path: str) -> bool:
    """Whether a file that exists is one of DeepBind's, in whatever condition."""
    if not path.endswith(".txt"):
        return False
    with open(path, "rb") as file:
        return file.read(10) == b"# deepbind"


def load(spec: str) -> ModelSource:
    """The model of this file.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    from .deepbind_files import load_deepbind

    model = load_deepbind(spec)
    return ModelSource(
        Path(spec).stem,
        model,
        alphabet=model.alphabet,
        output="DeepBind score",
        origin={"model": spec, "architecture": "DeepBind"},
    )
