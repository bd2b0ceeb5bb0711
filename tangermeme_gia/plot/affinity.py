"""Effects of sites against their scores, with a monotone fit."""

from __future__ import annotations

from matplotlib.axes import Axes

from .._core.results import GIAResult
from ..statistics.affinity import AffinityFit, affinity_fit
from .style import (
    BLUE,
    GLOBAL,
    GREY,
    SKY,
    SMALL,
    VERMILION,
    check_columns,
    count,
    finish,
    half_widths,
    ink,
    new_axes,
    note,
    one_output,
)


def affinity_curve(
    result: GIAResult, fit: AffinityFit | None = None, *, ax: Axes | None = None
) -> Axes:
    """Does the model follow affinity, and where does it saturate?

    The effect of every site with its interval against its score, the monotone fit with
    its band, and the score of saturation where there is one.

    Parameters
    ----------
    result: GIAResult
        The outcome of `affinity_response`, with one output.

    fit: AffinityFit or None, optional
        That of `statistics.affinity_fit`; None makes one. Default is None.

    ax
        As for `spacing_curve`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `result` is no such result, or has several outputs.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import affinity_response
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> ax = affinity_curve(
    ...     affinity_response(lambda X: X[:, 2, 7:12].sum(1, True), X, "GKSWG")
    ... )
    >>> ax.get_xlabel()
    'Score of the site (bits)'
    """
    one = one_output(result)
    check_columns(one.conditions, "result", ["score", "level"])
    fit = affinity_fit(one) if fit is None else fit
    frame = one.to_frame()
    ax = new_axes(ax)
    ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    curve = fit.curve
    ax.fill_between(curve["score"], curve["low"], curve["high"], color=SKY, lw=0)
    ax.plot(curve["score"], curve["fit"], color=BLUE, linewidth=1.4)
    ax.errorbar(
        frame["score"],
        frame["effect"],
        yerr=half_widths(frame),
        fmt="o",
        color=ink(ax),
        markersize=2.5,
        linewidth=0.6,
    )
    if fit.saturates:
        ax.axvline(fit.saturation, color=VERMILION, linewidth=1, linestyle="--")
    _tell(ax, fit)
    note(ax, f"{len(frame)} sites, {count(frame)}")
    return finish(ax, "Score of the site (bits)", GLOBAL)


def _tell(ax: Axes, fit: AffinityFit) -> None:
    """The correlation and the saturation, above where the fit is low."""
    rho = fit.spearman
    lines = [f"Spearman {rho.effect:.2f}\n[{rho.low:.2f}, {rho.high:.2f}]"]
    if fit.saturates:
        bounds = f"[{fit.saturation_low:.1f}, {fit.saturation_high:.1f}]"
        lines.append(f"saturates at {fit.saturation:.1f}\n{bounds} bits")
    rises = not rho.effect < 0
    ax.text(
        0.03,
        0.97 if rises else 0.03,
        "\n".join(lines),
        transform=ax.transAxes,
        va="top" if rises else "bottom",
        fontsize=SMALL,
        color=ink(ax),
    )
