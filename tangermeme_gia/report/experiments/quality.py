"""How good is the model, where scores were measured?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import torch

from ... import plot
from ..._core.clusters import Values
from ..._core.results import GIAResult
from ...experiments.importance import global_importance
from ...statistics.associations import correlation
from ...statistics.intervals import Interval
from ...structure.folding import fold
from ...structure.processes import require_vienna
from ..charts import Chart, scatter_chart
from ..figures import unit_of
from ..fits import best_match, draw_maps, spearman
from ..section import Figure, Line, Section
from ..sentences import fits, weakness
from ..store import Results
from ..study import Study
from ..thumbnails import strip
from ..wording import count, row_with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Sequences that are predicted, times the backgrounds of an experiment.
_TIMES, _FEWEST = 10, 8
# Sequences from each end whose letters are changed, and the longest.
_FROM_EACH_END, _LONGEST = 2, 200


class _Fit(NamedTuple):
    """Predictions beside measured scores, and how far they go together."""

    rows: torch.Tensor
    predicted: Values
    measured: Values

    @property
    def pearson(self) -> Interval:
        return correlation(self.predicted, self.measured)


def obstacle(study: Study) -> str | None:
    """Only measured scores tell."""
    if study.inputs.scores is None:
        return "no measured scores were given"
    n = len(_rows(study))
    if n < _FEWEST:
        return f"{count(n, 'sequence')} with a score are too few"
    return None


def compute(study: Study) -> Results:
    """Predictions of the sequences, and every change of a letter in four of them."""
    rows = _rows(study)
    y = study.predict(study.observed[rows])
    results: Results = {
        "predictions": GIAResult(y, y.new_zeros(len(y), 0, 1), pd.DataFrame())
    }
    ends = _ends(study, rows)
    if len(ends):
        letters, length = study.inputs.alphabet, study.inputs.length
        changes = [[(letter, i)] for i in range(length) for letter in letters]
        X = study.observed[ends]
        results["maps"] = global_importance(
            study.model, X, changes, **study.ask | {"clusters": None}
        )
    return results


def describe(study: Study, results: Results) -> Section:
    """Predictions against measured scores, and maps of the highest and the lowest."""
    fit = _fit(study, results)
    ranks = spearman(fit.predicted, fit.measured, study.options.random_state)
    both = [fit.pearson, ranks]
    answers = [row_with_interval(each) for each in both]
    return Section(
        "quality",
        "How good is the model?",
        _method(study, fit),
        _figures(study, results, fit, answers),
        {"quality": _table(both)},
        fits(fit.pearson),
        strip(("Pearson", "Spearman"), *_columns(both)),
        caution=weakness(study.inputs.name, fit.pearson),
        summary=[
            Line("Correlation with measured scores (Pearson)", answers[0]),
            Line("The same of their ranks (Spearman)", answers[1]),
        ],
        headline={
            "pearson": float(fit.pearson.effect),
            "pearson_low": float(fit.pearson.low),
            "pearson_high": float(fit.pearson.high),
        },
    )


def _figures(
    study: Study, results: Results, fit: _Fit, answers: list[str]
) -> list[Figure]:
    matches = best_match(study.observed[fit.rows], study.placed, study.inputs.alphabet)
    scatter = partial(
        plot.predicted_measured,
        fit.predicted,
        fit.measured,
        matches,
        color_label=_matched(study),
        output=unit_of(study.inputs.answer),
    )
    reading = (
        f"Predictions and measured scores of {count(len(fit.rows), 'sequence')}: "
        f"Pearson's correlation {answers[0]}, Spearman's {answers[1]}. Colours "
        f"are the most letters of {study.motif} that stand together anywhere."
    )
    figures = [Figure("quality", scatter, reading, _chart(study, fit, matches))]
    if "maps" in results:
        figures.append(Figure("maps", partial(_maps, study, results), _MAPS))
    return figures


def _matched(study: Study) -> str:
    return f"Letters of {study.motif} matched"


def _chart(study: Study, fit: _Fit, matches: torch.Tensor) -> Chart | None:
    """The scatter with values below the pointer."""
    points = pd.DataFrame(
        {
            "sequence": 1 + fit.rows.numpy(),
            "predicted": fit.predicted,
            "measured": fit.measured,
            "matched": matches.numpy(),
        }
    )
    titles = {
        "predicted": f"Prediction ({unit_of(study.inputs.answer)})",
        "measured": "Measured score",
        "matched": _matched(study),
    }
    return scatter_chart(points, titles)


_MAPS = (
    "The two sequences with the highest measured scores, and the two with the lowest: "
    "each letter is as high as the changes of it are long (L2 norm)."
)


def _rows(study: Study) -> torch.Tensor:
    """Sequences with a score; of very many a random part."""
    assert study.inputs.scores is not None
    rows = torch.isfinite(study.inputs.scores.double()).nonzero()[:, 0]
    most = _TIMES * study.options.n
    if len(rows) <= most:
        return rows
    generator = torch.Generator().manual_seed(study.options.random_state)
    return rows[torch.randperm(len(rows), generator=generator)[:most]].sort().values


def _ends(study: Study, rows: torch.Tensor) -> torch.Tensor:
    """The highest and the lowest of those without padding, the highest first."""
    assert study.inputs.scores is not None
    X = study.observed[rows]
    whole = rows[(X.sum(dim=1) == 1).all(dim=-1)]
    too_few = len(whole) < 2 * _FROM_EACH_END
    # A map changes every letter.
    if study.options.keep or study.inputs.length > _LONGEST or too_few:
        return whole[:0]
    order = study.inputs.scores[whole].argsort(descending=True, stable=True)
    return whole[torch.cat([order[:_FROM_EACH_END], order[-_FROM_EACH_END:]])]


def _fit(study: Study, results: Results) -> _Fit:
    assert study.inputs.scores is not None
    rows = _rows(study)
    y = results["predictions"].y_before[:, 0].double().numpy()
    return _Fit(rows, y, study.inputs.scores[rows].double().numpy())


def _maps(study: Study, results: Results) -> Axes:
    """Logos of the four sequences above their structures, as far as these are known."""
    maps: GIAResult = results["maps"]
    letters, X = study.inputs.alphabet, study.observed[_ends(study, _rows(study))]
    assert isinstance(maps.local_importance, torch.Tensor)
    changes = maps.local_importance[..., 0].reshape(len(X), -1, len(letters))
    measured = study.inputs.scores[_ends(study, _rows(study))]  # type: ignore[index]
    predicted = maps.y_before[:, 0]  # type: ignore[call-overload]
    sequences = ["".join(letters[i] for i in x.argmax(dim=0)) for x in X]
    titles = [
        f"measured {m:.3g}, predicted {p:.3g}"
        for m, p in zip(measured.tolist(), predicted.tolist(), strict=True)
    ]
    logo = partial(plot.mutagenesis_logo, alphabet=letters)
    return draw_maps(changes.double(), sequences, titles, _folds(study, X), logo)


def _folds(study: Study, X: torch.Tensor) -> list[str] | None:
    """Structures of RNA, where ViennaRNA is installed."""
    if "U" not in study.inputs.alphabet or not study.inputs.has_nucleotides:
        return None
    try:
        require_vienna()
    except ImportError:
        return None
    return list(fold(X, alphabet=study.inputs.alphabet).structures)


def _method(study: Study, fit: _Fit) -> str:
    assert study.inputs.scores is not None
    n_all = len(study.inputs.scores)
    of = f" of {n_all:,}" if n_all > len(fit.rows) else ""
    folded = ""
    if "U" in study.inputs.alphabet:
        folded = (
            " Brackets below letters are the most stable structure, where ViennaRNA is "
            "installed."
        )
    return (
        f"Predictions of {count(len(fit.rows), 'sequence')}{of} beside their scores, "
        "as these were given. If the model was trained on these sequences, this says "
        "how well it fits them, not how well it predicts others. Intervals are of the "
        "correlation over such sequences: Pearson's by the delta method, Spearman's by "
        f"the bootstrap.{folded}"
    )


def _columns(intervals: list[Interval]) -> list[list[float]]:
    names = ("effect", "low", "high")
    return [[float(getattr(v, name)) for v in intervals] for name in names]


def _table(intervals: list[Interval]) -> pd.DataFrame:
    effect, low, high = _columns(intervals)
    table: pd.DataFrame = pd.DataFrame(
        {
            "correlation": ["Pearson", "Spearman"],
            "value": effect,
            "low": low,
            "high": high,
            "n_sequences": [int(v.n) for v in intervals],
        }
    )
    return table
