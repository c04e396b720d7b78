"""Training one run: build what a configuration says, walk, measure, keep checkpoints, go on where it stopped."""

from ibtrain.training.build import build_loss, build_network, load_data
from ibtrain.training.devices import (
    by_first_process,
    decided_by_first,
    is_first_process,
    is_out_of_memory,
    number_of_processes,
    start_processes,
)
from ibtrain.training.evaluation import Evaluation, evaluate
from ibtrain.training.invariants import broken_invariants
from ibtrain.training.loop import Trained, check, train
from ibtrain.training.progress import Epoch, epochs_after
from ibtrain.training.rows import broken_lines
from ibtrain.training.together import groups, train_together

__all__ = [
    "Epoch",
    "Evaluation",
    "Trained",
    "broken_invariants",
    "broken_lines",
    "build_loss",
    "build_network",
    "by_first_process",
    "check",
    "decided_by_first",
    "epochs_after",
    "evaluate",
    "groups",
    "is_first_process",
    "is_out_of_memory",
    "load_data",
    "number_of_processes",
    "start_processes",
    "train",
    "train_together",
]
