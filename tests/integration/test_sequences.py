"""Whatever takes sequences says in one text where they are not one-hot."""

import pytest
import torch
from tangermeme.utils import random_one_hot

import residualbind as rb
import tangermeme_gia as gia
from tangermeme_gia.backgrounds.composition import gc_comparison
from tangermeme_gia.structure import (
    fold,
    folding_check,
    forms_pairs,
    impose_pairs,
    pair_probabilities,
    unpaired_probabilities,
)

MODEL = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(164, 1))
FINE = random_one_hot((12, 4, 41), random_state=0)
NAN = torch.zeros(1, 1)
RESULT = gia.GIAResult(NAN.repeat(12, 1), NAN.repeat(12, 1)[:, None], None)

# Each as a function of X, and what errors call it.
SAMPLERS = {
    "profile": gia.backgrounds.profile_background,
    "shuffle": gia.backgrounds.shuffled_background,
    "dinucleotide": gia.backgrounds.dinucleotide_shuffled_background,
    "quantile": lambda X: gia.backgrounds.quantile_background(X, range(12), 3, low=0),
    "filtered": lambda X: gia.backgrounds.filtered_background(MODEL, X, n=3),
    "structured": lambda X: gia.backgrounds.structured_background(X, "paper", 3),
    "sample_backgrounds": lambda X: gia.backgrounds.sample_backgrounds(X, n=3),
    "diagnose": lambda X: gia.backgrounds.diagnose_background(X, FINE),
    "kmer_divergence": lambda X: gia.backgrounds.kmer_divergence(X, FINE),
    "gc_comparison": lambda X: gc_comparison(X, FINE),
    "motif_occurrences": lambda X: gia.backgrounds.motif_occurrences(X, "GAT"),
}
STRUCTURE = {
    "forms_pairs": lambda X: forms_pairs(X, [[0, 40]]),
    "impose_pairs": lambda X: impose_pairs(X, [[0, 40]]),
    "fold": fold,
    "unpaired_probabilities": unpaired_probabilities,
    "pair_probabilities": pair_probabilities,
    "folding_check": lambda X: folding_check(X, "paper"),
}
EXPERIMENTS = {
    "place": lambda X: gia.place(X, [("GAT", 3)]),
    "global_importance": lambda X: gia.global_importance(MODEL, X, [("GAT", 3)]),
    "multi_site": lambda X: gia.multi_site(MODEL, X, "GAT", [3]),
    "motif_spacing": lambda X: gia.motif_spacing(MODEL, X, ["GAT", "CC"], [3]),
    "positional_bias": lambda X: gia.positional_bias(MODEL, X, "GAT"),
    "random_position": lambda X: gia.random_position(MODEL, X, "GAT"),
    "gc_flank": lambda X: gia.gc_flank(MODEL, X, "GAT"),
    "pairwise": lambda X: gia.pairwise_interaction(MODEL, X, ("GAT", 3), ("CC", 9)),
    "factorial": lambda X: gia.factorial(MODEL, X, [("GAT", 3)]),
    "hairpin": lambda X: gia.hairpin_importance(MODEL, X, "GAT"),
    "occlusion": lambda X: gia.occlusion(MODEL, X, [3, 9]),
    "annotations": lambda X: gia.occlusion_annotations(MODEL, X, [[0, 3, 9]]),
    "kmer_scan": lambda X: gia.kmer_scan(MODEL, X, k=2),
    "best_kmers": lambda X: gia.best_kmers(MODEL, X, k=2),
    "kmer_mutagenesis": lambda X: gia.kmer_mutagenesis(MODEL, X, "GAT"),
    "by_structure": lambda X: gia.importance_by_structure(RESULT, X, [("GAT", 3)]),
}
RESIDUALBIND = {
    "decode_sequences": rb.decode_sequences,
    "score": lambda X: rb.Truth().score(X),
    "components": lambda X: rb.Truth().components(X),
    "with_structure": lambda X: rb.WithStructure(MODEL, kind="PU")(X),
}
# What errors call sequences that are not named X.
NAMED = {
    "structure_profiles": (rb.structure_profiles, "sequences"),
    "X_observed": (lambda X: gia.backgrounds.kmer_divergence(FINE, X), "X_observed"),
    "background": (
        lambda X: gia.occlusion(MODEL, FINE, [3, 9], background=X, n=3),
        "background",
    ),
}
FUNCTIONS = {
    name: (function, "X")
    for name, function in (SAMPLERS | STRUCTURE | EXPERIMENTS | RESIDUALBIND).items()
} | NAMED


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("column", "came"),
    [([0.5, 0.5, 0.0, 0.0], r"\[0.5, 0.5, 0.0, 0.0\]"), ([1.0] * 4, r"\[1.0, .*\]")],
)
def test_row_and_position_of_what_is_not_one_hot_are_named(name, column, came):
    function, argument = FUNCTIONS[name]
    X = FINE.float()
    X[7, :, 30] = torch.tensor(column)
    message = (
        f"^`{argument}` is not one-hot: sequence 7 holds {came} at position 30; "
        r"allowed is a single 1, or only 0 for padding and N\.$"
    )
    with pytest.raises(ValueError, match=message):
        function(X)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_sequences_of_another_number_of_axes_are_refused_in_one_text(name):
    function, argument = FUNCTIONS[name]
    message = rf"^`{argument}` has shape \(.*\); (it must be \(n, .*, length\)|a model)"
    with pytest.raises(ValueError, match=message):
        function(FINE[None].float())
