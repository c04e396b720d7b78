"""From finished runs to the text of a page: what is shown, and the template that shows it."""

import base64
import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import jinja2
from markupsafe import Markup

import imeasure
from ibtrain.claims import Evidence, Judged, by_data
from ibtrain.claims.table import cells, heading
from ibtrain.compiler import canonical_form
from ibtrain.page.mathematics import canonical, formula, greek, steps
from ibtrain.page.payload import embedded, plane
from ibtrain.page.pictures import information_diagram, pictures
from ibtrain.records import Record, base_of, rows_of
from ibtrain.runs import Row, in_words
from ibtrain.surrogates.looks import look
from ibtrain.surrogates.registry import surrogate_label
from imeasure.files import read_text

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("ibtrain.page"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
)
_FEW = 3
_SHOWN = ("H[Z]", "H[Z|Y]", "I[X;Z]", "I[Y;Z]", "I[X;Y|Z]")


def report_page(records: Sequence[Record], judged: Sequence[Judged], *, title: str = "Information bottlenecks") -> str:
    """Return a self-contained HTML page about runs.

    Args:
        records: Finished runs.
        judged: What they say of the claims.
        title: What stands above the page.
    """
    every = by_data(records)
    data = plane(every)
    script = _source("plane.js")
    base, varied = base_of(records)
    template = _TEMPLATES.get_template("report.html.j2")
    return template.render(
        title=title,
        style=Markup(_source("style.css")),  # noqa: S704 - the package's own file
        script=Markup(script),  # noqa: S704 - the package's own file
        policy=_policy(script),
        about=_about(records),
        data=embedded(data) if data["runs"] else "",
        sections=[(found.data, pictures(found), _runs(found)) for found in every],
        judged=judged,
        heading=heading,
        cells=cells,
        objectives=_objectives(records),
        plans=_plans(records),
        versions=[text for text, _ in _documents(records, "versions.txt")][:1],
        base=base.to_toml() if base is not None else "",
        varied={key: ", ".join(map(str, values)) for key, values in varied.items()},
        shown=_SHOWN,
        in_words=in_words,
    )


def claims_page(judged: Sequence[Judged], *, note: str = "") -> str:
    """Return a self-contained HTML page with the claims alone.

    Args:
        judged: What runs say of the claims.
        note: How the runs were made.
    """
    return _TEMPLATES.get_template("claims.html.j2").render(
        title="The claims, tested",
        style=Markup(_source("style.css")),  # noqa: S704 - the package's own file
        policy=_policy(""),
        note=note,
        judged=judged,
        heading=heading,
        cells=cells,
    )


def _source(name: str) -> str:
    loader = _TEMPLATES.loader
    return "" if loader is None else loader.get_source(_TEMPLATES, name)[0]


def _policy(script: str) -> str:
    """Return a content security policy that allows nothing but what is in the page, and one script by its hash."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    scripts = f"'sha256-{digest}'" if script else "'none'"
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {scripts}"


def _about(records: Sequence[Record]) -> str:
    rows = rows_of(records)
    parts = [
        in_words(len(records)),
        f"seed {_range(row.seed for row in rows)}",
        f"gamma {_range(row.gamma for row in rows)}",
        f"up to {max(row.epoch for row in rows)} epochs",
        f"made {datetime.now(UTC):%Y-%m-%d} by ibtrain {version('imeasure')}",
    ]
    return " · ".join(parts)


@dataclasses.dataclass(frozen=True)
class _Objective:
    statement: str
    form: Markup
    conditions: str
    steps: list[tuple[str, Markup, str]]
    alternatives: list[tuple[Markup, str]]
    loss: Markup
    regularizer: Markup
    diagram: Any


def _objectives(records: Sequence[Record]) -> list[_Objective]:
    statements = dict.fromkeys(one.config.objective.statement for one in records if one.config is not None)
    return [_objective(statement) for statement in statements]


def _objective(statement: str) -> _Objective:
    form = canonical_form(statement)
    form.verify()
    return _Objective(
        statement,
        canonical(form),
        _conditions(form),
        steps(form.derivation),
        [(canonical(one), _conditions(one)) for one in form.alternatives],
        formula(form.loss),
        formula(form.regularizer) if form.regularizer != 0 else Markup(),
        information_diagram(form),
    )


def _conditions(form: imeasure.CanonicalForm) -> str:
    return greek(str(form.conditions)) if form.conditions else ""


def _documents(records: Sequence[Record], name: str) -> list[tuple[str, list[Record]]]:
    """Return what the files of one name in the runs' folders say, each text once, with its runs."""
    found: dict[str, list[Record]] = {}
    for record in records:
        if record.folder is not None and (record.folder / name).is_file():
            found.setdefault(read_text(record.folder / name, "document").strip(), []).append(record)
    return list(found.items())


@dataclasses.dataclass(frozen=True)
class _Plan:
    heading: str
    about: str
    text: str


def _plans(records: Sequence[Record]) -> list[_Plan]:
    """Return every loss plan once, named by what is minimised, with the gammas and seeds of its runs."""
    plans = []
    for text, runs in sorted(_documents(records, "plan.txt"), key=lambda plan: _rank(plan[1][0].rows[0])):
        first = runs[0].rows[0]
        names = [first.loss, *([first.surrogate] if first.surrogate else [])]
        about = [in_words(len(runs))]
        about += [f"of {found}" for found in dict.fromkeys(_objective_of(run) for run in runs) if found]
        about += [
            f"gamma {_range(run.rows[0].gamma for run in runs)}",
            f"seed {_range(run.rows[0].seed for run in runs)}",
        ]
        plans.append(_Plan(" and ".join(map(surrogate_label, names)), ", ".join(about), text))
    return plans


def _objective_of(record: Record) -> str:
    return "" if record.config is None else record.config.objective.statement


def _range(values: Iterable[float]) -> str:
    """Return numbers as text: each of a few, else from the least to the largest."""
    found = [f"{value:g}" for value in sorted(set(values))]
    return ", ".join(found) if len(found) <= _FEW else f"{found[0]} to {found[-1]}"


def _rank(row: Row) -> tuple[int, int]:
    """Return the place of a run among others: by its regularizer, then by what it minimised."""
    return look(row.surrogate).rank, look(row.loss).rank


@dataclasses.dataclass(frozen=True)
class _Line:
    label: str
    minimised: str
    objective: str
    first: Row
    epochs: int
    numbers: dict[str, Row]


def _runs(found: Evidence) -> list[_Line]:
    """Return one line for each run: its last number of each quantity by the estimator that was listed first."""
    lines = []
    for record in found.records:
        numbers: dict[str, Row] = {}
        for row in record.rows:
            known = numbers.get(row.quantity)
            if known is None or row.epoch > known.epoch:
                numbers[row.quantity] = row
        first = record.rows[0]
        labels = surrogate_label(first.surrogate), surrogate_label(first.loss) if first.loss else ""
        epochs = max(row.epoch for row in record.rows)
        lines.append(_Line(*labels, _objective_of(record), first, epochs, numbers))
    return sorted(lines, key=lambda line: (line.first.latent, _rank(line.first), line.first.gamma, line.first.seed))
