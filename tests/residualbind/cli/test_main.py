import inspect
import io
import os
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from filelock import FileLock

import residualbind
from residualbind.cli import commands
from residualbind.cli.main import build_parser, main
from residualbind.cli.sources import FORMATS
from residualbind.data.transforms import RECIPES
from residualbind.network.trainer import TrainingError
from residualbind.structure.folding import CONTEXTS

QUICK = ("--epochs", "2", "--n-resamples", "20", "--batch-size", "50")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data") / "simulated.tsv"
    truth = path.with_name("truth.tsv")
    assert (
        main(["simulate", "--n", "600", "--out", str(path), "--truth", str(truth)]) == 0
    )
    return path


def train_words(data: Path, out: Path) -> list[str]:
    words = ["train", "--data", str(data), "--format", "table"]
    return [*words, "--set-column", "set", "--out", str(out), *QUICK]


@pytest.fixture(scope="module")
def trained(simulated) -> Path:
    path = simulated.with_name("model.safetensors")
    assert main(train_words(simulated, path)) == 0
    return path


def table_of(capsys) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(capsys.readouterr().out), sep="\t")


def test_simulate_writes_the_library_simulation(simulated):
    table = pd.read_csv(simulated, sep="\t")
    simulation = residualbind.simulate_rnacompete(n=600)
    assert table["sequence"].tolist() == list(simulation.sequences)
    assert table["set"].tolist() == simulation.sets.tolist()
    np.testing.assert_allclose(table["score"], simulation.y[:, 0], rtol=1e-5)
    truth = pd.read_csv(simulated.with_name("truth.tsv"), sep="\t")
    assert len(truth) == 600
    np.testing.assert_allclose(
        truth["score"], simulation.components["score"], rtol=1e-5, atol=1e-5
    )


def test_train_writes_what_the_library_trains(simulated, trained):
    data = residualbind.read_table(simulated, set_column="set")
    prepared = residualbind.prepare(data)
    torch.manual_seed(0)
    model = residualbind.ResidualBind(residualbind.ResidualBindConfig.released())
    residualbind.train(model, prepared.train, prepared.valid, epochs=2, batch_size=50)
    loaded = residualbind.load(trained)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name
    metadata = residualbind.load_metadata(trained)
    assert metadata.transform.to_dict() == prepared.transform.to_dict()
    assert metadata.provenance["data_sha256"] == data.checksum()
    torch.testing.assert_close(metadata.profile, data.X.float().mean(dim=0))
    folder = trained.with_name("model.safetensors.training")
    assert folder.joinpath("history.tsv").exists()


def train_again(simulated: Path, out: Path, *options: str) -> int:
    arguments = ["train", "--data", str(simulated), "--format", "table"]
    quick = QUICK
    if "--epochs" in options:  # which may be given once
        at = QUICK.index("--epochs")
        quick = [*QUICK[:at], *QUICK[at + 2 :]]
    return main(
        [*arguments, "--set-column", "set", "--out", str(out), *quick, *options]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lr", "0.01"], "run; --lr was 0.001, now 0.01: choose another --out, or "),
        (["--transform", "zscore"], "--transform was log, now zscore: choose another"),
        (["--random-state", "3"], "--random-state was 0, now 3: choose another --out"),
        (["--architecture", "paper"], "--architecture was released, now paper:"),
        (["--epochs", "1"], "2 epochs are done, but --epochs is 1: choose another"),
    ],
)
def test_a_changed_option_is_named_and_the_model_kept(
    simulated, trained, options, message, capsys
):
    before = trained.read_bytes()
    assert train_again(simulated, trained, *options) == 2
    error = capsys.readouterr().err
    assert message in error.splitlines()[-1]
    assert error.splitlines()[-1].endswith("or --restart")
    assert trained.read_bytes() == before


def test_two_trainings_into_one_file_are_refused(simulated, trained, tmp_path, capsys):
    lock = trained.with_name(".model.safetensors.lock")
    other = ["--checkpoint-folder", str(tmp_path)]
    with FileLock(lock):
        assert train_again(simulated, trained, *other) == 2
    assert "another training writes --out" in capsys.readouterr().err


def write_scores(path: Path, table: pd.DataFrame) -> str:
    table[["score", "sequence"]].to_csv(path, sep=" ", header=False, index=False)
    return str(path)


def test_data_of_any_two_names(simulated, trained, tmp_path, capsys):
    table = pd.read_csv(simulated, sep="\t")
    files = [
        write_scores(tmp_path / name, table[table["set"] == label])
        for name, label in (("train.txt", "A"), ("test.txt", "B"))
    ]
    words = [
        "evaluate",
        "--model",
        str(trained),
        "--n-resamples",
        "0",
        "--data",
        *files,
    ]
    assert main(words) == 0
    by_files = table_of(capsys)
    assert (by_files["output"] == "train+test").all()
    assert main([*words, "--experiment", "HuR"]) == 0
    assert (table_of(capsys)["output"] == "HuR").all()
    table_words = ["--data", str(simulated), "--format", "table", "--set-column", "set"]
    assert main([*words[:5], *table_words]) == 0
    np.testing.assert_allclose(table_of(capsys)["value"], by_files["value"], rtol=1e-4)
    assert main([*words, "--experiment", "HuR", "PTB"]) == 2
    assert "`--experiment` names 2" in capsys.readouterr().err


def test_both_scales_are_named(simulated, trained, capsys, caplog):
    words = ["evaluate", "--model", str(trained), "--data", str(simulated)]
    words += ["--format", "table", "--set-column", "set", "--n-resamples", "0"]
    assert main(words) == 0
    assert "measured scores, or transformed as for training (log" in caplog.messages[-1]
    table = table_of(capsys)
    assert table["scale"].tolist() == ["measured"] * 3 + ["transformed"] * 3
    assert main(train_words(simulated, trained)) == 0
    same = ["output", "metric", "value", "n", "scale"]
    pd.testing.assert_frame_equal(table_of(capsys)[same], table[same])
    assert "on transformed scores" in caplog.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train --data in.tsv --out in.tsv", "`--out`: in.tsv is read, too"),
        (
            "simulate --out a.tsv --truth a.tsv",
            "`--out` and `--truth` are the same file, a.tsv",
        ),
        (
            "predict --model A1CF --sequences in.tsv --out in.tsv",
            "`--out`: in.tsv is read",
        ),
        (
            "train --data in.tsv --out m --checkpoint-folder in.tsv/runs",
            "`--checkpoint-folder`: /",
        ),
        (
            "evaluate --model A1CF --data in.tsv --structure-cache in.tsv",
            "`--structure-cache`: in.tsv is a file; give a folder",
        ),
        ("download --out in.tsv", "`--out`: in.tsv is a file; give a folder"),
        (
            "train --data in.tsv nofile.txt --out m",
            "`--data`: nofile.txt: no such file",
        ),
        (
            "predict --model A1CF --sequences no.fa",
            "`--sequences`: no.fa: no such file",
        ),
        (
            "import-keras --weights no.hdf5 --out m",
            "`--weights`: no.hdf5: no such file",
        ),
    ],
)
def test_files_are_checked_before_the_work(
    words, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("in.tsv").write_text("sequence\tscore\nACGU\t1\n")
    assert main(words.split()) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert [path.name for path in tmp_path.iterdir()] == ["in.tsv"]


def test_train_resumes_and_reports_the_test_set(simulated, trained, capsys):
    assert main(train_words(simulated, trained)) == 0
    table = table_of(capsys)
    assert table["metric"].tolist() == 2 * ["pearson", "spearman", "mse"]
    n_test = (pd.read_csv(simulated, sep="\t")["set"] == "B").sum()
    assert (table["n"] == n_test).all()


def test_evaluate_equals_the_library_in_both_scales(simulated, trained, capsys):
    arguments = ["evaluate", "--model", str(trained), "--data", str(simulated)]
    arguments += ["--format", "table", "--set-column", "set", "--n-resamples", "10"]
    data = residualbind.read_table(simulated, set_column="set")
    test = data.split().test
    model, transform = (
        residualbind.load(trained),
        residualbind.load_metadata(trained).transform,
    )
    with torch.no_grad():
        y_hat = model(test.X.float())
    expected = {
        "measured": residualbind.pearson(test.y, transform.invert(y_hat)),
        "transformed": residualbind.pearson(transform.apply(test.y), y_hat),
    }
    assert main(arguments) == 0
    table = table_of(capsys)
    found = table[table["metric"] == "pearson"].set_index("scale")["value"]
    assert found.to_dict() == pytest.approx(
        {scale: value.item() for scale, value in expected.items()}, abs=1e-5
    )
    assert (table["n"] == len(test)).all()


def test_evaluate_says_whether_the_known_motif_is_learned(simulated, trained, capsys):
    words = ["evaluate", "--model", str(trained), "--data", str(simulated)]
    words += ["--format", "table", "--set-column", "set", "--n-resamples", "9"]
    asked = ["--expected", "UGCA", "GWA", "--n-backgrounds", "5"]
    assert main([*words, *asked]) == 0
    ranks = table_of(capsys).iloc[-2:]
    assert ranks["metric"].tolist() == ["rank of UGCA", "rank of GWA"]
    assert ranks["output"].tolist() == ["score", "score"]
    assert ranks["n"].tolist() == [5, 5]
    assert (ranks["low"] <= ranks["value"]).all()
    assert ranks["note"].str.contains(" ranks .* of (?:256|64) ").all()
    assert main([*words, "--expected", "UGXA"]) == 2
    assert "`motif` 'UGXA' has 'X'" in capsys.readouterr().err
    assert main([*words, *asked[:2], "--n-backgrounds", "1"]) == 2
    assert "`--n-backgrounds`=1" in capsys.readouterr().err


def test_evaluate_takes_all_probes_when_asked(simulated, trained, capsys):
    arguments = ["evaluate", "--model", str(trained), "--data", str(simulated)]
    arguments += ["--format", "table", "--n-resamples", "0"]
    assert main(arguments) == 2
    assert "the data have no test probes; use `--part all`" in capsys.readouterr().err
    assert main([*arguments, "--part", "all"]) == 0
    assert (table_of(capsys)["n"] == 600).all()


FASTA = (
    ">first one\nAGAUGCAUGCAUUACGAUUCAGGACAUUUACG\n>second\nAGGACCATTAGAGACCCAGATNNCC\n"
)


def test_predict_works_on_a_bundled_model(tmp_path, capsys):
    fasta = tmp_path / "probes.fa"
    fasta.write_text(FASTA)
    assert main(["predict", "--model", "A1CF", "--sequences", str(fasta)]) == 0
    table = table_of(capsys)
    assert table["name"].tolist() == ["first", "second"]
    X = residualbind.encode_sequences([FASTA.split()[2], FASTA.split()[4]])
    with torch.no_grad():
        y_hat = residualbind.load_pretrained("A1CF")(X.float())
    transform = residualbind.pretrained_metadata("A1CF").transform
    np.testing.assert_allclose(
        table["RNCMPT00001"], transform.invert(y_hat)[:, 0], rtol=1e-4
    )


def test_predict_reads_a_table_and_writes_a_file(simulated, trained, tmp_path):
    out = tmp_path / "predictions.tsv"
    arguments = ["predict", "--model", str(trained), "--sequences", str(simulated)]
    arguments += ["--name", "set"]
    assert main([*arguments, "--scale", "transformed", "--out", str(out)]) == 0
    data = residualbind.read_table(simulated, set_column="set")
    with torch.no_grad():
        y_hat = residualbind.load(trained)(data.X.float())
    table = pd.read_csv(out, sep="\t")
    assert table["name"].tolist() == data.sets.tolist()
    np.testing.assert_allclose(table.iloc[:, 1], y_hat[:, 0], rtol=1e-4, atol=1e-5)


def test_rows_without_names_are_numbered(trained, tmp_path, capsys):
    path = tmp_path / "probes.csv"
    path.write_text("sequence\nAGAUGCAUG\nAGGGGG\n")
    assert main(["predict", "--model", str(trained), "--sequences", str(path)]) == 0
    assert table_of(capsys)["name"].tolist() == [0, 1]


def test_a_sequence_too_long_for_the_model_is_named(trained, tmp_path, capsys):
    fasta = tmp_path / "long.fa"
    fasta.write_text(f">short\nACGU\n>long\n{'A' * 42}\n")
    assert main(["predict", "--model", str(trained), "--sequences", str(fasta)]) == 2
    assert "sequence 'long': 42 letters, but the model was built for at most 41" in (
        capsys.readouterr().err
    )


def test_several_experiments_must_be_chosen(tmp_path, capsys):
    table = tmp_path / "two.tsv"
    table.write_text("Fold ID\tseq\nA\tACGU\nB\tGGGG\n")
    targets = tmp_path / "targets.tsv"
    targets.write_text("P1\tP2\n1.0\t2.0\n0.5\t0.1\n")
    arguments = ["train", "--format", "deepbind", "--data", str(table), str(targets)]
    arguments += ["--out", str(tmp_path / "model.safetensors")]
    assert main(arguments) == 2
    assert (
        "the data hold 2 experiments, such as P1, P2; choose with `--experiment`"
        in (capsys.readouterr().err)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["predict", "--model", "RBFOX", "--sequences", "x.fa"],
            "bundled are A1CF, ANKHD1",
        ),
        (["predict", "--model", "A1CF", "--sequences", "no.fa"], "no.fa"),
        (
            ["evaluate", "--model", "A1CF", "--data", "a", "b", "c"],
            "3 files; `--format",
        ),
        (["simulate", "--n", "0"], "`n`"),
        (["simulate", "--noise", "-1"], "`noise`=-1.0"),
        (
            ["simulate", "--out", "a.tsv", "--truth", "a.tsv"],
            "are the same file, a.tsv",
        ),
        (
            ["predict", "--model", "A1CF", "--sequences", "x", "--device", "gpu"],
            "mean cuda?",
        ),
        (["download", "--out", "/dev/null"], "`--out`: /dev/null is a file"),
        (
            [
                "evaluate",
                "--model",
                "A1CF",
                "--data",
                "a",
                "--structure-cache",
                "/dev/null",
            ],
            "`--structure-cache`: /dev/null is a file",
        ),
        (
            ["simulate", "--n", "10", "--truth", "none/truth.tsv"],
            "`--truth`: there is no folder",
        ),
        (
            ["train", "--data", "no.txt", "--out", "none/m.safetensors"],
            "`--out`: there is no folder",
        ),
        (["import-keras", "--weights", "no.hdf5", "--out", "m.safetensors"], "no.hdf5"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, message, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"residualbind {arguments[0]}: error: ")
    assert message in error


@pytest.mark.parametrize(
    "arguments",
    [[], ["train"], ["predict", "--model", "A1CF"], ["simulate", "--n", "x"]],
)
def test_bad_options_are_one_line_and_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--help" in error


def test_an_option_of_the_simulation_reaches_the_truth(capsys):
    assert main(["simulate", "--n", "50", "--gc-effect", "2", "--motif", "gcugg"]) == 0
    truth = residualbind.Truth(gc_effect=2.0, motif="GCUGG")
    y = residualbind.simulate_rnacompete(50, truth).y[:, 0]
    np.testing.assert_allclose(table_of(capsys)["score"], y, rtol=1e-5)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError("80 GiB"), 2, "error: not enough memory: 80 GiB"),
        (TrainingError("the loss\nbecame nan"), 2, "error: the loss became nan"),
        (RuntimeError("a process has ended"), 2, "error: a process has ended"),
    ],
)
def test_what_ends_a_command_is_one_line(monkeypatch, capsys, error, code, message):
    def fails(*args, **kwargs):
        raise error

    monkeypatch.setattr(commands, "simulate_rnacompete", fails)
    assert main(["simulate"]) == code
    assert capsys.readouterr().err == f"residualbind simulate: {message}\n"


def test_a_reader_that_leaves_ends_the_program_quietly(monkeypatch, capfd):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["simulate", "--n", "50"]) == 141
        pipe.write("what Python flushes at exit")
    assert capfd.readouterr().err == ""


def test_every_command_explains_every_option():
    subparsers = build_parser()._subparsers._group_actions[0].choices
    assert list(subparsers) == [
        "train",
        "fit",
        "sweep",
        "benchmark",
        "evaluate",
        "predict",
        "import-keras",
        "simulate",
        "download",
    ]
    for name, parser in subparsers.items():
        parser.complete()
        assert f"example: residualbind {name} " in re.sub(
            r"\s+", " ", parser.format_help()
        )
        assert all(action.help for action in parser._actions)
        assert "default: None" not in parser.format_help()


@pytest.mark.parametrize(
    ("command", "function"),
    [
        ("train", residualbind.train),
        ("train", residualbind.Schedule),
        ("simulate", residualbind.Truth),
        ("evaluate", residualbind.score_predictions),
        ("import-keras", residualbind.import_keras),
    ],
)
def test_options_have_the_defaults_of_the_keywords(command, function):
    parser = build_parser()._subparsers._group_actions[0].choices[command]
    options = {action.dest: action.default for action in parser._actions}
    keywords = inspect.signature(function).parameters
    shared = options.keys() & keywords.keys() - {"weights", "train"}
    assert len(shared) >= 3
    for name in shared:
        assert options[name] == keywords[name].default, name


@pytest.mark.parametrize(
    ("option", "known"),
    [
        ("--transform", RECIPES),
        ("--format", FORMATS),
        ("--structure", CONTEXTS),
    ],
)
def test_options_have_the_choices_of_the_library(option, known):
    parser = build_parser()._subparsers._group_actions[0].choices["train"]
    assert parser._option_string_actions[option].choices == tuple(known)
