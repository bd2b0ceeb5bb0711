import pytest

from tangermeme_gia.cli.sweep import _program
from tangermeme_gia.sweep.table import read_tasks


@pytest.fixture
def table(tmp_path):
    def read(text, command="multi-site", defaults=()):
        path = tmp_path / "models.tsv"
        path.write_text(text)
        return read_tasks(path, _program(), command, list(defaults))

    return read


SITES = ("--motif", "UAAUUA", "--starts", "3", "10")


def words(task):
    return " ".join(task.options["words"])


def test_a_row_says_what_the_command_line_does_not(table):
    text = "name\tmodel\tn\tprotein\nfirst\tA1CF\t\tA\nsecond\tANKHD1\t50\t\n"
    first, second = table(text, defaults=[*SITES, "--n", "20"])
    assert words(first) == (
        "multi-site --motif UAAUUA --starts 3 10 --n 20 --model A1CF --name first"
    )
    assert words(second).endswith("--n 50 --model ANKHD1 --name second")
    assert (first.name, first.labels, second.labels) == ("first", {"protein": "A"}, {})


def test_several_models_backgrounds_and_motifs_are_a_task_each(table):
    text = (
        "name,model,background,motif\nx,A1CF ANKHD1,profile dinucleotide,UAAUUA GCAU\n"
    )
    tasks = table(text, defaults=["--starts", "3", "--sequences", "x.fa"])
    assert [task.name for task in tasks][:2] == [
        "x / A1CF / profile / UAAUUA",
        "x / A1CF / profile / GCAU",
    ]
    assert len({task.key for task in tasks}) == 8
    assert {task.group for task in tasks} == {"x"}
    assert "--model ANKHD1 --background dinucleotide --motif GCAU" in words(tasks[-1])


def test_a_row_may_have_a_command_of_its_own(table):
    text = "name\tcommand\tmodel\ta\treport\tA1CF\n"
    text = "name\tcommand\tmodel\na\treport\tA1CF\nb\t\tA1CF\n"
    report, sites = table(text, defaults=["--n", "40"], command="kmer-scan")
    assert words(report) == "report --n 40 --model A1CF --name a"
    assert words(sites).startswith("kmer-scan ")


def test_a_row_without_a_name_is_called_by_its_model(table):
    first, second = table("model\nA1CF\nnets/big.py:K562\n", "report")
    assert (first.name, second.name) == ("A1CF", "K562")


def test_underscores_are_dashes(table):
    (task,) = table("name\tmodel\tbatch_size\nx\tA1CF\t32\n", "report")
    assert "--batch-size 32" in words(task)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\tmodle\nx\tA1CF\n", "no option of multi-site is called 'modle'; did "),
        ("name\tout\nx\tA1CF\n", "the sweep sets `out` itself"),
        ("name\tmodel\tmeme\nx\tA1CF\tm.meme\n", "the sweep sets `meme` itself"),
        ("name\tmodel\tn\nx\tA1CF\tmany\n", "line 2: argument --n: invalid int value"),
        ("name\tmodel\nx\tA1CF\n\ny", "line"),
        ("name\tmodel\n", "no rows"),
        ("name\tmodel\tcommand\nx\tA1CF\tsweep\n", "line 2: `command`='sweep' must be"),
        ("name\tmodel\tk\nx\tA1CF\t3\n", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_line(table, text, message):
    if not message:  # a label: no option of this command looks like it
        (task,) = table(text, defaults=SITES)
        assert task.labels == {"k": "3"}
        return
    with pytest.raises(ValueError, match=message):
        table(text, defaults=SITES)


def test_no_row_gets_a_model_that_nobody_named(table):
    with pytest.raises(ValueError, match="line 2: neither the row nor `--model` says"):
        table("name\tn\nx\t20\n", "report")
    (task,) = table("name\tn\nx\t20\n", "report", ["--model", "A1CF"])
    assert "--model A1CF" in words(task)


def test_an_option_that_is_missing_is_named(table):
    with pytest.raises(ValueError, match=r"line 2: .*required: .*--starts"):
        table("name\tmodel\nx\tA1CF\n", defaults=["--motif", "UAAUUA"])
