"""One number of outputs along the sequence, at one place or around what is placed."""

import numpy as np
import pytest
import torch
from tangermeme.utils import one_hot_encode, random_one_hot

import tangermeme_gia as gia
from tangermeme_gia import Readout

LENGTH = 40


class Profile(torch.nn.Module):
    """Two tracks along the sequence: G, and twice C; bins, trimmed, in any order."""

    def __init__(self, bin_size=1, trim=0, tracks_last=False, heads=False):
        super().__init__()
        self.bin_size, self.trim = bin_size, trim
        self.tracks_last, self.heads = tracks_last, heads

    def forward(self, X):
        y = torch.stack([X[:, 2], 2 * X[:, 1]], dim=1).float()
        y = y[..., self.trim : y.shape[-1] - self.trim]
        y = y.unfold(-1, self.bin_size, self.bin_size).sum(dim=-1)
        y = y.mT if self.tracks_last else y
        return {"profile": y, "counts": y.sum(dim=(1, 2))} if self.heads else y


@pytest.fixture
def X() -> torch.Tensor:
    return one_hot_encode("A" * LENGTH)[None].repeat(3, 1, 1)


@pytest.mark.parametrize(
    ("readout", "effect"),
    [
        (Readout(track=0), 3),
        (Readout(track=1), 2),
        (Readout(), [3, 2]),
        (Readout(track=0, centre=2), 0),
        (Readout(track=0, window=(0, 11)), 1),
        (Readout(track=0, window=(0, 11), reduce="mean"), 1 / 11),
        (Readout(track=1, reduce="max"), 2),
        (Readout(track=0, log2=1.0), 2),
    ],
)
def test_a_track_and_a_window_are_read(X, readout, effect):
    result = gia.global_importance(Profile(), X, [("GGGC", 10)], target=readout)
    expected = torch.tensor(effect, dtype=torch.float32).reshape(1, -1)
    torch.testing.assert_close(result.global_importance.reshape(1, -1), expected)


def test_bins_may_lie_on_axis_1_and_in_a_head(X):
    readout = Readout(head="profile", track=1, window=(5, 6), axis=1)
    model = Profile(bin_size=2, tracks_last=True, heads=True)
    result = gia.global_importance(model, X, [("GC", 10)], target=readout)
    assert result.global_importance.tolist() == [2.0]


@pytest.mark.parametrize("model", [Profile(), Profile(2), Profile(2, 4), Profile(1, 6)])
@pytest.mark.parametrize("start", [12, 20, 27])
def test_a_readout_follows_the_motif(X, model, start):
    readout = Readout(track=0, around=0, width=2, bin_size=model.bin_size)
    result = gia.positional_bias(model, X, "GAAAAG", [start], target=readout)
    # Two bins around the first base hold it, and not the last, 5 bases away.
    assert result.global_importance.tolist() == [1.0]
    assert torch.equal(result.y_before, torch.zeros(3))


def test_effects_around_a_motif_are_changes_on_each_background():
    X = random_one_hot((30, 4, LENGTH), random_state=0)
    readout = Readout(track=0, around=0, width=6, log2=0.5)
    starts = [8, 19, 30]
    result = gia.positional_bias(Profile(), X, "GGA", starts, target=readout)
    for i, start in enumerate(starts):
        window = slice(start - 3, start + 3)
        y = [
            torch.log2(Profile()(each)[:, 0, window].sum(dim=-1) + 0.5)
            for each in (X, gia.place(X, [("GGA", start)]))
        ]
        torch.testing.assert_close(result.local_importance[:, i], y[1] - y[0])


def test_all_arms_of_two_motifs_are_read_at_the_same_place(X):
    for around, alone in ((0, "1"), (1, "2")):
        result = gia.motif_spacing(
            Profile(),
            X,
            ["GGA", "GAA"],
            [3, 6],
            target=Readout(track=0, around=around, width=4),
        )
        # Two bases on either side of the first: of the motif itself its G's, of the
        # other, 6 or 9 bases away, nothing.
        own = {"1": 2.0, "2": 1.0}
        for arm, y in result.to_frame().groupby("arm")["effect"]:
            expected = own[alone] if arm in ("all", alone) else 0.0
            assert y.tolist() == pytest.approx([expected] * 2), arm
    pair = gia.pairwise_interaction(
        Profile(),
        X,
        ("GGA", 5),
        ("GAA", 20),
        target=Readout(track=0, around=1, width=4),
    )
    effects = pair.to_frame().set_index("arm")["effect"]
    assert effects.to_dict() == pytest.approx({"A": 0.0, "B": 1.0, "AB": 1.0})


def test_blocks_of_any_size_are_read_alike():
    X = random_one_hot((20, 4, LENGTH), random_state=0)
    readout = Readout(track=1, around=0, width=8)
    whole, parts = (
        gia.positional_bias(
            Profile(), X, "CCGG", range(4, 34), target=readout, max_memory=memory
        )
        for memory in (None, 12_000)
    )
    torch.testing.assert_close(whole.y_afters, parts.y_afters)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"window": (0, 1), "centre": 1}, "`window` and `centre` exclude each other"),
        ({"around": 0}, "`around` and `width` go together"),
        ({"width": 3}, "`around` and `width` go together"),
        ({"reduce": "median"}, "`reduce`='median' must be one of"),
        ({"axis": 2}, "`axis`=2 must be -1 or 1"),
        ({"track": -1}, "`track`=-1 must be at least 0"),
        ({"centre": 0}, "`centre`=0 must be at least 1"),
        ({"window": (5, 5)}, r"`window`=\(5, 5\) must be two numbers from 0, up"),
        ({"window": (-2, 5)}, r"`window`=\(-2, 5\) must be two numbers"),
        ({"log2": -1.0}, "`log2`=-1.0 must be a pseudocount from 0"),
    ],
)
def test_options_that_make_no_sense_are_named(options, said):
    with pytest.raises(ValueError, match=said):
        Readout(**options)


@pytest.mark.parametrize(
    ("readout", "said"),
    [
        (Readout(track=2), "`track`=2, but outputs of shape .* have tracks 0 to 1"),
        (Readout(window=(30, 41)), "asks for the bins 30 to 40, but .* bins 0 to 39"),
        (Readout(centre=41), "but the model gives bins 0 to 39"),
        (Readout(head="profile"), "`head`='profile', but the model gives one output"),
        (Readout(track=0, log2=0.0), "an output with it is 0, which has no logarithm"),
        (Readout(track=0, around=1, width=2), "`around`=1, but condition 0 places 1"),
        (Readout(track=0, around=0, width=30), "around base 3 these are the bins -12"),
        (
            Readout(track=0, around=0, width=2, bin_size=2),
            "40 bins are more than the 40 bases",
        ),
    ],
)
def test_what_is_not_there_is_named(X, readout, said):
    with pytest.raises(ValueError, match=said):
        gia.global_importance(Profile(), X, [("GGC", 3)], target=readout)


def test_heads_must_be_chosen(X):
    with pytest.raises(ValueError, match="the model gives a dict; choose one of its"):
        gia.global_importance(
            Profile(heads=True), X, [("GC", 3)], target=Readout(track=0)
        )
    with pytest.raises(ValueError, match=r"gives the heads \['profile', 'counts'\]"):
        gia.global_importance(
            Profile(heads=True), X, [("GC", 3)], target=Readout(head="x")
        )


def test_what_has_no_place_or_only_one_is_not_followed(X):
    readout = Readout(track=0, around=0, width=2)
    for scan in (gia.kmer_scan, gia.best_kmers):
        with pytest.raises(ValueError, match="a scan places all k-mers at one start"):
            scan(Profile(), X, k=2, target=readout)
    with pytest.raises(ValueError, match="`around` needs conditions that place motifs"):
        gia.occlusion(Profile(), random_one_hot((3, 4, 40)), [(3, 9)], target=readout)


@pytest.mark.filterwarnings("ignore:`insert`=True moves")
def test_places_that_an_inserted_motif_moves_are_refused(X):
    readout = Readout(track=0, around=0, width=2)
    with pytest.raises(ValueError, match="they belong to places"):
        gia.positional_bias(Profile(), X, "GC", [5], insert=True, target=readout)
    whole = gia.positional_bias(
        Profile(), X, "GC", [5], insert=True, target=Readout(track=0)
    )
    np.testing.assert_allclose(whole.global_importance.numpy(), 1.0)
