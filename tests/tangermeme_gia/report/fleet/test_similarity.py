"""Models that learned the same stand together; those without a scan are named."""

import numpy as np
import pytest

from tangermeme_gia.kmers.codes import all_kmers
from tangermeme_gia.report import Entry
from tangermeme_gia.report.fleet.similarity import similarity

from .conftest import write_scan

DNA_KMERS = all_kmers(2, "ACGT")
rng = np.random.default_rng(0)
FIRST, SECOND = rng.normal(size=(2, 16))


def entry_of(folder, name, effect, kmers=None, group=""):
    if effect is not None:
        write_scan(folder / name, effect, kmers)
    return Entry(name, group, folder / name)


def test_correlations_are_those_of_the_stored_effects(tmp_path):
    effects = {"a": FIRST, "b": SECOND, "c": 3 * FIRST + 1, "d": -SECOND}
    found = similarity([entry_of(tmp_path, n, e) for n, e in effects.items()])
    expected = np.corrcoef([effects[name] for name in found.labels])
    assert np.allclose(found.r, expected, rtol=0, atol=1e-6)
    assert (found.n_kmers, found.k, found.left_out) == (16, 2, {})
    assert abs(found.labels.index("a") - found.labels.index("c")) == 1
    assert "of the 16 2-mers that their scans" in found.reading.replace("effects ", "")
    assert "The most alike are " in found.reading
    assert {*found.reading.split("The most alike are ")[1][:7].split(" and ")} == {
        *"ac"
    }


def test_u_and_t_are_one_letter_in_whatever_order_k_mers_stand(tmp_path):
    kmers = [kmer.replace("T", "U") for kmer in DNA_KMERS][::-1]
    entries = [
        entry_of(tmp_path, "dna", FIRST),
        entry_of(tmp_path, "rna", FIRST[::-1], kmers),
        entry_of(tmp_path, "other", SECOND),
    ]
    found = similarity(entries)
    i, j = (found.labels.index(name) for name in ("dna", "rna"))
    assert found.r[i, j] == pytest.approx(1)


def test_what_all_have_in_common_is_compared(tmp_path):
    few = [i for i, kmer in enumerate(DNA_KMERS) if kmer not in ("AA", "CA")]
    other = np.where(np.isin(np.arange(16), few), FIRST, 100)
    entries = [
        entry_of(tmp_path, "all", other),
        entry_of(tmp_path, "few", FIRST[few], [DNA_KMERS[i] for i in few]),
    ]
    found = similarity(entries)
    assert found.n_kmers == 14
    assert found.r[0, 1] == pytest.approx(1)


def test_models_that_are_not_compared_are_named_with_the_reason(tmp_path):
    entries = [entry_of(tmp_path, name, FIRST + rng.normal(size=16)) for name in "abc"]
    entries += [
        entry_of(tmp_path, "no scan", None, group="g"),
        Entry("trained"),
        entry_of(tmp_path, "longer", rng.normal(size=64), all_kmers(3, "ACGT")),
        entry_of(tmp_path, "protein", rng.normal(size=400), all_kmers(2, PROTEIN)),
        entry_of(tmp_path, "flat", np.ones(16)),
        entry_of(tmp_path, "NaN", np.full(16, np.nan)),
        entry_of(tmp_path, "broken", FIRST),
    ]
    (tmp_path / "broken" / "results" / "scan.safetensors").write_bytes(b"\0" * 9)
    found = similarity(entries)
    assert {*found.labels} == {*"abc"}
    assert found.left_out == {
        "no scan of k-mers": ["g: no scan", "trained"],
        "the file of the scan cannot be read": ["broken"],
        "k-mers of another length or alphabet": ["longer", "protein"],
        "effects that do not differ": ["flat", "NaN"],
    }


PROTEIN = "ACDEFGHIKLMNPQRSTVWY"


def test_fewer_than_two_are_not_compared(tmp_path):
    one = entry_of(tmp_path, "a", FIRST)
    assert similarity([]) is None
    assert similarity([one, Entry("b")]) is None
    assert similarity([one, entry_of(tmp_path, "flat", np.ones(16))]) is None
    longer = entry_of(tmp_path, "c", rng.normal(size=64), all_kmers(3, "ACGT"))
    assert similarity([one, longer]) is None


def test_one_name_in_two_groups_is_two_models(tmp_path):
    entries = []
    for group, effect in (("g", FIRST), ("h", SECOND)):
        write_scan(tmp_path / group, effect)
        entries.append(Entry("fold 1", group, tmp_path / group))
    # This is also what the first is called with its group.
    entries.append(entry_of(tmp_path, "g: fold 1", -FIRST))
    found = similarity(entries)
    assert sorted(found.labels) == ["g: fold 1", "g: fold 1", "h: fold 1"]


def test_a_scan_that_was_written_anew_is_read_anew(tmp_path):
    entries = [entry_of(tmp_path, "a", FIRST), entry_of(tmp_path, "b", SECOND)]
    before = similarity(entries).r[0, 1]
    write_scan(tmp_path / "b", FIRST)
    assert similarity(entries).r[0, 1] == pytest.approx(1)
    assert before < 0.9


def test_the_heat_map_has_names_and_a_tree_of_all(tmp_path):
    entries = [entry_of(tmp_path, name, rng.normal(size=16)) for name in "ab$c"]
    ax = similarity(entries).draw()
    found = similarity(entries)
    assert [text.get_text() for text in ax.get_yticklabels()] == found.labels
    assert np.allclose(ax.images[0].get_array(), found.r)
    top = ax.child_axes[-1]
    x, y = top.lines[0].get_data()
    assert np.isnan(y).sum() == 3  # one after each of the tree's joints
    assert np.nanmax(y) == pytest.approx(found.tree[-1, 2])
    assert {*x[y == 0].tolist()} == {0.0, 1.0, 2.0, 3.0}


def test_a_tree_may_be_as_deep_as_it_has_models(tmp_path):
    # Each model is a little less like the first than the one before it.
    n = 1200
    found = similarity(
        [entry_of(tmp_path, "a", FIRST), entry_of(tmp_path, "b", SECOND)]
    )
    heights = np.arange(1.0, n)
    joined = np.r_[0, n + np.arange(n - 2)]
    tree = np.column_stack([joined, np.arange(1, n), heights, np.arange(2, n + 1)])
    deep = found._replace(labels=[f"m{i}" for i in range(n)], r=np.eye(n), tree=tree)
    ax = deep.draw()
    assert len(ax.get_yticklabels()) <= 60
    assert np.nanmax(ax.child_axes[-1].lines[0].get_ydata()) == n - 1
