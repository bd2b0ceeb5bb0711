"""Which sequences a report uses for what, and what its parts follow from."""

import pytest
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia import place
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.backgrounds.by_name import background_names
from tangermeme_gia.report import (
    EXPERIMENTS,
    OneOutput,
    OutputError,
    ReportInputs,
    ReportOptions,
)
from tangermeme_gia.report.places import find_elsewhere
from tangermeme_gia.report.run import experiment
from tangermeme_gia.report.store import Store
from tangermeme_gia.report.study import Study

from .conftest import AU, NOWHERE, RNA, Sites, inputs_of

X = random_one_hot((64, 4, 12), random_state=0)
LONG = random_one_hot((64, 4, 41), random_state=0)


def study_of(inputs=None, **options) -> Study:
    defaults = {"k": 3, "n": 10, "n_scan": 6, "backgrounds": ("profile",)}
    inputs = inputs or inputs_of(Sites())
    return Study(inputs, ReportOptions(**(defaults | options)), NOWHERE)


def observed(scores=None, X=X, name="Sites") -> ReportInputs:
    return ReportInputs(name, OneOutput(Sites()), RNA, X=X, scores=scores)


def finish_scan(study: Study, best: str) -> None:
    effect = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    found = KmerScan(["A" * len(best), best], effect, effect, 4)
    study.finished["scan"] = {"highest": found}


def rows(X: torch.Tensor) -> set[bytes]:
    return {x.numpy().tobytes() for x in X.to(torch.int8)}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "either sequences `X` or a `profile`"),
        ({"X": X, "profile": AU}, "either sequences `X` or a `profile`"),
        ({"X": X, "alphabet": tuple("AC")}, "2 letters and the sequences 4 channels"),
        ({"X": X, "scores": torch.zeros(3)}, "one score for each sequence"),
        ({"profile": AU, "scores": torch.zeros(4)}, "one score for each sequence"),
    ],
)
def test_bad_inputs_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        ReportInputs("model", OneOutput(Sites()), **values)


# Where the motif stands


def test_the_motif_stands_in_the_middle_as_in_the_paper():
    assert study_of(k=6).start == 17
    assert study_of(k=6, motif="GACU").start == 18
    assert study_of(start=0).start == 0
    assert study_of(start=38).start == 38


@pytest.mark.parametrize(
    ("length", "k", "start"),
    [(41, 6, 17), (41, 7, 17), (2114, 6, 1054), (2114, 7, 1054)],
)
def test_the_centre_is_the_engines(length, k, start):
    profile = torch.full((4, length), 0.25)
    study = study_of(inputs_of(Sites(), profile=profile), motif="GACUGAC"[:k])
    centred, stated = (
        place(study.X[:2], [(study.motif, where)], alphabet=RNA)
        for where in (None, study.start)
    )
    assert torch.equal(centred, stated)
    assert study.start == start


def test_a_motif_that_was_found_is_the_best_of_the_scan():
    study, given = study_of(k=2), study_of(motif="GAC")
    assert (study.motif, study.start) == ("", 19)
    for each in (study, given):
        finish_scan(each, "GACU")
    assert (study.motif, study.start) == ("GACU", 18)
    assert given.motif == "GAC"


@pytest.mark.parametrize("start", [39, -1])
def test_a_start_that_does_not_fit_is_refused(start):
    with pytest.raises(ValueError, match=f"`start`={start}.*last valid start is 38"):
        study_of(start=start).check()


def test_kmers_longer_than_the_sequences_are_refused():
    with pytest.raises(ValueError, match="13-mer is longer than `X` of length 12"):
        study_of(observed(), k=13, motif=None).check()


def test_more_kmers_than_can_be_scanned_are_refused():
    letters = tuple("ACDEFGHIKLMNPQRSTVWY")
    inputs = ReportInputs(
        "protein", OneOutput(Sites()), letters, profile=torch.full((20, 30), 0.05)
    )
    with pytest.raises(ValueError, match=r"`k`=6 of 20 letters gives 64,000,000"):
        study_of(inputs, k=6).check()


def test_a_motif_of_other_letters_is_refused():
    with pytest.raises(ValueError, match="'X' at position 2, which is not in"):
        study_of(motif="GAXC").check()
    assert study_of(motif="gatc").motif == "GAUC"


def test_a_model_that_fails_is_named():
    inputs = inputs_of(torch.nn.Linear(7, 1))
    with pytest.raises(OutputError, match=r"fails on sequences of shape \(2, 4, 41\)"):
        study_of(inputs).check()


# Which sequences


def test_a_profile_gives_backgrounds_that_share_no_sequence():
    inputs = inputs_of(Sites(), profile=torch.full((4, 41), 0.25))
    search, measured = (drawn.X for drawn in study_of(inputs).backgrounds)
    assert (len(search), len(measured)) == (6, 10)
    assert not rows(search) & rows(measured)


@pytest.mark.parametrize("name", background_names()[1:])
def test_backgrounds_of_few_observed_sequences_share_none(name):
    study = study_of(observed(torch.arange(64.0)), backgrounds=(name,))
    search, measured = (drawn.X for drawn in study.backgrounds)
    assert (len(search), len(measured)) == (6, 10)
    if name.startswith("quartile"):
        quarter = int(name[-1]) - 1
        assert rows(search) | rows(measured) == rows(
            X[16 * quarter : 16 * quarter + 16]
        )
        assert not rows(search) & rows(measured)


@pytest.mark.parametrize("name", ["shuffle", "dinucleotide"])
def test_shuffles_of_search_and_measurement_share_no_template(name):
    # Each sequence has a composition of its own, which a shuffle keeps.
    observed_ = torch.zeros(13, 2, 12, dtype=torch.int8)
    for i in range(13):
        observed_[i, 0, :i] = 1
        observed_[i, 1, i:] = 1
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(24, 1))
    inputs = ReportInputs("m", OneOutput(model), ("A", "C"), X=observed_)
    study = study_of(inputs, n=8, n_scan=5, backgrounds=(name,))
    search, measured = study.backgrounds
    # The template of i A's is in row i.
    for part in (search, measured):
        assert part.X[:, 0].sum(dim=1).tolist() == part.clusters.tolist()
    both = [*search.clusters, *measured.clusters]
    assert sorted(both) == list(range(13))
    assert study.ask["clusters"].tolist() == measured.clusters.tolist()


def test_every_background_leaves_the_searchs_templates_out():
    observed_ = torch.zeros(16, 2, 15, dtype=torch.int8)
    for i in range(16):
        observed_[i, 0, :i] = 1
        observed_[i, 1, i:] = 1
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(30, 1))
    inputs = ReportInputs("m", OneOutput(model), ("A", "C"), X=observed_)
    study = study_of(inputs, n=8, n_scan=5, backgrounds=("shuffle", "dinucleotide"))
    assert torch.equal(study.other_backgrounds("shuffle").X, study.X)
    search = study.backgrounds[0].X[:, 0].sum(dim=1).tolist()
    drawn = study.other_backgrounds("dinucleotide")
    other = drawn.X[:, 0].sum(dim=1).tolist()
    assert other == drawn.clusters.tolist()
    assert len(other) == 8
    assert not {*search} & {*other}


def test_robustness_does_not_use_the_sequences_that_chose_the_motif():
    inputs = inputs_of(Sites(), profile=torch.full((4, 41), 0.25))
    study = study_of(inputs)
    used = study.other_backgrounds("profile")
    assert torch.equal(used.X, study.X)
    assert used.clusters is None
    assert not rows(used.X) & rows(study.backgrounds[0].X)


def test_too_few_sequences_are_counted():
    study = study_of(observed(), backgrounds=("quartile2",), n=12)
    message = r"`n_scan`=6 and `n`=12.*need 18 sequences for 'quartile2'; there are 16"
    with pytest.raises(ValueError, match=message):
        _ = study.X


def test_a_background_of_too_few_sequences_is_found_before_anything_runs():
    study = study_of(observed(X=X[:12]), backgrounds=("profile", "quartile3"))
    with pytest.raises(ValueError, match="'quartile3' has 3 of the 12 sequences"):
        study.check()
    study_of(
        observed(X=X[:12]),
        backgrounds=("profile", "quartile3"),
        experiments=("sites",),
    ).check()


def test_smaller_backgrounds_are_as_large_as_they_can_be():
    study = study_of(observed(torch.arange(64.0)), n=20)
    assert len(study.other_backgrounds("quartile1").X) == 16
    assert len(study.other_backgrounds("shuffle").X) == 20


def test_quartiles_without_scores_follow_the_model():
    study = study_of(observed())
    assert torch.equal(study.scores, study.model(X.float())[:, 0])
    lowest, highest = (study.draw(f"quartile{i}", 16).X for i in (1, 4))
    assert study.predict(lowest).max() <= study.predict(highest).min()


def test_a_profile_has_stand_ins_for_every_quartile():
    study = study_of(backgrounds=("profile", "quartile4"))
    assert study.available("quartile4") == study.n_scan + study.options.n


def test_nothing_outside_is_changed():
    inputs = observed()
    before, state = inputs.X.clone(), torch.random.get_rng_state()
    weights = [p.clone() for p in inputs.model.parameters()]
    training = inputs.model.training
    study = study_of(inputs, backgrounds=background_names())
    study.check()
    for name in background_names():
        study.other_backgrounds(name)
    assert torch.equal(inputs.X, before)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(map(torch.equal, weights, inputs.model.parameters()))
    assert inputs.model.training == training


# What results follow from


def test_the_same_study_has_the_same_fingerprint_on_any_device_and_batch():
    options = ReportOptions(k=3, n=10, n_scan=6)
    a, b = (
        Study(inputs_of(Sites()), options, NOWHERE, verbose, **keywords)
        for verbose, keywords in [(False, {}), (True, {"batch_size": 3})]
    )
    for part in EXPERIMENTS:
        assert a.fingerprint(part) == b.fingerprint(part)


EVERY = {*EXPERIMENTS}


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"n": 11}, EVERY),
        ({"n_scan": 7}, EVERY),
        ({"random_state": 1}, EVERY),
        ({"start": 4}, EVERY),
        ({"motif": "GAC"}, EVERY - {"scan"}),
        ({"k": 4}, {"scan", "motif"}),
        ({"both_strands": True}, {"scan", "motif"}),
        ({"backgrounds": ("shuffle",)}, EVERY),
        ({"backgrounds": ("profile", "shuffle")}, {"robustness"}),
        ({"experiments": ("gc",)}, set()),
    ],
)
def test_an_option_changes_the_parts_that_follow_from_it(changed, parts):
    a, b = study_of(), study_of(**changed)
    differ = {part for part in EVERY if a.fingerprint(part) != b.fingerprint(part)}
    assert differ == parts


def test_a_given_motif_is_not_a_found_one():
    found, given = study_of(), study_of(motif="GAC")
    finish_scan(found, "GAC")
    assert found.fingerprint("motif") != given.fingerprint("motif")
    assert found.fingerprint("sites") == given.fingerprint("sites")


@pytest.mark.parametrize(
    "inputs",
    [
        observed(X=X.roll(1, 0)),
        ReportInputs("m", OneOutput(Sites(weight=3.0)), RNA, X=X),
        ReportInputs("m", OneOutput(Sites(), target=0), RNA, X=X),
        ReportInputs("m", OneOutput(Sites()), X=X),
    ],
    ids=["data", "model", "target", "alphabet"],
)
def test_inputs_change_every_part(inputs):
    a, b = study_of(observed()), study_of(inputs)
    assert all(a.fingerprint(part) != b.fingerprint(part) for part in EXPERIMENTS)


def test_scores_change_only_what_reads_them():
    names = ("profile", "quartile1")
    a, b = (
        study_of(observed(scores), backgrounds=names)
        for scores in (torch.arange(64.0), torch.arange(64.0).flip(0))
    )
    differ = {p for p in EXPERIMENTS if a.fingerprint(p) != b.fingerprint(p)}
    assert differ == {"quality", "robustness"}


# Whether the templates reach every result


# What is aligned is measured by others.
@pytest.mark.parametrize("name", [n for n in EXPERIMENTS if n != "alignment"])
def test_results_have_the_templates_of_their_backgrounds(name, tmp_path):
    inputs = ReportInputs("m", OneOutput(Sites()), RNA, X=LONG)
    chosen = {"backgrounds": ("shuffle", "profile", "dinucleotide")}
    options = ReportOptions(k=2, n=10, n_scan=40, **chosen)
    study = Study(inputs, options, Store(tmp_path))
    finish_scan(study, "GA")
    if experiment(name).obstacle(study) is not None:
        pytest.skip("it is not for these sequences")
    results = experiment(name).compute(study)
    search, measured = study.backgrounds
    for key, result in results.items():
        if key == "profile":
            assert result.clusters is None
        elif (name == "scan" and key != "again") or key == "places":
            assert result.clusters.tolist() == search.clusters.tolist()
        elif key == "dinucleotide":
            drawn = study.other_backgrounds(key)
            assert result.clusters.tolist() == drawn.clusters.tolist()
        else:
            assert result.clusters.tolist() == measured.clusters.tolist()
    if results and name not in ("scan", "robustness"):
        section = experiment(name).describe(study, results)
        assert section.sentence


def test_a_motif_that_is_given_is_looked_for_on_clusters_too():
    inputs = ReportInputs("m", OneOutput(Sites()), RNA, X=LONG)
    options = ReportOptions(motif="GAC", n=10, n_scan=40, backgrounds=("shuffle",))
    study = Study(inputs, options, NOWHERE)
    places = experiment("motif").compute(study)["places"]
    assert places.clusters.tolist() == study.drawn.clusters[:32].tolist()
    assert find_elsewhere(study, places) is None
