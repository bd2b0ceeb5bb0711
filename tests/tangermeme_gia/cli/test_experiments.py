import inspect
import re
import shlex

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import characters

import residualbind
import tangermeme_gia as gia
from tangermeme_gia._core.options import Options
from tangermeme_gia.backgrounds.shuffles import draw_rows
from tangermeme_gia.cli import main
from tangermeme_gia.cli.backgrounds import Backgrounds
from tangermeme_gia.cli.commands import COMMANDS as ALL
from tangermeme_gia.cli.options import read_inputs
from tangermeme_gia.cli.tables import (
    ratios,
    with_additivity,
    with_affinity,
    with_latent,
    with_latent_sites,
)
from tangermeme_gia.models.loading import load_model
from tangermeme_gia.statistics import effect_null

from .conftest import filled_commands, overridden

COMMANDS = filled_commands()
TABLE = [command for command in ALL if command.options]
EXPERIMENTS = [name for name in COMMANDS if name not in ("report", "sweep")]
UNIFORM = torch.full((4, 24), 0.25)
SITES = ["multi-site", "--motif", "GATA", "--starts", "0", "8"]

# What each command is given, and the call of the library that it stands for.
CASES = {
    "global-importance": (
        "--patterns GATA@0 tta@8 --patterns GATA --n-controls 1",
        gia.global_importance,
        {"patterns": [[("GATA", 0), ("TTA", 8)], [("GATA", None)]], "n_controls": 1},
    ),
    "effect-null": (
        "--patterns GATA@0 tta@8 --n-words 9",
        gia.global_importance,
        {"patterns": [("GATA", 0), ("TTA", 8)], "n_controls": 9},
    ),
    "multi-site": (
        "--motif GANA --starts 12 0:9:8",
        gia.multi_site,
        {"motif": "GANA", "starts": [12, 0, 8]},
    ),
    "motif-spacing": (
        "--motifs GATA TTA C --spacings 0:2 3/1 --start 2 --orders 1,2,3/3,1,2 "
        "--orientations=--+,+++",
        gia.motif_spacing,
        {
            "motifs": ["GATA", "TTA", "C"],
            "spacings": [0, 1, [3, 1]],
            "start": 2,
            "orders": [(0, 1, 2), (2, 0, 1)],
            "orientations": ["--+", "+++"],
        },
    ),
    "positional-bias": (
        "--motif GATA --starts 0:10:3 --insert",
        gia.positional_bias,
        {"motif": "GATA", "starts": [0, 3, 6, 9], "insert": True},
    ),
    "random-position": (
        "--motif GATA --no-avoid-padding --n-controls 1",
        gia.random_position,
        {"motif": "GATA", "avoid_padding": False, "n_controls": 1},
    ),
    "gc-flank": (
        "--motif GATA --left GGC --right CC --start 9 --left-start 1 --right-start 20",
        gia.gc_flank,
        {
            "motif": "GATA",
            "left": "GGC",
            "right": "CC",
            "start": 9,
            "left_start": 1,
            "right_start": 20,
        },
    ),
    "effect-ratio": (
        "--motif GATA --left GGC --right CCA --n-controls 1",
        gia.gc_flank,
        {"motif": "GATA", "left": "GGC", "right": "CCA", "n_controls": 1},
    ),
    "hairpin-importance": (
        "--motif GATA --structure 2,5,6 --starts 8 --wobble",
        gia.hairpin_importance,
        {
            "motif": "GATA",
            "structure": gia.structure.Hairpin(2, 5, 6),
            "starts": [8],
            "wobble": True,
        },
    ),
    "pairwise-interaction": (
        "--a GATA@2 --b TGU@12 --n-controls 1",
        gia.pairwise_interaction,
        {"a": ("GATA", 2), "b": ("TGT", 12), "n_controls": 1},
    ),
    "factorial": (
        "--patterns GATA@0 TTA@8 CC@15",
        gia.factorial,
        {"patterns": [("GATA", 0), ("TTA", 8), ("CC", 15)]},
    ),
    "kmer-scan": (
        "--k 2 --start 3 --both-strands",
        gia.kmer_scan,
        {"k": 2, "start": 3, "both_strands": True},
    ),
    "best-kmers": (
        "--k 2 --start 3 --top 3 --delta 0.1",
        gia.best_kmers,
        {"k": 2, "start": 3, "top": 3, "delta": 0.1},
    ),
    "motif-scan": (
        "--motifs GATA TTACG --start random --strands apart --n-controls 2 --consensus "
        "--selection-fraction 0.4",
        gia.motif_scan,
        {
            "motifs": ["GATA", "TTACG"],
            "start": "random",
            "strands": "apart",
            "n_controls": 2,
            "consensus": True,
            "selection_fraction": 0.4,
        },
    ),
    "affinity-response": (
        "--motif GATWR --n-levels 4 --start 3 --n-sites 3 --frequencies .3 .2 .2 .3",
        gia.affinity_response,
        {
            "motif": "GATWR",
            "n_levels": 4,
            "start": 3,
            "n_sites": 3,
            "frequencies": [0.3, 0.2, 0.2, 0.3],
        },
    ),
    "latent-interaction": (
        "--a GATA@2 --b TTACG@9 --c CCG@18 --n-levels 3 3 2 --n-words 20",
        gia.latent_interaction,
        {
            "a": ("GATA", 2),
            "b": ("TTACG", 9),
            "c": ("CCG", 18),
            "n_levels": (3, 3, 2),
            "n_words": 20,
        },
    ),
    "latent-sites": (
        "--motif GATA --starts 2 8 --c TTACG@13 --d CCG@20 --n-levels 3 2 --n-words 20",
        gia.latent_sites,
        {
            "motif": "GATA",
            "starts": [2, 8],
            "c": ("TTACG", 13),
            "d": ("CCG", 20),
            "n_levels": (3, 2),
            "n_words": 20,
        },
    ),
    "junction-effects": (
        "--kmers GATA ATAT --start 3 --no-better-only --both-strands",
        gia.junction_effects,
        {
            "kmers": ["GATA", "ATAT"],
            "start": 3,
            "better_only": False,
            "both_strands": True,
        },
    ),
    "kmer-mutagenesis": (
        "--motif gata --start 3",
        gia.kmer_mutagenesis,
        {"motif": "GATA", "start": 3},
    ),
}


def test_of_one_background_sites_tell_no_deviation():
    X = gia.backgrounds.profile_background(UNIFORM, 1, 3)
    words = ("GATA", [2, 8], ("TTACG", 13), ("CCG", 20), (2, 2))
    result = gia.latent_sites(lambda X: X[:, :1, 3], X, *words, random_state=0)
    table = with_latent_sites(result, 0.8)
    assert table["effect"].notna().all()
    assert table[["latent", "verdict", "deviation_low"]].isna().all(axis=None)


def test_of_one_background_a_grid_tells_no_interaction():
    X = gia.backgrounds.profile_background(UNIFORM, 1, 3)
    words = (("GATA", 2), ("TTACG", 9), ("CCG", 18), (2, 2, 2))
    result = gia.latent_interaction(lambda X: X[:, :1, 3], X, *words, random_state=0)
    table = with_latent(result, 0.8)
    assert table["effect"].notna().all()
    assert (
        table[["latent", "verdict", "interaction_low", "order_p"]].isna().all(axis=None)
    )


@pytest.mark.filterwarnings("ignore:`insert`=True moves")
@pytest.mark.parametrize("name", CASES)
def test_a_command_writes_the_table_of_its_experiment(
    toy, table, here, name, model, assert_same
):
    words, function, keywords = CASES[name]
    command = [name, *words.split(), *toy, "--n", "9", "--random-state", "3"]
    shown = table(*command, "--confidence", "0.8")
    X = gia.backgrounds.profile_background(UNIFORM, 9, 3)
    result = function(model, X, random_state=3, **keywords)
    expected = result.to_frame(0.8)
    if name == "multi-site":
        expected = with_additivity(result, 0.8)
    if name == "affinity-response":
        expected = with_affinity(result, 0.8)
    if name == "latent-interaction":
        expected = with_latent(result, 0.8)
    if name == "latent-sites":
        expected = with_latent_sites(result, 0.8)
    if name == "effect-null":
        expected = effect_null(result).to_frame(0.8)
    if name == "effect-ratio":
        expected = ratios(result, 0.8)
    if name == "best-kmers":
        expected = result.top(3, confidence=0.8)
    assert_same(shown, expected)
    kinds = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
    for ending, start in kinds.items():
        if ending == "svg" or name == "multi-site":
            plot = here / f"plot.{ending}"
            table(*command, "--plot", plot, "--save", "result.gia")
            assert plot.read_bytes().startswith(start)
    saved = gia.load("result.gia")
    assert type(saved) is type(result)
    pd.testing.assert_frame_equal(
        saved.to_frame(), result.to_frame(), rtol=1e-5, atol=1e-5
    )


@pytest.mark.filterwarnings("ignore:`insert`=True moves")
@pytest.mark.parametrize("name", CASES)
def test_raw_effects_go_to_a_folder(toy, table, here, failure, name, model):
    words, function, keywords = CASES[name]
    command = [name, *words.split(), *toy, "--n", "9", "--random-state", "3"]
    if "--local" not in COMMANDS[name]._option_string_actions:
        assert "no option --save-to" in failure(*command, "--save-to", "raw")
        return
    shown = [table(*command, *["--save-to", "raw"] * (i > 0)) for i in range(3)]
    for one in shown[1:]:
        pd.testing.assert_frame_equal(one, shown[0], rtol=1e-4, atol=1e-4)
    X = gia.backgrounds.profile_background(UNIFORM, 9, 3)
    expected = function(model, X, random_state=3, **keywords)
    saved = gia.load("raw")
    assert type(saved) is type(expected)
    assert torch.allclose(saved.y_afters, expected.y_afters, atol=1e-4)


def test_every_experiment_of_the_library_is_a_command():
    functions = {command.function for command in TABLE}
    functions |= {gia.occlusion, gia.occlusion_annotations, gia.discover_motifs}
    functions |= {gia.motif_grammar, gia.latent_pairs, gia.rank_expected}
    experiments = {
        getattr(gia, name)
        for name in gia.__all__
        if inspect.isfunction(getattr(gia, name))
        and {"model", "X", "func"}
        <= set(inspect.signature(getattr(gia, name)).parameters)
    }
    assert functions == experiments
    own = {"occlusion", "align-kmers", "compare-motifs", "discover-motifs"}
    own |= {"grammar", "expected"}
    assert CASES.keys() == set(EXPERIMENTS) - own


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.name)
def test_options_have_the_names_and_defaults_of_the_keywords(command):
    keywords = inspect.signature(command.function).parameters
    own = next(
        group
        for group in COMMANDS[command.name]._action_groups
        if group.title == "experiment"
    )
    actions = {action.dest: action for action in own._group_actions}
    actions.pop("listed", None)  # of the table
    each = actions.pop("each", None)  # instead of the motif, or of patterns
    assert actions.keys() <= keywords.keys()
    positional = {"model", "X", "alphabet", "kwargs"}
    unused = keywords.keys() - actions.keys() - positional
    assert unused - {"like"} == {*Options.__annotations__, "random_state"}
    for name, action in actions.items():
        if action.required or (each and name in ("motif", "patterns")):
            assert keywords[name].default is inspect.Parameter.empty
        else:
            default = action.default
            if name == "structure":
                default = action.type(default)
            if (command.name, name) == ("effect-null", "n_controls"):
                continue  # of which it is the table
            assert default == keywords[name].default, name


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_example_runs(name, here, capsys):
    example = re.sub(r"\s+", " ", COMMANDS[name].epilog).removeprefix("example: ")
    program, *words = shlex.split(example)
    assert (program, words[0]) == ("tangermeme-gia", name)
    (here / "probes.fa").write_text(f">a\n{'ACGU' * 10}\n>b\n{'GAUUA' * 8}\n")
    known = {str(i): torch.eye(4)[:, torch.arange(6) * i % 4] for i in range(30)}
    gia.motifs.write_meme(here / "known.meme", known, alphabet="ACGU")
    gia.motifs.write_meme(here / "motif.meme", {"7": known["7"]}, alphabet="ACGU")
    if "--n" in words:
        words[words.index("--n") + 1] = "8"
    assert main(words) == 0
    # On so few backgrounds no pair of motifs is worth a second look.
    assert capsys.readouterr().out.count("\n") > (name != "grammar")
    if "--plot" in words:
        plot = here / words[words.index("--plot") + 1]
        assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_model_without_sequences_has_its_profile(table, assert_same):
    shown = table("multi-site", "--motif", "TTAATT", "--starts", "3", "--n", "20")
    profile = residualbind.load_profile("A1CF")
    result = gia.multi_site(
        residualbind.load_pretrained("A1CF"),
        gia.backgrounds.profile_background(profile, 20, 0),
        "UUAAUU",
        [3],
        alphabet="ACGU",
    )
    assert_same(shown, with_additivity(result, 0.95))


@pytest.mark.parametrize("name", gia.backgrounds.background_names())
def test_backgrounds_are_those_of_the_library(
    toy, table, observed, name, model, assert_same
):
    X, y = observed
    words = [*SITES, *toy, "--sequences", "observed.npz", "--background", name]
    drawn, templates = (
        each[name]
        for each in gia.backgrounds.sample_backgrounds(
            X, [name], 10, y, 2, return_templates=True
        )
    )
    expected = gia.multi_site(model, drawn, "GATA", [0, 8], clusters=templates)
    assert_same(
        table(*words, "--n", 10, "--random-state", 2), with_additivity(expected, 0.95)
    )


def test_a_structured_background_has_the_design_of_its_options(
    toy, table, failure, model, assert_same
):
    design = "....((((((....))))))...."
    words = [*SITES, *toy, "--n", 12]
    given = ["--background", "structured", "--dot-bracket", design, "--fold-check"]
    X = gia.backgrounds.structured_background(
        UNIFORM, design, 12, fold_check=True, random_state=0
    )
    expected = with_additivity(gia.multi_site(model, X, "GATA", [0, 8]), 0.95)
    assert_same(table(*words, *given), expected)
    several = ["--backgrounds", "structured", "profile", *given[2:]]
    rows = table(*words, *several)
    assert_same(
        rows[rows["background"] == "structured"]
        .drop(columns="background")
        .reset_index(drop=True),
        expected,
    )
    assert "go with the background 'structured'" in failure(*words, *given[2:])
    assert "needs `--dot-bracket`" in failure(*words, *given[:2])
    error = failure(*words, *given[:3], "((..[))]")
    assert "a pseudoknot" in error


def test_observed_sequences_are_taken_as_they_are(
    toy, table, observed, model, assert_same
):
    X, _ = observed
    words = [*SITES, *toy, "--sequences", "observed.npz", "--background", "observed"]
    expected = gia.multi_site(model, X, "GATA", [0, 8])
    assert_same(table(*words), with_additivity(expected, 0.95))
    rows = torch.from_numpy(draw_rows(40, 7, 5))
    fewer = gia.multi_site(model, X[rows], "GATA", [0, 8])
    assert_same(
        table(*words, "--n", 7, "--random-state", 5), with_additivity(fewer, 0.95)
    )


@pytest.mark.parametrize("name", ["shuffle", "dinucleotide", "structured"])
def test_errors_are_clustered_by_the_observed_sequence(
    name, toy, table, observed, here, model, assert_same
):
    X, _ = observed
    words = [*SITES, *toy, "--sequences", "observed.npz", "--n", "100"]
    words += ["--background", name, "--local", "local.tsv"]
    if name == "structured":
        words += ["--dot-bracket", "((((((....))))))........"]
    options = {"n": 100, "random_state": 0, "return_templates": True}
    drawn, templates = {
        "shuffle": lambda: gia.backgrounds.shuffled_background(X, **options),
        "dinucleotide": lambda: gia.backgrounds.dinucleotide_shuffled_background(
            X, **options
        ),
        "structured": lambda: gia.backgrounds.structured_background(
            X, "((((((....))))))........", **options
        ),
    }[name]()
    result = gia.multi_site(model, drawn, "GATA", [0, 8], clusters=templates)
    found = table(*words)
    assert_same(found, with_additivity(result, 0.95))
    assert set(found["n_clusters"]) == {len(set(templates.tolist()))}
    local = pd.read_csv(here / "local.tsv", sep="\t")
    assert local["cluster"].tolist() == np.repeat(templates, 2).tolist()


def test_scans_from_the_command_line_are_clustered(
    toy, table, observed, model, assert_same
):
    X, _ = observed
    drawn, templates = gia.backgrounds.shuffled_background(
        X, 100, 0, return_templates=True
    )
    words = [*toy, "--sequences", "observed.npz", "--n", 100, "--background", "shuffle"]
    for name, options in (("kmer-scan", {}), ("best-kmers", {"top": 3})):
        run = getattr(gia, name.replace("-", "_"))
        scan = run(model, drawn, 2, clusters=templates, random_state=0, **options)
        found = table(name, "--k", 2, *(["--top", 3] if options else []), *words)
        assert {"n_clusters", "df"} < {*found}
        wanted = scan.top(3) if options else scan.to_frame()
        assert_same(found, wanted)


def test_several_backgrounds_are_compared(
    toy, table, observed, here, model, assert_same
):
    X, y = observed
    words = [*SITES, *toy, "--sequences", "observed.npz", "--n", "10"]
    words += ["--backgrounds", "quartile4", "shuffle", "--plot", "grid.svg"]
    drawn, templates = gia.backgrounds.sample_backgrounds(
        X, ["quartile4", "shuffle"], 10, y, 0, return_templates=True
    )
    shown = table(*words)
    comparison = gia.across_backgrounds(
        gia.multi_site, model, drawn, "GATA", [0, 8], clusters=templates
    )
    found = comparison.to_frame()
    assert_same(shown[found.columns], found)
    for name, result in comparison.results.items():
        own = with_additivity(result, 0.95)[["slope", "r2"]]
        one = shown[shown["background"] == name].reset_index(drop=True)
        assert_same(one[["slope", "r2"]], own)
    gc = ["gc-flank", "--motif", "GATA", *words[len(SITES) :]]
    compared = gia.across_backgrounds(
        gia.gc_flank, model, drawn, "GATA", clusters=templates
    )
    assert_same(table(*gc, "--save", "grid.gia"), compared.to_frame())
    pd.testing.assert_frame_equal(gia.load("grid.gia").to_frame(), compared.to_frame())
    assert (here / "grid.svg").stat().st_size > 1000


def test_without_scores_quartiles_are_of_the_predictions(
    toys, toy, table, caplog, model
):
    caplog.set_level("INFO", "tangermeme_gia")
    words = [*SITES, *toy, "--n", "30", "--backgrounds", "quartile1", "quartile4"]
    table(*words)
    assert "quartile1 is of the model's predictions" in caplog.text
    # The stand-ins are divided by what the model says of them.
    inputs = read_inputs(f"{toys}:Additive", length=24)
    low, high = (
        model(Backgrounds(name, 30).draw(inputs, 0)[name].X).detach()
        for name in ("quartile1", "quartile4")
    )
    assert low.max() <= high.min()


def test_kmers_are_words_or_a_file(toy, table, here, model, assert_same):
    X = gia.backgrounds.profile_background(UNIFORM, 9, 0)
    command = ["kmer-scan", *toy, "--n", "9"]
    words = gia.kmer_scan(model, X, kmers=["GATA", "TTANC"])
    assert_same(table(*command, "--kmers", "gata", "UUANC"), words.to_frame())
    gia.motifs.write_meme(
        here / "motifs.meme", {"one": torch.eye(4), "two": torch.eye(4)[:, 1:]}
    )
    motifs = gia.kmer_scan(model, X, kmers="motifs.meme", random_state=0)
    shown = table(*command, "--kmers", "motifs.meme")
    assert shown["kmer"].tolist() == ["one", "two"]
    assert_same(shown, motifs.to_frame())


def test_the_best_kmers_are_listed_best_first(toy, table, model, assert_same):
    X = gia.backgrounds.profile_background(UNIFORM, 9, 0)
    scan = gia.kmer_scan(model, X, k=3)
    shown = table("kmer-scan", *toy, "--n", "9", "--k", "3", "--top", "4")
    assert_same(shown, scan.top(4))


def test_a_race_lists_ten_if_nothing_is_said(toy, table, model, assert_same):
    X = gia.backgrounds.profile_background(UNIFORM, 40, 0)
    best = gia.best_kmers(model, X, k=2, random_state=0)
    shown = table("best-kmers", *toy, "--n", "40", "--k", "2")
    assert_same(shown, best.top(10))
    assert len(shown) == 10
    lowest = gia.best_kmers(model, X, k=2, top=3, lowest=True, random_state=0)
    command = ["best-kmers", *toy, "--n", "40", "--k", "2", "--top", "3", "--lowest"]
    assert_same(table(*command), lowest.top(3, lowest=True))


@pytest.mark.parametrize("name", ["two", "Tracks", "Heads"])
def test_a_target_is_that_of_the_library(toys, table, assert_same, name):
    words, target = {
        "two": ("1", 1),
        "Tracks": ("2,6", (2, 6)),
        "Heads": ("ac,1", ("ac", 1)),
    }[name]
    command = ["--model", f"{toys}:{name}", "--length", "24", "--target", words]
    command += ["--n", "7"]
    X = gia.backgrounds.profile_background(UNIFORM, 7, 0)
    model = load_model(f"{toys}:{name}").model
    expected = gia.multi_site(model, X, "GATA", [0, 8], target=target)
    assert_same(table(*SITES, *command), with_additivity(expected, 0.95))
    best = gia.best_kmers(model, X, k=2, target=target, random_state=0, top=3)
    shown = table("best-kmers", "--k", "2", "--top", "3", *command)
    assert_same(shown, best.top(3))


def test_local_importances_are_a_row_for_each_sequence(toy, table, here, model):
    table(*SITES, *toy, "--n", "6", "--local", "local.tsv")
    local = pd.read_csv(here / "local.tsv", sep="\t")
    X = gia.backgrounds.profile_background(UNIFORM, 6, 0)
    result = gia.multi_site(model, X, "GATA", [0, 8])
    assert local["sequence"].tolist() == [i for i in range(6) for _ in range(2)]
    assert local["n_sites"].tolist() == [1, 2] * 6
    np.testing.assert_allclose(
        local["local_importance"], result.local_importance.detach().ravel(), rtol=1e-5
    )
    np.testing.assert_allclose(
        local["y_after"] - local["y_before"], local["local_importance"], atol=1e-4
    )


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("multi-site --motif gaua --starts 0 8", "Additive: GATA"),
        ("motif-spacing --motifs GATA TTA --spacings 1", "Additive: GATA, TTA"),
        ("global-importance --patterns GATA@3 TTA@9", "Additive: GATA@3, TTA@9"),
        ("pairwise-interaction --a GATA@2 --b TGU@12", "Additive: GATA@2, TGT@12"),
        ("kmer-scan --k 2", "Additive: all 2-mers"),
        ("kmer-scan --kmers GA TA", "Additive: given k-mers"),
        ("align-kmers --k 2 --top 2", "Additive: 2 best k-mers aligned to "),
    ],
)
def test_pictures_name_the_model_and_the_motif(toy, table, monkeypatch, words, title):
    titles = []
    monkeypatch.setattr(
        "tangermeme_gia.cli.output.write_plot", lambda draw, path, t: titles.append(t)
    )
    table(*words.split(), *toy, "--n", "5", "--plot", "a.png")
    assert len(titles) == 1
    assert titles[0].startswith(title)


def test_a_table_goes_to_a_file_if_asked(toy, here, capsys):
    assert main([*SITES, *toy, "--n", "5"]) == 0
    shown = capsys.readouterr().out
    assert main([*SITES, *toy, "--n", "5", "--out", "sites.tsv"]) == 0
    assert capsys.readouterr().out == ""
    assert (here / "sites.tsv").read_text() == shown
    assert [path.name for path in here.glob("*sites*")] == ["sites.tsv"]


def test_plots_are_the_same_bytes_each_time(toy, table, here):
    for name in ("a.svg", "b.svg", "a.pdf", "b.pdf"):
        table(*SITES, *toy, "--n", "5", "--plot", name)
    for ending in ("svg", "pdf"):
        a, b = ((here / f"{x}.{ending}").read_bytes() for x in "ab")
        assert a == b


def test_sequences_reach_the_model_as_they_are(toy, table, here):
    (here / "one.fa").write_text(f">a\n{'ACGT' * 6}\n")
    words = ["global-importance", "--patterns", "ACGT@0", *toy]
    words += ["--sequences", "one.fa", "--background", "observed"]
    shown = table(*words)
    assert shown["effect"].tolist() == [0]
    assert shown["se"].isna().all()


FAILURES = {
    "--plot sites.tif": r"`--plot`='sites.tif' must end in .png, .svg, .pdf",
    "--plot none/sites.png": "`--plot`: there is no folder .*none",
    "--out .": r"`--out`: \. is a folder",
    "--out none/sites.tsv": "`--out`: there is no folder",
    "--local none/sites.tsv": "`--local`: there is no folder",
    "--save none/sites.gia": "`--save`: there is no folder",
    "--save .": "`--save`: . is a folder",
    "--save x --out x": "are the same file",
    "--save-to mixed.fa": "`--save-to`: mixed.fa is a file; give a folder",
    "--save-to .": "`save_to`='.' holds other files, such as",
    "--save-to x --save y": "`--save` and `--save-to` both keep the result",
    "--save-to x --backgrounds shuffle profile": "keeps one result; `--backgrounds`",
    "--save-to x --target 0 --minus 0": "keeps one result; `--minus` gives several",
    "--n 0": "`--n`=0 must be at least 1",
    "--n x": "argument --n: invalid int value: 'x'",
    "--confidence 1": "`--confidence`=1 must be between 0 and 1",
    "--random-state -1": "random_state",
    "--starts 30": "`start`=30 with a 4-mer runs past `X` of length 24",
    "--starts 0 2": "overlap at position 2",
    "--starts 0-9": "argument --starts: '0-9' must be numbers such as",
    "--motif GAXA": "GAXA",
    "--background nowhere": "argument --background: invalid choice: 'nowhere'",
    "--background observed": "'observed' needs `--sequences`",
    "--backgrounds shuffle shuffle": "`--backgrounds` shuffle shuffle names one twice",
    "--backgrounds shuffle --local x.tsv": "goes with neither `--top` nor `--local`",
    "--backgrounds shuffle --background profile": "not allowed with argument",
    "--sequences none.fa": "there is no file none.fa",
    "--sequences mixed.fa --length 24": "mixed.fa holds sequences of up to 25 letters",
    "--genome g.fa": "`--genome` goes with regions",
    "--length 0": "`--length`=0 must be at least 1",
    "--length 20": r"the model fails on sequences of shape \(2, 4, 20\): RuntimeErr",
    "--alphabet AAC": "`--alphabet`='AAC' must be DNA, RNA, protein or distinct",
    "--alphabet protein": "the model fails on sequences of shape",
    "--device abacus": "`--device`='abacus' cannot be used",
    "--batch-size 0": "`--batch-size`=0 must be at least 1",
    "--target 1": "`--target` has 1 for axis 1, but the model gives outputs of shape",
    "--target 0,1": "`--target` has 1 for axis 2, .* which has no axis 2",
    "--target counts": "`--target` names the head 'counts', but the model gives",
    "--target=-1": "argument --target: '-1' must be an index from 0",
    "--model RBFOX": "`--model`='RBFOX' is none of a bundled model",
    "--model none:build": "there is no module 'none'",
    "--model A1CF": "`--length`=24, but A1CF reads 41 bases",
    "--wrong": r"there is no option --wrong \(see tangermeme-gia multi-site --help",
    "--sequence s --sequence t": "--sequence is given twice; it can be given once",
}


@pytest.mark.parametrize("words", FAILURES)
def test_what_cannot_be_done_is_one_line_and_code_2(toy, here, failure, words):
    (here / "mixed.fa").write_text(f">a\n{'A' * 25}\n>b\nACG\n")
    message = FAILURES[words]
    error = failure(*overridden([*SITES, *toy, "--n", "5"], words.split()))
    assert re.search(message, error), error


def test_mixed_lengths_are_one_line(toys, here, failure, model):
    (here / "mixed.fa").write_text(">a\nACGTACGTAC\n>b\nACGTACGTACG\n")
    error = failure(*SITES, "--model", f"{toys}:Additive", "--sequences", "mixed.fa")
    assert "mixed.fa holds sequences of 10 to 11 letters" in error
    error = failure(*SITES, "--model", f"{toys}:Additive")
    assert "Additive needs `--sequences`, or `--length` for uniform bases" in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--kmers GA none.meme", "there is no file 'none.meme'"),
        ("--kmers none.meme", "there is no file 'none.meme'"),
        ("--k 30", "a 30-mer is longer than"),
        ("--k 2 --top 0", "`n`=0 must be at least 1"),
        ("--k 2 --top 3 --backgrounds shuffle", "goes with neither `--top`"),
        ("--delta 0.1", "there is no option --delta"),
    ],
)
def test_bad_scans_are_one_line(toy, failure, words, message):
    assert message in failure("kmer-scan", *toy, "--n", "5", *words.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--top 0", "`top`=0 must be"),
        ("--delta 2", "`delta`=2"),
        # The best of one background are not those of another.
        (
            "--backgrounds shuffle",
            "no option --backgrounds; did you mean --background?",
        ),
    ],
)
def test_bad_races_are_one_line(toy, failure, words, message):
    command = ["best-kmers", "--k", "2", *toy, "--n", "5"]
    assert message in failure(*command, *words.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--orders 1,3", "`--orders` has 1,3; each of the motifs 1 to 2"),
        ("--orders 2,1/1", "`--orders` has 1; each"),
        ("--orientations ++,+", "it must be 2 signs"),
        ("--alphabet RNA --orientations all", "the strands of DNA"),
        ("--spacings 0:30", "take 37 bases; `X` has length 24"),
        ("--spacings 1/2", "2 motifs have 1 gaps"),
    ],
)
def test_bad_spacings_are_one_line(toy, failure, words, message):
    command = ["motif-spacing", "--motifs", "GATA", "CCCC", *toy, "--n", "5"]
    command += ["--spacings", "0"]
    assert message in failure(*overridden(command, words.split()))


def test_a_model_that_fails_on_some_sequences_says_which_error(toys, failure, model):
    words = ["multi-site", "--motif", "GATA", "--starts", "0:24:4", "--n", "5"]
    error = failure(*words, "--model", f"{toys}:Breaks", "--length", "24")
    assert "the model fails on sequences of shape" in error
    assert "RuntimeError: mat1 and mat2 shapes (" in error
    assert "cannot be multiplied" not in error


def test_motifs_stand_where_the_command_line_says(toys, here, table):
    code = (
        "class Sees(Additive):\n"
        "    def forward(self, X):\n"
        "        torch.save(X, 'seen.pt')\n"
        "        return super().forward(X)\n"
    )
    with open(f"{toys}.py", "a") as file:
        file.write(code)
    table(*SITES, "--model", f"{toys}:Sees", "--length", "24", "--n", "3")
    after = [characters(x) for x in torch.load(here / "seen.pt")]
    assert len(after) == 6
    assert all(letters.startswith("GATA") for letters in after)
    assert sum(letters[8:12] == "GATA" for letters in after) >= 3
