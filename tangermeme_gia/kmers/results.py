"""What a k-mer scan returns: moments of the effects, spelled out only when asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
import pandas as pd
import scipy
import torch

from .._core.results import Outputs, output_labels
from .codes import Indices, kmer_channels


class KmerNames(Sequence[str]):
    """k-mers by their indices, spelled when they are read.

    Parameters
    ----------
    indices: numpy.ndarray of int, shape=(n_kmers,)
        Indices of the k-mers (see `kmer_codes`).

    k: int
        Their length.

    alphabet: sequence of str
        Letters in channel order.

    Examples
    --------
    >>> names = KmerNames(np.arange(4**9), 9, "ACGU")
    >>> len(names), names[-1]
    (262144, 'UUUUUUUUU')
    >>> names[:2]
    ['AAAAAAAAA', 'AAAAAAAAC']
    """

    def __init__(self, indices: Indices, k: int, alphabet: Sequence[str]) -> None:
        self._indices, self._k = indices, k
        self._letters = np.array(list(alphabet))

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, key: int) -> str: ...
    @overload
    def __getitem__(self, key: slice) -> list[str]: ...
    def __getitem__(self, key: int | slice) -> str | list[str]:
        wanted = np.atleast_1d(self._indices[key])
        channels = kmer_channels(wanted, self._k, len(self._letters))
        spelled = ["".join(letters) for letters in self._letters[channels].tolist()]
        return spelled if isinstance(key, slice) else spelled[0]


class KmerScan(NamedTuple):
    """How much does each k-mer change the model's output, on average over backgrounds?

    Only the moments of the local importance are kept, because there may be millions of
    k-mers; everything is in the order of the scan. The best of many k-mers is biased
    upwards on the backgrounds it was chosen on: score it again on others.

    Parameters
    ----------
    kmers: sequence of str
        What was scanned: k-mers or names of motifs. All k-mers are spelled when read.

    effect: torch.Tensor, dtype=float64, shape=(n_kmers, ...), or list of torch.Tensor
        Global importance of each; a list for models with several outputs.

    se: torch.Tensor, dtype=float64, shape=(n_kmers, ...), or list of torch.Tensor
        Standard error of each over the backgrounds; NaN for one background.

    n: int
        Number of backgrounds.

    n_scanned: int or None, optional
        Number of k-mers that were in the scan; after a race for the best, more than it
        holds. None means those it holds. Default is None.

    n_predictions: int or None, optional
        How many sequences with a k-mer were predicted; None if that is not known, as
        for a scan put together from parts. Default is None.

    n_exhaustive: int or None, optional
        How many an exhaustive scan predicts. Default is None.

    Examples
    --------
    >>> effect = torch.tensor([[0.5], [2.0], [1.0]], dtype=torch.float64)
    >>> scan = KmerScan(["UGC", "UGU", "UGA"], effect, 0.1 * effect, 100)
    >>> scan.top(2)[["kmer", "effect", "se"]]
      kmer  effect   se
    0  UGU     2.0  0.2
    1  UGA     1.0  0.1
    """

    kmers: Sequence[str]
    effect: Outputs
    se: Outputs
    n: int
    n_scanned: int | None = None
    n_predictions: int | None = None
    n_exhaustive: int | None = None

    def to_frame(self, confidence: float = 0.95) -> pd.DataFrame:
        """How large is each effect, and how sure is it? One row each, in scan order.

        Parameters
        ----------
        confidence: float, optional
            Coverage of the t intervals of the mean over backgrounds.
            Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            Columns `kmer`, `output` (labelled as by `GIAResult.to_frame`), `effect`,
            `se`, `low`, `high` and `n` backgrounds. With one background, se and
            interval are NaN.

        Raises
        ------
        ValueError
            If `confidence` is not between 0 and 1.

        Examples
        --------
        >>> moments = torch.ones(2, dtype=torch.float64)
        >>> KmerScan(["UGC", "UGU"], moments, moments, 100).to_frame().columns.tolist()
        ['kmer', 'output', 'effect', 'se', 'low', 'high', 'n']
        """
        return self._frame(self.kmers, slice(None), confidence)

    def top(
        self,
        n: int = 10,
        output: int | tuple[int, ...] = 0,
        *,
        lowest: bool = False,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Which k-mers raise an output most?

        Parameters
        ----------
        n: int, optional
            How many to list; all that the scan holds if those are fewer, such as the
            best of a race. Default is 10.

        output: int or tuple of int, optional
            Which output, labelled as in `to_frame`. Default is 0.

        lowest: bool, optional
            Whether to list those that lower it most instead. Default is False.

        confidence: float, optional
            Coverage of the t intervals. Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            The rows of `to_frame` for this output, best first; equal effects in the
            order of the scan.

        Raises
        ------
        ValueError
            If `n` is below 1, there is no such output, `confidence` is not between 0
            and 1, or the lowest are asked of a race for the highest.
        """
        if n < 1:
            raise ValueError(f"`n`={n} must be at least 1.")
        if lowest and self.n_scanned is not None and self.n_scanned > len(self.kmers):
            raise ValueError(
                f"`lowest`=True, but the scan holds only the {len(self.kmers)} highest "
                f"of {self.n_scanned} k-mers; scan with `method`='exhaustive'."
            )
        effect = pick_output(self.effect, output, leading=1)
        order = torch.argsort(effect, descending=not lowest, stable=True)[:n]
        kmers = [self.kmers[i] for i in order.tolist()]
        frame = self._frame(kmers, order, confidence)
        # A tuple is compared as a whole, not entry by entry.
        wanted = [label == output for label in frame["output"]]
        best: pd.DataFrame = frame[wanted].reset_index(drop=True)
        return best

    def _frame(
        self, kmers: Iterable[str], rows: slice | torch.Tensor, confidence: float
    ) -> pd.DataFrame:
        if not 0 < confidence < 1:
            raise ValueError(f"`confidence`={confidence} must be between 0 and 1.")
        is_list = isinstance(self.effect, list)
        labels: list[Any] = []
        effects, errors = [], []
        for head, (effect, se) in enumerate(
            zip(_as_list(self.effect), _as_list(self.se), strict=True)
        ):
            here = output_labels(effect.shape[1:], (head,) if is_list else ())
            effects.append(effect[rows].reshape(-1, len(here)))
            errors.append(se[rows].reshape(-1, len(here)))
            labels += here
        mean = torch.cat(effects, dim=1).numpy()
        se_ = torch.cat(errors, dim=1).numpy()
        half_width = scipy.stats.t.ppf((1 + confidence) / 2, max(self.n - 1, 1)) * se_
        names = np.repeat(np.array(list(kmers), dtype=object), len(labels))
        outputs = pd.Series(labels * len(mean), dtype=object)
        frame: pd.DataFrame = pd.DataFrame(
            {
                "kmer": names,
                "output": outputs.infer_objects(),
                "effect": mean.ravel(),
                "se": se_.ravel(),
                "low": (mean - half_width).ravel(),
                "high": (mean + half_width).ravel(),
                "n": self.n,
            }
        )
        return frame


def pick_output(
    y: Outputs, output: int | tuple[int, ...], *, leading: int
) -> torch.Tensor:
    """One output, named as in the column `output` of `to_frame`.

    Parameters
    ----------
    y: torch.Tensor or list of torch.Tensor
        Outputs behind `leading` other axes, which are kept.

    output: int or tuple of int
        Index of the output; the first one is the tensor's for a list.

    leading: int
        Number of axes in front of the outputs'.

    Raises
    ------
    ValueError
        If there is no such output.

    Examples
    --------
    >>> pick_output(torch.arange(6.0).reshape(2, 3), 1, leading=1)
    tensor([1., 4.])
    """
    heads = _as_list(y)
    is_list = isinstance(y, list)
    labels = [
        (head, label, place)
        for head, tensor in enumerate(heads)
        for place, label in enumerate(
            output_labels(tensor.shape[leading:], (head,) if is_list else ())
        )
    ]
    for head, label, place in labels:
        if label == output:
            tensor = heads[head]
            return tensor.reshape(*tensor.shape[:leading], -1)[..., place]
    known = [label for _, label, _ in labels]
    raise ValueError(
        f"`output`={output!r} is not an output; there are {len(known)}, from "
        f"{known[0]!r} to {known[-1]!r}."
    )


def _as_list(y: Outputs) -> list[torch.Tensor]:
    return y if isinstance(y, list) else [y]
