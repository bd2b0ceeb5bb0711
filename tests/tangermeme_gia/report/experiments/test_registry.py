"""Every experiment is one file with the same three functions, and one line."""

import inspect
from pathlib import Path

import pytest

from tangermeme_gia._core.letters import DNA
from tangermeme_gia.report import EXPERIMENTS, experiments
from tangermeme_gia.report.experiments import REGISTRY
from tangermeme_gia.report.layout import flank_starts, site_starts
from tangermeme_gia.report.run import Experiment, experiment
from tangermeme_gia.report.study import Study

from ..conftest import linear_study

PROTEIN = tuple("ACDEFGHIKLMNPQRSTVWY")
FUNCTIONS = ("obstacle", "compute", "describe")


def obstacles(study: Study) -> dict[str, str]:
    # These ask a finished scan or spacing, measured scores, and several motifs.
    others = ("alignment", "saturation", "quality", "motifs", "grammar")
    names = [name for name in EXPERIMENTS if name not in others]
    found = {name: experiment(name).obstacle(study) for name in names}
    return {name: reason for name, reason in found.items() if reason}


def test_every_file_is_registered():
    files = {path.stem for path in Path(experiments.__file__).parent.glob("*.py")}
    assert files - {"__init__"} == {*EXPERIMENTS}
    assert tuple(REGISTRY) == EXPERIMENTS


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_the_same_three_functions(name):
    module = experiment(name)
    public = {n for n, f in vars(module).items() if inspect.isfunction(f)}
    own = {n for n in public if getattr(module, n).__module__ == module.__name__}
    assert {n for n in own if not n.startswith("_")} == {*FUNCTIONS}
    for function in FUNCTIONS:
        promised = inspect.signature(getattr(Experiment, function))
        own_ = inspect.signature(getattr(module, function))
        assert own_.return_annotation == promised.return_annotation
        assert list(own_.parameters.values()) == list(promised.parameters.values())[1:]
        assert getattr(module, function).__doc__


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiments_do_not_import_each_other(name):
    held = {
        getattr(value, "__module__", "") for value in vars(experiment(name)).values()
    }
    own = {x for x in held if f"{experiments.__name__}." in str(x)}
    assert own <= {experiment(name).__name__}


def test_the_docs_name_every_experiment():
    docs = (Path(__file__).parents[4] / "docs" / "report.md").read_text("utf-8")
    assert all(f"`{name}`" in docs for name in EXPERIMENTS)


# Why an experiment cannot be done


def test_a_probe_has_them_all():
    assert obstacles(linear_study()) == {}


def test_dna_of_500_bases_has_flanks_near_the_motif_and_no_hairpin():
    study = linear_study("TGCATG", 500, DNA)
    assert flank_starts(study) == (230, 265)
    assert site_starts(study) == [233, 240, 247]
    assert list(obstacles(study)) == ["hairpin", "structure"]
    assert obstacles(study)["structure"] == "folding is a question about RNA"
    assert "a question about RNA" in obstacles(study)["hairpin"]
    asked = linear_study("TGCATG", 500, DNA, experiments=("hairpin",))
    assert list(obstacles(asked)) == ["structure"]


def test_sequences_too_short_say_what_has_no_room():
    reasons = obstacles(linear_study("UGCAUG", 12))
    assert reasons == {
        "sites": "there is no room for a second site left of the motif",
        "spacing": "there is no room for a second site left of the motif",
        "gc": "there is no room for flanks beside the motif",
        "hairpin": "a hairpin that holds the motif needs 25 bases",
    }


def test_a_motif_at_the_start_has_no_sites_before_it():
    assert set(obstacles(linear_study(start=0))) == {"sites", "spacing", "gc"}


def test_proteins_have_neither_flanks_nor_hairpins():
    reasons = obstacles(linear_study("WLN", 30, PROTEIN))
    assert reasons == dict.fromkeys(
        ["gc", "hairpin", "structure"], "the alphabet is not that of nucleotides"
    )
