"""What a report is about: a model and the sequences it is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from .._core.letters import resolve_alphabet
from .._core.outputs import Label
from .._core.readouts import Readout
from .._core.spelling import is_nucleic
from .._core.target import Contrast, Target, target_labels, word_of
from ..genome.windows import Loci
from ..models.providers import OUTPUT
from .one_output import OneOutput


@dataclass(frozen=True)
class ReportInputs:
    """A model and the sequences it is asked about.

    Parameters
    ----------
    name: str
        What the report calls the model.

    model: OneOutput
        The model.

    alphabet: tuple of str, optional
        Letters in channel order; () are those of the model, or DNA. Default is ().

    X: torch.Tensor or None, shape=(n, len(alphabet), length), optional
        Observed one-hot sequences, of which backgrounds are made. None needs a
        profile. Default is None.

    scores: torch.Tensor or None, shape=(n,), optional
        Their measured scores, for the quartiles; None takes the model's predictions.
        Default is None.

    profile: torch.Tensor or None, shape=(len(alphabet), length), optional
        Letter frequencies by position, instead of observed sequences.
        Default is None.

    output: str, optional
        What the model's output is, in words. Default is "output of the model".

    origin: mapping, optional
        Where the model and the sequences are from, for the provenance.

    loci: Loci or None, optional
        Where on a genome the sequences are. None is not known. Default is None.

    folds: mapping of str to torch.nn.Module, optional
        The models of which `model` is the mean, by name, each with all that it gives,
        so that the effect of the motif is told for each. Default is none.
    """

    name: str
    model: OneOutput
    alphabet: tuple[str, ...] = ()
    X: torch.Tensor | None = None
    scores: torch.Tensor | None = None
    profile: torch.Tensor | None = None
    output: str = OUTPUT
    origin: Mapping[str, str] = field(default_factory=dict)
    loci: Loci | None = None
    folds: Mapping[str, torch.nn.Module] = field(default_factory=dict)

    def __post_init__(self) -> None:
        letters = resolve_alphabet(self.model, self.alphabet or None)
        object.__setattr__(self, "alphabet", letters)
        if (self.X is None) == (self.profile is None):
            raise ValueError("give either sequences `X` or a `profile`.")
        shape = (self.profile if self.X is None else self.X).shape  # type: ignore[union-attr]
        if shape[-2] != len(self.alphabet):
            raise ValueError(
                f"`alphabet` has {len(self.alphabet)} letters and the sequences "
                f"{shape[-2]} channels."
            )
        if self.scores is not None and (self.X is None or len(self.scores) != shape[0]):
            raise ValueError("`scores` must hold one score for each sequence of `X`.")

    @property
    def label(self) -> Label | None:
        """What tells the chosen output from others; None if there was no choice."""
        labels = target_labels(self.model.target, torch.zeros(1))
        return None if labels is None else labels[0]

    @property
    def answer(self) -> str:
        """The output in words, with the one that was chosen."""
        label, target = self.label, self.model.target
        if isinstance(target, Contrast | Readout):
            return f"{self.output}, {in_words(target)}"
        if label is None:
            return self.output
        shown = ", ".join(map(str, label)) if isinstance(label, tuple) else label
        if self.output == OUTPUT:
            return f"output {shown} of the model"
        return f"{self.output}, output {shown} of the model"

    @property
    def has_nucleotides(self) -> bool:
        """Whether the letters are those of DNA or RNA."""
        return is_nucleic(self.alphabet)

    @property
    def unit(self) -> str:
        """What a sequence consists of."""
        return "base" if self.has_nucleotides else "residue"

    @property
    def length(self) -> int:
        """Bases of a sequence."""
        return (self.profile if self.X is None else self.X).shape[-1]  # type: ignore[union-attr]


def in_words(target: Target) -> str:
    """A target as the page calls it.

    Examples
    --------
    >>> in_words(Contrast(1, 0)), in_words(("counts", 0))
    ('output 1 minus output 0', 'output counts,0')
    >>> in_words(Readout(track=1, centre=200))
    'output track 1, centre 200'
    """
    if isinstance(target, Contrast):
        return f"{in_words(target.output)} minus {in_words(target.minus)}"
    if isinstance(target, Readout):
        fields = vars(target).items()
        given = [(k, v) for k, v in fields if v != getattr(Readout, k, None)]
        return f"output {', '.join(f'{name} {value}' for name, value in given)}"
    return f"output {word_of(target)}"
