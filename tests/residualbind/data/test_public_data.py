"""Tests of residualbind.data.public_data against a server on this machine."""

import gzip
import hashlib
import http.server
import importlib
import threading

import pytest

from residualbind.data.public_data import CHECKSUMS, download
from residualbind.data.readers import read_ray2013

pytest.importorskip("pooch")

TABLE = gzip.compress(
    b"Probe_Set\tRNA_Seq\tProbe_ID\te\nSetA\tAGAGG\tP1\t0.5\n", mtime=0
)
CONTENT = {"/data/norm_data.txt.gz": TABLE, "/data/other.txt": b"other\n"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves `content`, remembers what was asked, can break off in the middle."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = dict(CONTENT)
        self.requests = []
        self.breaks_off = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/data/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path not in self.server.content:
            self.send_error(404)
            return
        data = self.server.content[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if self.server.breaks_off else data)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_table_is_fetched_read_and_recorded(server, tmp_path):
    folder = tmp_path / "new" / "data"
    paths = download(folder, base_url=server.url, progress=False)
    assert paths == [folder / "norm_data.txt.gz"]
    assert paths[0].read_bytes() == TABLE
    assert read_ray2013(paths[0]).sequences == ["AGAGG"]
    assert names_in(folder) == [CHECKSUMS, "norm_data.txt.gz"]
    record = (folder / CHECKSUMS).read_text()
    assert record == f"{sha256(TABLE)}  norm_data.txt.gz\n"


def test_files_that_are_there_are_not_fetched_again(server, tmp_path):
    options = {"base_url": server.url.rstrip("/"), "progress": False}
    download(tmp_path, "other.txt", **options)
    paths = download(tmp_path, ["norm_data.txt.gz", "other.txt"], **options)
    assert [path.name for path in paths] == ["norm_data.txt.gz", "other.txt"]
    assert server.requests == ["/data/other.txt", "/data/norm_data.txt.gz"]
    assert len((tmp_path / CHECKSUMS).read_text().splitlines()) == 2


def test_known_checksum_is_checked(server, tmp_path):
    options = {"base_url": server.url, "progress": False}
    known = {"other.txt": sha256(b"other\n").upper()}
    (path,) = download(tmp_path, "other.txt", known_hash=known, **options)
    assert path.read_bytes() == b"other\n"
    with pytest.raises(
        ValueError, match=f"has SHA-256 {sha256(TABLE)}, expected 000000"
    ):
        download(tmp_path, known_hash={"norm_data.txt.gz": "0" * 64}, **options)
    assert names_in(tmp_path) == [CHECKSUMS, "other.txt"]


def test_download_unlike_the_record_is_removed(server, tmp_path):
    options = {"base_url": server.url, "progress": False}
    (path,) = download(tmp_path, "other.txt", **options)
    path.unlink()
    server.content["/data/other.txt"] = b"changed\n"
    with pytest.raises(ValueError, match=r"other\.txt has SHA-256 .*was removed"):
        download(tmp_path, "other.txt", **options)
    assert names_in(tmp_path) == [CHECKSUMS]
    server.content["/data/other.txt"] = b"other\n"
    assert download(tmp_path, "other.txt", **options)[0].read_bytes() == b"other\n"


def test_file_changed_after_its_download_is_found_and_left(server, tmp_path):
    options = {"base_url": server.url, "progress": False}
    (path,) = download(tmp_path, "other.txt", **options)
    path.write_bytes(b"edited\n")
    with pytest.raises(ValueError, match=r"was changed or is incomplete. Delete it to"):
        download(tmp_path, "other.txt", **options)
    assert path.read_bytes() == b"edited\n"
    assert len(server.requests) == 1


def test_file_put_there_by_hand_is_recorded(server, tmp_path):
    (tmp_path / "norm_data.txt.gz").write_bytes(TABLE)
    download(tmp_path, base_url=server.url, progress=False)
    assert server.requests == []
    assert (tmp_path / CHECKSUMS).read_text().startswith(sha256(TABLE))


def test_known_checksum_comes_before_the_record(server, tmp_path):
    options = {"base_url": server.url, "progress": False}
    (path,) = download(tmp_path, "other.txt", **options)
    path.write_bytes(b"edited\n")
    known = {"other.txt": sha256(b"edited\n")}
    assert download(tmp_path, "other.txt", known_hash=known, **options) == [path]
    assert (tmp_path / CHECKSUMS).read_text() == f"{known['other.txt']}  other.txt\n"


def test_missing_file_is_a_connection_error_that_names_the_address(server, tmp_path):
    with pytest.raises(ConnectionError, match=r"data/absent\.txt could not be .*404"):
        download(
            tmp_path, ["other.txt", "absent.txt"], base_url=server.url, progress=False
        )
    # What came before it is kept, so that the next call goes on from there.
    assert names_in(tmp_path) == [CHECKSUMS, "other.txt"]


def test_server_that_breaks_off_leaves_nothing(server, tmp_path):
    server.breaks_off = True
    with pytest.raises(ConnectionError, match="could not be downloaded"):
        download(tmp_path, base_url=server.url, progress=False)
    assert names_in(tmp_path) == []


def test_no_server_is_a_connection_error(server, tmp_path):
    url = server.url
    server.server_close()
    with pytest.raises(ConnectionError, match="could not be downloaded"):
        download(tmp_path, base_url=url, progress=False)


def test_progress_goes_to_stderr(server, tmp_path, capsys):
    download(tmp_path, base_url=server.url)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "100%" in captured.err


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/b", "a\\b", ".hidden", "/etc/passwd", CHECKSUMS]
)
def test_names_that_are_no_plain_files_are_errors(tmp_path, name):
    with pytest.raises(ValueError, match=r"`files` holds .*give plain file names"):
        download(tmp_path, [name])


def test_wrong_hashes_and_records_are_errors(tmp_path):
    with pytest.raises(
        ValueError, match=r"`known_hash` of 'norm_data.txt.gz' is 'md5:1'"
    ):
        download(tmp_path, known_hash={"norm_data.txt.gz": "md5:1"})
    with pytest.raises(
        ValueError, match="`known_hash` names 'x', which is not in `files`"
    ):
        download(tmp_path, known_hash={"x": "0" * 64})
    (tmp_path / CHECKSUMS).write_text(f"{'0' * 64}  a\nnonsense\n")
    with pytest.raises(ValueError, match=r"checksums\.txt, line 2: 'nonsense' is not"):
        download(tmp_path)


def test_missing_pooch_says_what_to_install(monkeypatch, tmp_path):
    def no_pooch(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", no_pooch)
    with pytest.raises(ImportError, match=r'pip install "tangermeme-gia\[download\]"'):
        download(tmp_path)
