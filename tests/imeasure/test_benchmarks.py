import dataclasses
import re

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


README = PAGE.parents[2] / "README.md"


def ratios(name, case, peer, *places):
    found = {figure.key: figure.ratio for figure in read(name).figures}
    return [found[case, peer, "s", place] for place in places or [None]]


def quoted(ratios, between=", "):
    """Ratios to two digits, as README gives them."""
    return between.join(f"{one:#.2g}" if one < 9.95 else f"{float(f'{one:.2g}'):,.0f}" for one in ratios)


def test_readme_quotes_the_committed_records():
    names = ("simplify IB", "simplify IB, parameters new")
    canonical = [ratio for name in names for ratio in ratios("simplify", name, "psitip")]
    objective = ratios("steps", "objective", "pixyz", 8, 32, 128, 256)
    steps = [figure.ratio for figure in read("steps").figures if figure.case.startswith("step") and figure.at >= 64]
    small = ratios("losses", "loss, batch 256, eager", "hand-written", 100)
    large = ratios("losses", "loss, batch 4096, eager", "hand-written", 1024)
    expected = [
        ("prover", quoted(ratios("prover", "all 186 public statements", "psitip"))),
        ("simplify", quoted(canonical)),
        ("atoms", quoted(ratios("atoms", "all atoms", "dit", 8, 10))),
        ("steps", f"{quoted([min(objective), max(objective)], ' to ')}, {quoted([max(steps), min(steps)], ' to ')}"),
        ("neighbours", quoted(ratios("neighbours", "entropy, N = 10,000", "infomeasure", 1, 100))),
        ("neighbours", quoted(ratios("neighbours", "entropy, d = 100", "scikit-learn, brute force", 1000, 10_000))),
        ("losses", quoted(small + large)),
    ]
    table = README.read_text(encoding="utf-8").partition("times as long |\n|---|---|---|\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    assert [takes for _, _, takes in rows] == [takes for _, takes in expected]
    for (_, peer, _), (name, _) in zip(rows, expected, strict=True):
        for package, version in re.findall(r"^([\w-]+) ([\d.]+\d)", peer):
            assert read(name).versions[package] == version
