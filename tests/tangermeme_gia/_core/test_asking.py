"""Outputs that are no real numbers, or not the model's to keep."""

import re

import pytest
import torch

from tangermeme_gia import best_kmers, global_importance, kmer_scan

WEIGHTS = torch.arange(24.0)


def gs(X):
    """The sum of the places of all G."""
    return (X[:, 2].float() * WEIGHTS).sum(dim=1, keepdim=True)


def run(model, X, **options):
    return global_importance(model, X, [("GG", 3)], **options).local_importance


class Gs(torch.nn.Module):
    """`gs` that torch can compile to a script."""

    def forward(self, X):
        return (X[:, 2].float() * torch.arange(24.0)).sum(dim=1, keepdim=True)


class Buffer(torch.nn.Module):
    """Gives the same memory again, which the next call of this size overwrites."""

    def __init__(self, spare):
        super().__init__()
        self.held, self.spare = {}, spare

    def forward(self, X):
        buffer = self.held.setdefault(len(X), torch.zeros(len(X) + self.spare, 1))
        buffer[: len(X)] = gs(X)
        return buffer[: len(X)] if self.spare else buffer


@pytest.mark.filterwarnings("ignore::UserWarning:torch")  # of prototypes
@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor")
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize(
    ("change", "shown", "mend"),
    [
        (lambda y: y + 1j, "complex numbers (torch.complex64)", lambda y: y.real),
        (torch.Tensor.to_sparse, "a sparse tensor", lambda y: y.to_dense()),
        (torch.Tensor.to_sparse_csr, "a sparse tensor", lambda y: y.to_dense()),
        (
            lambda y: torch.nested.nested_tensor(list(y), layout=torch.jagged),
            "a nested tensor",
            lambda y: y.to_padded_tensor(0),
        ),
        (
            lambda y: y.to(torch.float8_e5m2),
            "numbers of torch.float8_e5m2",
            lambda y: y.float(),
        ),
        (
            lambda y: torch.quantize_per_tensor(y, 1.0, 0, torch.qint32),
            "numbers of torch.qint32",
            lambda y: y.dequantize(),
        ),
        (lambda y: y.to("meta"), "a tensor without values", None),
    ],
)
def test_outputs_that_are_no_real_numbers_are_named(X, change, shown, mend):
    for wrap in (change, lambda y: (y, change(y)), lambda y: [change(y)]):
        for func in ({}, {"func": lambda model, X, args=None: model(X)}):
            with pytest.raises(TypeError, match=re.escape(shown)):
                run(lambda X, wrap=wrap: wrap(gs(X)), X, **func)
    if mend is not None and "float8" not in shown:
        found = run(lambda X: change(gs(X)), X, target=mend)
        torch.testing.assert_close(found, run(gs, X))


def test_outputs_without_a_number_are_named(X):
    with pytest.raises(ValueError, match=r"of shape \(2, 0\), which holds no number"):
        run(lambda X: gs(X)[:, :0], X)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16])
def test_real_numbers_of_any_dtype_are_compared(X, dtype):
    found = run(lambda X: (gs(X) > 100).to(dtype), X)
    expected = run(lambda X: (gs(X) > 100).double(), X)
    torch.testing.assert_close(found.double(), expected)


def test_a_subclass_of_tensors_is_a_tensor(X):
    kind = type("Scores", (torch.Tensor,), {})
    found = run(lambda X: gs(X).as_subclass(kind), X)
    assert type(found) is torch.Tensor
    torch.testing.assert_close(found, run(gs, X))


def test_weights_without_values_are_named(X):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 1)).to("meta")
    with pytest.raises(ValueError, match=r"`model` \(Sequential\) has weights without"):
        run(model, X)


@pytest.mark.filterwarnings("ignore:.torch.jit")  # deprecated, and in many files
@pytest.mark.parametrize("kind", ["script", "trace"])
def test_a_compiled_model_is_a_model(X, kind):
    if kind == "script":
        model = torch.jit.script(Gs())
    else:
        model = torch.jit.trace(Gs(), X[:3].float())
    torch.testing.assert_close(run(model, X), run(gs, X))
    torch.testing.assert_close(
        kmer_scan(model, X, k=2).effect, kmer_scan(gs, X, k=2).effect
    )


@pytest.mark.parametrize("spare", [0, 5])
def test_a_buffer_that_a_model_gives_again_is_copied(X, spare):
    kwargs = {"k": 2, "top": 16, "batch_size": 4, "random_state": 0}
    found, expected = (best_kmers(m, X, **kwargs) for m in (Buffer(spare), gs))
    assert found.kmers == expected.kmers
    torch.testing.assert_close(found.effect, expected.effect)
    found, expected = (run(m, X, batch_size=2) for m in (Buffer(spare), gs))
    torch.testing.assert_close(found, expected)


def test_a_model_that_ends_the_program_is_an_error(X):
    def leave(X):
        raise SystemExit(3)

    with pytest.raises(RuntimeError, match=r"ends the program .* \(SystemExit: 3\)"):
        run(leave, X)
