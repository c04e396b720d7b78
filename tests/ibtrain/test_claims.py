"""Every claim is judged, per data set, and the table that is written holds them all."""

import json

import pytest
from claim_rows import THREE, both_entropies, chain, cross_entropies, row

from ibtrain import Config, ConfigError, claims
from ibtrain.claims import Finding, Part, by_data, judge, to_json, to_markdown, weights
from ibtrain.records import Record
from ibtrain.runs import Row


@pytest.mark.parametrize(
    ("options", "c1", "c5"),
    [
        ([], "fig3 --preset digits", "fig5 --preset digits"),
        (["data.name=permuted-mnist"], "fig3 --preset mnist", "fig5 --preset digits --set data.name=permuted-mnist"),
        (["data.name=cifar10"], "fig3 --preset cifar10", "fig5 --preset cifar10"),
        (
            ["data.name=images", "data.folder=photos"],
            "fig3 --preset digits --set data.name=images --set data.folder=photos",
            "fig5 --preset digits --set data.name=images --set data.folder=photos",
        ),
        (
            ["data.name=images", "data.folder=my cats"],
            "fig3 --preset digits --set data.name=images --set 'data.folder=my cats'",
            "fig5 --preset digits --set data.name=images --set 'data.folder=my cats'",
        ),
    ],
)
def test_what_is_not_run_names_a_preset_on_the_same_data(options, c1, c5):
    record = Record("a", (row("H[Y]", 2.3),), Config().with_options(options))
    (judged,) = judge([record])
    explanations = {finding.claim.name: finding.explanation for finding in judged.findings}
    assert explanations["C1"].endswith(f"To run it: ibtrain reproduce {c1}")
    assert explanations["C5"].endswith(f"To run it: ibtrain reproduce {c5}")


def test_runs_on_two_data_sets_are_judged_apart():
    digits = Record("a", tuple(chain()), Config())
    mnist = Record("b", tuple(chain(entropy=0.0)), Config().with_options(["data.name=mnist"]))
    first, second = judge([digits, mnist])
    assert (first.data, second.data) == ("digits", "mnist")
    verdicts = [{finding.claim.name: finding.verdict for finding in judged.findings} for judged in (first, second)]
    assert [one["C8"] for one in verdicts] == ["PASS", "FAIL"]


def test_comparisons_stay_within_the_largest_setting():
    other = Config().with_options(["network.latent=3"])
    rows = [Record(one.run, (one,), Config()) for one in both_entropies()]
    strange = [
        Record(f"{one.run} strange", (Row(**{**vars(one), "run": f"{one.run} strange"}),), other)
        for one in both_entropies(lambda s, g, seed: g, surrogates=THREE[:1])
    ]
    (found,) = by_data([*rows, *strange])
    assert weights.falling_entropies(found).verdict == "PASS"


def test_without_runs_there_is_nothing_to_judge():
    with pytest.raises(ConfigError, match="no finished run"):
        judge([])


def test_tables_hold_every_claim_and_escape_what_markdown_would_read():
    rows = [*chain(entropy=0.5), *cross_entropies([0.5])]
    config = Config().with_options(["data.name=images", 'data.folder="a|<b>"'])
    every = judge([Record("a", tuple(rows), config)])
    text = to_markdown(every, note="Made by hand.")
    assert text.count("\n### C") == 9
    assert "Made by hand." in text
    assert "a\\|&lt;b&gt;" in text
    assert "<b>" not in text
    listed = json.loads(to_json(every))
    assert [claim["name"] for claim in listed[0]["claims"]] == [f"C{number}" for number in range(1, 10)]
    assert listed[0]["claims"][0]["verdict"] == "FAIL"
    assert listed[0]["claims"][0]["parts"][-1]["found"] == 0.5
    for finding in every[0].findings:
        assert bool(finding.explanation) == (finding.verdict != "PASS")


def test_a_claim_without_a_deciding_part_is_not_run():
    claim = claims.CLAIMS[0]
    assert Finding(claim, ()).verdict == "not run"
    assert Finding(claim, (Part("beside", "reported", 1.0),)).verdict == "not run"


def test_every_claim_of_the_ledger_is_there():
    assert [claim.name for claim in claims.CLAIMS] == [f"C{number}" for number in range(1, 10)]
    assert all(claim.says and claim.test and claim.figures for claim in claims.CLAIMS)
