"""Does Global Importance Analysis find the rule that a network has learned?

    python -m benchmarks.rules [--rule AND] [--cache FOLDER] [--out FOLDER] [--quick]

from the root of the repository. `grammars.py` has the rules, how sequences of each are
made, and the pairs that only the rule tells apart; `networks.py` trains a network for
each; `questions.py` has what is asked of a network, with the decisions, which were
written before any network was asked; `attributions.py` how attributions are read.
docs/benchmarks.md says what came out.
"""
