"""Simulated experiments have the design that was asked for, and their truth returns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from residualbind.simulation.hairpins import find_hairpins
from residualbind.simulation.probes import LENGTH_SHARES, STEMS
from residualbind.simulation.simulate import Simulation, simulate_rnacompete
from residualbind.simulation.truth import Truth

ALPHABET = "ACGU"
PPM = np.array(
    [
        [0.1, 0.0, 0.7, 0.2, 0.9],
        [0.1, 0.0, 0.1, 0.2, 0.0],
        [0.7, 0.1, 0.1, 0.2, 0.1],
        [0.1, 0.9, 0.1, 0.4, 0.0],
    ]
)


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate_rnacompete(20_000, random_state=3)


def regress(simulation: Simulation) -> tuple[dict[str, float], dict[str, float]]:
    """Coefficients of the amounts, and their standard errors, by least squares."""
    names = ["strength", "crowding", "loop", "stem", "gc"]
    design = simulation.components[names].to_numpy()
    design = np.column_stack([design, np.ones(len(design))])
    y = simulation.y.squeeze(1).double().numpy()
    fitted, residual, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    assert rank == design.shape[1]
    variance = residual[0] / (len(y) - rank)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    names = [*names, "baseline"]
    return dict(zip(names, fitted, strict=True)), dict(zip(names, errors, strict=True))


# --- shapes and design --------------------------------------------------------


def test_fields_have_the_types_of_an_rnacompete_experiment(simulation):
    n = 20_000
    assert simulation.X.shape == (n, 4, 41)
    assert simulation.X.dtype == torch.int8
    assert simulation.y.shape == (n, 1)
    assert simulation.y.dtype == torch.float32
    assert simulation.sets.shape == (n,)
    assert simulation.experiments == ("simulated",)
    assert len(simulation.sequences) == len(simulation.components) == n
    assert len(simulation.design) == n


def test_x_spells_the_sequences_centred_between_zero_columns(simulation):
    for i in range(200):
        sequence = simulation.sequences[i]
        left = (41 - len(sequence)) // 2
        X = simulation.X[i]
        assert X.sum() == len(sequence)
        middle = X[:, left : left + len(sequence)]
        assert middle.sum(dim=0).eq(1).all()
        assert "".join(ALPHABET[c] for c in middle.argmax(dim=0)) == sequence
    lengths = torch.tensor([len(sequence) for sequence in simulation.sequences])
    assert torch.equal(simulation.X.sum(dim=(1, 2)), lengths)


def test_lengths_and_starts_have_the_shares_of_the_real_pool(simulation):
    lengths = np.array([len(sequence) for sequence in simulation.sequences])
    np.testing.assert_array_equal(lengths, simulation.design["length"])
    assert set(lengths.tolist()) == set(LENGTH_SHARES)
    for length, share in LENGTH_SHARES.items():
        assert (lengths == length).mean() == pytest.approx(share, abs=0.01)
    starts = np.array([sequence[:3] for sequence in simulation.sequences])
    assert set(starts.tolist()) == {"AGA", "AGG"}
    assert (starts == "AGA").mean() == pytest.approx(0.68, abs=0.01)


def test_other_letters_are_equally_frequent_and_all_6_mers_occur():
    plain = simulate_rnacompete(20_000, copies=[1.0], hairpin_fraction=0.0)
    shares = plain.X[:, :, 10:30].double().mean(dim=(0, 2))
    np.testing.assert_allclose(shares, 0.25, atol=0.003)
    kmers = {s[i : i + 6] for s in plain.sequences for i in range(3, len(s) - 5)}
    assert len(kmers) == 4**6
    assert (plain.components["n_sites"] > 0).mean() < 0.02


def test_sets_have_the_asked_shares(simulation):
    assert (simulation.sets == "A").sum() == 10_000
    assert set(simulation.sets.tolist()) == {"A", "B"}
    third = simulate_rnacompete(300, set_a_fraction=1 / 3)
    assert (third.sets == "A").sum() == 100
    # The sets do not follow the order of the probes.
    assert (third.sets[:100] == "A").mean() < 0.6


def test_copies_and_hairpins_have_the_asked_shares(simulation):
    design = simulation.design
    kinds = design["hairpin"].value_counts(normalize=True)
    assert kinds["none"] == pytest.approx(0.8, abs=0.01)
    for kind in ("empty", "loop", "stem"):
        assert kinds[kind] == pytest.approx(0.2 / 3, abs=0.01)
    copies = design.loc[design["hairpin"] == "none", "copies"]
    for k, share in enumerate((0.6, 0.25, 0.1, 0.05)):
        assert (copies == k).mean() == pytest.approx(share, abs=0.012)
    assert (design.loc[design["hairpin"] == "empty", "copies"] == 0).all()
    assert (design.loc[design["hairpin"].isin(["loop", "stem"]), "copies"] == 1).all()


def test_planted_copies_are_sites(simulation):
    n_sites = simulation.components["n_sites"]
    assert (n_sites >= simulation.design["copies"]).all()
    assert (n_sites == simulation.design["copies"]).mean() > 0.98


def test_planted_copies_are_everywhere_behind_the_start():
    one = simulate_rnacompete(
        5000, copies=[0.0, 1.0], hairpin_fraction=0.0, lengths=30, length=30
    )
    starts = [s.index("UGCAUG") for s in one.sequences]
    counts = np.bincount(starts, minlength=25)
    assert counts[:2].sum() == 0
    np.testing.assert_allclose(counts[3:], 5000 / 22, rtol=0.35)


def test_designed_hairpins_hold_the_site_where_the_design_says(simulation):
    table, kind = simulation.components, simulation.design["hairpin"]
    share = {
        part: (table[part] / table["strength"])[kind == part]
        for part in ("loop", "stem")
    }
    assert (share["stem"] >= 0.5).all()
    assert (share["loop"] > 0.99).mean() > 0.85
    assert share["stem"].mean() > 0.95
    unstructured = table[kind == "none"]
    assert ((unstructured["loop"] + unstructured["stem"]) > 0).mean() < 0.01


def test_empty_hairpins_are_hairpins_of_the_given_stems(simulation):
    empty = (simulation.design["hairpin"] == "empty").to_numpy()
    X = simulation.X[np.flatnonzero(empty)].float()
    loop, stem = find_hairpins(X, X.sum(dim=1) > 0, stem_pairs=8, max_loop=12)
    assert stem.any(dim=1).all()
    assert loop.sum(dim=1).float().mean() > 6
    assert all(
        any(arm in sequence for arm in STEMS)
        for sequence in np.array(simulation.sequences)[empty]
    )


def test_designed_loops_are_no_longer_than_max_loop():
    made = simulate_rnacompete(400, Truth(max_loop=7), hairpin_fraction=1.0)
    in_loop = made.design["hairpin"] == "loop"
    assert in_loop.sum() > 100
    assert (made.components["loop"][in_loop] > 0.5).all()


def test_n_in_a_stem_is_a_random_pair_per_probe():
    made = simulate_rnacompete(400, hairpin_fraction=1.0, stems=["NNNNCCNNN"])
    in_loop = (made.design["hairpin"] == "loop").to_numpy()
    assert (made.components["loop"][in_loop] > 0.5).all()
    before_loop = {
        s[s.index("UGCAUG") - 9 :][:9] for s in np.array(made.sequences)[in_loop]
    }
    assert len(before_loop) > 100


def test_matrix_motifs_are_planted_by_their_probabilities():
    made = simulate_rnacompete(
        4000,
        Truth(PPM),
        copies=[0.0, 1.0],
        hairpin_fraction=0.0,
        lengths=8,
        length=8,
    )
    planted = made.X[:, :, 3:].double().mean(dim=0)
    np.testing.assert_allclose(planted, PPM, atol=0.03)
    strengths = made.components["strength"]
    assert strengths.max() == pytest.approx(1.0)
    assert 0.1 < (strengths < 0.9).mean() < 0.9


@pytest.mark.parametrize(
    ("lengths", "length"), [(30, 30), (50, 64), ({20: 0.5, 21: 0.5}, 22)]
)
def test_other_lengths(lengths, length):
    made = simulate_rnacompete(
        50, lengths=lengths, length=length, copies=[0.5, 0.5], hairpin_fraction=0.0
    )
    assert made.X.shape == (50, 4, length)
    expected = {lengths} if isinstance(lengths, int) else set(lengths)
    assert {len(s) for s in made.sequences} == expected


def test_no_hairpins_or_no_stems_needed():
    made = simulate_rnacompete(50, hairpin_fraction=0.0, stems=[])
    assert (made.design["hairpin"] == "none").all()


# --- the truth comes back -----------------------------------------------------


def test_components_are_the_truth_of_the_probes(simulation):
    scores = simulation.truth.score(simulation.X).squeeze(1).double().numpy()
    np.testing.assert_allclose(
        simulation.components["score"], scores, rtol=1e-5, atol=1e-5
    )


def test_without_noise_the_measurement_is_the_truth():
    made = simulate_rnacompete(500, Truth(noise=0.0))
    torch.testing.assert_close(made.y, made.truth.score(made.X))


def test_noise_has_the_asked_spread():
    made = simulate_rnacompete(20_000, Truth(noise=2.5))
    error = made.y.squeeze(1).double().numpy() - made.components["score"].to_numpy()
    assert error.std() == pytest.approx(2.5, rel=0.02)
    assert error.mean() == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("motif", ["UGCAUG", PPM])
def test_regression_on_the_amounts_returns_every_planted_effect(motif):
    planted = {
        "motif_effect": 6.0,
        "spacing_penalty": 3.0,
        "loop_preference": 2.0,
        "stem_penalty": 1.0,
        "gc_effect": 0.4,
        "baseline": -1.0,
    }
    expected = {
        "strength": 6.0,
        "crowding": -3.0,
        "loop": 2.0,
        "stem": -1.0,
        "gc": 0.4,
        "baseline": -1.0,
    }
    exact, _ = regress(simulate_rnacompete(8000, Truth(motif, noise=0.0, **planted)))
    assert exact == pytest.approx(expected, abs=1e-5)
    noisy, errors = regress(
        simulate_rnacompete(8000, Truth(motif, noise=1.0, **planted))
    )
    for name, value in expected.items():
        assert abs(noisy[name] - value) < 4 * errors[name], name
        assert errors[name] < 0.2, name


# --- seeds ----------------------------------------------------------------------


def test_a_seed_repeats_everything_and_another_changes_it():
    one, two, other = (simulate_rnacompete(400, random_state=r) for r in (7, 7, 8))
    assert torch.equal(one.X, two.X)
    assert torch.equal(one.y, two.y)
    assert one.sequences == two.sequences
    np.testing.assert_array_equal(one.sets, two.sets)
    assert one.design.equals(two.design)
    assert one.truth == two.truth
    assert one.sequences != other.sequences
    assert not np.array_equal(one.sets, other.sets)


def test_effects_and_noise_can_change_while_probes_sets_and_errors_stay():
    one = simulate_rnacompete(400, Truth(noise=1.0))
    two = simulate_rnacompete(400, Truth(noise=3.0, motif_effect=1.0, gc_effect=0.0))
    assert torch.equal(one.X, two.X)
    np.testing.assert_array_equal(one.sets, two.sets)
    error = one.y.squeeze(1).numpy() - one.components["score"].to_numpy()
    larger = two.y.squeeze(1).numpy() - two.components["score"].to_numpy()
    np.testing.assert_allclose(larger, 3 * error, atol=1e-4)


def test_global_random_state_is_untouched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    torch_before = torch.get_rng_state()
    simulate_rnacompete(50)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_before)


# --- the interface ------------------------------------------------------------


def test_the_truth_is_kept_and_its_default_is_that_of_its_fields():
    truth = Truth(motif="GCUGGC", min_spacing=4, baseline=1.6)
    assert simulate_rnacompete(10, truth).truth is truth
    assert simulate_rnacompete(10).truth == Truth()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n": 0}, ValueError, "`n`=0 must be at least 1"),
        ({"n": 10.0}, TypeError, "`n`=10.0 must be an integer"),
        ({"random_state": -1}, ValueError, "`random_state`=-1 must not be"),
        ({"random_state": 1.5}, TypeError, "`random_state`=1.5 must be an integer"),
        ({"truth": "UGCAUG"}, TypeError, "`truth`='UGCAUG' must be a Truth"),
        (
            {"set_a_fraction": 1.5},
            ValueError,
            "`set_a_fraction`=1.5 must be from 0 to 1",
        ),
        ({"hairpin_fraction": -0.1}, ValueError, "`hairpin_fraction`=-0.1"),
        ({"hairpin_fraction": "all"}, TypeError, "`hairpin_fraction`='all'"),
        ({"copies": [0.5, 0.4]}, ValueError, r"`copies` has the shares \[0.5, 0.4\]"),
        ({"copies": [1.5, -0.5]}, ValueError, "must not be negative"),
        ({"copies": []}, ValueError, "`copies` has the shares"),
        ({"copies": ["half"]}, TypeError, "`copies`='half' must be a number"),
        ({"copies": 2}, TypeError, "`copies`=2 must be a sequence of shares"),
        (
            {"length": 38},
            ValueError,
            "`length`=38 is shorter than the longest probe, 41",
        ),
        ({"lengths": 2}, ValueError, "`lengths`=2 must be at least 3"),
        ({"lengths": {30: 0.4}}, ValueError, r"`lengths` has the shares \[0.4\]"),
        ({"lengths": {"30": 1.0}}, TypeError, "`lengths`='30' must be an integer"),
        ({"lengths": {}}, ValueError, r"`lengths` has the shares \[\]"),
        (
            {"lengths": 20},
            ValueError,
            "plants up to 3 copies of a motif of 6 nt.*for 2",
        ),
        (
            {"lengths": 24},
            ValueError,
            "hairpins of up to 24 nt.*the shortest probe has room for 21",
        ),
        (
            {"truth": Truth(max_loop=5)},
            ValueError,
            "`max_loop`=5 is too short for a motif of 6 nt",
        ),
        ({"stems": "GGACGACC"}, TypeError, "`stems`='GGACGACC' must be a sequence"),
        ({"stems": []}, ValueError, "`stems` is empty"),
        ({"stems": [8]}, TypeError, r"`stems`=\[8\] must be a sequence"),
        ({"stems": ["GGACGACX"]}, ValueError, "`stems` holds 'GGACGACX'; allowed"),
        (
            {"stems": ["GGACGAC"]},
            ValueError,
            "'GGACGAC' of 7 nt; at least 8 are needed",
        ),
    ],
)
def test_wrong_arguments_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        simulate_rnacompete(**{"n": 10, **settings})


def test_a_simulation_can_be_used_like_measured_data():
    simulation = simulate_rnacompete(50)
    data = simulation.data
    assert data.X is simulation.X
    assert data.y is simulation.y
    assert data.experiments == ("simulated",)
    assert len(data.split().test) == (simulation.sets == "B").sum()
