import pytest

from tangermeme_gia.sweep.tasks import Task, check_tasks, folders_of


def test_the_key_is_that_of_what_is_asked_for():
    one = Task("a", "m:f", {"model": "x", "n": 3})
    assert one.key == Task("b", "m:f", {"n": 3, "model": "x"}, group="g").key
    assert one.key != Task("a", "m:f", {"model": "x", "n": 4}).key
    assert one.key != Task("a", "m:g", {"model": "x", "n": 3}).key


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"name": " "}, ValueError, "`name`=' ' must be letters"),
        ({"name": "a\nb"}, ValueError, "`name`="),
        ({"work": "not a function"}, ValueError, "`work`='not a function'"),
        ({"options": {"model": object()}}, TypeError, "`options` of a must be text"),
        ({"options": {"x": float("nan")}}, TypeError, "`options` of a must be text"),
    ],
)
def test_what_no_worker_could_be_sent_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        Task(**{"name": "a", "work": "m:f", **given})


def test_no_tasks_are_refused():
    with pytest.raises(ValueError, match="`tasks` is empty"):
        check_tasks([])


def test_a_folder_stays_that_of_its_name_in_whatever_company():
    first = folders_of(["K562", "a:b"], {})
    assert first == {"K562": "K562", "a:b": "a-b"}
    later = folders_of(["a/b", "k562", "K562", "a:b"], first)
    assert later["K562"] == "K562"
    assert later["a:b"] == "a-b"
    assert later["k562"] == "k562-2"
    assert later["a/b"] == "a-b-2"


@pytest.mark.parametrize(
    "name", ["nul", "COM1.x", "...", "ü" * 300, "тест", "a b/../c"]
)
def test_every_file_system_takes_the_folder(name, tmp_path):
    folder = folders_of([name], {})[name]
    assert "/" not in folder
    assert folder not in ("", ".", "..")
    assert len(folder.encode()) < 200
    (tmp_path / folder).mkdir()
    assert [path.name for path in tmp_path.iterdir()] == [folder]


def test_names_that_look_alike_have_different_folders():
    names = ["é", "e\u0301", "E\u0301", "x" * 300, "x" * 301]
    folders = folders_of(names, {})
    assert len({folder.casefold() for folder in folders.values()}) == len(names)
