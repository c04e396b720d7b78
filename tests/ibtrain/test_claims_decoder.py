"""C2: the optimal decoder, on encoders of three precisions and on one that was trained."""

import torch
from claim_rows import found_in, row

from ibtrain import Config, sweep
from ibtrain.claims import by_data, decoder
from ibtrain.records import collect


def random_encoder(dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(40, 7, generator=generator, dtype=dtype)
    return torch.nn.Parameter(scores), torch.randint(4, (40,), generator=generator)


def test_c2_holds_for_an_encoder_in_double_precision_and_fails_in_sixteen_bits():
    scores, targets = random_encoder()
    right = decoder.compared(lambda: scores.log_softmax(dim=-1), [scores], targets, place="here")
    assert [part.status for part in right] == ["holds", "holds"]
    assert right[0].found < 1e-12
    scores, targets = random_encoder(torch.bfloat16)
    rounded = decoder.compared(lambda: scores.log_softmax(dim=-1), [scores], targets, place="here")
    assert [part.status for part in rounded] == ["fails", "fails"]
    assert rounded[1].note.startswith("the gradients differ by a relative")


def test_c2_says_that_no_trained_run_was_there():
    finding = decoder.optimal_decoder(found_in([row("H[Z]", 1.0)]))
    assert finding.verdict == "PASS"
    assert finding.seeds == 0
    assert "on a random encoder" in finding.parts[0].spread
    assert "no run with a categorical latent and a checkpoint" in finding.parts[0].spread


def test_c2_is_measured_on_the_encoder_of_a_trained_run(tmp_path):
    options = [
        "bottleneck.kind=categorical",
        "objective.statement=min H[Y|Z]",
        "objective.gamma=0",
        "training.epochs=1",
    ]
    config = Config().with_options([*options, "network.hidden=[16]", "network.latent=5"])
    sweep([config], tmp_path, accelerator="cpu")
    (found,) = by_data(collect([tmp_path]))
    finding = decoder.optimal_decoder(found)
    assert finding.verdict == "PASS"
    name = f"{config.digest} (decoder cross-entropy minimised, gamma 0, seed 0)"
    assert finding.parts[0].spread == f"on the run {name}, 1,437 training samples"
    (tmp_path / "runs" / config.digest / "checkpoint.pt").write_bytes(b"damaged")
    finding = decoder.optimal_decoder(found)
    assert "on a random encoder" in finding.parts[0].spread
    assert "cannot read the checkpoint" in finding.parts[0].spread
