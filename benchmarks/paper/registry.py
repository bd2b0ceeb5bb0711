"""Which function draws which panel, in the order of the paper."""

from __future__ import annotations

from collections.abc import Callable

from . import fleet, motifs, performance, placing, probes, structure, supplement
from .material import Material
from .panel import Panel

PANELS: dict[str, Callable[[Material], Panel]] = {
    "1a": performance.panel_1a,
    "1b": performance.panel_1b,
    "1c": performance.panel_1c,
    "1d-1f": performance.panel_1def,
    "2a": probes.panel_2a,
    "2b": placing.panel_2b,
    "2c": placing.panel_2c,
    "2d": placing.panel_2d,
    "2e": motifs.panel_2e,
    "2f": motifs.panel_2f,
    "2g": fleet.panel_2g,
    "3a": probes.panel_3a,
    "3b": motifs.panel_3b,
    "3c": structure.panel_3c,
    "4a": probes.panel_4a,
    "4b": motifs.panel_4b,
    "4c": placing.panel_4c,
    "4d": fleet.panel_4d,
    "4e": fleet.panel_4e,
    "S1": supplement.panel_s1,
    "S2": supplement.panel_s2,
    "S3": supplement.panel_s3,
    "S4": supplement.panel_s4,
    "S5": supplement.panel_s5,
    "S Table 1": fleet.panel_s_table_1,
}
