"""A result in a few lines and as a short table: of any size, and it never fails."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia import GIAResult, Junctions, KmerScan
from tangermeme_gia._core import cards
from tangermeme_gia.statistics.comparisons import Comparison

SITES = pd.DataFrame({"motif": "GATA", "n_sites": [1, 2], "starts": [(3,), (3, 10)]})


def made(effects, conditions=None, n=3, **labels) -> GIAResult:
    """Effects that are 1 less on the first background and 1 more on the last."""
    effects = torch.as_tensor(effects, dtype=torch.float32)
    spread = torch.linspace(-1, 1, n) if n > 1 else torch.zeros(n)
    local = effects + spread.reshape(-1, *(1 for _ in effects.shape))
    if conditions is None:
        conditions = pd.DataFrame({"site": range(len(effects))})
    return GIAResult(torch.zeros(n, *effects.shape[1:]), local, conditions, **labels)


def test_a_result_says_what_it_is_in_a_few_lines():
    # Of -1, 0 and 1 the standard error is 1 / sqrt(3); t with 2 degrees 4.3027.
    assert repr(made([[2.0], [-8.0]], SITES)) == (
        "GIAResult: 2 conditions on 3 backgrounds, 1 output\n"
        "  y_before (3, 1) float32, y_afters (3, 2, 1) float32\n"
        "  conditions: motif, n_sites, starts\n"
        "  effects, 95 % intervals:\n"
        "    -8 [-10.5, -5.52] n_sites=2, starts=(3, 10)\n"
        "    2 [-0.484, 4.48] n_sites=1, starts=(3,)"
    )


def test_the_strongest_of_many_come_first():
    lines = repr(made([0, 5, -7, 1, 3])).splitlines()
    assert lines[3] == "  strongest effects, 95 % intervals:"
    assert [line.split()[-1] for line in lines[4:]] == ["site=2", "site=1", "site=4"]


def test_clusters_are_counted_and_make_intervals_wider():
    text = repr(made([5.0, 1.0], n=4, clusters=list("aabb")))
    assert "on 4 backgrounds (2 clusters), 1 output" in text
    low = {"plain": repr(made([5.0, 1.0], n=4)), "clustered": text}
    low = {k: float(v.split("[")[1].split(",")[0]) for k, v in low.items()}
    assert low["clustered"] < low["plain"]


def test_of_several_outputs_one_is_to_be_chosen():
    text = repr(made(torch.ones(2, 3), SITES))
    assert text.splitlines()[-1] == "  outputs: 0, 1, 2; output(0) chooses one"
    y = [torch.zeros(5, 1), torch.zeros(5, 2, 400)]
    heads = GIAResult(y, [each[:, None] for each in y], SITES[:1])
    assert "y_before (5, 1), (5, 2, 400) float32, y_afters (5, 1, 1), " in repr(heads)
    assert "801 outputs" in repr(heads)
    assert "outputs: (0, 0), (1, 0, 0), (1, 0, 1), ...; output((0, 0))" in repr(heads)
    assert len(repr(heads).splitlines()) == 4


def test_a_scan_says_what_it_is_in_a_few_lines():
    effect = torch.tensor([[0.5], [-2.0], [1.0], [0.0], [0.25]], dtype=torch.float64)
    scan = KmerScan(["AA", "AC", "CA", "CC", "GA"], effect, 0 * effect + 0.1, 1000)
    assert repr(scan) == (
        "KmerScan: 5 k-mers on 1,000 backgrounds, 1 output\n"
        "  effect (5, 1) float64, se (5, 1) float64\n"
        "  k-mers: AA, AC, CA, ..., GA\n"
        "  strongest effects, 95 % intervals (of many the best, so too strong):\n"
        "    -2 [-2.2, -1.8] AC\n"
        "    1 [0.804, 1.2] CA\n"
        "    0.5 [0.304, 0.696] AA"
    )
    race = scan._replace(n_scanned=4096)
    assert repr(race).startswith("KmerScan: the best 5 k-mers of 4,096 on 1,000 ")


def test_junctions_and_comparisons_say_what_they_are():
    kmers = made([2.0, 1.0], pd.DataFrame({"kmer": ["GATA", "ATAA"]}))
    junctions = Junctions(kmers, np.array([[-1, 0], [-1, -1], [-1, -1]]))
    assert repr(junctions).startswith("Junctions: 2 k-mers on 3 backgrounds, 1 output")
    assert "complete another k-mer: GATA 0%, ATAA 33% of backgrounds" in repr(junctions)
    compared = Comparison({"profile": made([2.0, 9]), "shuffle": made([4.0, 1])})
    lines = repr(compared).splitlines()
    assert lines[0] == "Comparison of 2 backgrounds: profile, shuffle"
    assert lines[-2:] == [
        "    profile: 9 [6.52, 11.5] site=1",
        "    shuffle: 4 [1.52, 6.48] site=0",
    ]
    for shown in (junctions, compared):
        assert shown._repr_html_().count("<table") == 1
        assert len(repr(shown).splitlines()) < 9


ODD = {
    "empty": GIAResult(torch.zeros(0, 1), torch.zeros(0, 0, 1), pd.DataFrame()),
    "no conditions": GIAResult(torch.zeros(4, 1), torch.zeros(4, 0, 1), SITES[:0]),
    "no columns": made([1.0, 2.0], pd.DataFrame(index=range(2))),
    "no outputs": made(torch.zeros(2, 0), SITES),
    "one background": made([1.0, 2.0], SITES, n=1),
    "no background": made([1.0, 2.0], SITES, n=0),
    "not a number": made([1.0, float("nan")], SITES),
    "all infinite": made([float("inf")] * 2, SITES),
    "equal": made([1.0, 1.0], SITES, n=2, clusters=[0, 0]),
    "half": made([1.0, 2.0], SITES)._replace(y_afters=torch.ones(3, 2, 1).half()),
    "bool": GIAResult(torch.zeros(3) > 0, torch.ones(3, 2) > 0, SITES),
    "taken names": made([1.0, 2.0], SITES.assign(effect=3)),
    "rows that do not fit": made([1.0, 2.0, 3.0], SITES),
    "twice a name": made([1.0, 2.0], pd.DataFrame([[1, 2], [3, 4]], columns=["a"] * 2)),
    "missing": made([1.0, 2.0], pd.DataFrame({"a": [None, pd.NA], "b": [(), None]})),
    "long": made([1.0, 2.0], pd.DataFrame({"a" * 200: ["b" * 500, "c\nd"]})),
    "many columns": made([1.0, 2.0], pd.DataFrame(np.eye(2).repeat(400, axis=1))),
    "no tensors": GIAResult(torch.zeros(3), 3, None),
    "shapes": GIAResult(torch.zeros(3), torch.zeros(2, 5), SITES),
    "scan of nothing": KmerScan([], torch.zeros(0), torch.zeros(0), 0),
    "scan of nan": KmerScan(["A"], torch.tensor([float("nan")]), torch.zeros(1), 1),
    "odd scan": KmerScan(["A"], torch.zeros(2), torch.zeros(1), 3),
    "comparison of nothing": Comparison({}),
    "junctions": Junctions(made([1.0]), np.zeros((9, 4), int)),
}


@pytest.mark.parametrize("name", ODD)
def test_whatever_it_holds_it_is_shown_in_few_and_short_lines(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text, page = repr(ODD[name]), ODD[name]._repr_html_()
    assert text.startswith(type(ODD[name]).__name__)
    assert len(text.splitlines()) <= 8
    assert all(len(line) <= 90 for line in text.splitlines())
    assert page.startswith("<div><pre>")
    assert "tensor(" not in text + page


def test_what_is_no_number_is_counted():
    assert "  1 of 2 effects are NaN or infinite" in repr(ODD["not a number"])
    assert " 1 [-1.48, 3.48] n_sites=1" in repr(ODD["not a number"])


def test_fields_are_still_unpacked():
    result = made([2.0], SITES[:1])
    y_before, y_afters, conditions = result
    assert (y_before, y_afters, conditions) == (result[0], result[1], result[2])
    assert isinstance(result, tuple)
    kmers, effect, *_ = ODD["scan of nan"]
    assert (kmers, len(effect)) == (["A"], 1)


def test_the_page_has_the_table_and_is_escaped():
    table = pd.DataFrame({"<motif>": ["<script>alert()</script>"]})
    page = made([2.0], table)._repr_html_()
    assert "<script>" not in page
    assert "<motif>" not in page
    assert "conditions: &lt;motif&gt;" in page
    assert page.count("<tr") == 2
    assert "1 rows × 7 columns" in page


@pytest.mark.parametrize("shape", [(61,), (30, 3), (1, 200), (2, 40), (5000,)])
def test_a_long_table_is_shortened_as_pandas_does(shape):
    result = made(torch.arange(float(np.prod(shape))).reshape(shape))
    page = result._repr_html_()
    frame = result.to_frame()
    with pd.option_context("display.show_dimensions", False):
        shown = frame._repr_html_()
    assert page.split("</pre>")[1].split("<p>")[0] == shown
    assert f"{len(frame):,} rows × {len(frame.columns)} columns" in page


def test_a_scan_is_shortened_as_pandas_does():
    effect = torch.arange(300.0, dtype=torch.float64).reshape(100, 3)
    kmers = [f"{i}" for i in range(100)]
    scan = KmerScan(kmers, [effect, effect[:, :1]], [effect, effect[:, :1]], 7)
    with pd.option_context("display.show_dimensions", False):
        assert scan.to_frame()._repr_html_() in scan._repr_html_()


def test_a_huge_result_is_shown_at_once(monkeypatch):
    n, n_conditions = 1000, 50_000  # 200 MB that are never read
    y = torch.zeros(1).expand(n, n_conditions)
    table = pd.DataFrame({"start": np.arange(n_conditions)})
    result = GIAResult(torch.zeros(n), y, table)
    start = time.perf_counter()
    assert "effects: by to_frame(), for there are many numbers" in repr(result)
    assert "50,000 rows × 7 columns" in result._repr_html_()
    assert time.perf_counter() - start < 2
    monkeypatch.setattr(cards, "_MOST_NUMBERS", 1)
    assert "effects: by top()" in repr(KmerScan(["A"] * 3, y[0, :3], y[0, :3], 9))
    assert "<table" not in made([1.0, 2.0])._repr_html_()
