"""ThermoNet, with weights whose scores can be computed by hand."""

import pytest
import torch

from residualbind.methods.inputs import as_channels
from residualbind.methods.thermonet import ThermoNet

SEQUENCES = ("GGGGGCCAAAAGGCCCCC", "GCGCGCAAAAAAAAAAAA")
LENGTH = 18
# What batch norm leaves of a value after five layers, each with 1e-5 added to 1.
KEPT = (1 + 1e-5) ** -2.5


def passing(part: str, channel: int) -> ThermoNet:
    """Stacks of one filter that hand one channel on, and add it up at last."""
    model = ThermoNet(LENGTH, k=2, embedding=1, filters=1).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for norm in model.norms:
            norm.weight.fill_(1)
        first = getattr(model, part)
        for conv, own in ((first, channel), *((conv, 0) for conv in model.convs)):
            conv.weight[:, own, (conv.kernel_size[0] - 1) // 2] = 1
        model.dense.weight.fill_(1)
    return model


@pytest.fixture
def inputs(encoded):
    return as_channels(encoded(*SEQUENCES), 64, n_jobs=1)


def test_structures_count_by_their_shares(inputs):
    model = passing("features", 0)  # hairpin
    rows = inputs[:, 4:].unflatten(1, (6, 10))
    hairpins, shares = rows[:, :, 0], rows[:, :, 9, 0]
    # A base in a hairpin is 1 - 1/9, and what is below 0 is cut off.
    beyond = (hairpins - 1 / 9).clamp(min=0).sum(dim=2)
    expected = KEPT * (beyond * shares).sum(dim=1)
    torch.testing.assert_close(model(inputs).squeeze(1), expected)
    assert expected[0] > 2  # four bases, mostly
    assert expected[1] < 0.5


def test_words_are_counted_once_for_all_structures(inputs):
    model = passing("words", 1)
    with torch.no_grad():
        model.embedding[1].weight[9] = 1  # GC
    # The shares of the six structures sum to 1.
    expected = torch.tensor([[2.0], [3.0]]) * KEPT
    torch.testing.assert_close(model(inputs), expected)


def test_a_word_with_an_unknown_base_has_a_vector_of_its_own(encoded):
    X = as_channels(encoded("AAGCANAA", length=LENGTH), 64, n_jobs=1)
    model = passing("words", 1)
    with torch.no_grad():
        model.embedding[1].weight[16] = 1
    # All but AA, AG, GC, CA and AA are words with padding or N.
    torch.testing.assert_close(model(X), torch.tensor([[LENGTH - 5.0]]) * KEPT)


def test_stacks_do_not_share_weights(inputs):
    model = passing("features", 0)
    before = model(inputs)
    with torch.no_grad():
        model.features.weight[5] = 0  # of the last structure alone
    rows = inputs[:, 4:].unflatten(1, (6, 10))
    beyond = (rows[:, 5, 0] - 1 / 9).clamp(min=0).sum(dim=1) * rows[:, 5, 9, 0]
    torch.testing.assert_close(before - model(inputs), KEPT * beyond[:, None])


def test_vocabulary_and_channels_are_those_of_the_authors():
    model = ThermoNet(k=5, embedding=10, width=16, filters=64)
    assert sum(len(table.weight) for table in model.embedding) == 1369
    assert model.words.weight.shape == (6 * 64, 5 * 10, 16)
    assert model.features.weight.shape == (6 * 64, 9, 16)
    assert [tuple(c.weight.shape) for c in model.convs] == [(6 * 64, 64, 8)] * 4
    assert model.dense.weight.shape == (6, 64, 41)
