"""The one function of this package: a model, an expression or a canonical form in, a finished diagram out.

Regions show up to five variables or a Markov chain, bars all others. The way through is: content, layout, page.
"""

from collections.abc import Mapping
from typing import Any, Literal

import sympy
from matplotlib.axes import Axes

from imeasure.diagrams.arrange import MAX_SETS, arrange
from imeasure.diagrams.bars import SHOWN, bars
from imeasure.diagrams.chains import chain_of
from imeasure.diagrams.content import Content, as_highlight, content, subject
from imeasure.diagrams.lettering import conditions_text, label_variants, mathematics, places_of, statement_text
from imeasure.diagrams.pages import page, page_on
from imeasure.diagrams.result import Diagram
from imeasure.diagrams.shapes import Layout
from imeasure.diagrams.valuation import in_unit, one_atom
from imeasure.errors import ConfigError
from imeasure.model import Model
from imeasure.printing import to_latex
from imeasure.signs import Conditions
from imeasure.statements import Objective

Names = Literal["symbols", "words", "values", "none"]


def diagram(
    what: Any,
    *,
    model: Model | str | None = None,
    values: Any = None,
    highlight: Any = None,
    names: Names | Mapping[Any, str] = "symbols",
    unit: Literal["nats", "bits"] = "nats",
    kind: Literal["auto", "sets", "bars"] = "auto",
    title: str | None = None,
    ax: Axes | None = None,
) -> Diagram:
    """Draw an information diagram: every set a variable, every region an atom that the model does not make zero.

    An option that has nothing to act on is refused, not ignored.

    Args:
        what: A :class:`~imeasure.Model`; a graph (``"Y -> X -> Z"``) or names (``"X Y Z"``) as text; an expression or
            objective, whose atoms are then highlighted; or a canonical form, drawn beside its objective.
        model: The model of an expression, or its graph as text; none by default.
        values: A :class:`~imeasure.Distribution`, a pandas or dit object that ``Distribution.read`` reads, or a mapping
            from atoms (text or sympy) to nats: regions are coloured by signed value, negative ones hatched.
        highlight: An expression or objective whose atoms are shaded by the sign of their coefficient; with a model or
            names, and without values.
        names: ``"symbols"``; ``"words"`` for the words of supervised learning; ``"values"``; ``"none"``; or a mapping
            from atoms to words. Atoms without a word keep their symbols. Bars carry words or values at their ends.
        unit: Of values: ``"nats"`` or ``"bits"``.
        kind: ``"sets"``, ``"bars"``, or ``"auto"``: sets up to five variables and for Markov chains.
        title: Lines above the picture.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The diagram; ``.save("diagram.svg")`` writes it, a notebook shows it.

    Raises:
        ConfigError: If an option does not exist or does not fit, or axes are too small.
        ModelError: If values contradict the model, or there are too many sets.
        UnknownVariableError: If values or expressions speak of other variables.
        NonlinearError: If an expression has terms outside the measure.

    Reference:
        R. W. Yeung, A New Outlook on Shannon's Information Measures, 1991.

    Example:
        >>> drawn = diagram("Y -> X -> Z")
        >>> sorted(str(region.atom.name) for region in drawn.panels[0].regions.values())
        ['H[X|Y,Z]', 'H[Y|X]', 'H[Z|X]', 'I[X;Y|Z]', 'I[X;Z|Y]', 'I[Y;Z]']
    """
    _require_options(names, kind, unit, title, ax)
    if hasattr(what, "objective") and hasattr(what, "constant"):
        unused = {"model": model, "values": values, "highlight": highlight, "title": title, "ax": ax}
        unused |= {"kind": None if kind == "auto" else kind, "unit": None if unit == "nats" else unit}
        if given := [f"{option}=" for option, value in unused.items() if value is not None]:
            raise ConfigError(
                f"a canonical form is drawn as two pictures of coefficients under its own model; leave out "
                f"{', '.join(given)}"
            )
        _require_numbers(names, unit, values)
        return _before_and_after(what, names)
    _require_numbers(names, unit, values)
    found, variables, expression = subject(what)
    if model is not None:
        if expression is None:
            raise ConfigError("model= is the model of an expression; draw a model or graph itself: diagram(model)")
        found = Model(model) if isinstance(model, str) else model
        if not isinstance(found, Model):
            raise ConfigError(f"model= is a Model or a graph such as 'Y -> X -> Z', not {model!r}")
        variables = found.covering(variables)
    if highlight is not None:
        if expression is not None:
            raise ConfigError("an expression is its own highlight; to highlight another, draw the model or the names")
        expression = as_highlight(highlight)
    if values is not None and expression is not None:
        raise ConfigError(
            "values and coefficients would both colour the regions; draw two pictures: values= over a model or names, "
            "and the expression without values="
        )
    if title is None:
        title = "" if expression is None else _title(expression, found)
    else:
        title = title.replace("$", r"\$")  # only our own titles hold formulas
    chain = chain_of(found, variables)
    as_bars = kind == "bars" or (kind == "auto" and len(variables) > MAX_SETS and chain is None)
    shown = content(found, variables, values=values, highlight=expression, title=title, most=SHOWN if as_bars else None)
    called = _called(names, shown)
    if as_bars:
        return bars(shown, called, unit=unit, ax=ax)
    labels = label_variants(called, unit, values=values is not None, places=places_of(shown, unit))
    if ax is not None:
        return page_on(ax, shown, _layout(shown), labels, values=values is not None, unit=unit)
    return page([shown], _layout(shown), labels, values=values is not None, unit=unit)


def _require_options(names: Any, kind: Any, unit: Any, title: Any, ax: Any) -> None:
    if isinstance(names, Mapping):
        if wrong := [word for word in names.values() if not isinstance(word, str) or not word.strip()]:
            raise ConfigError(f"names= gives words to atoms, such as {{'I[X;Y]': 'shared'}}; {wrong[0]!r} is no word")
    elif names not in ("symbols", "words", "values", "none"):
        raise ConfigError(f"names must be 'symbols', 'words', 'values', 'none' or a mapping, not {names!r}")
    if kind not in ("auto", "sets", "bars"):
        raise ConfigError(f"kind must be 'auto', 'sets' or 'bars', not {kind!r}")
    in_unit(0.0, unit)
    if title is not None and not isinstance(title, str):
        raise ConfigError(f"title is text, not {title!r}")
    if ax is not None and not isinstance(ax, Axes):
        raise ConfigError(f"ax is a matplotlib Axes, such as figure.subplots() returns, not {type(ax).__name__}")


def _require_numbers(names: Any, unit: str, values: Any) -> None:
    if values is None and isinstance(names, str) and names == "values":
        raise ConfigError("names='values' writes the values of atoms; give values=, a Distribution or a mapping")
    if values is None and unit != "nats":
        raise ConfigError(f"unit={unit!r} is the unit of values; give values=, or leave it out")


def _called(names: Names | Mapping[Any, str], shown: Content) -> str | dict[int, str]:
    """How atoms are called: one of the ways, or words by bitmask."""
    if isinstance(names, str):
        return names
    words: dict[int, str] = {}
    for key, word in names.items():
        if (known := words.setdefault(one_atom(key, shown.names, shown.masks), word)) != word:
            raise ConfigError(f"names= calls {key} {word!r}, and {known!r} where it was named before; give one word")
    return words


def _layout(shown: Content) -> Layout:
    return arrange(len(shown.names), shown.masks, chain_of(shown.model, shown.names))


def _title(expression: Any, model: Model) -> str:
    """The statement, and the ranges of its parameters where the model narrows them."""
    formula = expression.expression if isinstance(expression, Objective) else expression
    ranges = tuple((symbol, values) for symbol, values in model.ranges if symbol in formula.free_symbols)
    return "\n".join(filter(None, [statement_text(expression), conditions_text(Conditions(ranges))]))


def _before_and_after(form: Any, names: Names | Mapping[Any, str]) -> Diagram:
    """The objective and its canonical form side by side."""
    model: Model = form.model
    variables = model.covering(())
    symbol, weight = form.weight_symbol, form.weight
    holds = conditions_text(form.conditions)
    before = content(
        model,
        variables,
        highlight=form.objective,
        conditions=form.conditions,
        title="\n".join(filter(None, [statement_text(form.objective), holds])),
    )
    plain = bool(weight.is_Number or weight.is_Symbol)
    short = Objective("min", form.loss + (weight if plain else symbol) * form.regularizer)
    where = "" if plain else mathematics(rf"{to_latex(symbol)} = {sympy.latex(weight)}")
    after = content(
        model,
        variables,
        highlight=short,
        dropped=form.constant,
        conditions=Conditions(
            (*form.conditions.sets, (symbol, sympy.Interval.open(0, sympy.oo))), form.conditions.relations
        ),
        title="\n".join(filter(None, [statement_text(short), ", ".join(filter(None, [where, holds]))])),
    )
    labels = label_variants(_called(names, before), "nats", values=False)
    return page([before, after], _layout(before), labels, values=False, unit="nats")
