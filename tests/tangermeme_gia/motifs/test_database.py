import os

import numpy as np
import pytest
import torch
from memelite.tomtom import tomtom
from tangermeme.io import read_meme
from tangermeme.utils import one_hot_encode, reverse_complement

from tangermeme_gia.motifs.database import compare_motifs, write_meme

RNA = ("A", "C", "G", "U")


@pytest.fixture
def motifs() -> dict[str, torch.Tensor]:
    """Thirty motifs of 5 to 9 columns, enough for TOMTOM not to warn."""
    rng = np.random.default_rng(0)
    return {
        f"M{i} motif": torch.tensor(rng.dirichlet([0.3] * 4, size=5 + i % 5).T)
        for i in range(30)
    }


@pytest.mark.parametrize("alphabet", ["ACGT", RNA])
def test_motifs_are_read_back_exactly(tmp_path, motifs, alphabet):
    motifs["tiny"] = torch.tensor([[1e-12, 1.0], [1 - 1e-12, 0], [0, 0], [0, 0]])
    path = tmp_path / "motifs.meme"
    write_meme(path, motifs, alphabet=alphabet)
    found = read_meme(str(path))
    assert list(found) == list(motifs)
    assert all(torch.equal(found[name], motifs[name].double()) for name in motifs)


def test_the_file_says_what_meme_asks_for(tmp_path):
    ppm = np.array([[0.5, 0.0], [0.25, 0.0], [0.125, 0.0], [0.125, 1.0]])
    write_meme(
        tmp_path / "rna",
        {"QKI": ppm},
        alphabet=RNA,
        background=[0.3, 0.2, 0.2, 0.3],
        n_sites=7,
    )
    assert (tmp_path / "rna").read_text() == (
        "MEME version 4\n\nALPHABET= ACGU\n\nBackground letter frequencies\n"
        "A 0.3 C 0.2 G 0.2 U 0.3\n\nMOTIF QKI\n"
        "letter-probability matrix: alength= 4 w= 2 nsites= 7 E= 0\n"
        "0.5 0.25 0.125 0.125\n0.0 0.0 0.0 1.0\n"
    )
    write_meme(tmp_path / "dna", {"QKI": ppm})
    assert "ALPHABET= ACGT\n\nstrands: + -\n" in (tmp_path / "dna").read_text()


def test_a_failed_write_keeps_the_old_file(tmp_path, motifs, monkeypatch):
    path = tmp_path / "motifs.meme"
    write_meme(path, motifs)
    before = path.read_text()

    def full_disk(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space left"):
        write_meme(path, {"other": motifs["M1 motif"]})
    with pytest.raises(ValueError, match="sums to"):
        write_meme(path, {"wrong": torch.ones(4, 3)})
    assert path.read_text() == before
    assert os.listdir(tmp_path) == ["motifs.meme"]


def test_files_get_the_usual_permissions(tmp_path, motifs):
    write_meme(tmp_path / "motifs.meme", motifs)
    (tmp_path / "plain").touch()
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "`motifs` holds no motif"),
        ([""], "holds the name ''; it must be a word"),
        (["two  spaces"], "holds the name 'two  spaces'"),
        (["a\nb"], r"holds the name 'a\\nb'"),
        (["one two three"], "'one two three', which has more than two words"),
        (["A x", "A y"], "'A y', which has the identifier of 'A x'"),
    ],
)
def test_names_that_would_not_come_back_are_refused(tmp_path, names, message):
    with pytest.raises(ValueError, match=message):
        write_meme(tmp_path / "m", {name: np.eye(4) for name in names})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("ppm", "kwargs", "message"),
    [
        (np.eye(4)[:3], {}, r"`motifs\['m'\]` has shape \(3, 4\); .* 4 letters"),
        (np.zeros((4, 2)), {}, r"`motifs\['m'\]`, .* sums to 0 at position 0"),
        (np.eye(4), {"alphabet": "AGCT"}, "`alphabet` is A, G, C, T; motif files"),
        (np.eye(4), {"background": [1, 0, 0, 0]}, "`background`="),
        (np.eye(4), {"n_sites": 0}, "`n_sites`=0 must be an integer of at least 1"),
    ],
)
def test_motifs_that_no_tool_could_read_are_refused(tmp_path, ppm, kwargs, message):
    with pytest.raises(ValueError, match=message):
        write_meme(tmp_path / "m", {"m": ppm}, **kwargs)


def test_the_table_is_tomtoms_result(motifs):
    queries = {"first": motifs["M3 motif"][:, 1:], "second": motifs["M8 motif"].flip(1)}
    table = compare_motifs(queries, motifs, n_jobs=1)
    assert len(table) == 2 * 30
    arrays = [[m.numpy() for m in group.values()] for group in (queries, motifs)]
    expected = tomtom(*arrays, n_jobs=1)
    for i, query in enumerate(queries):
        found = table[table["query"] == query]
        assert found["p_value"].is_monotonic_increasing
        order = [list(motifs).index(name) for name in found["known"]]
        for column, values in zip(
            ["p_value", "score", "offset", "overlap"], expected, strict=False
        ):
            np.testing.assert_allclose(found[column], values[i, order])
        np.testing.assert_array_equal(
            found["strand"] == "-", expected[4][i, order] == 1
        )
    assert table.iloc[0]["known"] == "M3 motif"
    assert table.iloc[0]["offset"] == 1
    assert table.iloc[0]["overlap"] == motifs["M3 motif"].shape[1] - 1


def test_q_values_control_the_false_discovery_rate(motifs):
    table = compare_motifs({"q": motifs["M3 motif"]}, motifs, n_jobs=1)
    p = table["p_value"].to_numpy()
    steps = p * 30 / np.arange(1, 31)
    expected = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1)
    np.testing.assert_allclose(table["q_value"], expected)
    # They count all known motifs, also when only the nearest are kept.
    near = compare_motifs({"q": motifs["M3 motif"]}, motifs, n_nearest=4, n_jobs=1)
    np.testing.assert_allclose(near["q_value"], expected[:4])


def test_the_other_strand_is_read_for_dna_only(motifs):
    motifs["target"] = one_hot_encode("CCGATTACAG").double()
    query = {"q": reverse_complement(one_hot_encode("GATTACA")).double()}
    dna = compare_motifs(query, motifs, n_nearest=1, n_jobs=1).iloc[0]
    # TGTAATC begins at position 1 of CTGTAATCGG.
    assert (dna["known"], dna["strand"], dna["offset"]) == ("target", "-", 1)
    rna = compare_motifs(query, motifs, alphabet=RNA, n_jobs=1)
    assert set(rna["strand"]) == {"+"}
    assert rna.iloc[0]["known"] != "target"
    both = compare_motifs(query, motifs, alphabet=RNA, both_strands=True, n_jobs=1)
    assert both.iloc[0]["known"] == "target"


def test_a_query_may_begin_before_the_known_motif(motifs):
    motifs["target"] = one_hot_encode("TACAGG").double()
    query = {"q": one_hot_encode("GATTACAGG").double()}
    best = compare_motifs(query, motifs, n_nearest=1, n_jobs=1).iloc[0]
    assert (best["known"], best["offset"], best["overlap"]) == ("target", -3, 6)


def test_known_motifs_may_come_from_a_file(tmp_path, motifs):
    path = tmp_path / "known.meme"
    write_meme(path, motifs)
    query = {"q": motifs["M3 motif"]}
    for known in (path, str(path)):
        assert compare_motifs(query, known, n_jobs=1).equals(
            compare_motifs(query, motifs, n_jobs=1)
        )


def test_few_known_motifs_warn(motifs):
    few = dict(list(motifs.items())[:5])
    with pytest.warns(UserWarning, match="fewer than 25 targets"):
        compare_motifs({"q": motifs["M3 motif"]}, few, n_jobs=1)


def test_what_cannot_be_compared_is_refused(motifs):
    query = {"q": motifs["M3 motif"]}
    with pytest.raises(ValueError, match="`motifs` holds no motif"):
        compare_motifs({}, motifs)
    with pytest.raises(ValueError, match="`known` holds no motif"):
        compare_motifs(query, {})
    with pytest.raises(ValueError, match=r"`motifs\['q'\]`.* sums to 4"):
        compare_motifs({"q": torch.ones(4, 5)}, motifs)
    with pytest.raises(ValueError, match="`n_nearest`=0 must be at least 1"):
        compare_motifs(query, motifs, n_nearest=0)
    with pytest.raises(ValueError, match="`alphabet` is A, B"):
        compare_motifs(query, motifs, alphabet="AB")
