"""Options of training that change how it is computed, not what: precision, compilation, the layout of images."""

import numpy as np
import pytest
import torch
from PIL import Image

from ibtrain import Config, train
from ibtrain.training import load_data
from ibtrain.training.devices import make_fabric
from ibtrain.training.loop import Run

BASE = Config().with_options(
    ["training.epochs=2", "network.hidden=[32]", "network.latent=4", "plane.samples=100", "data.samples=300"]
)


def losses(config, **options):
    return [epoch.loss for epoch in train(config, accelerator="cpu", **options).epochs]


def test_half_precision_by_name_trains_alike_and_keeps_weights_and_losses_in_single_precision():
    config = BASE.with_options(["training.precision=bf16-mixed"])
    trained = train(config, accelerator="cpu")
    assert [epoch.loss for epoch in trained.epochs] == pytest.approx(losses(BASE), rel=0.03)
    assert {value.dtype for value in trained.network.parameters()} == {torch.float32}
    assert [epoch.loss for epoch in trained.epochs] != losses(BASE)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # torch's own, within inductor
def test_a_compiled_network_trains_alike():
    assert losses(BASE.with_options(["training.compile=true"])) == pytest.approx(losses(BASE), rel=1e-4)


def test_channels_last_trains_alike_and_lays_out_weights_and_images_so():
    plain = BASE.with_options(["network.name=cnn", "bottleneck.kind=noise"])
    config = plain.with_options(["training.channels_last=true"])
    assert losses(config) == pytest.approx(losses(plain), rel=1e-4)
    data = load_data(config.data)
    run = Run(config, data, make_fabric("cpu", "32-true"), None, None)
    weights = [value for value in run.network.parameters() if value.ndim == 4]
    assert weights
    assert all(value.is_contiguous(memory_format=torch.channels_last) for value in weights)
    images = torch.zeros(5, 3, 8, 8)
    assert run._laid_out(images).is_contiguous(memory_format=torch.channels_last)


def test_data_stay_on_the_device_and_are_not_copied_there_twice():
    data = load_data(BASE.data)
    run = Run(BASE, data, make_fabric("cpu", "32-true"), None, None)
    assert run.data.train_inputs.device == next(run.network.parameters()).device
    assert run.data.train_inputs.data_ptr() == data.train_inputs.data_ptr()


def test_augmentation_reaches_the_training_batches_alone(tmp_path):
    generator = np.random.default_rng(0)
    for part in ("train", "test"):
        for name in ("a", "b"):
            folder = tmp_path / "pictures" / part / name
            folder.mkdir(parents=True)
            for number in range(6):
                Image.fromarray(generator.integers(0, 256, (12, 12, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    options = ["data.name=images", "data.folder=pictures", "data.samples=0", "network.name=cnn", "training.epochs=1"]
    plain = BASE.with_options([*options, "training.learning_rate=1e-30", "bottleneck.noise_variance=1e-12"])
    moved = plain.with_options(["data.augment=true"])
    first, second = (train(config, accelerator="cpu", data_root=tmp_path).epochs[0] for config in (plain, moved))
    assert second.loss != pytest.approx(first.loss, rel=1e-3)
    assert second.rows[0].value == pytest.approx(first.rows[0].value, rel=1e-4)
