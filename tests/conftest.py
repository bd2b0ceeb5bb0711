import gzip

import pytest


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path; gzipped if its name ends in .gz."""

    def write(text, name="probes.tsv"):
        path = tmp_path / name
        data = text.encode() if isinstance(text, str) else text
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write
