from tangermeme_gia.models.failures import describe_error


def test_an_error_is_described_in_one_line():
    assert describe_error(ValueError("first\nsecond")) == "ValueError: first"
    assert describe_error(RuntimeError()) == "RuntimeError"
