"""Bottlenecks and functionals as real training uses them: exact gradients, compiled graphs, autocast, accumulation."""

import itertools
import math

import pytest
import torch
from functionals import FUNCTIONALS, tensors, used
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

from ibtrain import (
    AdditiveNoise,
    CategoricalBottleneck,
    DropoutBottleneck,
    GaussianBottleneck,
    compile,  # noqa: A004 - the public name
    functional as f,
)

CLASSES, BATCH = 3, 24


def data(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    target = torch.arange(BATCH) % CLASSES
    return torch.randn(BATCH, 5, generator=generator, dtype=dtype) + target[:, None], target


def gradient_of_the_decoder_uncertainty_by_enumeration(network, inputs, targets):
    """E_{p(x,z)}[d/dtheta ln p(z|x) E_{p(y|x)} h(p(y|z))]: Kirsch, Lyle and Gal (2020), A.3; several classes per x."""
    parameters = list(network.parameters())
    log_rows = network(inputs).log_softmax(dim=1)
    probability = log_rows.detach().exp()
    labels = nn.functional.one_hot(targets, CLASSES).to(probability).mean(dim=1)
    joint = labels.T @ probability
    content = -(joint / joint.sum(dim=0)).log()
    expected = [torch.zeros_like(parameter) for parameter in parameters]
    for x, z in itertools.product(range(len(inputs)), range(log_rows.shape[1])):
        weight = probability[x, z] / len(inputs) * (labels[x] @ content[:, z])
        score = torch.autograd.grad(log_rows[x, z], parameters, retain_graph=True)
        expected = [total + weight * part for total, part in zip(expected, score, strict=True)]
    return torch.cat([part.flatten() for part in expected])


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_autograd_of_the_decoder_uncertainty_is_the_estimator_by_enumeration(dtype, tolerance):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 6)).double()
    inputs, target = data(torch.float64)
    targets = torch.stack([target, target, torch.randint(CLASSES, (BATCH,))], dim=1)
    expected = gradient_of_the_decoder_uncertainty_by_enumeration(network, inputs, targets)
    network = network.to(dtype)
    table = network(inputs.to(dtype)).log_softmax(dim=1).repeat_interleave(3, dim=0)
    value = f.decoder_uncertainty(table, targets.flatten(), CLASSES)
    automatic = torch.cat([part.flatten() for part in torch.autograd.grad(value, list(network.parameters()))])
    assert (automatic - expected).norm() <= tolerance * expected.norm()


class Network(nn.Module):
    def __init__(self, bottleneck, size):
        super().__init__()
        self.bottleneck = bottleneck
        self.decoder = nn.Linear(size, CLASSES)

    def forward(self, inputs):
        latent = self.bottleneck(inputs)
        return latent, self.decoder(latent.samples)


def moments(network, inputs, target):
    latent, logits = network(inputs)
    noise = {"noise_variance": latent.noise_variance}
    return (
        f.decoder_cross_entropy(logits, target)
        + 0.1 * f.conditional_log_variance(latent.centres, target, CLASSES, **noise)
        + 0.1 * f.conditional_log_determinant(latent.centres, target, CLASSES, **noise)
    )


def divergence(network, inputs, target):
    latent, logits = network(inputs)
    return f.decoder_cross_entropy(logits, target) + 0.1 * f.gaussian_kl_to_prior(
        latent.centres, noise_variance=latent.noise_variance
    )


def exact(network, inputs, target):
    latent, logits = network(inputs)
    return f.decoder_cross_entropy(
        logits, target, log_weights=latent.log_weights
    ) + 0.1 * f.categorical_conditional_information(latent.log_probabilities, target, CLASSES)


CASES = {
    "additive": (lambda: Network(AdditiveNoise(nn.Linear(5, 4), samples=2), 4), moments),
    "gaussian": (lambda: Network(GaussianBottleneck(nn.Linear(5, 8)), 4), divergence),
    "categorical": (lambda: Network(CategoricalBottleneck(nn.Linear(5, 7)), 7), exact),
    "dropout": (lambda: Network(DropoutBottleneck(nn.Linear(5, 4), rate=0.2, samples=2, variance=0.1), 4), moments),
}


@pytest.fixture(params=CASES)
def case(request):
    make, loss = CASES[request.param]
    torch.manual_seed(0)
    return make(), loss


def seeded(function, *given):
    torch.manual_seed(7)
    return function(*given)


@pytest.mark.parametrize("backend", ["eager", pytest.param("aot_eager", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", sorted(FUNCTIONALS))
def test_every_functional_compiles_into_one_graph(name, backend):
    values = tensors(dtype=torch.float32, batch=18)
    key = used(name, values)[0]
    leaf = getattr(values, key).requires_grad_()
    torch.compiler.reset()
    compiled = torch.compile(FUNCTIONALS[name], fullgraph=True, backend=backend)
    value, expected = compiled(values), FUNCTIONALS[name](values)
    assert torch.allclose(value, expected, rtol=1e-5)
    (mine,), (theirs,) = torch.autograd.grad(value, leaf), torch.autograd.grad(expected, leaf)
    assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_bottleneck_and_loss_compile_into_one_graph_forward_and_backward(case):
    network, loss = case
    inputs, target = data()
    torch.compiler.reset()
    compiled = torch.compile(lambda *given: loss(network, *given), fullgraph=True, backend="eager")
    value, expected = seeded(compiled, inputs, target), seeded(loss, network, inputs, target)
    assert torch.allclose(value, expected, rtol=1e-5)
    parameters = list(network.parameters())
    for mine, theirs in zip(
        torch.autograd.grad(value, parameters), torch.autograd.grad(expected, parameters), strict=True
    ):
        assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("how", [{}, {"dynamic": True}, {"mode": "vmap"}], ids=["as met", "dynamic", "vmap"])
def test_a_compiled_function_takes_other_shapes_and_other_noise(how):
    def value(latent, target, variance):
        return f.conditional_log_variance(latent, target, CLASSES, noise_variance=variance)

    options = dict(how)
    over = torch.func.vmap(value, in_dims=(0, None, None)) if options.pop("mode", None) else value
    torch.compiler.reset()
    compiled = torch.compile(over, fullgraph=True, backend="aot_eager", **options)
    torch.manual_seed(0)
    for batch, variance in ((6, 0.1), (9, 0.2), (14, torch.rand(4)), (6, 0.0)):
        latent = torch.randn(*([2] if over is not value else []), 3, batch, 4, requires_grad=True)
        target = torch.arange(batch) % CLASSES
        mine, theirs = compiled(latent, target, variance), over(latent, target, variance)
        assert torch.allclose(mine, theirs, rtol=1e-5)
        (one,), (other,) = torch.autograd.grad(mine.sum(), latent), torch.autograd.grad(theirs.sum(), latent)
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)
    with pytest.raises(Exception, match="latent must be S x B x K"):
        compiled(torch.zeros(3), target, 0.1)


@pytest.mark.parametrize("parameter", ["gamma", "beta"])
def test_a_parameter_given_as_a_number_stays_in_the_graph(parameter):
    torch.manual_seed(0)
    network = Network(AdditiveNoise(nn.Linear(5, 4)), 4)
    loss = compile("min I[X;Z] - beta*I[Y;Z]", latent=network.bottleneck)

    def step(inputs, target, number):
        latent, logits = network(inputs)
        return loss(latent, logits, target, **{parameter: number}).total

    torch.compiler.reset()
    compiled = torch.compile(step, fullgraph=True, backend="eager")
    for number in (1.5, 2.5, 11):
        assert torch.allclose(seeded(compiled, *data(), number), seeded(step, *data(), number), rtol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # torch's own, within inductor
@pytest.mark.parametrize("autocast", [False, True])
def test_the_default_backend_gives_the_same_gradients(autocast):
    torch.manual_seed(0)
    network = Network(GaussianBottleneck(nn.Linear(5, 8), samples=1), 4)
    inputs, target = data()
    noise = torch.randn(1, BATCH, 4)

    def step(inputs, target, noise):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            latent = network.bottleneck(inputs)
            samples = latent.centres + latent.noise_std * noise
            logits = network.decoder(samples)
            known = {"noise_variance": latent.noise_variance}
            return (
                f.decoder_cross_entropy(logits, target)
                + f.conditional_log_variance(latent.centres, target, CLASSES, **known)
                + f.log_determinant(latent.centres, **known)
                + f.gaussian_kl_to_prior(latent.centres, **known)
                + f.pairwise_information_bound(latent.centres, **known)
            )

    torch.compiler.reset()
    compiled = torch.compile(step, fullgraph=True)
    value = compiled(inputs, target, noise)
    mine = torch.autograd.grad(value, list(network.parameters()))
    expected = step(inputs, target, noise)
    tolerance = 2e-2 if autocast else 1e-4
    assert value.dtype == torch.float32
    assert torch.allclose(value, expected, rtol=tolerance)
    for one, other in zip(mine, torch.autograd.grad(expected, list(network.parameters())), strict=True):
        assert (one - other).norm() <= tolerance * other.norm() + 1e-6


def test_under_autocast_only_the_layers_are_coarse(case):
    network, loss = case
    inputs, target = data()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = seeded(loss, network, inputs, target)
    value.backward()
    expected = seeded(loss, network, inputs, target)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(expected.item(), rel=0.03)
    assert all(parameter.grad.dtype == torch.float32 for parameter in network.parameters())


def test_models_mapped_over_stacked_parameters_train_as_a_loop_does():
    inputs, target = data(torch.float64)
    make, _ = CASES["categorical"]
    networks = [make().double() for _ in range(3)]
    gammas = torch.tensor([0.0, 0.1, 1.0], dtype=torch.float64)
    parameters, buffers = stack_module_state(networks)
    skeleton = make().double()

    def objective(parameters, buffers, gamma):
        latent, logits = functional_call(skeleton, (parameters, buffers), (inputs,))
        fit = f.decoder_cross_entropy(logits, target, log_weights=latent.log_weights)
        return fit + gamma * f.categorical_conditional_entropy(latent.log_probabilities, target, CLASSES)

    mapped = vmap(grad(objective))(parameters, buffers, gammas)
    for index, network in enumerate(networks):
        own = {name: value.detach() for name, value in network.named_parameters()}
        single = grad(objective)(own, {}, gammas[index])
        for name, value in single.items():
            assert torch.allclose(mapped[name][index], value, rtol=1e-10, atol=1e-12)


def test_accumulated_gradients_of_means_are_those_of_the_whole_batch_and_of_moments_are_not():
    torch.manual_seed(0)
    network = Network(GaussianBottleneck(nn.Linear(5, 8)), 4).double()
    inputs, _ = data(torch.float64)
    parameters = list(network.bottleneck.parameters())

    def kl(rows):
        latent = network.bottleneck(inputs[rows])
        return f.gaussian_kl_to_prior(latent.centres, noise_variance=latent.noise_variance)

    def variance(rows):
        latent = network.bottleneck(inputs[rows])
        return f.log_variance(latent.centres, noise_variance=latent.noise_variance)

    def whole_and_accumulated(loss):
        parts = [torch.arange(0, 12), torch.arange(12, BATCH)]
        whole = torch.autograd.grad(loss(torch.arange(BATCH)), parameters)
        accumulated = torch.autograd.grad(sum(loss(rows) / 2 for rows in parts), parameters)
        return [(a - w).norm().item() / w.norm().item() for a, w in zip(accumulated, whole, strict=True)]

    assert max(whole_and_accumulated(kl)) < 1e-12
    assert max(whole_and_accumulated(variance)) > 1e-4


def test_the_joined_batch_of_an_accumulation_gives_the_gradient_of_the_whole():
    """Two passes: latents of all parts without gradients, then each part again within the joined batch."""
    torch.manual_seed(0)
    encoder = AdditiveNoise(nn.Linear(5, 4)).double()
    inputs, target = data(torch.float64)
    parts = [torch.arange(0, 10), torch.arange(10, BATCH)]
    whole = encoder(inputs)
    value = f.conditional_log_variance(whole.centres, target, CLASSES, noise_variance=whole.noise_variance)
    expected = torch.autograd.grad(value, list(encoder.parameters()))
    with torch.no_grad():
        known = [encoder(inputs[rows]).mean for rows in parts]
    for index, rows in enumerate(parts):
        mean = encoder(inputs[rows]).mean
        joined = torch.cat([*known[:index], mean, *known[index + 1 :]]).unsqueeze(0)
        f.conditional_log_variance(joined, target, CLASSES, noise_variance=whole.noise_variance).backward()
    for parameter, gradient in zip(encoder.parameters(), expected, strict=True):
        assert torch.allclose(parameter.grad, gradient, rtol=1e-10)
    assert math.isfinite(value.item())
