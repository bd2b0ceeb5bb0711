from residualbind.structure.folding import smooth_dangles


def test_the_correction_changes_two_rows_of_two_tables():
    rows = "\n".join(f"{i} {i} {i} {i} {i}" for i in range(35))
    table = (
        f"# mismatch_multi\n/* @ A C G U */\n{rows}\n# mismatch_exterior\n{rows}\n# END"
    )
    before, after = table.splitlines(), smooth_dangles(table).splitlines()
    changed = [
        i for i, pair in enumerate(zip(before, after, strict=True)) if len({*pair}) > 1
    ]
    assert [before[i] for i in changed] == ["8 8 8 8 8", "9 9 9 9 9"] * 2
    assert [after[i] for i in changed] == ["6 6 6 6 6", "7 7 7 7 7"] * 2
