"""Evaluate the bundled A1CF model on simulated probes that carry A1CF's motif.

    python scripts/demo.py

Needs no data. The simulation plants UAAUUA, the core that A1CF is known to bind
(Ray et al. 2013: WUAAUUR), and nothing else; a model that has learned the motif from
real measurements must rank these probes by their number of sites.
"""

from __future__ import annotations

import pandas as pd
import torch
from tangermeme.predict import predict

import residualbind as rb

N_PROBES = 4000


def main() -> None:
    simulated = rb.simulate_rnacompete(
        n=N_PROBES,
        motif="UAAUUA",
        spacing_penalty=0.0,
        loop_preference=0.0,
        stem_penalty=0.0,
        gc_effect=0.0,
        hairpin_fraction=0.0,
    )
    model = rb.load_pretrained("A1CF")
    metadata = rb.pretrained_metadata("A1CF")
    scores = predict(model, simulated.X, batch_size=512)
    table = pd.DataFrame(
        {
            "sites": simulated.components["n_sites"],
            "predicted score": metadata.transform.invert(scores)[:, 0],
        }
    )
    print(
        f"A1CF model ({metadata.provenance['experiment']}), {N_PROBES} simulated probes"
    )
    print("\nMean predicted binding score by number of UAAUUA sites:\n")
    summary = table.groupby("sites")["predicted score"].agg(["count", "mean", "sem"])
    print(summary.round(3).to_string())
    print("\nAgreement of predictions with the simulated scores:\n")
    metrics = rb.score_predictions(simulated.y, torch.as_tensor(scores))
    agreement = metrics[metrics["metric"] != "mse"]  # the scales differ
    print(agreement.drop(columns="output").round(3).to_string(index=False))
    print("\nProvenance: residualbind/pretrained/A1CF.md; next: README.md")


if __name__ == "__main__":
    main()
