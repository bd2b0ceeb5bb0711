"""Every panel of the paper, drawn on a tiny budget, and the page of them."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "benchmarks").exists():  # a source distribution carries no benchmarks
    pytest.skip("there are no benchmarks here", allow_module_level=True)

pytest.importorskip("RNA", reason="panels of simulated structure need ViennaRNA")


@pytest.fixture(scope="module")
def paper():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        import benchmarks.paper.__main__ as command

        yield command
