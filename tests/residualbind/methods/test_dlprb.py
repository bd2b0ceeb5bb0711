"""DLPRB, with weights whose scores can be computed by hand."""

import pytest
import torch

from residualbind.methods.dlprb import DLPRBCNN, DLPRBRNN

A, C, G, U, PAIRED, HAIRPIN = range(6)


def zeroed(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    return model


def test_the_best_window_of_each_width_counts(encoded):
    model = zeroed(DLPRBCNN(widths=(2, 3), filters=1, hidden=1))
    with torch.no_grad():
        model.convs[0].weight[0, [G, A], [0, 1]] = 1  # GA
        model.convs[1].weight[0, HAIRPIN] = 1  # three bases in a hairpin
        model.dense.weight[:] = torch.tensor([2.0, 5.0])
        model.output.weight[:] = 3
        model.output.bias[:] = 1
    X = torch.cat([encoded("CCGACCU", "CCCCCCC"), torch.zeros(2, 5, 7)], dim=1)
    X[1, HAIRPIN, 2:4] = 1
    # GA matches with 2; C with nothing. The hairpin of two fills two of three bases.
    expected = [1 + 3 * (2 * 2), 1 + 3 * (5 * 2)]
    assert model(X).flatten().tolist() == pytest.approx(expected)


def test_the_network_reads_from_both_ends(encoded):
    model = zeroed(DLPRBRNN(channels=4, units=1, hidden=1))
    with torch.no_grad():
        for direction, letter in (("", G), ("_reverse", U)):
            # The update gate is shut, so that a state is that of the last input alone.
            getattr(model.gru, f"bias_ih_l0{direction}")[1] = -30
            getattr(model.gru, f"weight_ih_l0{direction}")[2, letter] = 1
        model.dense.weight[:] = torch.tensor([1.0, 10.0])
        model.output.weight[:] = 1
    t = torch.tanh(torch.tensor(1.0)).item()
    # Forwards it ends with the last base, backwards with the first.
    scores = model(encoded("UACG", "GACU", "AACG", "UACC")).flatten().tolist()
    assert scores == pytest.approx([11 * t, 0, t, 10 * t], abs=1e-5)


def test_sizes_are_those_of_the_authors():
    conv = 9 * (5 + 11) * 128 + 2 * 128
    assert sum(p.numel() for p in DLPRBCNN().parameters()) == conv + 257 * 128 + 129
    gru = 2 * 3 * (64 * (9 + 64) + 2 * 64)
    assert sum(p.numel() for p in DLPRBRNN().parameters()) == gru + 129 * 128 + 129
