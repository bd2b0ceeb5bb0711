"""cDeepbind, with weights whose scores can be computed by hand."""

import math

import pytest
import torch

from residualbind.methods.cdeepbind import CDeepbindCNN, CDeepbindRNN, centred

A, C, G, U = range(4)
# The column of a filter that lies over the base itself.
OWN_16, OWN_8 = 7, 3
SEQUENCES = ("CCGACGU", "AAAAAAA")


def zeroed(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    return model


@pytest.mark.parametrize(
    ("pool", "expected"),
    [("max", [3.0, 0.0]), ("avg", [6 / 7, 0.0]), ("max_avg", [3 + 7 * 6 / 7 + 1, 1])],
)
def test_the_strongest_and_the_mean_match(encoded, pool, expected):
    model = zeroed(CDeepbindCNN(4, pool=pool))
    with torch.no_grad():
        # A centred G is 0.75 and makes 3, another base less than nothing.
        model.convs[0].weight[0, G, OWN_16] = 4
        model.convs[1].weight[0, 0, OWN_8] = 1
        if pool == "max_avg":
            model.output.weight[:] = torch.tensor([1.0, 7.0])
            model.output.bias[:] = 1
    assert model(encoded(*SEQUENCES)).flatten().tolist() == pytest.approx(expected)


def test_the_recurrent_network_counts_matches(encoded):
    model = zeroed(CDeepbindRNN(4, motifs=1, units=1))
    with torch.no_grad():
        model.conv1.weight[0, G, OWN_16] = 4
        model.conv2.weight[0, 0, OWN_16] = 0.1
        # All gates open: the memory is the sum of tanh over positions.
        model.lstm.bias_ih_l0[[0, 1, 3]] = 30
        model.lstm.weight_ih_l0[2] = 1
        model.output.weight[:] = 2
    expected = [2 * math.tanh(2 * math.tanh(0.3)), 0]
    scores = model(encoded(*SEQUENCES)).flatten().tolist()
    assert scores == pytest.approx(expected, abs=1e-6)


def test_padding_and_unknown_bases_are_in_the_centre(encoded):
    X = torch.cat([encoded("ANG", length=5), torch.zeros(1, 5, 5)], dim=1)
    X[:, 4, 1:4] = 1
    found = centred(X)[0]
    assert found[:, 0].tolist() == [0] * 9
    assert found[:4, 2].tolist() == [0] * 4
    assert found[:4, 1].tolist() == [0.75, -0.25, -0.25, -0.25]
    torch.testing.assert_close(found[4:, 2], torch.tensor([0.8] + [-0.2] * 4))


def test_three_layers_have_the_widths_and_filters_of_the_authors():
    shapes = [tuple(conv.weight.shape) for conv in CDeepbindCNN(layers=3).convs]
    assert shapes == [(16, 9, 16), (32, 16, 8), (1, 32, 4)]


def test_small_weights_to_start_from():
    torch.manual_seed(0)
    model = CDeepbindCNN(init_scale=1e-4)
    assert model.convs[0].weight.std().item() == pytest.approx(1e-4, rel=0.1)


def test_an_unknown_pooling_is_named():
    with pytest.raises(ValueError, match="`pool`='sum' must be"):
        CDeepbindCNN(pool="sum")
