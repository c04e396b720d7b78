"""A loss as the text of one PyTorch function that stands alone: torch is all that it imports.

It computes what the loss computes, term by term in the plan's order, from tensors instead of a latent, in one process.
"""

import re
import textwrap

import sympy

from ibtrain.errors import ConfigError
from ibtrain.plan import Plan, Term

_ARGUMENTS = {
    "logits": ("Tensor", "Decoder outputs before the softmax, S x B x C."),
    "target": ("Tensor", "Classes as whole numbers, B."),
    "centres": ("Tensor", "Latents without their noise, S x B x K."),
    "samples": ("Tensor", "Latents with their noise, S x B x K."),
    "noise_variance": ("float | Tensor", "Variance of the noise: a positive number, or B x K."),
    "log_probabilities": ("Tensor", "ln p(z|x), B x K."),
}
_CONSTANTS = {
    "LOG_2_PI_E": "2.8378770664093453  # ln(2 pi e)",
    "LOG_2_PI": "1.8378770664093453  # ln(2 pi)",
    "LOG_PI": "1.1447298858494002  # ln(pi)",
}
_CODES = "Decoder outputs for the K codes, K x 1 x C."


def source_of(plan: Plan, name: str = "loss") -> str:
    """Return a stand-alone PyTorch function with the values and gradients of a loss.

    Args:
        plan: The loss.
        name: What to call the function.

    Returns:
        The text of a module.

    Raises:
        ConfigError: If a surrogate has no code, a coefficient is no rational function, or the name is no identifier.

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
            likelihood = logits.log_softmax(-1).expand(-1, len(target), -1)[:, torch.arange(len(target)), target]
            ce_y_z = -likelihood.mean()
            return ce_y_z
    """
    if not name.isidentifier():
        raise ConfigError(f"a function cannot be called {name!r}: give a name such as 'loss'")
    body: list[str] = []
    for term in plan.terms:
        body += ["", f"# {term.surrogate.name} = {term.surrogate.formula}", *_lines(term, plan, body)]
    code = "\n".join(body)
    arguments = _arguments(plan, code)
    described = "\n".join(f"    {key}: {text}" for key, (_, text) in arguments.items())
    signature = ", ".join(f"{key}: {kind}" for key, (kind, _) in arguments.items())
    head = f"def {name}({signature}) -> Tensor:"
    if len(head) > 120:
        head = "def " + name + "(\n    " + signature.replace("Tensor, ", "Tensor,\n    ") + ",\n) -> Tensor:"
    constants = [f"{key} = {value}" for key, value in _CONSTANTS.items() if re.search(rf"\b{key}\b", code)]
    inner = f'"""Return {plan.formula} in nats, a scalar.\n\nArgs:\n{described}\n"""{code}\nreturn {_total(plan)}'
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


def _lines(term: Term, plan: Plan, before: list[str]) -> list[str]:
    code = term.surrogate.code_for(plan.kind)
    if not code:
        raise ConfigError(f"{term.surrogate.name} has no code for a {plan.kind} latent: give its entry code=...")
    result: list[str] = []
    for line in code.splitlines():
        target = line.partition(" = ")[0]
        earlier = [other for other in (*before, *result) if other.partition(" = ")[0] == target]
        if not earlier or earlier[-1] != line:
            result.append(re.sub(r"^value\b", _variable(term), line))
    return result


def _arguments(plan: Plan, code: str) -> dict[str, tuple[str, str]]:
    is_enumerated = plan.kind == "categorical"
    found = {key: value for key, value in _ARGUMENTS.items() if re.search(rf"\b{key}\b", code)}
    if is_enumerated and "logits" in found:
        found["logits"] = ("Tensor", _CODES)
    for term in plan.terms:
        found |= {key: ("Tensor", text) for key, text in term.surrogate.arguments.items()}
    symbols = {str(symbol) for term in plan.terms for symbol in sympy.sympify(term.coefficient).free_symbols}
    weight = str(plan.weight_symbol)
    texts = {name: "Weight of the regularizer." if name == weight else "A parameter." for name in sorted(symbols)}
    return found | {name: ("float | Tensor", text) for name, text in texts.items()}


def _total(plan: Plan) -> str:
    parts = []
    for term in plan.terms:
        coefficient = sympy.sympify(term.coefficient)
        if not coefficient.is_rational_function():
            raise ConfigError(f"the coefficient {coefficient} is no quotient of polynomials, which source() writes")
        text = f"({coefficient})" if coefficient.is_Add or coefficient.is_Rational else str(coefficient)
        parts.append(_variable(term) if coefficient == 1 else f"{text} * {_variable(term)}")
    return " + ".join(parts) or "torch.zeros(())"


def _variable(term: Term) -> str:
    return re.sub(r"\W+", "_", term.surrogate.name).strip("_").lower()
