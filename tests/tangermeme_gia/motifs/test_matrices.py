import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import entropy
from tangermeme.utils import information_content as tangermeme_information

from tangermeme_gia.motifs.matrices import (
    check_frequencies,
    check_ppm,
    information_content,
    information_logo,
    logo_frame,
    pfm_to_ppm,
    pwm_to_ppm,
)

GC_RICH = [0.2, 0.3, 0.3, 0.2]


@pytest.fixture
def ppm() -> torch.Tensor:
    matrix = torch.rand(4, 6, generator=torch.Generator().manual_seed(0)).double()
    return matrix / matrix.sum(0)


def test_information_equals_scipy_and_tangermeme(ppm):
    bits = information_content(ppm)
    np.testing.assert_allclose(bits, entropy(ppm, np.full((4, 6), 0.25), base=2))
    np.testing.assert_allclose(bits, tangermeme_information(ppm[None])[0], atol=1e-5)
    np.testing.assert_allclose(
        information_content(ppm, GC_RICH),
        entropy(ppm, np.tile(GC_RICH, (6, 1)).T, base=2),
    )


def test_information_of_certain_uniform_and_unknown_positions():
    certain = np.eye(20)[:, :1]
    uniform, unknown = np.full((20, 1), 0.05), np.zeros((20, 1))
    bits = information_content(np.hstack([certain, uniform, unknown]))
    np.testing.assert_allclose(bits, [np.log2(20), 0, 0], atol=1e-12)
    assert (bits >= 0).all()


def test_logo_letters_add_up_to_the_information(ppm):
    logo = information_logo(ppm, "ACGU", GC_RICH)
    assert list(logo.columns) == ["A", "C", "G", "U"]
    np.testing.assert_allclose(logo.sum(axis=1), information_content(ppm, GC_RICH))
    np.testing.assert_allclose(
        logo.div(logo.sum(axis=1), axis=0), ppm.T.numpy(), rtol=1e-12
    )


def test_counts_become_probabilities():
    counts = torch.tensor([[8, 0], [1, 0], [1, 0], [0, 5]])
    np.testing.assert_allclose(
        pfm_to_ppm(counts), [[0.8, 0], [0.1, 0], [0.1, 0], [0, 1]]
    )
    np.testing.assert_allclose(
        pfm_to_ppm(counts, pseudocount=10, background=GC_RICH)[:, 0],
        [10 / 20, 4 / 20, 4 / 20, 2 / 20],
    )


def test_log_odds_become_probabilities(ppm):
    for background in (None, GC_RICH):
        frequencies = check_frequencies(background, 4)
        pwm = np.log2(ppm.numpy() / frequencies[:, None])
        np.testing.assert_allclose(pwm_to_ppm(pwm, background), ppm)
        # A constant per column, and scores far beyond what 2 ** x can hold.
        np.testing.assert_allclose(pwm_to_ppm(pwm + 5000, background), ppm)


def test_an_impossible_letter_has_minus_infinity():
    certain = torch.eye(4)[:, :1]
    np.testing.assert_allclose(pwm_to_ppm(torch.log2(4 * certain)), certain)


def test_arguments_are_not_changed(ppm):
    before = ppm.clone()
    for function in (information_content, pfm_to_ppm, pwm_to_ppm):
        function(ppm)
    check_ppm(ppm)
    assert torch.equal(ppm, before)


def test_printed_probabilities_are_taken():
    third = check_ppm([[0.333], [0.333], [0.333]])
    assert third.sum() == pytest.approx(0.999)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.full((6, 4), 0.25), r"`ppm`, of shape \(6, 4\), sums to 1.5 at position 0"),
        (np.array([[1.0, 3.0], [0, 1]]), "sums to 4 at position 1.*converts counts"),
        (np.array([[1.5], [-0.5]]), "sums to 1 at position 0"),
        (np.zeros((4, 2)), "sums to 0 at position 0"),
        (np.full((4, 2), np.nan), "`ppm` holds NaN or infinity"),
        (np.zeros(4), r"`ppm` has shape \(4,\); it must be \(len\(alphabet\), length"),
        (np.zeros((4, 0)), r"`ppm` has shape \(4, 0\)"),
    ],
)
def test_what_is_no_ppm_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        check_ppm(matrix)


def test_a_frame_of_positions_is_refused(ppm):
    frame = logo_frame(ppm)
    for function in (information_content, pfm_to_ppm, pwm_to_ppm):
        with pytest.raises(TypeError, match="data frame, with a row for each position"):
            function(frame)
    assert torch.equal(check_ppm(frame.to_numpy().T), ppm)


def test_logo_frames_have_a_row_per_position():
    logo = logo_frame(np.arange(8).reshape(4, 2), alphabet="ACGU")
    pd.testing.assert_frame_equal(
        logo, pd.DataFrame({"A": [0.0, 1], "C": [2.0, 3], "G": [4.0, 5], "U": [6.0, 7]})
    )
    with pytest.raises(ValueError, match=r"`matrix` has shape \(2, 4\).* 4 letters"):
        logo_frame(np.zeros((2, 4)))


def test_a_ppm_of_another_alphabet_is_refused(ppm):
    with pytest.raises(ValueError, match="must be the 2 letters of the alphabet"):
        information_logo(ppm, "AB")


def test_counts_must_be_there_and_not_negative():
    with pytest.raises(ValueError, match="no counts at position 1; pass a"):
        pfm_to_ppm([[1, 0], [2, 0]])
    with pytest.raises(ValueError, match="must not hold negative counts"):
        pfm_to_ppm([[1, -1], [2, 3]])
    with pytest.raises(ValueError, match="`pseudocount`=-1 must not hold negative"):
        pfm_to_ppm([[1], [2]], pseudocount=-1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_log_odds_must_allow_a_letter(value):
    with pytest.raises(ValueError, match="`pwm` must have a finite weight in every"):
        pwm_to_ppm([[value, 1.0], [value, 0.0]])


@pytest.mark.parametrize(
    "background", [[0.5, 0.5], [0.5, 0.5, 0, 0], [1, 1, 1, 1], [np.nan, 0.5, 0.3, 0.2]]
)
def test_backgrounds_are_positive_frequencies(ppm, background):
    with pytest.raises(ValueError, match=r"`background`=.* 4 frequencies above 0"):
        information_content(ppm, background)
