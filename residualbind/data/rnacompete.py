"""RNAcompete measurements: probes, their scores, and the set each belongs to."""

from __future__ import annotations

import difflib
import hashlib
import logging
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.letters import RNA, RandomState

from .copies import copies_in, first_copies
from .encoding import decode_sequences
from .splits import DESIGN_SETS, PRESPLIT_SETS, Split, check_sets, split_sets

logger = logging.getLogger(__name__)

Rows = Sequence[int] | NDArray[np.integer] | NDArray[np.bool_] | torch.Tensor


@dataclass(frozen=True, eq=False, repr=False)
class RNAcompete:
    """How strongly did each protein bind each RNA probe?

    What every reader returns. The tensors are not copied; treat them as constant.

    Parameters
    ----------
    X: torch.Tensor, shape=(n, channels, length), dtype=int8 or float32
        One-hot probes; a zero column is padding or N. Structure profiles, where there
        are any, are the channels after the first 4 and make it float32.

    y: torch.Tensor, shape=(n, n_experiments), dtype=float32
        Scores; NaN is a probe that was not measured.

    sets: array of str, shape=(n,)
        The set of each probe: "A" and "B", or "train", "valid" and "test" for data
        that were split elsewhere.

    experiments: tuple of str
        Name of each column of `y`, without duplicates.

    n_dropped: int, optional
        Probes without a score that `select` left out. Default is 0.

    Raises
    ------
    ValueError
        If shapes, types or labels are not as above, or a score is infinite.

    Examples
    --------
    >>> from residualbind.data.encoding import encode_sequences
    >>> data = RNAcompete(
    ...     X=encode_sequences(["ACGU", "GGA", "UUAA"], length=6),
    ...     y=torch.tensor([[0.5, 1.0], [float("nan"), 2.0], [1.5, 3.0]]),
    ...     sets=["A", "A", "B"],
    ...     experiments=("RNCMPT00001", "RNCMPT00002"),
    ... )
    >>> data
    RNAcompete(3 probes of 6 columns, 4 channels, 2 experiment(s); A: 2, B: 1)
    >>> data.select("RNCMPT00001").n_dropped
    1
    """

    X: torch.Tensor
    y: torch.Tensor
    sets: NDArray[np.str_]
    experiments: tuple[str, ...]
    n_dropped: int = 0

    def __post_init__(self) -> None:
        experiments: Any = self.experiments
        if isinstance(experiments, str):
            raise ValueError(
                f"`experiments`={experiments!r} is one string; give a tuple of names."
            )
        object.__setattr__(self, "sets", np.asarray(self.sets, dtype=np.str_))
        object.__setattr__(self, "experiments", tuple(experiments))
        self._check_tensors()
        self._check_labels()

    def __len__(self) -> int:
        """Number of probes."""
        return int(self.X.shape[0])

    def __repr__(self) -> str:
        n, channels, length = self.X.shape
        counts = Counter(self.sets.tolist())
        labels = [s for s in DESIGN_SETS + PRESPLIT_SETS if s in counts]
        return (
            f"RNAcompete({n} probes of {length} columns, {channels} channels, "
            f"{len(self.experiments)} experiment(s); "
            f"{', '.join(f'{s}: {counts[s]}' for s in labels) or 'no set'})"
        )

    @property
    def sequences(self) -> list[str]:
        """The probes as RNA letters, decoded on every access: keep the list.

        N stands for a zero column between bases; zero columns at the ends are padding
        and are left out.
        """
        return decode_sequences(self.X)

    def select(self, experiment: str) -> RNAcompete:
        """Which probes were measured in one experiment?

        Parameters
        ----------
        experiment: str
            A name in `experiments`.

        Returns
        -------
        data: RNAcompete
            That experiment alone, without the probes that have no score in it. How
            many those are is in `n_dropped` and logged at level INFO.

        Raises
        ------
        ValueError
            If there is no such experiment, or it has no score at all.
        """
        if experiment not in self.experiments:
            near = difflib.get_close_matches(str(experiment), self.experiments)
            known = near or self.experiments[:3]
            raise ValueError(
                f"`experiment`={experiment!r} is not one of the {len(self.experiments)}"
                f" experiments here, such as {', '.join(map(repr, known))}."
            )
        y = self.y[:, [self.experiments.index(experiment)]]
        rows = torch.nonzero(~torch.isnan(y[:, 0])).squeeze(1)
        if len(rows) == 0:
            raise ValueError(f"experiment {experiment!r} has no score for any probe.")
        n_dropped = len(self) - len(rows)
        logger.info(
            "%s: %d of %d probes have no score and are left out",
            experiment,
            n_dropped,
            len(self),
        )
        one = replace(self, y=y, experiments=(experiment,), n_dropped=0)
        return replace(one.subset(rows) if n_dropped else one, n_dropped=n_dropped)

    def subset(self, rows: Rows) -> RNAcompete:
        """Take some probes, in the order given.

        Parameters
        ----------
        rows: sequence of int, or array or tensor of int or bool
            Row numbers, which may repeat, or a mask of length n.

        Returns
        -------
        data: RNAcompete
            Those probes; its `n_dropped` is 0.

        Raises
        ------
        ValueError
            If a row does not exist, or a mask has another length.
        """
        index = self._check_rows(rows)
        picked = torch.from_numpy(index)
        return replace(
            self,
            X=self.X[picked.to(self.X.device)],
            y=self.y[picked.to(self.y.device)],
            sets=self.sets[index],
            n_dropped=0,
        )

    def split(
        self,
        *,
        valid_fraction: float = 0.1,
        random_state: RandomState = 0,
        drop_duplicates: bool = False,
    ) -> RNAcompeteSplit:
        """Which probes train the model, which select it, which are held out?

        Set A is divided at random into training and validation, set B is the test
        set; data that were split elsewhere keep their split. See `split_sets`. Copies
        of one sequence stay together where set A is divided; a warning says how many
        are on both sides of a split that was there.

        Parameters
        ----------
        valid_fraction: float, optional
            Fraction of set A used for validation. Default is 0.1.

        random_state: int, numpy Generator or None, optional
            Seed of the division of set A. Default is 0.

        drop_duplicates: bool, optional
            Whether to leave out validation probes with the sequence of a training
            probe, and test probes with that of either. Default is False.

        Returns
        -------
        split: RNAcompeteSplit
            `train`, `valid` and `test`, each in the order of the file. A part without
            probes is empty.

        Raises
        ------
        ValueError
            As `split_sets`.
        """
        groups = first_copies(self.X)
        rows = split_sets(
            self.sets,
            valid_fraction=valid_fraction,
            random_state=random_state,
            groups=groups,
        )
        copies = copies_in(rows, groups)
        if copies.valid.any() or copies.test.any():
            text = (
                f"{copies.valid.sum()} of {len(rows.valid)} validation and "
                f"{copies.test.sum()} of {len(rows.test)} test probes are copies: a "
                "set before them holds the same sequence"
            )
            if drop_duplicates:
                logger.info("%s; they are left out", text)
                rows = Split(*(r[~c] for r, c in zip(rows, copies, strict=True)))
            else:
                warnings.warn(f"{text}; see `drop_duplicates`.", stacklevel=2)
        return RNAcompeteSplit(*(self.subset(part) for part in rows))

    def checksum(self) -> str:
        """Are these the same probes and scores, bit for bit?

        Returns
        -------
        digest: str
            SHA-256, in hexadecimal, of the shapes, types and values of `X` and `y`;
            sets and names do not enter, and every NaN counts as the same value.
        """
        digest = hashlib.sha256()
        for name, tensor in (("X", self.X), ("y", self.y)):
            values = tensor.detach().cpu().numpy()
            if values.dtype == np.float32:
                values = np.where(np.isnan(values), np.float32("nan"), values)
            # Little-endian, so that the digest does not depend on the machine.
            values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
            digest.update(f"{name} {values.dtype.name} {values.shape}\n".encode())
            digest.update(values.reshape(-1).view(np.uint8).data)
        return digest.hexdigest()

    def _check_tensors(self) -> None:
        if self.X.ndim != 3 or self.X.shape[1] < len(RNA):
            raise ValueError(
                f"`X` has shape {tuple(self.X.shape)}; it must be (n, channels, "
                "length) with 4 or more channels."
            )
        if self.X.dtype not in (torch.int8, torch.float32):
            raise ValueError(f"`X` is {self.X.dtype}; it must be int8 or float32.")
        if self.y.dtype != torch.float32:
            raise ValueError(f"`y` is {self.y.dtype}; it must be float32.")
        expected = (self.X.shape[0], len(self.experiments))
        if tuple(self.y.shape) != expected:
            raise ValueError(
                f"`y` has shape {tuple(self.y.shape)}; {expected[0]} probes and "
                f"{expected[1]} experiments need {expected}."
            )
        if torch.isinf(self.y).any():
            row, column = torch.nonzero(torch.isinf(self.y))[0].tolist()
            raise ValueError(
                f"`y` is infinite in row {row} of experiment "
                f"{self.experiments[column]!r}; scores are finite or NaN."
            )

    def _check_labels(self) -> None:
        repeated = [name for name, n in Counter(self.experiments).items() if n > 1]
        if repeated:
            raise ValueError(f"`experiments` holds {repeated[0]!r} more than once.")
        if self.sets.shape != (len(self),):
            raise ValueError(
                f"`sets` has shape {self.sets.shape}; {len(self)} probes need "
                f"({len(self)},)."
            )
        check_sets(set(self.sets.tolist()))

    def _check_rows(self, rows: Rows) -> NDArray[np.int64]:
        if isinstance(rows, torch.Tensor):
            rows = rows.detach().cpu().numpy()
        index = np.asarray(rows)
        if index.size == 0 and index.dtype != np.bool_:
            index = index.astype(np.int64)
        if index.ndim != 1 or index.dtype.kind not in "biu":
            raise ValueError(
                f"`rows` is an array of {index.dtype} with shape {index.shape}; give "
                "row numbers or a mask, in one dimension."
            )
        if index.dtype == np.bool_:
            if len(index) != len(self):
                raise ValueError(
                    f"`rows` is a mask of length {len(index)}; there are {len(self)} "
                    "probes."
                )
            return np.flatnonzero(index)
        outside = (index < 0) | (index >= len(self))
        if outside.any():
            raise ValueError(
                f"`rows` holds {index[outside][0]}; there are {len(self)} probes, so "
                f"rows are 0 to {len(self) - 1}."
            )
        return index.astype(np.int64)


class RNAcompeteSplit(NamedTuple):
    """The probes of each part."""

    train: RNAcompete
    valid: RNAcompete
    test: RNAcompete
