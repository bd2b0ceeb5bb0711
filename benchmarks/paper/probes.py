"""Panels 2a, 3a and 4a: predictions and measured scores, and maps of single probes."""

from __future__ import annotations

from functools import partial

import pandas as pd
import torch

import residualbind as rb
import tangermeme_gia as gia
from tangermeme_gia import plot
from tangermeme_gia.report.fits import best_match, draw_maps
from tangermeme_gia.report.section import Figure

from .material import Material, Subject
from .panel import Panel, figure
from .simulated import CG17838, RBFOX1, RNA, VTS1, WORD

# Probes that are drawn; those whose maps are shown, the highest and the lowest; and the
# bases that these have at least (few are as long as the model's input).
_POINTS, _ENDS, _LONG = 5000, 2, 38


def panel_2a(material: Material) -> Panel:
    """Predicted and measured, with maps: RBFOX1."""
    given = material.measured()
    if given:
        name, (X, y) = next(iter(given.items()))
        subject = material.shown[name]
        return _probes(
            material,
            subject,
            (X, y),
            "2a",
            paper=_PAPER.format(protein="RBFOX1", motif="UGCAUG"),
            source=f"the model of {name} and its probes of set B, as given.",
            differs="Another protein. Probes are those of set B with a score.",
        )
    return _simulated(material, RBFOX1, "2a", "RBFOX1")


def panel_3a(material: Material) -> Panel:
    """The same of VTS1, with the structure of each probe."""
    return _simulated(material, VTS1, "3a", "VTS1")


def panel_4a(material: Material) -> Panel:
    """The same of CG17838."""
    return _simulated(material, CG17838, "4a", "CG17838")


_PAPER = (
    "{protein}: predictions go along with measured scores, probes with a better match "
    "to {motif} score higher, and mutagenesis of high probes shows the motif."
)
_ADDED = {
    VTS1: " The motif stands in the loops of predicted hairpins.",
    CG17838: " High probes have G and C at their 3′ end, too.",
}


def _simulated(material: Material, name: str, panel: str, protein: str) -> Panel:
    trained = material.trained(name)
    test = trained.prepared.test
    return _probes(
        material,
        material.simulated(name),
        (test.X, trained.prepared.test_scores[:, 0]),
        panel,
        paper=_PAPER.format(protein=protein, motif=WORD[name]) + _ADDED.get(name, ""),
        source=f"a simulated protein that binds {WORD[name]}: {trained.budget}.",
        differs="Simulated scores, linear in what is bound and with normal noise, are "
        "easier to predict than measured ones.",
    )


def _probes(
    material: Material,
    subject: Subject,
    data: tuple[torch.Tensor, torch.Tensor],
    name: str,
    **words: str,
) -> Panel:
    X, y = (part[torch.isfinite(data[1])] for part in data)
    rows = (
        torch.randperm(
            len(X), generator=torch.Generator().manual_seed(material.budget.seed)
        )[:_POINTS]
        .sort()
        .values
    )
    X, y = X[rows], y[rows].double()
    table = rb.evaluate(subject.model, X, y[:, None], n_resamples=200)
    predicted = _predict(subject.model, X)
    matches = best_match(X, subject.motif, RNA)
    points = pd.DataFrame(
        {"measured": y, "predicted": predicted.double(), "matched": matches}
    )
    means = points.groupby("matched")["measured"].mean()
    pearson = table.set_index("metric").loc["pearson"]
    return Panel(
        name,
        f"Do predictions follow what was measured ({subject.name})?",
        f"{len(X):,} probes of set B. Maps are of the {_ENDS} highest and the {_ENDS} "
        f"lowest of at least {_LONG} bases: each letter is as high as its changes are "
        "long (L2 norm), above the structure that ViennaRNA predicts, if it is "
        "installed.",
        [
            figure(
                f"{name}_scatter",
                f"A point is a probe; colours are the most letters of {subject.motif} "
                "that stand at one place.",
                {
                    subject.name: partial(
                        plot.predicted_measured,
                        predicted.numpy(),
                        y.numpy(),
                        matches,
                        color_label=f"Letters of {subject.motif}",
                    )
                },
            ),
            *_maps(subject, X, y, name),
        ],
        {name: points},
        ours=f"{subject.name}: Pearson {pearson.value:.3f} [{pearson.low:.3f}, "
        f"{pearson.high:.3f}]; probes with the whole {subject.motif} measure "
        f"{means.iloc[-1]:.2f} on average, those with {means.index[-2]} letters of it "
        f"{means.iloc[-2]:.2f}.",
        **words,
    )


def _predict(model: torch.nn.Module, X: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        parts = [model(part.float())[:, 0] for part in X.split(512)]
    return torch.cat(parts)


def _maps(
    subject: Subject, X: torch.Tensor, y: torch.Tensor, name: str
) -> list[Figure]:
    """The highest and the lowest of the longer probes, each letter changed."""
    whole = torch.nonzero(X.sum(dim=(1, 2)) >= _LONG)[:, 0]
    if len(whole) < 2 * _ENDS:
        return []
    order = whole[y[whole].argsort(descending=True, stable=True)]
    ends = torch.cat([order[:_ENDS], order[-_ENDS:]])
    maps = [_map(subject, X[i : i + 1]) for i in ends]
    changes, sequences, structures = zip(*maps, strict=True)
    draw = partial(
        draw_maps,
        changes,
        sequences,
        [f"measured {y[i]:.2f}" for i in ends],
        None if None in structures else structures,
        partial(plot.mutagenesis_logo, alphabet=RNA),
    )
    return [
        Figure(f"{name}_maps", draw, "The two highest probes, then the two lowest.")
    ]


def _map(subject: Subject, x: torch.Tensor) -> tuple[torch.Tensor, str, str | None]:
    """Changes of every letter of a probe, its letters, and its structure."""
    columns = torch.nonzero(x[0].sum(dim=0))[:, 0]
    first, last = int(columns[0]), int(columns[-1]) + 1
    changes = [[(letter, i)] for i in range(first, last) for letter in RNA]
    result = gia.global_importance(subject.model, x, changes, alphabet=RNA)
    change = result.local_importance[0, :, 0].reshape(-1, len(RNA))
    sequence = rb.decode_sequences(x[:, :, first:last])[0]
    try:
        structure = gia.structure.fold(x[:, :, first:last], alphabet=RNA, n_jobs=1)
    except ImportError:
        return change, sequence, None
    return change, sequence, structure.structures[0]
