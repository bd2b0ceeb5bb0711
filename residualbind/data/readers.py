"""Readers of RNAcompete measurements in text files; each returns an `RNAcompete`.

Plain and gzipped files are both read. A score written NA, NaN or left empty was not
measured and is NaN in `y`; every other text that is no finite number is an error.
Errors name the file and the line (1-based, header included).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.readers import TextTable, column_names, open_table
from tangermeme_gia._core.text import PathLike

from .encoding import encode_sequences
from .rnacompete import RNAcompete
from .splits import constant_sets, standard_sets

# Column names of the published tables.
RAY2013_SEQUENCE, RAY2013_SET, RAY2013_PROBE = "RNA_Seq", "Probe_Set", "Probe_ID"
DEEPBIND_SEQUENCE, DEEPBIND_SET = "seq", "Fold ID"


def read_scores(
    path: PathLike,
    set_label: str = "A",
    *,
    experiment: str | None = None,
    length: int | None = 41,
) -> RNAcompete:
    """Read one set of one experiment from lines of "score sequence".

    The layout of the RNAcontext, DLPRB and ThermoNet data: no header, two fields
    separated by blanks or tabs.

    Parameters
    ----------
    path: str or Path
        The file.

    set_label: str, optional
        The set of all its probes: "A", "B", "train", "valid" or "test".
        Default is "A".

    experiment: str or None, optional
        Name of the experiment. None is the file's name up to its first dot.
        Default is None.

    length: int or None, optional
        Columns of the encoding; None is the longest sequence. See `encode_sequences`.
        Default is 41.

    Returns
    -------
    data: RNAcompete

    Raises
    ------
    ValueError
        If the file is empty or damaged, or a line is not of this form.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "RNCMPT00001.train.txt")
    ...     _ = path.write_text("-0.39 AGAGGACUGAGG\\n1.25 AGAUCUGG\\n")
    ...     read_scores(path).experiments
    ('RNCMPT00001',)
    """
    return _read_score_files([(path, set_label)], experiment, length)


def read_score_pair(
    train_path: PathLike,
    test_path: PathLike,
    *,
    experiment: str | None = None,
    length: int | None = 41,
) -> RNAcompete:
    """Read set A and set B of one experiment from two files of "score sequence".

    Parameters
    ----------
    train_path: str or Path
        The file of set A, from which training and validation probes are drawn.

    test_path: str or Path
        The file of set B, the test set.

    experiment: str or None, optional
        Name of the experiment. None is the files' name up to the first dot; of two
        different ones both, such as "HuR_A+HuR_B". Default is None.

    length: int or None, optional
        Columns of the encoding; None is the longest sequence. See `encode_sequences`.
        Default is 41.

    Returns
    -------
    data: RNAcompete
        Set A, then set B, each in the order of its file.

    Raises
    ------
    ValueError
        As `read_scores`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     train, test = Path(folder, "HuR.train.txt"), Path(folder, "HuR.test.txt")
    ...     _ = train.write_text("-0.39 AGAGGACUGAGG\\n1.25 AGAUCUGG\\n")
    ...     _ = test.write_text("0.62 AGGUUUCC\\n")
    ...     read_score_pair(train, test)
    RNAcompete(3 probes of 41 columns, 4 channels, 1 experiment(s); A: 2, B: 1)
    """
    return _read_score_files([(train_path, "A"), (test_path, "B")], experiment, length)


def read_deepbind(
    sequences: PathLike,
    targets: PathLike,
    *,
    experiments: Sequence[str] | None = None,
    length: int | None = 41,
) -> RNAcompete:
    """Read the pair of tables that DeepBind and ResidualBind started from.

    Parameters
    ----------
    sequences: str or Path
        `sequences.tsv`: columns "Fold ID" (the set) and "seq"; others are ignored.

    targets: str or Path
        `targets.tsv`: a column for each experiment, a row for each row of `sequences`.

    experiments: sequence of str or None, optional
        Experiments to read. None is all. Default is None.

    length: int or None, optional
        Columns of the encoding; None is the longest sequence. See `encode_sequences`.
        Default is 41.

    Returns
    -------
    data: RNAcompete

    Raises
    ------
    ValueError
        If a file is empty or damaged, they differ in their number of rows, or a
        column, set label, sequence or score is not as it should be.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     probes, scores = Path(folder, "sequences.tsv"), Path(folder, "targets.tsv")
    ...     _ = probes.write_text("Fold ID\\tseq\\nA\\tAGAGGAC\\nB\\tAGAUC\\n")
    ...     _ = scores.write_text("RNCMPT00001\\tRNCMPT00002\\n0.4\\t1\\nNaN\\t2\\n")
    ...     read_deepbind(probes, scores).y
    tensor([[0.4000, 1.0000],
            [   nan, 2.0000]])
    """
    probes, scores = open_table(sequences), open_table(targets)
    probes.require(DEEPBIND_SET, DEEPBIND_SEQUENCE)
    if probes.n_rows != scores.n_rows:
        raise ValueError(
            f"{sequences} has {probes.n_rows} rows and {targets} has {scores.n_rows}; "
            "each probe needs a row in both."
        )
    names = column_names(
        scores.columns if experiments is None else experiments, "experiments"
    )
    _, y = scores.read([], names)
    (labels, letters), _ = probes.read([DEEPBIND_SET, DEEPBIND_SEQUENCE], [])
    sets = standard_sets(labels, probes.place)
    return assemble(letters, y, sets, names, probes.place, length)


def read_ray2013(
    path: PathLike,
    *,
    experiments: Sequence[str] | None = None,
    length: int | None = 41,
) -> RNAcompete:
    """Read the normalised table of Ray et al. (2013), `norm_data.txt.gz`.

    One probe a row, tab-separated: "Probe_Set" ("SetA" or "SetB"), "RNA_Seq" and
    "Probe_ID", which is ignored, in any order; every other column is an experiment
    ("RNCMPT00001" ...). `download` fetches it.

    Parameters
    ----------
    path: str or Path
        The file.

    experiments: sequence of str or None, optional
        Experiments to read, which saves time and memory. None is all. Default is None.

    length: int or None, optional
        Columns of the encoding; None is the longest sequence. See `encode_sequences`.
        Default is 41.

    Returns
    -------
    data: RNAcompete

    Raises
    ------
    ValueError
        If the file is empty or damaged, or a column, set label, sequence or score is
        not as it should be.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "norm_data.txt")
    ...     _ = path.write_text("Probe_Set\\tRNA_Seq\\tHuR\\nSetA\\tAGAGGAC\\t0.4\\n")
    ...     read_ray2013(path)
    RNAcompete(1 probes of 41 columns, 4 channels, 1 experiment(s); A: 1)
    """
    table = open_table(path)
    table.require(RAY2013_SET, RAY2013_SEQUENCE)
    if experiments is None:
        others = (RAY2013_SET, RAY2013_SEQUENCE, RAY2013_PROBE)
        experiments = [name for name in table.columns if name not in others]
        if not experiments:
            raise ValueError(f"{path} has no experiment: no column but {others}.")
    names = column_names(experiments, "experiments")
    (labels, letters), y = table.read([RAY2013_SET, RAY2013_SEQUENCE], names)
    sets = standard_sets(labels, table.place)
    return assemble(letters, y, sets, names, table.place, length)


def read_table(
    path: PathLike,
    sequence: str = "sequence",
    score: str | Sequence[str] = "score",
    set_column: str | None = None,
    *,
    set_label: str = "A",
    sep: str | None = None,
    length: int | None = 41,
) -> RNAcompete:
    """Read any table that has a header, such as TSV or CSV.

    Parameters
    ----------
    path: str or Path
        The file.

    sequence: str, optional
        Name of the column of sequences. Default is "sequence".

    score: str or sequence of str, optional
        Name of the column of scores, or several, one for each experiment.
        Default is "score".

    set_column: str or None, optional
        Name of the column that says which set a probe is in: "A" or "B" (also "SetA",
        "Set A"), or "train", "valid" and "test". None puts all in `set_label`.
        Default is None.

    set_label: str, optional
        The set of all probes if there is no `set_column`. Default is "A".

    sep: str or None, optional
        The character between fields, or r"\\s+" for white space. None is a tab if the
        header has one, else a comma if it has one, else white space. Default is None.

    length: int or None, optional
        Columns of the encoding; None is the longest sequence. See `encode_sequences`.
        Default is 41.

    Returns
    -------
    data: RNAcompete

    Raises
    ------
    ValueError
        If the file is empty or damaged, or a column, set label, sequence or score is
        not as it should be.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "probes.csv")
    ...     _ = path.write_text("rna,kd,fold\\nAGAGGACU,0.4,train\\nAGAUC,1.2,test\\n")
    ...     read_table(path, sequence="rna", score="kd", set_column="fold")
    RNAcompete(2 probes of 41 columns, 4 channels, 1 experiment(s); train: 1, test: 1)
    """
    table = open_table(path, sep=sep)
    names = column_names(score, "score")
    texts = [sequence] if set_column is None else [sequence, set_column]
    (letters, *labels), y = table.read(texts, names)
    if labels:
        sets = standard_sets(labels[0], table.place)
    else:
        sets = constant_sets(set_label, len(letters))
    return assemble(letters, y, sets, names, table.place, length)


def _read_score_files(
    files: Sequence[tuple[PathLike, str]], experiment: str | None, length: int | None
) -> RNAcompete:
    tables = [
        open_table(path, sep=r"\s+", columns=["score", "sequence"]) for path, _ in files
    ]
    # Files of different names give both, by which a mistake is seen in every table.
    starts = dict.fromkeys(Path(path).name.partition(".")[0] for path, _ in files)
    letters: list[str] = []
    scores, sets = [], []
    places: list[tuple[TextTable, int]] = []
    for table, (_, label) in zip(tables, files, strict=True):
        (column,), y = table.read(["sequence"], ["score"])
        letters += column
        scores.append(y)
        sets.append(constant_sets(label, len(column)))
        places += [(table, row) for row in range(len(column))]
    return assemble(
        letters,
        np.concatenate(scores),
        np.concatenate(sets),
        (experiment or "+".join(starts),),
        lambda row: places[row][0].place(places[row][1]),
        length,
    )


def assemble(
    sequences: Sequence[str],
    y: NDArray[np.float32],
    sets: NDArray[np.str_],
    experiments: Sequence[str],
    place: Callable[[int], str],
    length: int | None,
) -> RNAcompete:
    """Probes from what a reader has read; `place` says where a row is."""
    X = encode_sequences(sequences, length, place)
    empty = ~X.flatten(1).any(dim=1)
    if empty.any():
        raise ValueError(f"{place(int(empty.int().argmax()))}: there is no base.")
    return RNAcompete(
        X=X,
        y=torch.from_numpy(y),
        sets=sets,
        experiments=tuple(experiments),
    )
