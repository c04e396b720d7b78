"""A loss as the text of one PyTorch function that stands alone: torch is all that it imports.

It computes what the loss computes, term by term in the plan's order, from tensors instead of a latent, in one process.
"""

import builtins
import keyword
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import sympy

from ibtrain.errors import ConfigError
from ibtrain.plan import Plan, Term

_ARGUMENTS = {
    "logits": ("Tensor", "Decoder outputs before the softmax, S x B x C."),
    "target": ("Tensor", "Classes as whole numbers, B."),
    "centres": ("Tensor", "Latents without their noise, S x B x K."),
    "samples": ("Tensor", "Latents with their noise, S x B x K."),
    "noise_variance": ("float | Tensor", "Variance of the noise: a number, 0 without noise, or B x K."),
    "log_probabilities": ("Tensor", "ln p(z|x), B x K."),
}
_CONSTANTS = {
    "LOG_2_PI_E": "2.8378770664093453  # ln(2 pi e)",
    "LOG_2_PI": "1.8378770664093453  # ln(2 pi)",
    "LOG_PI": "1.1447298858494002  # ln(pi)",
}
_CODES = "Decoder outputs for the K codes, K x 1 x C."
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*(?:, [A-Za-z_]\w*)*) = ")
_TAKEN = frozenset({"torch", "Tensor", "value", *_ARGUMENTS, *_CONSTANTS, *keyword.kwlist, *dir(builtins)})


def source_of(plan: Plan, name: str = "loss") -> str:
    """Return a stand-alone PyTorch function with the values and gradients of a loss.

    An objective's parameter is an argument of its own name; where the function needs that name for itself (`noise`,
    `logits`, `lambda`), underscores are added, and the description of the argument says so.

    Args:
        plan: The loss.
        name: What to call the function.

    Returns:
        The text of a module.

    Raises:
        ConfigError: If a surrogate has no code, a coefficient is no rational function, or the name is no free
            identifier.

    Example:
        >>> from ibtrain import compile
        >>> print(compile("min H[Y|Z]", latent="dropout").source().rstrip())
        \"\"\"min H[Y|Z] as a loss: CE[Y|Z], in nats.\"\"\"
        <BLANKLINE>
        import torch
        from torch import Tensor
        <BLANKLINE>
        <BLANKLINE>
        def loss(logits: Tensor, target: Tensor) -> Tensor:
            \"\"\"Return CE[Y|Z] in nats, a scalar.
        <BLANKLINE>
            Args:
                logits: Decoder outputs before the softmax, S x B x C.
                target: Classes as whole numbers, B.
            \"\"\"
            # CE[Y|Z] = E[-ln q(y|z)]
            classes = target.long().expand(len(logits), -1).unsqueeze(2)  # S x B x 1
            likelihood = logits.log_softmax(-1).expand(-1, len(target), -1).gather(2, classes).squeeze(2)
            ce_y_z = -likelihood.mean()
            return ce_y_z
    """
    if not isinstance(name, str) or not name.isidentifier() or name in _TAKEN:
        raise ConfigError(f"a function cannot be called {name!r}: give a name such as 'loss'")
    texts = [_code(term, plan) for term in plan.terms]
    used = {name, *_TAKEN, *re.findall(r"\w+", "\n".join(texts))}
    used.update(key for term in plan.terms for key in term.surrogate.arguments)
    variables = _free([_variable(term) for term in plan.terms], used)
    symbols = sorted({s for term in plan.terms for s in sympy.sympify(term.coefficient).free_symbols}, key=str)
    parameters = _free([str(symbol) for symbol in symbols], used | set(variables.values()))
    body: list[str] = []
    known: set[str] = set()
    for term, text in zip(plan.terms, texts, strict=True):
        body += ["", f"# {term.surrogate.name} = {term.surrogate.formula}"]
        body += _lines(text, variables[_variable(term)], known)
    code = "\n".join(body)
    arguments = _arguments(plan, code, parameters)
    described = "\n".join(f"    {key}: {text}" for key, (_, text) in arguments.items())
    signature = ", ".join(f"{key}: {kind}" for key, (kind, _) in arguments.items())
    head = f"def {name}({signature}) -> Tensor:"
    if len(head) > 120:
        head = "def " + name + "(\n    " + signature.replace(", ", ",\n    ") + ",\n) -> Tensor:"
    constants = [f"{key} = {value}" for key, value in _CONSTANTS.items() if re.search(rf"\b{key}\b", code)]
    total = _total(plan, variables, {symbol: sympy.Symbol(parameters[str(symbol)]) for symbol in symbols})
    inner = f'"""Return {plan.formula} in nats, a scalar.\n\nArgs:\n{described}\n"""{code}\nreturn {total}'
    return "\n".join(
        [
            f'"""{plan.form.objective} as a loss: {plan.formula}, in nats."""',
            "",
            "import torch",
            "from torch import Tensor",
            *(["", *constants] if constants else []),
            "",
            "",
            head,
            textwrap.indent(inner, "    "),
            "",
        ]
    )


def _free(names: list[str], used: set[str]) -> dict[str, str]:
    """Return a name for each, none of them used already or twice."""
    result: dict[str, str] = {}
    for name in names:
        own = re.sub(r"\W", "_", name)
        while own in used or own in result.values() or (own != name and own in names):
            own += "_"
        result[name] = own
    return result


def _code(term: Term, plan: Plan) -> str:
    code = term.surrogate.code_for("" if plan.is_drawn else plan.kind)
    if not code:
        kind = "drawn categorical" if plan.is_drawn else plan.kind
        raise ConfigError(f"{term.surrogate.name} has no code for a {kind} latent: give its entry code=...")
    return code


def _lines(code: str, variable: str, known: set[str]) -> list[str]:
    """Return a term's lines without those whose values are known from the lines before."""
    result: list[str] = []
    for line in code.splitlines():
        if line in known:
            continue
        assigned = _ASSIGNMENT.match(line)
        names = assigned.group(1).split(", ") if assigned else []
        stale = re.compile(rf"\b(?:{'|'.join(names)})\b")
        known -= {one for one in known if stale.search(one)} if assigned else set(known)
        if assigned and "value" not in names and not stale.search(line[assigned.end() :]):
            known.add(line)
        result.append(re.sub(r"^value\b", variable, line))
    return result


def _arguments(plan: Plan, code: str, parameters: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    found = {key: value for key, value in _ARGUMENTS.items() if re.search(rf"\b{key}\b", code)}
    if plan.kind == "categorical" and not plan.is_drawn and "logits" in found:
        found["logits"] = ("Tensor", _CODES)
    for term in plan.terms:
        found |= {key: ("Tensor", text) for key, text in term.surrogate.arguments.items()}
    weight = str(plan.weight_symbol)
    for name, own in parameters.items():
        text = "Weight of the regularizer" if name == weight else "A parameter"
        found[own] = ("float | Tensor", f"{text}." if name == own else f"{text}, {name} in the objective.")
    return found


def _total(plan: Plan, variables: Mapping[str, str], symbols: Mapping[Any, Any]) -> str:
    parts = []
    for term in plan.terms:
        variable = variables[_variable(term)]
        coefficient = sympy.sympify(term.coefficient)
        if not coefficient.is_rational_function():
            raise ConfigError(f"the coefficient {coefficient} is no quotient of polynomials, which source() writes")
        named = coefficient.xreplace(symbols)
        text = f"({named})" if named.is_Add or (named.is_Rational and not named.is_Integer) else str(named)
        parts.append({"1": variable, "-1": f"-{variable}"}.get(text, f"{text} * {variable}"))
    return " + ".join(parts).replace("+ -", "- ") or "torch.zeros(())"


def _variable(term: Term) -> str:
    return re.sub(r"\W+", "_", term.surrogate.name).strip("_").lower()
