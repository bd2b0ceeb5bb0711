"""Results of TF-MoDISco, in the layout of tfmodisco-lite."""

import gzip

import numpy as np
import pytest

from tangermeme_gia import read_motifs
from tangermeme_gia.motifs import read_cwms, read_seqlets

h5py = pytest.importorskip("h5py")

CWM = np.array([[0.1, 0.1, 0, 0], [2, 0, 0, -0.5], [0, 0.1, 0, 0], [0, 0, -0.6, 0.15]])
PPM = np.array([[0.25] * 4, [1, 0, 0, 0], [0.25] * 4, [0, 0, 1, 0]])


@pytest.fixture
def results(tmp_path):
    """Patterns of five positions; 0.3 of the largest, 2.5, is reached by 1 and 3."""
    path = tmp_path / "modisco_results.h5"
    with h5py.File(path, "w") as file:
        for key, sign in (("pos_patterns", 1), ("neg_patterns", -1)):
            for i in (0, 1, 10, 2):
                group = file.create_group(f"{key}/pattern_{i}")
                group["sequence"] = np.concatenate([PPM, [[0.25] * 4]])
                group["contrib_scores"] = sign * np.concatenate([CWM, np.zeros((1, 4))])
                group["hypothetical_contribs"] = np.zeros((5, 4))
                seqlets = group.create_group("seqlets")
                seqlets["n_seqlets"] = [2]
                seqlets["example_idx"] = [4, i]
                seqlets["start"], seqlets["end"] = [10, 20], [15, 25]
                seqlets["is_revcomp"] = [False, True]
    return path


@pytest.mark.parametrize("zipped", [False, True])
def test_patterns_are_read_and_trimmed(results, zipped):
    if zipped:
        results.write_bytes(gzip.compress(results.read_bytes()))
    motifs, cwms = read_motifs(results), read_cwms(results)
    order = [
        f"{k}.pattern_{i}" for k in ("pos_patterns", "neg_patterns") for i in range(3)
    ]
    order = [
        *order[:3],
        "pos_patterns.pattern_10",
        *order[3:],
        "neg_patterns.pattern_10",
    ]
    assert list(motifs) == list(cwms) == order
    for key, motif in motifs.items():
        assert motif.ppm.T.tolist() == PPM[1:].tolist()
        sign = 1 if key.startswith("pos") else -1
        assert cwms[key].T.tolist() == (sign * CWM[1:]).tolist()


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("sequence", None, r"has no dataset 'pos_patterns/pattern_0/sequence'"),
        ("contrib_scores", None, r"no dataset 'pos_patterns/pattern_0/contrib_scores'"),
        (
            "sequence",
            np.ones((5, 3)),
            r"pattern_0/sequence is float64 of shape \(5, 3\)",
        ),
        ("sequence", np.ones((4, 4)) / 4, r"contrib_scores have shape \(5, 4\), sequ"),
        (
            "sequence",
            np.full((5, 4), np.nan),
            "pattern_0/sequence is empty, or holds NaN",
        ),
        ("sequence", np.full((5, 4), b"A"), r"pattern_0/sequence is \|S1 of shape"),
        (
            "sequence",
            np.ones((5, 4)),
            "motif 'pos_patterns.pattern_0': position 0 sums to",
        ),
        ("sequence", -PPM[[0, 1, 2, 3, 3]], "position 0 holds -1; contributions"),
    ],
)
def test_what_is_no_pattern_is_named(results, key, values, message):
    with h5py.File(results, "a") as file:
        del file[f"pos_patterns/pattern_0/{key}"]
        if values is not None:
            file[f"pos_patterns/pattern_0/{key}"] = values
    with pytest.raises(ValueError, match=message) as caught:
        read_motifs(results)
    assert "modisco_results.h5" in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([], "is no result of TF-MoDISco: it has nothing, not pos_patterns or neg_pat"),
        (["X_train"], r"is no result of TF-MoDISco: it has \['X_train'\]"),
        (["pos_patterns"], "holds no pattern"),
        (["metacluster_idx_to_submetacluster_results"], "before tfmodisco-lite, which"),
    ],
)
def test_other_layouts_are_named(tmp_path, keys, message):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for key in keys:
            file.create_group(key)
    with pytest.raises(ValueError, match=rf"x\.h5 .*{message}"):
        read_motifs(tmp_path / "x.h5")


def test_seqlets_are_where_the_trimmed_pattern_is(results):
    table = read_seqlets(results)
    assert table["pattern"].unique().tolist() == list(read_motifs(results))
    first = table[table["pattern"] == "neg_patterns.pattern_2"].iloc[:, 1:]
    # Of five positions the first is cut, which is the last of the other strand.
    assert first.to_numpy().tolist() == [[4, 11, 14, "+"], [2, 21, 24, "-"]]


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("start", None, r"has no dataset 'neg_patterns/pattern_1/seqlets/start'"),
        ("start", [1.5, 2], r"pattern_1/seqlets/start is float64 of shape \(2,\)"),
        ("end", [15], r"example_idx, start, end, is_revcomp have 2, 2, 1, 2 numbers"),
    ],
)
def test_damaged_seqlets_are_named(results, name, values, message):
    with h5py.File(results, "a") as file:
        group = file["neg_patterns/pattern_1/seqlets"]
        del group[name]
        if values is not None:
            group[name] = values
    with pytest.raises(ValueError, match=message):
        read_seqlets(results)
