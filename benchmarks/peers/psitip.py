"""psitip on statements of the project's language: text to verdict, by its own implication of regions."""

import re
import warnings
from collections.abc import Sequence
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from psitip import BayesNet, H, I, alland, markov, rv


def decide(claim: str, facts: Sequence[str]) -> bool:
    """Say whether psitip proves a claim from facts.

    Args:
        claim: A statement with H and I in round or square brackets.
        facts: Statements, and chains such as A -> B -> C.
    """
    scope = _scope(claim, *facts)
    known = [_read(text, scope) for text in facts]
    goal = _read(claim, scope)
    return bool((alland(known) >> goal) if known else goal)


def simplified(expression: str, edges: Sequence[tuple[str, str]] = ()) -> str:
    """Return psitip's simplification of a sum of H and I, in a Bayesian network.

    Args:
        expression: A sum of H and I with numbers as coefficients.
        edges: The network's arrows.
    """
    scope = _scope(expression, *(name for edge in edges for name in edge))
    network = BayesNet([(scope[f"v_{one}"], scope[f"v_{other}"]) for one, other in edges]) if edges else None
    region = network.get_region() if network else None
    return str(_read(expression, scope).simplified(reg=region, bnet=network))


def _scope(*texts: str) -> dict[str, Any]:
    names = {name for text in texts for name in re.findall(r"[A-Za-z]\w*(?![\w(\[])", text)}
    return {"H": H, "I": I, "markov": markov, **{f"v_{name}": rv(name) for name in names}}


def _read(text: str, scope: dict[str, Any]) -> Any:
    if chain := re.fullmatch(r"[\w,\s]+(?:->?[\w,\s]+)+", text):
        groups = ["+".join(f"v_{name.strip()}" for name in part.split(",")) for part in re.split("->?", chain[0])]
        return eval(f"markov({', '.join(groups)})", scope)
    named = re.sub(r"[A-Za-z]\w*(?![\w(\[])", lambda found: f"v_{found[0]}", text.replace("[", "(").replace("]", ")"))
    equal = re.sub(r"(?<![<>])=", "==", named)
    return eval(equal.replace(";", "&").replace(",", "+"), scope)
