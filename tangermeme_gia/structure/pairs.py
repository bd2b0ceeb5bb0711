"""Which positions and letters pair: dot-bracket strings, hairpins, complements.

Positions are 0-based. A *pair table* holds the partner of each position, -1 where it
is unpaired; *pairs* are an array of rows (i, j) with i < j, in ascending order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core.letters import DNA, check_count

Pairs = NDArray[np.int64]

# Watson-Crick partners; a letter may have its T or its U form in an alphabet.
_WATSON_CRICK = {"A": "TU", "C": "G", "G": "C", "T": "A", "U": "A"}
_WOBBLE = {"G": "TU", "T": "G", "U": "G"}
# What dot-bracket writes pairs with that cross those in "(" and ")".
_OTHER_BRACKETS = "[]{}<>"


@dataclass(frozen=True)
class Hairpin:
    """Where do the arms and the loop of a perfect stem-loop lie?

    Parameters
    ----------
    stem_start: int, optional
        First base of the left arm, 0-based. Default is 5.

    stem_length: int, optional
        Base pairs of the stem. Default is 11.

    loop_length: int, optional
        Bases between the arms; fewer than 3 do not fold in nature. Default is 6.

    Raises
    ------
    TypeError
        If a value is not an integer.

    ValueError
        If a value is negative, or the stem has no pair.

    Notes
    -----
    The defaults are the paper's hairpin: pairs at 6-16 with 23-33 (1-based) of 41 nt.

    Examples
    --------
    >>> hairpin = Hairpin(stem_start=1, stem_length=2, loop_length=3)
    >>> hairpin.dot_bracket(length=9)
    '.((...)).'
    >>> hairpin.loop
    range(3, 6)
    """

    stem_start: int = 5
    stem_length: int = 11
    loop_length: int = 6

    def __post_init__(self) -> None:
        for name in ("stem_start", "stem_length", "loop_length"):
            check_count(name, getattr(self, name), int(name == "stem_length"))

    @property
    def left_arm(self) -> range:
        """Positions of the 5' arm."""
        return range(self.stem_start, self.stem_start + self.stem_length)

    @property
    def loop(self) -> range:
        """Positions between the arms."""
        return range(self.left_arm.stop, self.left_arm.stop + self.loop_length)

    @property
    def right_arm(self) -> range:
        """Positions of the 3' arm."""
        return range(self.loop.stop, self.loop.stop + self.stem_length)

    @property
    def end(self) -> int:
        """One past the last base of the stem."""
        return self.right_arm.stop

    @property
    def pairs(self) -> Pairs:
        """The base pairs, outermost first, shape=(stem_length, 2)."""
        return np.stack([self.left_arm, self.right_arm[::-1]], axis=1).astype(np.int64)

    def dot_bracket(self, length: int) -> str:
        """The hairpin as dot-bracket of a sequence of `length` bases.

        Raises
        ------
        ValueError
            If the hairpin runs past the end.
        """
        _check_fits(self, length)
        arm = self.stem_length
        folded = "(" * arm + "." * self.loop_length + ")" * arm
        return "." * self.stem_start + folded + "." * (length - self.end)

    @classmethod
    def paper(cls) -> Hairpin:
        """Watson-Crick pairs at 6-16 with 23-33, 1-based (paper, "RNA structure")."""
        return cls()

    @classmethod
    def released(cls) -> Hairpin:
        """Pairs at 7-15 with 23-31, 0-based: what the authors' released code does."""
        return cls(stem_start=7, stem_length=9, loop_length=7)

    @classmethod
    def from_dot_bracket(cls, structure: str) -> Hairpin:
        """The geometry of a dot-bracket string with one perfect stem-loop.

        Raises
        ------
        ValueError
            If the string is malformed, has no pair, or has more than one stem, a
            bulge or an internal loop.

        Examples
        --------
        >>> Hairpin.from_dot_bracket(".((...)).")
        Hairpin(stem_start=1, stem_length=2, loop_length=3)
        """
        table = parse_dot_bracket(structure)
        left = structure.find("(")
        if left < 0:
            raise ValueError(f"`structure`={structure!r} has no base pair.")
        innermost = structure.rfind("(")
        hairpin = cls(
            stem_start=left,
            stem_length=innermost - left + 1,
            loop_length=int(table[innermost]) - innermost - 1,
        )
        if (
            hairpin.end > len(structure)
            or hairpin.dot_bracket(len(structure)) != structure
        ):
            raise ValueError(
                f"`structure`={structure!r} is not one perfect stem-loop; with bulges "
                "or several stems it has base pairs (`pair_indices`) but no single "
                "`stem_start`, `stem_length` and `loop_length`."
            )
        return hairpin


_PRESETS = {"paper": Hairpin.paper, "released": Hairpin.released}


def parse_dot_bracket(structure: str) -> NDArray[np.int64]:
    """With which position does each position of a dot-bracket string pair?

    Parameters
    ----------
    structure: str
        "(" and ")" for the two sides of a pair and "." for an unpaired base.

    Returns
    -------
    table: numpy.ndarray, shape=(len(structure),)
        The pair table: the partner of each position, -1 where it is unpaired.

    Raises
    ------
    TypeError
        If `structure` is not a string.

    ValueError
        If a bracket has no partner, a character is not allowed, or there is a
        pseudoknot, which takes a second kind of brackets; the position is named.

    Examples
    --------
    >>> parse_dot_bracket("(..).")
    array([ 3, -1, -1,  0, -1])
    """
    if not isinstance(structure, str):
        raise TypeError(f"`structure`={structure!r} must be a dot-bracket string.")
    table = np.full(len(structure), -1, dtype=np.int64)
    opened: list[int] = []
    for position, character in enumerate(structure):
        if character == "(":
            opened.append(position)
        elif character == ")":
            if not opened:
                raise ValueError(
                    f"`structure` closes a pair at position {position} (0-based) that "
                    "was never opened."
                )
            partner = opened.pop()
            table[partner], table[position] = position, partner
        elif character in _OTHER_BRACKETS:
            raise ValueError(
                f"`structure` holds {character!r} at position {position} (0-based), "
                "the notation of a pseudoknot; pairs that cross are not supported, "
                "and those that do not are written with '(' and ')'."
            )
        elif character != ".":
            raise ValueError(
                f"`structure` holds {character!r} at position {position} (0-based); "
                "allowed are '(', ')' and '.'."
            )
    if opened:
        raise ValueError(
            f"`structure` opens a pair at position {opened[-1]} (0-based) that is "
            "never closed."
        )
    return table


def format_dot_bracket(table: ArrayLike) -> str:
    """The dot-bracket string of a pair table.

    Parameters
    ----------
    table: array-like of int, shape=(length,)
        The partner of each position, -1 where it is unpaired.

    Returns
    -------
    structure: str

    Raises
    ------
    ValueError
        If partners disagree or lie outside the table, or pairs cross (a pseudoknot,
        which dot-bracket with one kind of bracket cannot say).

    Examples
    --------
    >>> format_dot_bracket([3, -1, -1, 0, -1])
    '(..).'
    """
    partners = np.asarray(table)
    if partners.ndim != 1 or (partners.size and partners.dtype.kind not in "iu"):
        raise ValueError("`table` must be one integer per position.")
    length = len(partners)
    opened: list[int] = []
    characters = []
    for position, partner in enumerate(partners.tolist()):
        if partner == -1:
            characters.append(".")
            continue
        if not 0 <= partner < length or partners[partner] != position:
            raise ValueError(
                f"`table` pairs position {position} with {partner}, which does not "
                f"pair back; partners must be mutual and below {length}."
            )
        if partner == position:
            raise ValueError(f"`table` pairs position {position} with itself.")
        if partner > position:
            opened.append(position)
        elif opened.pop() != partner:
            raise ValueError(
                f"`table` has a pseudoknot: the pair ({partner}, {position}) crosses "
                "another one."
            )
        characters.append("(" if partner > position else ")")
    return "".join(characters)


def pair_indices(structure: str | Hairpin, length: int | None = None) -> Pairs:
    """Which positions of a sequence pair in a structure?

    Parameters
    ----------
    structure: str or Hairpin
        A dot-bracket string, the geometry of a hairpin, or the name of one: "paper"
        (`Hairpin.paper`) or "released" (`Hairpin.released`).

    length: int or None, optional
        Length of the sequences the structure is meant for; None checks nothing.
        Default is None.

    Returns
    -------
    pairs: numpy.ndarray, shape=(n_pairs, 2)
        Positions (i, j) with i < j, in ascending order of i.

    Raises
    ------
    ValueError
        If a dot-bracket string is malformed or of another length, or a hairpin runs
        past the end.

    Examples
    --------
    >>> pair_indices("((...))").tolist()
    [[0, 6], [1, 5]]
    """
    structure = named_structure(structure)
    if isinstance(structure, Hairpin):
        if length is not None:
            _check_fits(structure, length)
        return structure.pairs
    table = parse_dot_bracket(structure)
    if length is not None and len(table) != length:
        raise ValueError(
            f"`structure` has {len(table)} characters, but the sequences have {length} "
            "positions."
        )
    left = np.flatnonzero(table > np.arange(len(table)))
    return np.stack([left, table[left]], axis=1)


def named_structure(structure: str | Hairpin) -> str | Hairpin:
    """The hairpin of a name, and any other structure as it is.

    Raises
    ------
    ValueError
        If it is a word but not a name.

    Examples
    --------
    >>> named_structure("paper") == PAPER_HAIRPIN, named_structure("(...)")
    (True, '(...)')
    """
    if not isinstance(structure, str) or not structure.isalpha():
        return structure
    if structure not in _PRESETS:
        raise ValueError(
            f"`structure`={structure!r} must be a dot-bracket string, a Hairpin, or "
            f"one of {', '.join(map(repr, _PRESETS))}."
        )
    return _PRESETS[structure]()


def complementary_bases(
    alphabet: Sequence[str] = DNA, wobble: bool = False
) -> dict[str, tuple[str, ...]]:
    """With which letters does each letter of an alphabet pair?

    Parameters
    ----------
    alphabet: list or tuple of str, optional
        A, C, G and one of T and U, in any order. Default is ("A", "C", "G", "T").

    wobble: bool, optional
        Whether G also pairs with U (or T). Default is False.

    Returns
    -------
    partners: dict of str to tuple of str
        The letters each letter pairs with, its Watson-Crick partner first.

    Raises
    ------
    ValueError
        If `alphabet` is not A, C, G and one of T and U.

    Examples
    --------
    >>> complementary_bases(("A", "C", "G", "U"), wobble=True)["G"]
    ('C', 'U')
    """
    letters = tuple(alphabet)
    if sorted(letters) not in (list("ACGT"), list("ACGU")):
        raise ValueError(
            f"`alphabet`={letters} has no complementary bases; they are known for A, "
            "C, G and one of T and U."
        )
    candidates = {
        letter: _WATSON_CRICK[letter] + (_WOBBLE.get(letter, "") if wobble else "")
        for letter in letters
    }
    return {
        letter: tuple(partner for partner in partners if partner in letters)
        for letter, partners in candidates.items()
    }


def _check_fits(hairpin: Hairpin, length: int) -> None:
    if hairpin.end > length:
        raise ValueError(
            f"the hairpin (`stem_start`={hairpin.stem_start}, "
            f"`stem_length`={hairpin.stem_length}, "
            f"`loop_length`={hairpin.loop_length}) ends at {hairpin.end} and runs past "
            f"a sequence of length {length}."
        )
