"""DeepBind as a module that is trained."""

import pytest
import torch

from residualbind.methods.deepbind import DeepBind, build


@pytest.mark.parametrize("options", [{}, {"average": True, "n_hidden": 3}])
def test_all_parameters_get_gradients(options):
    torch.manual_seed(0)
    model = DeepBind(4, 5, **options)
    X = torch.nn.functional.one_hot(torch.randint(4, (50, 41)), 4).mT.float()
    model(X).square().sum().backward()
    assert all(p.grad.abs().max() > 0 for p in model.parameters())


def test_a_detector_matches_its_motif_and_may_overhang():
    model = DeepBind(1, 3)
    with torch.no_grad():
        model.detectors.weight[:] = torch.eye(4)[[2, 0, 1]].T  # GAC
        model.detectors.bias[:] = -1.5
        model.layers[0].weight[:] = 2
        model.layers[0].bias[:] = 10
    letters = {"inside": "TTGACTT", "overhang": "ACTTTTT", "none": "TTTTTTT"}
    X = torch.stack(
        [torch.eye(4)[["ACGT".index(c) for c in s]].T for s in letters.values()]
    )
    # 3 letters match, or 2 and a quarter of the one that overhangs; 1.5 are the
    # threshold, the score is twice what exceeds it, and 10.
    expected = [13.0, 11.5, 10.0]
    assert model(X).flatten().tolist() == pytest.approx(expected)


def test_unknown_bases_and_padding_count_as_a_quarter_of_each_letter():
    torch.manual_seed(0)
    model = DeepBind(3, 4, average=True)
    X = torch.nn.functional.one_hot(torch.randint(4, (5, 12)), 4).mT.float()
    X[:, :, 4:6] = 0
    quarters = X.clone()
    quarters[:, :, 4:6] = 0.25
    torch.testing.assert_close(model(X), model(quarters))


def test_weights_to_train_begin_with_their_spreads_and_biases_with_none():
    torch.manual_seed(0)
    settings = {"init_detectors": 1e-4, "init_layers": 0.01}
    model = build(4, 41, n_hidden=32, dropout=0.25, **settings)
    weights = [(n, p) for n, p in model.named_parameters() if n.endswith("weight")]
    spread = {name: weight.std().item() for name, weight in weights}
    assert spread["detectors.weight"] == pytest.approx(1e-4, rel=0.1)
    assert spread["layers.0.weight"] == pytest.approx(0.01, rel=0.1)
    assert spread["layers.2.weight"] == pytest.approx(0.01, rel=0.4)
    assert not model.detectors.bias.any()
    assert not model.layers[0].bias.any()
    assert model.average
    assert model.dropout.p == 0.25


def test_dropout_leaves_pooled_values_out_in_training_alone():
    torch.manual_seed(0)
    model = DeepBind(1, 2, dropout=0.5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1)
    X = torch.eye(4)[[0, 1, 2]].T.repeat(400, 1, 1)
    # A window sums to 2 and its threshold is 1; kept values are doubled in training.
    assert model.eval()(X).unique().tolist() == [4]
    assert model.train()(X).unique().tolist() == [1, 7]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 0}, "`width` must be at least 1, got 0"),
        ({"n_detectors": -1}, "`n_detectors` must be at least 1, got -1"),
        ({"n_hidden": -1}, "`n_hidden` must be at least 0, got -1"),
        ({"alphabet": "ACGTN"}, "`alphabet` must have 4 letters"),
    ],
)
def test_impossible_sizes_are_named(options, said):
    with pytest.raises(ValueError, match=said):
        DeepBind(**options)
