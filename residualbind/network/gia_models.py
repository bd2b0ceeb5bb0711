"""The models of ResidualBind for tangermeme-gia's commands: an entry point names this.

Has what `tangermeme_gia.models.providers.Provider` asks for: the bundled models by
name, and the files that `save` and `residualbind train` write.
"""

from __future__ import annotations

from pathlib import Path

from tangermeme_gia.models.providers import ModelSource

from .pretrained import (
    load_pretrained,
    load_profile,
    pretrained_metadata,
    pretrained_names,
)

# Of the provenance: what a reader of a report wants to know.
_SHOWN = ("protein", "experiment", "source", "seed", "architecture", "transform")


def names() -> tuple[str, ...]:
    """Names of the bundled models.

    Examples
    --------
    >>> names()
    ('A1CF', 'ANKHD1')
    """
    return pretrained_names()


def reads(path: str) -> bool:
    """Whether a file that exists is one of `save`, in whatever condition."""
    if not path.endswith(".safetensors"):
        return False
    from safetensors import SafetensorError, safe_open

    from .metadata import FORMAT

    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("format") == FORMAT
    except SafetensorError:
        return False


def load(spec: str) -> ModelSource:
    """The model of this name, or of this file.

    A model that reads structure beside the sequence folds its sequences by ViennaRNA.

    Raises
    ------
    ValueError
        If the file is damaged.
    ImportError
        If the model reads structure and ViennaRNA is missing.

    Examples
    --------
    >>> source = load("A1CF")
    >>> source.alphabet, source.length, source.profile.shape
    (('A', 'C', 'G', 'U'), 41, torch.Size([4, 41]))
    """
    from tangermeme_gia._core.letters import RNA

    from .weights import load as load_file
    from .weights import load_metadata
    from .with_structure import WithStructure

    named = spec in names()
    metadata = pretrained_metadata(spec) if named else load_metadata(spec)
    reads_structure = metadata.config.channels != len(RNA)
    from_file = WithStructure.from_file if reads_structure else load_file
    experiments = metadata.experiments or ("",) * metadata.config.n_outputs
    scale = "" if metadata.transform is None else "as transformed for training"
    provenance = metadata.provenance.items()
    return ModelSource(
        Path(spec).stem,
        load_pretrained(spec) if named else from_file(spec),
        alphabet=RNA,
        length=metadata.config.length,
        profile=load_profile(spec) if named else metadata.profile,
        output="predicted binding score",
        outputs=tuple(", ".join(filter(None, (name, scale))) for name in experiments),
        origin={
            "model": "bundled with residualbind" if named else spec,
            **{name: str(value) for name, value in provenance if name in _SHOWN},
        },
    )
