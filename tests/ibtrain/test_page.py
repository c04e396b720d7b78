"""Pages about runs hold everything they need and nothing that runs or loads by itself; and the commands that write them."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from programs import run_in_process

import imeasure
from ibtrain import Config, page
from ibtrain.claims import judge
from ibtrain.cli import main
from ibtrain.page.mathematics import canonical, formula, greek, steps
from ibtrain.records import Record, collect
from ibtrain.runs import Row, Runs, write_rows
from ibtrain.surrogates.looks import MARKS, look

EVIL = '<script>alert("x")</script>'


def rows(run, *, gamma=0.1, seed=0, surrogate="LogVar[Z]", epochs=3, flags="", loss="CE[Y|Z]"):
    about = {"loss": loss, "latent": "noise", "flags": flags}
    for epoch in range(1, epochs + 1):
        for method, shift in (("mixture", 0.0), ("knn, Euclidean", 0.5)):
            numbers = {"H[Z]": 4.0, "H[Z|Y]": 2.0, "I[X;Z]": 4.0, "I[X;Y|Z]": 1.0}
            for name, value in numbers.items():
                found = value + shift - gamma + epoch / 10
                yield Row(run, epoch, gamma, surrogate, seed, name, method, "two-sided", found, 0.01, **about)
        yield Row(run, epoch, gamma, surrogate, seed, "train accuracy", "training data", "exact", 0.9, **about)
        yield Row(run, epoch, gamma, surrogate, seed, "test accuracy", "test data", "exact", 0.8, **about)


def stored(folder, **options):
    runs = Runs(folder / "runs")
    for gamma in (0.0, 0.01, 1.0):
        config = Config().with_options([f"objective.gamma={gamma}"])
        runs.begin(config)
        runs.store(config, rows(config.digest, gamma=gamma, **options))
    return folder


class Elements(HTMLParser):
    """All start tags of a page with their attributes, and the texts of scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.inside = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = dict(attrs) if tag == "script" else None

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside is not None:
            self.scripts.append((self.inside, data))


def report(records, **options):
    return page.report_page(records, judge(records), **options)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return report(collect([stored(tmp_path_factory.mktemp("plain"))]))


def test_a_page_loads_nothing_and_allows_one_script_by_its_hash(plain):
    found = Elements(plain)
    addresses = [value for _, attributes in found.tags for key in ("src", "href") if (value := attributes.get(key))]
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org)", re.sub(r"base64,[^\"]*", "", plain))
    (policy,) = [attributes["content"] for tag, attributes in found.tags if "http-equiv" in attributes]
    assert policy.startswith("default-src 'none'")
    (script,) = [text for attributes, text in found.scripts if "type" not in attributes]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy


def test_a_page_has_figures_claims_mathematics_runs_and_configuration(plain):
    for part in ("plane", "figures", "claims", "objective", "runs", "configuration"):
        assert f'id="{part}"' in plain
    images = [attributes for tag, attributes in Elements(plain).tags if tag == "img"]
    assert len(images) == 4  # plane, ways, entropies, information diagram
    assert all(image["alt"] for image in images)
    assert plain.count('<article class="claim">') == 9
    assert "min I[X;Z] - beta*I[Y;Z]" in plain
    assert "for β &gt; 1" in plain
    assert "objective.gamma" in plain


def test_the_numbers_of_the_plane_are_those_of_the_rows(plain):
    (text,) = [text for attributes, text in Elements(plain).scripts if attributes.get("type") == "application/json"]
    data = json.loads(text)
    assert data["estimators"] == ["mixture", "knn"]
    (run,) = [run for run in data["runs"] if run["gamma"] == 0.01]
    assert run["series"]["mixture"]["epoch"] == [1, 2, 3]
    assert run["series"]["mixture"]["x"] == [4.09, 4.19, 4.29]
    assert run["series"]["knn"]["y"] == [1.59, 1.69, 1.79]
    assert run["series"]["knn"]["ey"] == [0.01, 0.01, 0.01]
    assert run["series"]["mixture"]["test"] == [0.8, 0.8, 0.8]


def test_text_of_runs_stays_text(tmp_path):
    config = Config().with_options(["data.name=images", f"data.folder='{EVIL}'"])
    record = Record(EVIL, tuple(rows(EVIL, surrogate=EVIL, flags=EVIL, loss=EVIL)), config, None)
    text = report([record], title=EVIL)
    found = Elements(text)
    assert [attributes.get("type") for attributes, _ in found.scripts] == ["application/json", None]
    assert EVIL not in text
    assert "&lt;script&gt;" in text
    data = json.loads(found.scripts[0][1])
    assert data["runs"][0]["run"] == data["groups"][0]["label"] == data["flags"][0] == EVIL


def test_sections_are_named_by_objective_loss_regularizer_gamma_and_seed(tmp_path):
    runs = Runs(stored(tmp_path).joinpath("runs"))
    other = Config().with_options(["objective.statement=min H[Y|Z]", "objective.gamma=0", "seed=7"])
    runs.begin(other)
    runs.store(other, rows(other.digest, gamma=0.0, seed=7, surrogate="", loss="Exact[Y|Z]"))
    records = collect([tmp_path])
    for record in records:
        (record.folder / "plan.txt").write_text(f"the plan of {record.rows[0].loss}")
    text = report(records)
    headings = [re.sub("<[^>]+>", "", one) for one in re.findall(r"<h[34]>(.*?)</h[34]>", text, re.DOTALL)]
    assert {"min I[X;Z] - beta*I[Y;Z]", "min H[Y|Z]"} <= set(headings)
    assert headings[-2:] == ["decoder cross-entropy and log Var[Z]", "decoder uncertainty"]
    assert "3 runs, of min I[X;Z] - beta*I[Y;Z], gamma 0, 0.01, 1, seed 0" in text
    assert "1 run, of min H[Y|Z], gamma 0, seed 7" in text
    assert not any(record.digest in heading for record in records for heading in headings)


def test_the_plane_tells_losses_apart_and_pools_trials_of_one_alone(tmp_path):
    records = [
        Record(f"{loss}{seed}", tuple(rows(f"{loss}{seed}", gamma=0.0, seed=seed, surrogate="", loss=loss)))
        for loss in ("CE[Y|Z]", "Exact[Y|Z]")
        for seed in (0, 1)
    ]
    (text,) = [text for kind, text in Elements(report(records)).scripts if kind.get("type") == "application/json"]
    data = json.loads(text)
    assert data["grouped"] == "minimised"
    assert [group["label"] for group in data["groups"]] == ["decoder uncertainty", "decoder cross-entropy"]
    assert len({group["mark"] for group in data["groups"]}) == 2
    ways = {run["run"]: run["way"] for run in data["runs"]}
    assert ways["CE[Y|Z]0"] == ways["CE[Y|Z]1"] != ways["Exact[Y|Z]0"] == ways["Exact[Y|Z]1"]


def test_the_page_draws_every_mark_that_a_group_may_have(plain):
    (script,) = [text for attributes, text in Elements(plain).scripts if "type" not in attributes]
    shapes = script[script.index("const SHAPES = {") : script.index("const state")]
    letters = {mark for pair in re.findall(r'^    (?:"(.)"|(\w)): ', shapes, re.MULTILINE) for mark in pair if mark}
    assert letters == {mark for mark, _ in MARKS} | {look("").mark}


def test_runs_without_coordinates_or_configuration_have_a_page_too():
    record = Record("a", (Row("a", 1, 0.1, "", 0, "train accuracy", "training data", "exact", 0.5),))
    text = report([record])
    assert 'id="plane"' not in text
    assert "fill none of the figures" in text
    assert "No configuration lies beside these results" in text


@pytest.mark.slow
def test_a_hundred_runs_of_sixty_epochs_stay_below_three_megabytes():
    records = [
        Record(str(number), tuple(rows(str(number), gamma=10.0 ** (number % 10 - 8), seed=number // 10, epochs=60)))
        for number in range(100)
    ]
    assert len(report(records).encode()) < 3_000_000


@pytest.mark.parametrize(
    "text",
    [
        "H[Y|Z] + b*(H[Z|Y] - H[Z|X])",
        "-I[X,W;Z|Y]/(beta - 1) + 2*H[Z]/3",
        "I[X;Y;Z]",
        "-gamma*H[X] - H[Y]",
        "0*H[X] + 1",
    ],
)
def test_formulas_are_well_formed(text):
    expression = imeasure.parse(text)
    found = ElementTree.fromstring(formula(expression))
    letters = {part.text for part in found.iter("mi")}
    assert {name for name in ("H", "I") if f"{name}[" in str(expression)} <= letters
    assert "information" not in letters
    assert {part.text for part in found.iter("mo")}.isdisjoint({"-"})


@pytest.mark.parametrize(
    "objective", ["min I[X;Z] - beta*I[Y;Z]", "min H[Y|Z]", "min H[Z] - a*H[Z|X] - beta*I[Y;Z]", "min H[Y|Z] + H[Z|Y]"]
)
def test_canonical_forms_and_every_step_of_their_derivations_are_well_formed(objective):
    form = imeasure.simplify(objective)
    assert ElementTree.fromstring(canonical(form)).tag == "math"
    lines = steps(form.derivation)
    assert [sign for sign, _, _ in lines] == [
        "",
        *("=" if step.kind == "equal" else "≃" for step in form.derivation.steps),
    ]
    assert all(ElementTree.fromstring(expression).tag == "math" for _, expression, _ in lines)


def test_greek_letters_are_letters():
    assert greek("0 < beta < 1, alphabet") == "0 < β < 1, alphabet"


def test_the_report_command_writes_a_page(tmp_path, monkeypatch, capsys):
    out = tmp_path / "new" / "report.html"
    assert not run_in_process(monkeypatch, main, "report", stored(tmp_path), "--out", out, "--title", "Mine")
    assert re.fullmatch(rf"page {out}, 3 runs, 0\.\d MB\n", capsys.readouterr().out)
    assert "<title>Mine</title>" in out.read_text()
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]


def test_the_claims_command_prints_json_and_writes_markdown_json_and_pages(tmp_path, monkeypatch, capsys):
    stored(tmp_path)
    assert not run_in_process(monkeypatch, main, "claims", tmp_path, "--json")
    (judged,) = json.loads(capsys.readouterr().out)
    assert judged["data"] == "digits"
    assert {claim["verdict"] for claim in judged["claims"]} <= {"PASS", "FAIL", "not run"}
    for ending, part in ((".md", "| claim |"), (".html", '<article class="claim">'), (".json", '"verdict"')):
        assert not run_in_process(
            monkeypatch, main, "claims", tmp_path, "--out", tmp_path / f"claims{ending}", "--note", EVIL
        )
        text = (tmp_path / f"claims{ending}").read_text()
        assert part in text
        assert ending == ".md" or EVIL not in text
    assert "C9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["claims", "nowhere"], "holds no results.csv"),
        (["report", "nowhere"], "holds no results.csv"),
        (["claims", ".", "--out", "claims.docx"], "must end in .md, .json, .html"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    write_rows(tmp_path / "results.csv", rows("a"))
    monkeypatch.chdir(tmp_path)
    assert run_in_process(monkeypatch, main, *arguments) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert len(errors.splitlines()) == 1
