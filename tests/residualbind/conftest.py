import pytest

from residualbind.structure import folding


@pytest.fixture
def count_folds(monkeypatch):
    """A function of a module: the sequences that it really folds from now on."""

    def count(module):
        folded = []

        def fold(sequences, settings, n_jobs):
            folded.extend(sequences)
            return folding.fold(sequences, settings, n_jobs)

        monkeypatch.setattr(module, "fold", fold)
        return folded

    return count
