"""What every single-letter variant of a k-mer changes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch

from .._core.letters import GAP_LETTER, check_alphabet
from .._core.results import GIAResult
from .inputs import without_controls

_COLUMNS = ["letters", "position", "letter", "is_wild_type", "control"]


def mutagenesis_change(
    result: GIAResult, alphabet: Sequence[str] | None = None
) -> pd.DataFrame:
    """How much does each single-letter variant change the effect of a k-mer?

    Logos are made of this change, not of the effects themselves, whose norm is highest
    where letters matter least: `sensitivity_logo(mutagenesis_change(result), motif)`.

    Parameters
    ----------
    result: GIAResult
        From `kmer_mutagenesis`, with one output; of its controls nothing is read.

    alphabet: sequence of str or None, optional
        Letters in column order. None sorts those of the wild type and its variants,
        which is the order of DNA and RNA. Default is None.

    Returns
    -------
    change: pandas.DataFrame, shape=(length, n_letters)
        Global importance of each variant minus that of the wild type, whose letters
        have 0; a row of zeros where the motif has N. `mutagenesis_intervals` has the
        errors of these numbers.

    Raises
    ------
    ValueError
        If the result is not from `kmer_mutagenesis`, has letters outside the alphabet,
        or has several outputs.

    Examples
    --------
    >>> y = torch.zeros(5, 1)
    >>> table = pd.DataFrame(
    ...     {
    ...         "letters": ["C", "A", "G", "T"],
    ...         "position": pd.array([None, 0, 0, 0], dtype="Int64"),
    ...         "letter": [None, "A", "G", "T"],
    ...         "is_wild_type": [True, False, False, False],
    ...         "control": "none",
    ...     }
    ... )
    >>> effects = torch.tensor([3.0, 1.0, 0.0, 0.5])
    >>> mutagenesis_change(GIAResult(y, y[:, None] + effects[:, None], table))
         A    C    G    T
    0 -2.0  0.0 -3.0 -2.5
    """
    motif = wild_type(result)
    result = without_controls(result).output()
    table, after = result.conditions, result.y_afters
    assert isinstance(after, torch.Tensor)
    variants = table[~table["is_wild_type"]]
    held = set(variants["letter"])
    if alphabet is None:
        letters = tuple(sorted(held | set(motif) - ({GAP_LETTER} - held)))
    else:
        letters = check_alphabet(alphabet)
    unknown = sorted(held - set(letters))
    if unknown:
        raise ValueError(
            f"`result` has a variant with {unknown[0]!r}, which is not in `alphabet` "
            f"{', '.join(letters)}."
        )
    reference = int(table.index[table["is_wild_type"]][0])
    moved = (after.double() - after[:, [reference]].double()).mean(dim=0).tolist()
    change: pd.DataFrame = pd.DataFrame(0.0, range(len(motif)), list(letters))
    for i, position, letter in variants[["position", "letter"]].itertuples():
        change.loc[int(position), letter] = moved[i]
    return change


def mutagenesis_intervals(result: GIAResult, confidence: float = 0.95) -> pd.DataFrame:
    """How sure is the change that each single-letter variant of a k-mer makes?

    The numbers of `mutagenesis_change` with their errors, paired over backgrounds, a
    row for each variant.

    Parameters
    ----------
    result: GIAResult
        From `kmer_mutagenesis`, with one output; of its controls nothing is read.

    confidence: float, optional
        Coverage of the intervals. Default is 0.95.

    Returns
    -------
    table: pandas.DataFrame
        `position`, `letter`, `effect` (global importance of the variant minus that of
        the wild type), `se`, `low`, `high`, `n` and, if the result has clusters,
        `n_clusters` and `df`.

    Raises
    ------
    ValueError
        As `mutagenesis_change`.

    Examples
    --------
    >>> y = torch.zeros(3, 1)
    >>> table = pd.DataFrame(
    ...     {
    ...         "letters": ["C", "A"],
    ...         "position": pd.array([None, 0], dtype="Int64"),
    ...         "letter": [None, "A"],
    ...         "is_wild_type": [True, False],
    ...         "control": "none",
    ...     }
    ... )
    >>> after = torch.tensor([[[3.0], [1.0]], [[3.0], [2.0]], [[3.0], [3.0]]])
    >>> mutagenesis_intervals(GIAResult(y, after, table))[["effect", "se"]].round(3)
       effect     se
    0    -1.0  0.577
    """
    wild_type(result)
    result = without_controls(result).output()
    table = result.relative_to(is_wild_type=True).to_frame(confidence)
    columns = ["position", "letter", "effect", "se", "low", "high", "n"]
    columns += [name for name in ("n_clusters", "df") if name in table]
    shown: pd.DataFrame = table[columns]
    return shown


def wild_type(result: GIAResult) -> str:
    """The k-mer of which variants were made.

    Raises
    ------
    ValueError
        If the result is not from `kmer_mutagenesis`.

    Examples
    --------
    >>> table = pd.DataFrame({"letters": ["C"], "position": [None], "letter": [None]})
    >>> table = table.assign(is_wild_type=True, control="none")
    >>> wild_type(GIAResult(torch.zeros(2), torch.zeros(2, 1), table))
    'C'
    """
    table = result.conditions
    if not set(_COLUMNS) <= set(table.columns):
        raise ValueError(
            f"`result` has conditions with the columns {list(table.columns)}; it must "
            "come from `kmer_mutagenesis`."
        )
    return str(table.loc[table["is_wild_type"], "letters"].iloc[0])
