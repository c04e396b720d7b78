"""The one function of this package: a model, an expression or a canonical form in, a finished diagram out."""

from collections.abc import Mapping
from typing import Any, Literal

import sympy
from matplotlib.axes import Axes

from imeasure.diagrams.arrange import MAX_SETS, arrange
from imeasure.diagrams.bars import bars
from imeasure.diagrams.chains import chain_of
from imeasure.diagrams.content import Atom, Content, content, in_unit, subject
from imeasure.diagrams.drawing import Labels
from imeasure.diagrams.lettering import coefficient_text, mathematics, symbol_lines, symbol_text, value_text
from imeasure.diagrams.pages import page, page_on
from imeasure.diagrams.result import Diagram
from imeasure.diagrams.shapes import Layout
from imeasure.errors import ConfigError
from imeasure.model import Model
from imeasure.printing import to_latex, to_text
from imeasure.signs import Conditions
from imeasure.statements import Objective
from imeasure.words import glossary

Names = Literal["symbols", "words", "values", "none"]


def diagram(
    what: Any,
    *,
    model: Model | None = None,
    values: Any = None,
    highlight: Any = None,
    names: Names | Mapping[str, str] = "symbols",
    unit: Literal["nats", "bits"] = "nats",
    kind: Literal["auto", "sets", "bars"] = "auto",
    title: str | None = None,
    ax: Axes | None = None,
) -> Diagram:
    """Draw an information diagram: every set a variable, every region an atom that the model does not make zero.

    Args:
        what: A :class:`~imeasure.Model`; a graph (``"Y -> X -> Z"``) or names (``"X Y Z"``) as text; an expression or
            objective, whose atoms are then highlighted; or a canonical form, drawn beside its objective.
        model: The model of an expression; none by default.
        values: A :class:`~imeasure.Distribution`, or a mapping from atoms (text or sympy) to nats: regions are coloured
            by signed value, negative ones hatched.
        highlight: An expression or objective whose atoms are shaded by the sign of their coefficient.
        names: ``"symbols"``; ``"words"`` for the words of supervised learning; ``"values"``; ``"none"``; or a mapping
            from quantities to words. Quantities without a word keep their symbols.
        unit: Of values: ``"nats"`` or ``"bits"``.
        kind: ``"sets"``, ``"bars"``, or ``"auto"``: sets up to five variables and for Markov chains.
        title: Line above the picture.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The diagram; ``.save("diagram.svg")`` writes it, a notebook shows it.

    Raises:
        ConfigError: If an option does not exist or does not fit.
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
    if isinstance(names, str) and names not in {"symbols", "words", "values", "none"}:
        raise ConfigError(f"names must be 'symbols', 'words', 'values', 'none' or a mapping, not {names!r}")
    if kind not in {"auto", "sets", "bars"}:
        raise ConfigError(f"kind must be 'auto', 'sets' or 'bars', not {kind!r}")
    in_unit(0.0, unit)
    if hasattr(what, "objective") and hasattr(what, "constant"):
        return _before_and_after(what, names, unit, ax)
    found, variables, expression = subject(what)
    if model is not None and expression is not None:
        found, variables = model, model.covering(variables)
    highlight = expression if highlight is None else highlight
    if highlight is not None and isinstance(highlight, str):
        highlight = subject(highlight)[2]
    if title is None:
        title = _statement(highlight) if highlight is not None else ""
    chain = chain_of(found, variables)
    if kind == "bars" or (kind == "auto" and len(variables) > MAX_SETS and chain is None):
        return bars(content(found, variables, values=values, highlight=highlight, title=title), unit=unit, ax=ax)
    shown = content(found, variables, values=values, highlight=highlight, title=title)
    layout = _layout(shown)
    labels = _labels(names, unit, values is not None)
    if ax is not None:
        return page_on(ax, shown, layout, labels, values=values is not None, unit=unit)
    return page([shown], layout, labels, values=values is not None, unit=unit)


def _layout(shown: Content) -> Layout:
    return arrange(len(shown.names), shown.masks, chain_of(shown.model, shown.names))


def _statement(highlight: Any) -> str:
    if isinstance(highlight, Objective):
        return mathematics(rf"\mathrm{{{highlight.sense}}}\ {to_latex(highlight.expression)}")
    return mathematics(to_latex(highlight))


def _before_and_after(form: Any, names: Any, unit: str, ax: Axes | None) -> Diagram:
    """The objective and its canonical form side by side."""
    if ax is not None:
        raise ConfigError("a canonical form is drawn as two pictures; leave ax out")
    model: Model = form.model
    objective = form.objective
    before = content(
        model, model.variables, highlight=objective, conditions=form.conditions, title=_statement(objective)
    )
    symbol, weight = form.weight_symbol, form.weight
    positive = Conditions(((symbol, sympy.Interval.open(0, sympy.oo)),))
    short = Objective("min", form.loss + symbol * form.regularizer if weight != 0 else form.loss)
    where = mathematics(rf",\ {to_latex(symbol)} = {sympy.latex(weight)}") if weight.free_symbols else ""
    after = content(
        model,
        model.variables,
        highlight=short,
        dropped=form.constant,
        conditions=positive,
        title=_statement(short) + where,
    )
    return page([before, after], _layout(before), _labels(names, unit, False), values=False, unit=unit)


def _labels(names: Names | Mapping[str, str], unit: str, values: bool) -> Labels:
    """For an atom the variants of its label, best first."""
    words: Mapping[str, str] = {} if isinstance(names, str) else names
    if names == "words":
        words = {quantity: name for name, quantity in glossary.items()}

    def variants(atom: Atom) -> list[list[str]]:
        number = [value_text(atom, unit)] if values else []
        if names == "values":
            return [number or [symbol_text(atom)]]
        if names == "none":
            return [number or [""]]
        word = words.get(to_text(atom.name), words.get(to_text(atom.quantity)))
        factor = coefficient_text(atom)
        tail = [*([factor] if factor else []), *number]
        if word is None:
            return [[*lines, *tail] for lines in symbol_lines(atom)]
        parts = word.split()
        stacked = [*parts, *tail]
        halves = [" ".join(parts[: (len(parts) + 1) // 2]), " ".join(parts[(len(parts) + 1) // 2 :])]
        return [[word, *tail], [*filter(None, halves), *tail], stacked]

    return variants
