"""Which function says what each part of a report has found."""

from __future__ import annotations

from collections.abc import Callable

from . import (
    arrangement_sections,
    context_sections,
    motif_sections,
    structure_section,
)
from .section import Section
from .store import Results
from .study import Study

SECTIONS: dict[str, Callable[[Study, Results], Section]] = {
    "scan": motif_sections.scan,
    "motif": motif_sections.motif,
    "mutagenesis": motif_sections.mutagenesis,
    "alignment": motif_sections.alignment,
    "sites": arrangement_sections.sites,
    "spacing": arrangement_sections.spacing,
    "position": arrangement_sections.position,
    "gc": context_sections.gc,
    "hairpin": context_sections.hairpin,
    "structure": structure_section.structure,
    "robustness": context_sections.robustness,
}
