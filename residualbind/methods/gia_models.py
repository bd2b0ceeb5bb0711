"""Other methods' models for tangermeme-gia's commands: an entry point names this.

Published files of DeepBind, and files of methods that were fitted here. Has what
`tangermeme_gia.models.providers.Provider` asks for.
"""

from __future__ import annotations

from pathlib import Path

from tangermeme_gia.models.providers import ModelSource

_DEEPBIND = b"# deepbind"


def names() -> tuple[str, ...]:
    """None comes with the package."""
    return ()


def reads(path: str) -> bool:
    """Whether a file that exists is one of these, in whatever condition."""
    if path.endswith(".txt"):
        with open(path, "rb") as file:
            return file.read(len(_DEEPBIND)) == _DEEPBIND
    if not path.endswith(".safetensors"):
        return False
    from safetensors import SafetensorError, safe_open

    from .fitted import FORMAT

    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("format") == FORMAT
    except SafetensorError:
        return False


def load(spec: str) -> ModelSource:
    """The model of this file.

    Raises
    ------
    ValueError
        If the file is damaged.
    ImportError
        If the model reads structure and ViennaRNA is missing.
    """
    return _load_deepbind(spec) if spec.endswith(".txt") else _load_fitted(spec)


def _load_deepbind(spec: str) -> ModelSource:
    from .deepbind_files import load_deepbind

    model = load_deepbind(spec)
    return ModelSource(
        Path(spec).stem,
        model,
        alphabet=model.alphabet,
        output="DeepBind score",
        origin={"model": spec, "architecture": "DeepBind"},
    )


def _load_fitted(spec: str) -> ModelSource:
    from tangermeme_gia._core.letters import RNA

    from .fitted import load_fitted
    from .registry import get_method

    fitted = load_fitted(spec)
    scale = "" if fitted.transform is None else "as transformed for training"
    return ModelSource(
        Path(spec).stem,
        fitted.sequence_model(),
        alphabet=RNA,
        length=fitted.length,
        profile=fitted.profile,
        output="predicted binding score",
        outputs=(", ".join(filter(None, (fitted.experiment, scale))),),
        origin={
            "model": spec,
            "architecture": get_method(fitted.name).title,
            "seed": str(fitted.random_state),
        },
    )
