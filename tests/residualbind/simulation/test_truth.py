"""Planted effects are what experiments on the noise-free score measure."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict

import numpy as np
import pytest
import torch
from tangermeme.marginalize import marginalize
from tangermeme.predict import predict
from tangermeme.saturation_mutagenesis import saturation_mutagenesis

from residualbind.simulation.truth import Truth, TruthModel

ALPHABET = "ACGU"
MOTIF = "UGCAUG"
# Nothing in it pairs, is a site of MOTIF, or counts as GC.
PLAIN = "A" * 41
PPM = np.array(
    [
        [0.1, 0.0, 0.7, 0.2],
        [0.1, 0.0, 0.1, 0.2],
        [0.7, 0.1, 0.1, 0.2],
        [0.1, 0.9, 0.1, 0.4],
    ]
)


def one_hot(*sequences: str, length: int = 41) -> torch.Tensor:
    """Centred one-hot sequences; every letter but A, C, G, U is a zero column."""
    X = torch.zeros((len(sequences), 4, length), dtype=torch.int8)
    for i, sequence in enumerate(sequences):
        left = (length - len(sequence)) // 2
        for j, letter in enumerate(sequence):
            if letter in ALPHABET:
                X[i, ALPHABET.index(letter), left + j] = 1
    return X


def put(background: str, *placements: tuple[str, int]) -> str:
    for motif, start in placements:
        background = background[:start] + motif + background[start + len(motif) :]
    return background


def score(truth: Truth, *sequences: str) -> list[float]:
    return truth.score(one_hot(*sequences)).squeeze(1).tolist()


def random_sequences(n: int, length: int, seed: int = 0) -> list[str]:
    codes = np.random.default_rng(seed).integers(0, 4, (n, length))
    return ["".join(ALPHABET[c] for c in row) for row in codes]


def reverse_complement(sequence: str) -> str:
    return sequence.translate(str.maketrans("ACGU", "UGCA"))[::-1]


# --- an independent, slow reading of the rules in `Truth` ------------------------


def strengths_by_hand(truth: Truth, sequence: str) -> list[float]:
    weights = truth.log_odds
    width = weights.shape[1]
    best = weights.max(axis=0).sum()
    strengths = []
    for start in range(len(sequence) - width + 1):
        window = sequence[start : start + width]
        if any(letter not in ALPHABET for letter in window):
            strengths.append(0.0)
        elif isinstance(truth.motif, str):
            matches = all(
                m in ("N", b) for m, b in zip(truth.motif, window, strict=True)
            )
            strengths.append(float(matches))
        else:
            total = sum(weights[ALPHABET.index(b), j] for j, b in enumerate(window))
            floor = truth.site_threshold * best
            strengths.append(max(0.0, (total - floor) / (best - floor)))
    return strengths


def structure_by_hand(truth: Truth, sequence: str) -> tuple[set[int], set[int]]:
    """Grow every possible stem from its closing pair outwards."""
    pairs = {"AU", "UA", "CG", "GC"}
    loop: set[int] = set()
    stem: set[int] = set()
    for left in range(len(sequence)):
        for enclosed in range(3, truth.max_loop + 1):
            i, j, run = left, left + enclosed + 1, 0
            while i >= 0 and j < len(sequence) and sequence[i] + sequence[j] in pairs:
                i, j, run = i - 1, j + 1, run + 1
            if run >= truth.stem_pairs:
                stem |= set(range(i + 1, left + 1))
                stem |= set(range(left + enclosed + 1, j))
                loop |= set(range(left + 1, left + enclosed + 1))
    return loop - stem, stem


def score_by_hand(truth: Truth, sequence: str) -> float:
    strengths = strengths_by_hand(truth, sequence)
    width = len(sequence) - len(strengths) + 1
    loop, stem = structure_by_hand(truth, sequence)
    total = truth.baseline
    for j, strength in enumerate(strengths):
        window = set(range(j, j + width))
        crowding = 0.0
        for i in range(j):
            bases_between = max(j - i - width, 0)
            lost = max(0.0, 1 - bases_between / truth.min_spacing)
            crowding = max(crowding, strengths[i] * lost)
        total += strength * (
            truth.motif_effect
            - truth.spacing_penalty * crowding
            + truth.loop_preference * len(window & loop) / width
            - truth.stem_penalty * len(window & stem) / width
        )
    bases = [letter for letter in sequence if letter in ALPHABET]
    end = bases[len(bases) - truth.gc_window :] if truth.gc_window else []
    return total + truth.gc_effect * sum(letter in "CG" for letter in end)


def hard_sequences() -> list[str]:
    """Random sequences made rich in sites, hairpins, padding and N."""
    rng = np.random.default_rng(5)
    sequences = []
    for sequence in random_sequences(150, 41, seed=4):
        arm = sequence[3 : 3 + rng.integers(4, 12)]
        enclosed = rng.integers(2, 9)
        hairpin = arm + sequence[20 : 20 + enclosed] + reverse_complement(arm)
        sequence = put(sequence, (hairpin, rng.integers(0, 5)))[:41]
        for start in rng.integers(0, 35, rng.integers(0, 4)):
            sequence = put(sequence, (MOTIF, start))
        if rng.random() < 0.3:
            sequence = put(sequence, ("N", rng.integers(0, 41)))
        if rng.random() < 0.3:
            sequence = "N" + sequence[1:38] + "NNN"
        sequences.append(sequence)
    return sequences


@pytest.mark.parametrize("motif", [MOTIF, "UNNAU", "UUU", PPM, np.log2(4 * PPM + 0.1)])
@pytest.mark.parametrize("stem_pairs", [2, 4, 8])
def test_score_equals_a_slow_reading_of_the_stated_rules(motif, stem_pairs):
    truth = Truth(
        motif=motif,
        motif_effect=5.0,
        site_threshold=0.3,
        spacing_penalty=2.0,
        min_spacing=5,
        loop_preference=3.0,
        stem_penalty=1.5,
        stem_pairs=stem_pairs,
        max_loop=7,
        gc_effect=0.25,
        gc_window=4,
        baseline=-1.0,
    )
    sequences = hard_sequences()
    expected = [score_by_hand(truth, sequence) for sequence in sequences]
    assert len(set(np.round(expected, 3))) > 20
    np.testing.assert_allclose(score(truth, *sequences), expected, atol=2e-5)


# --- closed forms -----------------------------------------------------------------


def test_motif_in_a_site_free_background_adds_exactly_its_effect():
    truth = Truth(
        motif_effect=7.0, loop_preference=0.0, stem_penalty=0.0, gc_effect=0.0
    )
    sequences = random_sequences(300, 41)
    for start in (0, 17, 35):
        # The neighbours of the motif can complete a second site that overlaps it.
        framed = [put(s, ("AA", start - 2)) if start > 1 else s for s in sequences]
        framed = [put(s, ("A", start + 6)) if start < 35 else s for s in framed]
        X = one_hot(*framed)
        after = one_hot(*(put(s, (MOTIF, start)) for s in framed))
        no_site = (truth.components(X)["n_sites"] == 0).to_numpy()
        one_site = (truth.components(after)["n_sites"] == 1).to_numpy()
        effect = (truth.score(after) - truth.score(X)).squeeze(1).numpy()
        assert (no_site & one_site).sum() > 280
        np.testing.assert_allclose(effect[no_site & one_site], 7.0, atol=1e-5)


def test_distant_sites_add():
    truth = Truth(motif_effect=7.0, spacing_penalty=3.0, min_spacing=6)
    copies = [(MOTIF, 3), (MOTIF, 15), (MOTIF, 27)]
    by_count = [put(PLAIN, *copies[:k]) for k in range(4)]
    assert score(truth, *by_count) == pytest.approx([0.0, 7.0, 14.0, 21.0])


def test_near_sites_interact_by_the_stated_penalty_at_every_spacing():
    truth = Truth(motif_effect=7.0, spacing_penalty=3.0, min_spacing=6)
    first = put(PLAIN, (MOTIF, 3))
    for spacing in range(9):
        at = 9 + spacing
        both, second = put(first, (MOTIF, at)), put(PLAIN, (MOTIF, at))
        ab, a, b, none = score(truth, both, first, second, PLAIN)
        expected = -3.0 * max(0.0, 1 - spacing / 6)
        assert ab - a - b + none == pytest.approx(expected, abs=2e-5), spacing


def test_overlapping_sites_each_count_and_the_second_is_fully_crowded():
    truth = Truth(motif="UUU", motif_effect=7.0, spacing_penalty=3.0)
    assert score(truth, put(PLAIN, ("UUUU", 10))) == pytest.approx([2 * 7.0 - 3.0])


def test_a_third_site_is_crowded_once_by_its_nearest_neighbour():
    truth = Truth(motif="UUU", motif_effect=7.0, spacing_penalty=3.0, min_spacing=10)
    three = put(PLAIN, ("UUU", 10), ("UUU", 15), ("UUU", 20))
    assert score(truth, three) == pytest.approx([21.0 - 2 * 3.0 * 0.8])


def test_site_in_loop_gains_and_site_in_stem_loses_against_unstructured():
    truth = Truth(
        motif_effect=7.0, loop_preference=2.0, stem_penalty=3.0, gc_effect=0.0
    )
    arm = "GGACUUCAGG"
    empty = put(PLAIN, (arm, 5), (reverse_complement(arm), 23))
    in_loop = put(empty, (MOTIF, 16))
    arm_with_motif = "C" + MOTIF + arm[7:]
    in_stem = put(PLAIN, (arm_with_motif, 5), (reverse_complement(arm_with_motif), 23))
    without_stem = put(PLAIN, (arm_with_motif, 5))
    values = score(
        truth, empty, in_loop, put(PLAIN, (MOTIF, 16)), in_stem, without_stem
    )
    assert values == pytest.approx([0.0, 9.0, 7.0, 4.0, 7.0])


def test_site_half_in_a_loop_gains_half():
    truth = Truth(motif="UUUU", motif_effect=7.0, loop_preference=2.0, stem_penalty=3.0)
    arm = "GGACGACGUU"
    hairpin = put(PLAIN, (arm + "UUCCC" + reverse_complement(arm), 5))
    assert score(truth, hairpin) == pytest.approx([7.0 + 1.0 - 1.5])


@pytest.mark.parametrize(
    ("pairs", "enclosed", "gain"),
    [(8, 6, 2.0), (7, 6, 0.0), (8, 12, 2.0), (8, 13, 0.0), (10, 12, 2.0)],
)
def test_hairpins_need_enough_pairs_around_a_short_loop(pairs, enclosed, gain):
    truth = Truth(motif_effect=7.0, loop_preference=2.0, stem_pairs=8, max_loop=12)
    arm = "GGACGACGGC"[:pairs]
    loop = put("C" * enclosed, (MOTIF, 0))
    hairpin = put(PLAIN, (arm + loop + reverse_complement(arm), 2))
    assert score(truth, hairpin) == pytest.approx([7.0 + gain])


def test_each_gc_at_the_3_prime_end_of_any_length_adds_its_effect():
    truth = Truth(gc_effect=0.5, gc_window=7)
    for length in (30, 35, 41):
        sequence = "A" * length
        for k in range(9):
            values = score(truth, put(sequence, ("CG" * 5, length - k))[:length])
            assert values == pytest.approx([0.5 * min(k, 7)])
    assert score(truth, put(PLAIN, ("GCGCGC", 0))) == pytest.approx([0.0])


def test_n_and_padding_are_no_bases():
    truth = Truth(motif="UGNAUG", motif_effect=7.0, gc_effect=0.5, gc_window=2)
    hidden = put(PLAIN, ("UGN" + "AUG", 10))
    assert score(truth, hidden, hidden.replace("N", "C")) == pytest.approx([0.0, 7.0])
    assert score(truth, "N" * 41, "") == [0.0, 0.0]
    # The two last bases are C and A, whatever lies between and behind them.
    assert score(truth, put(PLAIN, ("CNANN", 36))) == pytest.approx([0.5])


@pytest.mark.parametrize(
    "name",
    ["motif_effect", "spacing_penalty", "loop_preference", "stem_penalty", "gc_effect"],
)
def test_zero_switches_an_effect_off_and_leaves_the_others(name):
    sequences = hard_sequences()
    table = Truth(stem_pairs=4).components(one_hot(*sequences))
    coefficients = {
        "motif_effect": 8.0 * table["strength"],
        "spacing_penalty": -4.0 * table["crowding"],
        "loop_preference": 4.0 * table["loop"],
        "stem_penalty": -4.0 * table["stem"],
        "gc_effect": 0.3 * table["gc"],
    }
    lost = coefficients[name].to_numpy()
    assert np.abs(lost).max() > 0
    without = score(Truth(stem_pairs=4, **{name: 0.0}), *sequences)
    np.testing.assert_allclose(without, table["score"] - lost, atol=2e-5)


def test_matrix_consensus_has_full_strength_and_strength_falls_with_log_odds():
    truth = Truth(motif=PPM, motif_effect=7.0, site_threshold=0.5, gc_effect=0.0)
    assert truth.consensus == "GUAU"
    log_odds = np.log2((PPM + 0.01) / 1.04 / 0.25)
    best = log_odds.max(axis=0).sum()
    # The fourth letter changed from U to C.
    strength = (best - log_odds[3, 3] + log_odds[1, 3] - best / 2) / (best / 2)
    background = "C" * 41
    values = score(
        truth, *(put(background, (m, 10)) for m in ("GUAU", "GUAC", "GCAU", "CCCC"))
    )
    assert values == pytest.approx([7.0, 7.0 * strength, 0.0, 0.0], abs=1e-5)
    assert 0.5 < strength < 1


def test_log_odds_matrix_equals_the_probabilities_it_came_from():
    given = Truth(motif=PPM)
    X = one_hot(*random_sequences(200, 41))
    again = Truth(motif=torch.tensor(given.log_odds))
    assert (given.components(X)["n_sites"] > 0).sum() > 50
    torch.testing.assert_close(again.score(X), given.score(X))
    np.testing.assert_allclose(given.probabilities, PPM)
    np.testing.assert_allclose(again.probabilities, (PPM + 0.01) / 1.04)


# --- the model ----------------------------------------------------------------


def test_model_equals_score_and_components_for_any_length_and_batch():
    truth = Truth(stem_pairs=4, baseline=1.5)
    for length in (6, 20, 41, 120):
        X = one_hot(*random_sequences(20, length), length=length)
        y = predict(truth.model(), X, batch_size=7, device="cpu")
        assert y.shape == (20, 1)
        torch.testing.assert_close(y, truth.score(X), rtol=1e-5, atol=1e-5)
        expected = truth.components(X)["score"]
        np.testing.assert_allclose(y.squeeze(1), expected, atol=1e-5)


def test_many_sequences_are_scored_in_batches_that_change_nothing():
    truth = Truth(stem_pairs=4)
    X = one_hot(*hard_sequences())
    many = X.repeat(60, 1, 1)
    expected = truth.score(X).repeat(60, 1)
    torch.testing.assert_close(truth.score(many), expected, rtol=1e-5, atol=1e-5)


def test_tangermeme_experiments_run_on_the_truth():
    truth = Truth(motif_effect=7.0, gc_effect=0.0)
    X = one_hot(PLAIN, "A" * 38)
    motif = one_hot(MOTIF, length=6)
    before, after = marginalize(truth.model(), X, motif, device="cpu")
    torch.testing.assert_close(after - before, torch.full((2, 1), 7.0))
    attributions = saturation_mutagenesis(
        truth.model(), one_hot(put(PLAIN, (MOTIF, 17))), device="cpu"
    )
    at_motif = attributions[0].abs().sum(dim=0)
    assert (at_motif[17:23] > 0).all()
    assert at_motif[:17].sum() == 0


def test_gradients_reach_the_input_and_leave_the_model_unchanged():
    X = one_hot(put("C" * 41, ("GUAU", 10))).double().requires_grad_()
    y = Truth(motif=PPM, gc_effect=0.5).model()(X)
    y.sum().backward()
    assert y.dtype == torch.float64
    assert X.grad is not None
    assert X.grad[0, 3, 13] > X.grad[0, 0, 13]
    assert X.grad[0, 1, 40] == pytest.approx(0.5)


def test_scoring_changes_neither_input_nor_global_random_state():
    X = one_hot(*hard_sequences())
    copy, state = X.clone(), torch.get_rng_state()
    Truth().score(X)
    Truth().components(X.numpy())
    assert torch.equal(X, copy)
    assert torch.equal(torch.get_rng_state(), state)


# --- the parameters -----------------------------------------------------------


@pytest.mark.parametrize("motif", ["tgcatg", PPM])
def test_truth_can_be_compared_hashed_saved_as_json_and_not_changed(motif):
    truth = Truth(motif=motif, gc_effect=0.1)
    again = Truth(**json.loads(json.dumps(asdict(truth))))
    assert again == truth
    assert hash(again) == hash(truth)
    assert truth != Truth(motif=motif, gc_effect=0.2)
    with pytest.raises(FrozenInstanceError):
        truth.gc_effect = 0.2  # type: ignore[misc]


def test_components_name_amounts_and_terms_that_sum_to_the_score():
    table = Truth(stem_pairs=4, baseline=2.0).components(one_hot(*hard_sequences()))
    assert list(table.columns) == [
        *("n_sites", "strength", "crowding", "loop", "stem", "gc"),
        *("motif_term", "spacing_term", "hairpin_term", "gc_term", "score"),
    ]
    terms = table.filter(like="_term").sum(axis=1)
    np.testing.assert_allclose(table["score"], 2.0 + terms)
    assert table["n_sites"].dtype == np.int64


def test_no_sequences_have_no_scores():
    X = torch.zeros((0, 4, 41))
    assert Truth().score(X).shape == (0, 1)
    assert len(Truth().components(X)) == 0


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (torch.zeros(4, 41), r"`X` has shape \(4, 41\); it must be"),
        (torch.zeros(2, 5, 41), r"`X` has shape \(2, 5, 41\)"),
        (torch.full((2, 4, 41), 0.25), "`X` is not one-hot"),
        (torch.ones((2, 4, 41)), "`X` is not one-hot"),
        (torch.full((2, 4, 41), torch.nan), "`X` is not one-hot"),
        (torch.zeros(2, 4, 5), "length of at least 6, that of the motif"),
    ],
)
def test_score_refuses_what_is_not_one_hot(X, message):
    with pytest.raises(ValueError, match=message):
        Truth().score(X)


def test_score_refuses_letters():
    with pytest.raises(TypeError, match="`X` of type list must hold numbers"):
        Truth().score(["ACGU"])


def test_model_refuses_wrong_channels():
    with pytest.raises(ValueError, match=r"expected \(n, 4, length\)"):
        TruthModel(Truth())(torch.zeros(1, 6, 41))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"min_spacing": 0}, ValueError, "`min_spacing`=0 must be at least 1"),
        ({"stem_pairs": 1}, ValueError, "`stem_pairs`=1 must be at least 2"),
        ({"max_loop": 2}, ValueError, "`max_loop`=2 must be at least 3"),
        ({"gc_window": -1}, ValueError, "`gc_window`=-1 must be at least 0"),
        ({"gc_window": 7.5}, TypeError, "`gc_window`=7.5 must be an integer"),
        ({"gc_window": True}, TypeError, "`gc_window`=True must be an integer"),
        ({"noise": -0.1}, ValueError, "`noise`=-0.1 must not be negative"),
        ({"gc_effect": "big"}, TypeError, "`gc_effect`='big' must be a number"),
        ({"baseline": np.inf}, ValueError, "`baseline`=inf must be finite"),
        (
            {"site_threshold": 1.0},
            ValueError,
            "`site_threshold`=1.0 must be at least 0",
        ),
    ],
)
def test_wrong_parameters_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        Truth(**settings)
