import dataclasses

import pytest

pytest.importorskip("benchmarks", reason="benchmarks are in the repository, not in the package")

from benchmarks import page
from benchmarks.__main__ import NAMES, PAGE
from benchmarks.record import Figure, Record, read, regressions, write

FIGURES = tuple(
    Figure(case="atoms", axis="n", at=n, ours=0.001 * n, peer="dit", theirs=0.1 * 4.0**n) for n in (2, 4, 8)
)
RECORD = Record(benchmark="atoms", what="All atoms.", figures=FIGURES, versions={"Python": "3.11"})


def slower(record, factor):
    figures = [dataclasses.replace(figure, ours=figure.ours * factor) for figure in record.figures]
    return dataclasses.replace(record, figures=tuple(figures))


def test_a_record_is_read_as_it_was_written(tmp_path):
    write(RECORD, tmp_path)
    found = read("atoms", tmp_path)
    assert dataclasses.replace(found, figures=()) == dataclasses.replace(RECORD, figures=())
    assert [figure.key for figure in found.figures] == [figure.key for figure in FIGURES]
    assert [figure.ratio for figure in found.figures] == pytest.approx([f.ratio for f in FIGURES], rel=1e-3)
    assert read("prover", tmp_path) is None


def test_ratios_that_got_worse_by_more_than_a_fifth_are_reported():
    assert not list(regressions(RECORD, slower(RECORD, 1.19)))
    assert not list(regressions(RECORD, slower(RECORD, 0.1)))
    found = list(regressions(RECORD, slower(RECORD, 1.21)))
    assert found[0] == "atoms, n = 2, against dit: 800 before, 661 now"
    assert len(found) == 3
    gone = dataclasses.replace(RECORD, figures=FIGURES[1:])
    assert list(regressions(RECORD, gone)) == ["atoms, n = 2, against dit: 800 before, not measured now"]


def test_the_page_and_its_pictures_are_made_from_the_records(tmp_path):
    page.write(tmp_path / "benchmarks.md", [RECORD])
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "| 4 | 4 ms | 25.6 s, **6,400** times |" in text
    picture = tmp_path / "images" / "benchmarks" / "atoms-1.svg"
    assert "(images/benchmarks/atoms-1.svg)" in text
    assert all(f">{word}<" in picture.read_text(encoding="utf-8") for word in ("here", "dit", "seconds", "n"))
    again = picture.read_bytes()
    page.write(tmp_path / "benchmarks.md", [RECORD])
    assert picture.read_bytes() == again


def test_the_committed_page_is_what_the_committed_records_make():
    records = [record for name in NAMES if (record := read(name))]
    assert {record.benchmark for record in records} <= set(page.TITLES)
    assert PAGE.read_text(encoding="utf-8") == page.text(records), "run: python -m benchmarks --page"
    for record in records:
        for number in range(1, len(page.curves(record)) + 1):
            assert (PAGE.parent / "images" / "benchmarks" / f"{record.benchmark}-{number}.svg").is_file()


def test_every_ratio_of_the_committed_records_has_a_named_peer():
    for name in NAMES:
        record = read(name)
        for figure in record.figures if record else ():
            assert bool(figure.peer) == (figure.ratio is not None)
