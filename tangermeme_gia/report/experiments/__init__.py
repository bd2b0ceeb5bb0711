"""The experiments of a report: one file each, in the order of the page.

The file of an experiment has three functions:

- `obstacle(study)`: why it cannot be done here, or None;
- `compute(study)`: its results by name, which the store keeps under the file's name;
- `describe(study, results)`: the page's section about them.

To add one, write its file and register its name in one line below.
"""

# Each with the options that its results follow from, beside `n`, `n_scan`, `start`,
# `random_state` and the first background, from which all do.
REGISTRY: dict[str, tuple[str, ...]] = {
    "scan": ("k", "both_strands"),
    "motifs": ("motifs",),
    "motif": ("motif", "motifs", "searched", "k", "both_strands", "folds", "n_words"),
    "quality": ("motif", "scores"),
    "mutagenesis": ("motif",),
    "alignment": ("motif",),
    "sites": ("motif",),
    "spacing": ("motif",),
    "saturation": ("motif",),
    "position": ("motif",),
    "gc": ("motif",),
    "hairpin": ("motif",),
    "structure": ("motif",),
    "grammar": ("motifs",),
    "robustness": ("motif", "backgrounds"),
}
EXPERIMENTS = tuple(REGISTRY)
