"""Two processes with unequal shards compute the loss and the gradient of one process on the joined batch."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from processes import REDUCIBLE, in_one_process

from ibtrain.reduction import LOCAL, across_processes


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    script = Path(__file__).with_name("processes.py")
    ranks = [subprocess.Popen([sys.executable, str(script), str(folder), rank]) for rank in ("0", "1")]
    try:
        assert [rank.wait(timeout=240) for rank in ranks] == [0, 0]
    finally:
        for rank in ranks:
            rank.kill()
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.fixture(scope="module")
def one_process():
    return in_one_process()


@pytest.mark.parametrize("name", [*REDUCIBLE, "network"])
def test_two_processes_equal_one_on_the_joined_batch(name, one_process, two_processes):
    loss, gradients = one_process[name]
    for found in two_processes:
        mine, averaged = found[name]
        assert torch.allclose(mine, loss, rtol=1e-9, atol=1e-12)
        assert averaged.keys() == gradients.keys()
        for key, gradient in gradients.items():
            assert (averaged[key] - gradient).norm() <= 1e-9 * gradient.norm() + 1e-12, key


def test_within_one_process_nothing_is_reduced():
    assert across_processes() is LOCAL
    values = torch.arange(6.0).reshape(2, 3)
    assert LOCAL.sum(values) is values
    assert LOCAL.gather(values, 1) is values
    assert LOCAL.count(3, values) == 3
    assert LOCAL.offset(3) == 0
