import networkx as nx
import pytest
import sympy
from hypothesis import given, settings, strategies as st
from strategies import expressions

from imeasure import (
    Certificate,
    Distribution,
    InformationError,
    Model,
    ModelError,
    ParseError,
    UndefinedQuantityError,
    UnknownVariableError,
    check,
    param,
    parse,
    supervised,
    to_text,
)
from imeasure.graphs import separations
from imeasure.measure import entropy_form
from imeasure.shannon import elementals

beta = param("beta")


@pytest.mark.parametrize(
    ("graph", "expression", "normal_form"),
    [
        ("Y -> X -> Z", "I[Y;Z|X]", "0"),
        ("Y -> X -> Z", "I[X;Z]", "I[X;Y;Z] + I[X;Z|Y]"),
        ("Y -> X -> Z", "I[X;Y;Z] - I[Y;Z]", "0"),
        ("X -> Y <- Z".replace("<- Z", "; Z -> Y"), "I[X;Z]", "0"),
        ("X -> Y; Z -> Y", "I[X;Y;Z] + I[X;Z|Y]", "0"),
        ("Y -> X; Y -> Z", "I[X;Z|Y]", "0"),
        ("A -> B -> C -> D", "I[A;D|B,C] + I[A;C|B] + I[B;D|A,C]", "0"),
        ("X, W -> Z", "I[X;W]", "0"),
        ("X; Y", "I[X;Y]", "0"),
    ],
)
def test_graphs_make_separated_information_vanish(graph, expression, normal_form):
    assert Model(graph).reduce(expression) == parse(normal_form)


def test_a_graph_may_be_networkx():
    graph = nx.DiGraph([("Y", "X"), ("X", "Z")])
    assert Model(graph) == Model("Y -> X -> Z")
    assert set(Model("Y -> X -> Z").digraph().edges) == {("Y", "X"), ("X", "Z")}


@pytest.mark.parametrize("seed", range(20))
def test_separations_are_the_conditional_independences_of_generic_distributions(seed):
    """Random tables are faithful to their graph, so what is not separated must not vanish on them."""
    generator = nx.gnp_random_graph(4, 0.5, seed=seed, directed=True)
    graph = nx.DiGraph((f"X{a}", f"X{b}") for a, b in generator.edges if a < b)
    graph.add_nodes_from(f"X{i}" for i in range(4))
    nodes = tuple(sorted(graph))
    separated = set(separations(nodes, tuple(graph.edges)))
    distribution = Distribution.random(graph, alphabet=3, seed=seed, denominator=40)
    for elemental in elementals(4):
        if elemental.i != elemental.j:
            vanishes = abs(distribution.value(elemental.quantity(nodes))) < 1e-12
            assert vanishes == (elemental in separated)


def test_chain_of_eight_leaves_interval_atoms():
    model = Model(" -> ".join(f"X{i}" for i in range(8)))
    assert 255 - len(model.vanishing_atoms()) == 8 * 9 // 2


@settings(max_examples=60)
@given(
    expressions(symbolic=False),
    st.sampled_from(["Y -> X -> Z; X, W -> Z", "W -> X -> Y -> Z", "X -> Z; Y -> Z; Z -> W", "W; X; Y -> Z"]),
    st.integers(0, 1000),
)
def test_a_reduced_expression_has_the_value_of_the_original(expression, graph, seed):
    reduced = Model(graph).reduce(expression)
    distribution = Distribution.random(graph, seed=seed)
    assert distribution.value(reduced) == pytest.approx(distribution.value(expression), abs=1e-9)


@given(expressions(functionals=True))
def test_normal_forms_are_unique(expression):
    model = Model("Y -> X -> Z; X, W -> Z")
    reduced = model.reduce(expression)
    assert model.reduce(reduced) == reduced
    assert model.reduce(expression + 3 * parse("I[Y;Z|X,W]")) == reduced
    assert model.reduce(reduced - expression) == 0


@given(expressions())
def test_without_facts_the_normal_form_is_the_measure(expression):
    assert entropy_form(Model().reduce(expression) - expression).is_zero()


@pytest.mark.parametrize(
    ("facts", "vanishing"),
    [
        (["H[Z|X] = 0"], ["H[Z|X]", "H[Z|X,Y]", "I[Z;Y|X]"]),
        (["I[X;Y,Z] = 0"], ["I[X;Y]", "I[X;Z]", "I[X;Y|Z]"]),
        (["0 = I[X;Y|Z]"], ["I[X;Y|Z]"]),
        (["X -> Y -> Z -> W"], ["I[X;W|Y]", "I[X;W|Z]", "I[X;Z|Y,W]"]),
        (["X _||_ Y _||_ Z"], ["I[X;Y]", "I[X;Y|Z]", "I[X,Y;Z]"]),
        (["H[X] = H[X|Y]", "I[Y;X|Z] = I[X;Y]"], ["I[X;Y]", "I[X;Y;Z]"]),
        (["H[X] = H[Y] = H[Z]"], ["H[X] - H[Z]"]),
        (["I[X,Z;Y,Z] = 0"], ["H[Z]", "I[X;Y]", "I[X;Z]"]),
    ],
)
def test_assumptions_bring_what_vanishes_with_them(facts, vanishing):
    model = Model(assume=facts)
    assert [model.reduce(quantity) for quantity in vanishing] == [0] * len(vanishing)


def test_a_zero_entropy_of_a_continuous_variable_is_only_an_equation():
    model = Model("X -> Z", kinds={"Z": "continuous"}, assume=["H[Z|X] = 0"])
    assert model.reduce("H[Z|X]") == 0
    free = Model(kinds={"Z": "continuous"}, assume=["H[Z|X] = 0"])
    assert free.reduce("I[Y;Z|X]") != 0
    assert Model(assume=["H[Z|X] = 0"]).reduce("I[Y;Z|X]") == 0


def test_constants_in_equations():
    model = Model(assume=["H[X] = 2", "H[Y] = H[X] - 1/2"])
    assert model.reduce("H[X] + 2*H[Y]") == 5


def test_supervised_models():
    assert supervised() == Model("Y -> X -> Z", fixed=("X", "Y"), kinds={"Z": "discrete"})
    assert supervised(encoder="deterministic").reduce("H[Z|X]") == 0
    assert supervised("noisy", "deterministic").constants == (parse("H[Z|X]"),)
    bayesian = supervised(weights=True)
    assert bayesian.reduce("H[Z|X] - I[Z;W|X] - H[Z|X,W]") == 0
    assert bayesian.reduce("I[X;W]") == 0


def test_noiseless_maps_leave_quantities_undefined():
    model = supervised("continuous", "deterministic")
    for quantity in ("I[X;Z]", "I[X;Z|Y]", "H[Z|X]", "H[X|Z]"):
        with pytest.raises(UndefinedQuantityError, match="Add independent noise to Z"):
            model.reduce(quantity)
    assert model.reduce("I[Y;Z] - H[Y] + H[Y|Z]") == 0
    assert model.reduce("H[Z|Y] - H[Z] + I[Y;Z]") == 0


def test_symbolic_coefficients_are_exact():
    model = supervised()
    expression = parse("beta*I[X;Z]/(beta-1) - I[Y;Z]/(beta-1) - I[Y;Z]")
    assert sympy.simplify(model.reduce(expression) - parse("beta/(beta-1)*I[X;Z|Y]")) == 0


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Model("X -> Y -> X"), ModelError, "cycle: X -> Y -> X"),
        (lambda: Model(" "), ModelError, "the graph is empty"),
        (lambda: Model("H[X] = 2 -> Y"), ParseError, r"expected"),
        (lambda: Model(3), ModelError, "networkx.DiGraph"),
        (lambda: Model("X -> Y", fixed="Z"), UnknownVariableError, "unknown variable 'Z'"),
        (lambda: Model("X -> Y", assume=["I[X;Q] = 0"]), UnknownVariableError, "unknown variable 'Q'"),
        (lambda: Model("X -> Yhat").reduce("H[Yhta]"), UnknownVariableError, "did you mean 'Yhat'"),
        (lambda: Model(kinds={"X": "continous"}), ModelError, "did you mean 'continuous'"),
        (lambda: Model(ranges={"beta": (2, 1)}), ModelError, "the range of beta is empty"),
        (lambda: Model(assume=["H[X]"]), ModelError, "is no fact"),
        (lambda: Model(assume=["H[X] = 1", "H[X] = 2"]).reduce("H[X]"), ModelError, "contradict each other"),
        (lambda: Model(assume=["beta*H[X] = H[Y]"]).reduce("H[X]"), ModelError, "has a parameter"),
        (lambda: supervised("noise"), ModelError, "did you mean 'noisy'"),
        (lambda: Model("X -> Y", fixed=3), ModelError, "fixed is a name, a quantity"),
        (lambda: Model("X -> Y", ranges=[1]), ModelError, "ranges are given by parameter"),
    ],
)
def test_bad_models_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_every_error_is_in_the_tree():
    assert issubclass(ModelError, InformationError)


def test_models_are_values():
    model = Model("Y -> X -> Z", ranges={"beta": (1, sympy.oo)}, assume=["H[Z] = H[X]"], kinds={"Z": "noisy"})
    again = Model(
        "Y -> X -> Z", ranges={beta: sympy.Interval.open(1, sympy.oo)}, assume=["H[Z] = H[X]"], kinds={"Z": "noisy"}
    )
    assert model == again
    assert hash(model) == hash(again)
    assert model.assuming(["H[Y|X] = 0"]).reduce("H[Y|X]") == 0
    assert model.reduce("H[Y|X]") != 0
    assert str(Model()) == "no facts"


def test_text_is_never_evaluated():
    with pytest.raises(InformationError):
        Model(ranges={"beta": ("__import__('os').getcwd()", 2)})
    with pytest.raises(InformationError, match="expected an expression of quantities"):
        to_text("__import__('os').getcwd()")
    assert Model(ranges={"beta": ("1/2", 2)}).range(beta) == sympy.Interval.open(sympy.Rational(1, 2), 2)
    with pytest.raises(ModelError, match="pair of numbers"):
        Model(ranges={"beta": 3})


@pytest.mark.parametrize(
    "ranges",
    [
        {"β": (0, 1), "beta": (3, 5)},
        {3: (0, 1)},
        {"beta": (float("nan"), 1)},
        {"beta": (1,)},
        {"beta": "(1,2)"},
        {"beta": (0, sympy.I)},
    ],
)
def test_unusable_ranges_are_refused(ranges):
    with pytest.raises(ModelError):
        Model(ranges=ranges)


def test_symbols_of_any_kind_are_the_parameter_of_their_name():
    plain = sympy.Symbol("beta")
    assert Model(ranges={plain: (0, 1)}).range(beta) == sympy.Interval.open(0, 1)
    assert Model().reduce(plain * parse("H[X]") - beta * parse("H[X]")) == 0


@pytest.mark.parametrize("coefficient", [sympy.I, sympy.oo, float("nan"), float("inf")])
def test_coefficients_are_real_numbers(coefficient):
    with pytest.raises(InformationError):
        Model().reduce(coefficient * parse("H[X]"))


def test_limits_on_the_number_of_variables():
    names = ",".join(f"X{i}" for i in range(9))
    assert entropy_form(Model().reduce(f"H[{names}] - H[X0]") - parse(f"H[{names}] - H[X0]")).is_zero()
    chain = Model(names.replace(",", " -> "))
    assert chain.reduce("H[X0]") == parse("H[X0]")
    assert chain.reduce("I[X1;X3] - I[X1;X2;X3]") == chain.reduce("I[X0;X8|X4]") == 0
    assert chain.reduce("I[X0;X8]") != 0
    assert chain.assuming(["H[X2|X1] = 0"]).reduce("H[X2|X0,X1]") == 0
    with pytest.raises(ModelError, match="up to 8 variables, and 9 are involved"):
        chain.reduce(f"H[{names}]")
    with pytest.raises(ModelError, match="up to 8 variables"):
        chain.assuming(["H[X8] = H[X7]"]).reduce("H[X0]")


@pytest.mark.parametrize(
    ("facts", "vanishing", "staying"),
    [
        (["H[X|Y] + I[Y;Z|X] <= 0"], ["H[X|Y]", "I[X;Z|Y]", "I[Y;Z|X]"], ["H[Y|X]", "I[X;Y]"]),
        (["H[X,Y] <= H[X]"], ["H[Y|X]", "I[Y;Z|X]"], ["H[Y|Z]"]),
        (["I[X;Y] <= I[X;Y|Z]", "I[X;Y|Z] <= 0"], ["I[X;Y]", "I[X;Y;Z]"], ["I[X;Z]"]),
        (["KL[Y|Z] + H[X] = 0"], ["H[X]", "KL[Y|Z]", "I[X;Y]"], ["H[Y]"]),
        (["H[X] <= 2", "H[X] >= 2"], ["H[X] - 2"], ["H[Y]"]),
        (
            ["I[A;B|C,D,E,F] + I[C;D] <= I[A;C] - I[A;C,D]"],
            ["I[A;B|C,D,E,F]", "I[C;D]", "I[A;D|C]", "I[A;D]"],
            ["I[A;B]"],
        ),
    ],
)
def test_inequalities_squeeze_equations(facts, vanishing, staying):
    model = Model(assume=facts)
    assert [model.reduce(quantity) for quantity in vanishing] == [0] * len(vanishing)
    assert all(model.reduce(quantity) != 0 for quantity in staying)


def test_contradictory_inequalities_are_said():
    with pytest.raises(ModelError, match="contradict each other"):
        Model(assume=["H[X] <= 1", "H[X,Y] <= 0", "H[X] >= 1/2"]).reduce("H[Y]")


def test_entropies_of_continuous_variables_squeeze_nothing():
    facts = ["H[Z|X] + H[X|Z] <= 0"]
    assert Model(assume=facts).reduce("H[Z|X]") == 0
    assert Model(kinds={"Z": "continuous"}, assume=facts).reduce("H[Z|X]") != 0


@pytest.mark.parametrize("graph", ["X <-> Y", "X -> Y; Y ↔ Z"])
def test_arrows_of_graphs_point_one_way(graph):
    with pytest.raises(ModelError, match="says no direction"):
        Model(graph)
    assert Model(assume=["X <-> Y <-> Z"]).reduce("I[X;Z|Y]") == 0


def test_printed_graphs_are_read_back():
    for text in ("A; B", "X -> Y; W", "X -> Z; Y -> X"):
        assert str(Model(text)) == text
        assert Model(str(Model(text))) == Model(text)


@pytest.mark.parametrize(
    "relation", ["I[Z;Yhat] <= H[Z]", "I[Z;Yhat|X] <= H[Z|X]", "H[Z|X,Yhat] >= 0", "H[Z|Yhat] >= 0"]
)
def test_what_a_noisy_variable_influences_may_know_its_noise(relation):
    model = Model("Y -> X -> Z -> Yhat", fixed=["X", "Y"], kinds={"Z": "noisy"})
    assert not check(relation, model=model)
    for kept in ("H[Z|X,Y] >= 0", "H[Z|X] >= 0", "I[X;Z|Y] <= H[Z|Y]", "H[Z] >= 0"):
        verdict = check(kept, model=model)
        assert verdict.certificate.verify()
        assert Certificate.from_json(verdict.certificate.to_json()).verify()


def test_noise_that_a_decoder_sees_is_no_floor_for_reduced_forms():
    given = ["H[Z|X,Yhat] <= 0"]
    forked = Model("X -> Z -> Yhat", kinds={"Z": "noisy"}, assume=given)
    plain = Model("X -> Z", kinds={"Z": "noisy"}, assume=["H[Z|X] <= 0"])
    assert plain.reduce("H[Z|X]") == 0
    assert forked.reduce("H[Z|X,Yhat]") != 0
