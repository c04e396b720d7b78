import re
from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies as st
from strategies import expressions

from imeasure import (
    Constraint,
    Functional,
    H,
    I,
    Information,
    NonlinearError,
    Objective,
    ParseError,
    Relation,
    param,
    parse,
    rvs,
)
from imeasure.lexer import _plain_tokens, tokenize
from imeasure.plain import read_plain
from imeasure.printing import to_latex, to_text, to_unicode
from imeasure.syntax import read_general

W, X, Y, Z = rvs("W X Y Z")
beta = param("beta")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("H[Y|Z]", H[Y | Z]),
        ("H(X,Y|Z,W)", H[X, Y | Z, W]),
        ("I(X:Y|Z)", I[X : Y | Z]),
        ("I[X;Y;Z;W]", Information([[X], [Y], [Z], [W]])),
        ("2H[X] - 1/2 I[X;Y]", 2 * H[X] - I[X:Y] / 2),
        ("0.1*H[X] + 1e-2 H[Y]", H[X] / 10 + H[Y] / 100),
        ("β·H[X]", beta * H[X]),
        ("beta*(H[X] − H[Y])", beta * (H[X] - H[Y])),
        ("(beta-1)(H[X])", (beta - 1) * H[X]),
        ("H[X]/(beta-1)^2", H[X] / (beta - 1) ** 2),
        ("H[X]/(beta-1)**2", H[X] / (beta - 1) ** 2),
        ("-(-H[X])", H[X]),
        ("H_theta[Y|Z]", Functional("CE", [Y], [Z])),
        (r"\mathbb{I}[X; Z] - \beta\,\mathrm{H}[Y \mid Z]", I[X:Z] - beta * H[Y | Z]),
        (r"\mathrm{H}_{\Theta}[Y|Z]", Functional("CE", [Y], [Z])),
        (r"$\frac{1}{\beta-1} \mathrm{I}\left[X;Z \mid Y\right]$", I[X : Z | Y] / (beta - 1)),
        (r"\mathrm{H}[\hat{Y} \mid X_{1}]", Information([["Yhat"]], ["X1"])),
        (r"\operatorname{H}\left(X\right)", H[X]),
        ("H[Ŷ]", Information([["Yhat"]])),
        ("H[X|X]", 0),
        ("H[X,X]", H[X]),
        ("I[X;X]", H[X]),
    ],
)
def test_expressions(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("min I[X;Z] - beta*I[Y;Z]", Objective("min", I[X:Z] - beta * I[Y:Z])),
        ("max I[Y;Z]", Objective("max", I[Y:Z])),
        (r"\min \mathrm{H}[Z]", Objective("min", H[Z])),
        (r"\arg\min_\Theta \mathrm{H}[Z]", Objective("min", H[Z])),
        ("argmin H[Z]", Objective("min", H[Z])),
        ("H[X] <= H[X,Y] = H[Y,X]", Relation((H[X], H[X, Y], H[X, Y]), ("<=", "="))),
        ("H[X] ≥ 0", Relation((H[X], 0), (">=",))),
        (r"\mathrm{H}[X] \geq 0", Relation((H[X], 0), (">=",))),
        ("H[X] == 2", Relation((H[X], 2), ("=",))),
        ("X,W -> Y -> Z", Constraint("markov", ((X, W), (Y,), (Z,)))),
        ("X → Y → Z", Constraint("markov", ((X,), (Y,), (Z,)))),
        (r"X \to Y \to Z", Constraint("markov", ((X,), (Y,), (Z,)))),
        ("X - Y - Z", Constraint("markov", ((X,), (Y,), (Z,)))),
        ("X – Y – Z", Constraint("markov", ((X,), (Y,), (Z,)))),
        ("X <-> Y <-> Z", Constraint("markov", ((X,), (Y,), (Z,)))),
        ("X _||_ Y | Z", Constraint("independence", ((X,), (Y,)), (Z,))),
        ("X ⊥ Y", Constraint("independence", ((X,), (Y,)))),
        (r"X \perp\!\!\!\perp Y,W \mid Z", Constraint("independence", ((X,), (Y, W)), (Z,))),
    ],
)
def test_statements(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text is empty; expected a statement such as 'min I[X;Z] - beta*I[Y;Z]'\n    \n    ^"),
        ("H[X|Y", "'[' is never closed; expected ']'\n    H[X|Y\n     ^"),
        ("(H[X]", "'(' is never closed; expected ')'\n    (H[X]\n    ^"),
        ("H[X]]", "expected an operator or the end of the text, found ']'\n    H[X]]\n        ^"),
        ("I[X]", "I needs at least two groups, as in I[X;Y]\n    I[X]\n    ^"),
        ("I[X,Y]", "I needs at least two groups: ';' separates groups, ',' joins variables\n    I[X,Y]\n    ^"),
        ("H[]", "H[] needs at least one variable\n    H[]\n     ^"),
        ("H[X;Y]", "H takes one group of variables; join them by ','\n    H[X;Y]\n    ^"),
        ("H[X] + ", "expected a quantity such as H[Y|Z], a number or a parameter, found the end of the text\n    H[X] + \n           ^"),
        ("H[X] < H[Y]", "strict relations cannot be decided from entropies alone; use <= or >=\n    H[X] < H[Y]\n         ^"),
        ("F[X]", "unknown quantity 'F'; known are H, I, CE, KL (a product needs '*')\n    F[X]\n    ^"),
        ("Y = f(X)", "unknown quantity 'f'; known are H, I, CE, KL; that Y is a function of X is written H[Y|X] = 0\n    Y = f(X)\n        ^"),
        ("Y=g2( X ,Z )", "unknown quantity 'g2'; known are H, I, CE, KL; that Y is a function of X,Z is written H[Y|X,Z] = 0\n    Y=g2( X ,Z )\n      ^~"),
        ("H[X]*H[Y]", "quantities cannot be multiplied with each other; expected a number or parameter\n    H[X]*H[Y]\n        ^"),
        ("1/H[Y]", "a quantity cannot stand in a divisor\n    1/H[Y]\n     ^"),
        ("H[X]/0", "division by zero\n    H[X]/0\n        ^"),
        ("H[X]^2", "a power of a quantity is not linear; expected a number or parameter\n    H[X]^2\n        ^"),
        ("H[X] # Y", "unexpected character '#'\n    H[X] # Y\n         ^"),
        (r"\foo H[X]", "unknown LaTeX command '\\foo'\n    \\foo H[X]\n    ^~~~"),
        ("min H[X] <= 2", "an objective is not a relation; leave out 'min'/'max' or the relation\n    min H[X] <= 2\n             ^~"),
        ("X -> ", "expected a variable, found the end of the text\n    X -> \n         ^"),
        ("I[X;Y|]", "expected a variable to condition on, found ']'\n    I[X;Y|]\n          ^"),
        ("foo bar", "expected an operator, found 'bar'; a product needs '*'\n    foo bar\n        ^~~"),
        ("2 a b H[X]", "expected an operator, found 'b'; a product needs '*'\n    2 a b H[X]\n        ^"),
        ("H(X) foo", "expected an operator, found 'foo'; a product needs '*'\n    H(X) foo\n         ^~~"),
        ("H[X] <= 1\nH[Y] >= 0", "expected an operator, found 'H'; a product needs '*'\n    H[Y] >= 0\n    ^"),
        ("H[X] <= 1 and H[Y] >= 0", "'and' joins no relations; give one at a time, and facts as a list of relations\n    H[X] <= 1 and H[Y] >= 0\n              ^~~"),
        ("H[X] <= H[Y] or 0 <= 1", "'or' joins no relations; give one at a time, and facts as a list of relations\n    H[X] <= H[Y] or 0 <= 1\n                 ^~"),
        ("H[X] <= 1 & H[Y] >= 0", "'&' joins no relations; give one at a time, and facts as a list of relations\n    H[X] <= 1 & H[Y] >= 0\n                ^"),
        ("H[X] <= 1; H[Y] >= 0", "';' joins no relations; give one at a time, and facts as a list of relations\n    H[X] <= 1; H[Y] >= 0\n             ^"),
        ("10**10**10", "expected an operator or the end of the text, found '**'\n    10**10**10\n          ^~"),
        ("I[Y;Z]/(beta-beta)", "division by zero\n    I[Y;Z]/(beta-beta)\n           ^~~~~~~~~~~"),
        ("H[X] + H[Y]*(b-b)^-2", "division by zero\n    H[X] + H[Y]*(b-b)^-2\n                ^~~~~"),
        (r"\frac{H[X]}{b-b}", "division by zero\n    \\frac{H[X]}{b-b}\n               ^~~~~"),
    ],
)  # fmt: skip
def test_errors_show_the_spot(text, message):
    with pytest.raises(ParseError) as error:
        parse(text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1000 + "H[X]",
        "-" * 1000 + "H[X]",
        "H[X]" * 30_000,
        "9" * 5000,
        "9e9999",
        "2^9999",
        "((2^60)^60)^60",
        "H[X]/(1-1)",
    ],
)
def test_limits_are_errors(text):
    with pytest.raises(ParseError):
        parse(text)


def test_an_error_in_a_long_text_shows_an_excerpt():
    with pytest.raises(ParseError) as error:
        parse(" + ".join(["H[X]"] * 500) + " + ]")
    _, excerpt, marker = str(error.value).split("\n")
    assert len(excerpt) < 200
    assert excerpt[marker.index("^")] == "]"


def test_functionals_are_declared():
    assert parse("LogVar[Z|Y]", functionals=["LogVar"]) == Functional("LogVar", [Z], [Y])


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2 beta H[X]", "2*beta*H[X]"),
        ("beta LogVar[Z]", "beta*LogVar[Z]"),
        ("(a+b) c (d)", "(a+b)*c*d"),
        (r"\beta\gamma b H[X]", "beta*gamma*b*H[X]"),
        (r"b \, c H[X]", "b*c*H[X]"),
        ("\\beta\n \\mathrm{H}[X]", "beta*H[X]"),
        ("H[X]\n + H[Y]", "H[X] + H[Y]"),
        (r"I[X;Z] &= \beta I[Y;Z] & + H[Z]", "I[X;Z] = beta*I[Y;Z] + H[Z]"),
        ("and*H[X]", "H[X]*and"),
    ],
)
def test_products_without_a_sign(text, same):
    assert parse(text, functionals=["LogVar"]) == parse(same, functionals=["LogVar"])


@pytest.mark.parametrize(
    "text", ["a*b", "foo*bar*H[X|Y]", "b^2*c*H[X]/(c1*d)", "beta*b*foo_bar*I[X;Y|Z]", "b*(c+d)*H[X]"]
)
def test_names_do_not_run_together_in_latex(text):
    assert parse(to_latex(parse(text))) == parse(text)
    assert not re.search(r"(?<![\\\w])[A-Za-z]\w* [A-Za-z]", to_latex(parse(text)))


@given(expressions(functionals=True))
def test_printing_and_parsing_are_inverse(expression):
    for spell in (str, to_text, to_unicode, to_latex):
        assert parse(spell(expression)).expand() == expression.expand()


@pytest.mark.parametrize("spell", [to_text, to_unicode, to_latex])
@pytest.mark.parametrize("statement", ["min I[X;Z] - beta*I[Y;Z]", "H[X] <= H[X,Y]", "X -> Y -> Z"])
def test_what_is_no_expression_is_refused_by_the_printers_of_expressions(spell, statement):
    for given_as in (parse(statement), statement):
        with pytest.raises(NonlinearError, match=rf"expected an expression .*, not '{re.escape(statement)}'; "):
            spell(given_as)


@settings(max_examples=100)
@given(st.text(alphabet="HICEKLXYZ[]();:,|+-*/^<>= 012.β\\{}_", max_size=30))
def test_any_text_parses_or_is_refused(text):
    with suppress(ParseError):
        parse(text)


@pytest.mark.parametrize(
    "statement",
    ["min I[X;Z] - beta*I[Y;Z]", "max -(a - b)*H[X]", "H[X] <= H[X,Y]", "W,X -> Y -> Z", "X _||_ Y | Z"],
)
def test_statements_print_as_they_parse(statement):
    assert str(parse(statement)) == statement
    assert parse(parse(statement)._repr_latex_()) == parse(statement)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (r"\lambda_1 I(X;Z) + \lambda_{2} I(Y;Z)", "lambda1*I[X;Z] + lambda2*I[Y;Z]"),
        (r"\beta_Z H[Z]", "beta_Z*H[Z]"),
        (r"\omega_{max} H[\mathbf{X}_1]", "omega_max*H[X1]"),
        (r"\mathrm{H}[\hat{Y}_1 \mid \tilde{Z}]", "H[Yhat1|Ztilde]"),
        (r"\boldsymbol{I}\bigl[X; Z\bigr].", "I[X;Z]"),
        (r"\( \mathrm{H}\left(X \middle| Y\right) \)", "H[X|Y]"),
        ("X_1", "X1"),
        ("H[X₁]", "H[X1]"),
        ("β1 H[X_2] + λ₂ H[Y]", "beta1*H[X2] + lambda2*H[Y]"),
        ("minimize H[Z]", "min H[Z]"),
        ("Maximise I[X;Z]", "max I[X;Z]"),
        ("H[X′]", "H[X']"),
    ],
)
def test_spellings_of_papers(text, same):
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("beta*" * 5000 + "H[X]", "a product of more than"),
        ("H[X]" + "/beta" * 3000, "a product of more than"),
        ("(a+b+c+d+e)^40*H[X]", "in parentheses is at most"),
        ("1_000*H[X]", "unexpected character"),
        ("H[X|Y|Z]", "expected ',' or ']', found '|'"),
        ("H[X)", "expected ',', ';', '|' or ']', found ')'"),
    ],
)
def test_what_would_be_misread_is_refused(text, problem):
    with pytest.raises(ParseError) as error:
        parse(text)
    assert problem in str(error.value)


@pytest.mark.parametrize("name", ["beta1", "beta_1", "omega_max", "X1", "b", "lambda2", "Theta"])
def test_parameters_survive_latex(name):
    expression = param(name) * H[X]
    assert parse(to_latex(expression)) == expression


@settings(max_examples=100)
@given(st.text(alphabet="HIXYabe()[];:,|+-*/^<>= 0123.", max_size=24))
def test_plain_text_gives_the_same_tokens_by_either_table(text):
    plain = _plain_tokens(text)
    if plain is not None:
        general = tokenize("~" + text)
        assert [token[:2] for token in plain] == [token[:2] for token in general]


NAMES = st.sampled_from(["X", "Y1", "Zhat", "w", "H", "KL", "min", "maxX", "hX"])
SPACES = st.sampled_from(["", "", " ", "  "])
GROUPS = st.lists(NAMES, min_size=1, max_size=3).flatmap(lambda names: SPACES.map(lambda s: f"{s},{s}".join(names)))


@st.composite
def terms(draw):
    inner = draw(st.sampled_from([";", " ; ", ",", "|"])).join(draw(st.lists(GROUPS, min_size=1, max_size=3)))
    given = draw(st.sampled_from(["", "|"]))
    inner += given and given + draw(GROUPS)
    name, brackets = draw(st.sampled_from(["H", "I", "H ", "G", "CE"])), draw(st.sampled_from(["[]", "()", "[)"]))
    factor = draw(st.sampled_from(["", "", "2", "3*", "1/2 ", "2 / 3 * ", "2/0*", "1.5*", "-", "b*", "2*3*"]))
    return draw(st.sampled_from([f"{factor}{name}{brackets[0]}{inner}{brackets[1]}", "0", "12", "3/4", "beta"]))


@st.composite
def statements(draw):
    parts = [draw(st.sampled_from(["", "-", "+", " - ", "--"])), draw(terms())]
    for _ in range(draw(st.integers(0, 3))):
        parts += [draw(st.sampled_from(["+", " - ", "-", " <= ", "=", " == ", ">=", "", "->"])), draw(terms())]
    return "".join(parts) + draw(st.sampled_from(["", "", " ", ".", " <= "]))


@settings(max_examples=150)
@given(
    st.one_of(
        statements(),
        st.lists(GROUPS, max_size=4).flatmap(
            lambda groups: st.sampled_from(["->", " -> ", " - ", "-", "<->"]).map(lambda arrow: arrow.join(groups))
        ),
    )
)
def test_plain_statements_are_read_as_the_grammar_reads_them(text):
    tree = read_plain(text)
    if tree is not None:
        assert repr(tree) == repr(read_general(text))


@pytest.mark.parametrize("text", ["2*H[X] - I(X;Y|Z) <= 3", "X,W -> Y -> Z", "H(X, Y | Z) = 0", "-1/2 I[X;Y] + 1 >= 0"])
def test_usual_statements_are_plain(text):
    assert repr(read_plain(text)) == repr(read_general(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (r"\underset{\theta}{\min} \mathrm{I}[X;Z]", "min I[X;Z]"),
        (r"\underset{p(z|x)}{\operatorname{argmax}} I[X;Z]", "max I[X;Z]"),
        (r"\underset{\min \theta}{\arg\max} I[X;Z]", "max I[X;Z]"),
        (r"\operatorname*{arg\,min}_{p(z|x)} I[X;Z] - \beta I[Y;Z]", "min I[X;Z] - beta*I[Y;Z]"),
        (r"\mathrm{max}_\theta I[X;Z]", "max I[X;Z]"),
        (r"\max_{minibatch} I[X;Z]", "max I[X;Z]"),
        (r"{1 \over 2} H[X] - \frac 3 4 H[Y] + \tfrac12 H[Z]", "H[X]/2 - 3*H[Y]/4 + H[Z]/2"),
    ],
)
def test_latex_of_objectives_and_short_fractions(text, wanted):
    assert parse(text) == parse(wanted)


@pytest.mark.parametrize("text", [r"\frac123 H[X]", r"\frac10 H[X]", r"{H[X] \over 2}", r"\underset{\theta}{min"])
def test_latex_that_could_be_misread_is_refused(text):
    with pytest.raises(ParseError):
        parse(text)
