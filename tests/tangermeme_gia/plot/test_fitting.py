"""Each experiment has its plot; one place chooses it, also for what was loaded."""

import matplotlib as mpl
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia import plot
from tangermeme_gia.plot import fitting

mpl.use("Agg")
LENGTH = 24
TRIPLE = [("GATA", 0), ("TTA", 8), ("CC", 15)]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    layers = torch.nn.Flatten(), torch.nn.Linear(4 * LENGTH, 1), torch.nn.Softplus()
    return torch.nn.Sequential(*layers)


@pytest.fixture(scope="module")
def X() -> torch.Tensor:
    return random_one_hot((12, 4, LENGTH), random_state=0)


def call(name, *args, **kwargs):
    def run(model, X):
        return getattr(gia, name)(model, X, *args, random_state=0, **kwargs)

    return run


def then(run, change):
    return lambda model, X: change(run(model, X))


SPACING = call("motif_spacing", ["GATA", "TTA"], range(4))
MUTAGENESIS = call("kmer_mutagenesis", "GATA")
PAIR = call("pairwise_interaction", ("GATA", 2), ("TTA", 12), n_controls=1)
BOXES = "local_importance_boxes"
# The experiment, the function that draws it and words of an axis.
CASES = {
    "importance": (
        call("global_importance", [[("GATA", 0)], [("GATA", 9)]]),
        BOXES,
        "Patterns",
    ),
    "sites": (call("multi_site", "GATA", [0, 8, 16]), "additivity_line", "Number of"),
    "null": (
        call("global_importance", [("GATA", 0)], n_controls=25),
        "null_histogram",
        "Global importance",
    ),
    "few controls": (
        call("global_importance", [("GATA", 0)], n_controls=2),
        BOXES,
        "Control",
    ),
    "one site": (call("multi_site", "GATA", [0]), BOXES, "Motif"),
    "spacing": (SPACING, "spacing_curve", "Spacing between"),
    "gaps": (call("motif_spacing", ["GA", "TT", "C"], [[1, 2], [0, 3]]), BOXES, "Arm"),
    "one spacing": (
        then(SPACING, lambda r: r.select(spacing=2, arm="all")),
        "spacing_curve",
        "Spacing between",
    ),
    "positions": (
        call("positional_bias", "GATA", n_controls=1),
        "position_curve",
        "Start of the motif",
    ),
    "random position": (call("random_position", "GATA", n_controls=1), BOXES, "Contr"),
    "GC": (call("gc_flank", "GATA"), BOXES, "Arm"),
    "hairpin": (
        call(
            "hairpin_importance", "GATA", ".." + 5 * "(" + 6 * "." + 5 * ")" + 6 * "."
        ),
        BOXES,
        "Place",
    ),
    "pair": (PAIR, "interaction_bars", ""),
    "two": (call("factorial", TRIPLE[:2]), "interaction_bars", ""),
    "three": (call("factorial", TRIPLE), "factorial_bars", ""),
    "a part of a pair": (
        then(PAIR, lambda r: r.select(arm=["A", "AB"], control="none")),
        BOXES,
        "Arm",
    ),
    "mutagenesis": (MUTAGENESIS, "mutagenesis_heatmap", "Position"),
    "variants": (
        then(MUTAGENESIS, lambda r: r.relative_to(is_wild_type=True)),
        BOXES,
        "Motif",
    ),
    "windows": (call("occlusion", [[0, 4], [12, 16]], n=2), BOXES, "Start, end"),
    "tiles": (
        call("occlusion", [[i, i + 4] for i in range(0, 21, 4)], n=2),
        "position_curve",
        "Start of the window",
    ),
    "steps": (
        call("occlusion", [[0, 2], [6, 8], [12, 14]], n=2),
        "position_curve",
        "Start of the window",
    ),
    "annotations": (
        call("occlusion_annotations", [[0, 0, 6], [3, 8, 12]], n=2),
        BOXES,
        "Background",
    ),
    "k-mers": (call("kmer_scan", 2), "kmer_ranks", "Rank"),
    "best k-mers": (call("best_kmers", 2, top=3), "kmer_ranks", "Rank"),
    "junctions": (call("junction_effects", ["GATA", "ATAA"]), BOXES, "k-mer"),
    "own": (
        lambda model, X: gia.GIAResult(
            torch.zeros(9, 1), torch.randn(9, 2, 1), pd.DataFrame({"dose": [1, 2]})
        ),
        BOXES,
        "Dose",
    ),
}


@pytest.mark.filterwarnings("ignore::tangermeme_gia.statistics.FewEffectsWarning")
@pytest.mark.parametrize("name", CASES)
def test_each_experiment_has_its_plot(name, model, X, tmp_path, monkeypatch):
    run, function, label = CASES[name]
    drawn = []
    for each in (BOXES, *(c[1] for c in CASES.values())):
        real = getattr(plot, each)

        def record(*args, real=real, each=each, **kwargs):
            drawn.append(each)
            return real(*args, **kwargs)

        monkeypatch.setattr(fitting, each, record)
    result = run(model, X)
    ax = result.plot()
    assert drawn == [function]
    assert ax.get_xlabel().startswith(label)
    result.save(tmp_path / "x")
    again = gia.load(tmp_path / "x").plot()
    assert drawn == [function, function]
    assert [t.get_text() for t in again.texts] == [t.get_text() for t in ax.texts]
    assert again.get_title() == ax.get_title()


def test_a_comparison_is_a_grid(model, X):
    for compared in (
        gia.across_backgrounds(
            gia.multi_site, model, {"a": X, "b": X[:9]}, "GATA", [0, 8]
        ),
        gia.across_models(gia.multi_site, [model, model], X, "GATA", [0, 8]),
    ):
        assert compared.plot().images[0].get_array().shape == (2, 2)


def test_options_go_to_the_function_that_draws(model, X):
    _, ax = plt.subplots()
    result = gia.multi_site(model, X, "GATA", [0, 8, 16])
    assert result.plot(ax=ax) is ax
    assert "0 sites fitted" in result.plot(include_zero=True).texts[0].get_text()
    boxes = gia.gc_flank(model, X, "GATA").plot(kind="violin", label=["arm", "left"])
    assert boxes.get_xlabel() == "Arm, left"
    ranks = gia.kmer_scan(model, X, 2).plot(top=2).texts[0].get_text()
    assert ranks.count("\n") == 1
    with pytest.raises(TypeError, match="unexpected keyword argument 'kind'"):
        result.plot(kind="violin")


def test_of_several_outputs_one_is_to_be_chosen():
    y = torch.randn(9, 1, 2)
    result = gia.GIAResult(torch.zeros(9, 2), y, pd.DataFrame({"motif": ["GATA"]}))
    with pytest.raises(ValueError, match=r"choose one by `result.output\(label\)`"):
        result.plot()
    assert result.output(1).plot().get_xlabel() == "Motif"


def test_what_is_no_result_is_named():
    with pytest.raises(TypeError, match="`result` is a DataFrame; it must be what an"):
        plot.fitting_plot(pd.DataFrame())


@pytest.mark.filterwarnings("ignore::tangermeme_gia.statistics.FewEffectsWarning")
def test_the_sequences_of_occlusion_are_called_so(model, X):
    for windows in ([[0, 4], [4, 8]], [[0, 4], [12, 16]]):
        ax = gia.occlusion(model, X, windows, n=2, random_state=0).plot()
        notes = " ".join(text.get_text() for text in ax.texts)
        assert "12 sequences" in notes
        assert "background" not in notes
