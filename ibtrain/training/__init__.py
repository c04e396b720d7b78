"""Training one run: build what a configuration says, walk, measure, keep checkpoints, go on where it stopped."""

from ibtrain.training.build import build_loss, build_network, load_data
from ibtrain.training.devices import is_first_process, wait_for_processes
from ibtrain.training.documents import documents
from ibtrain.training.evaluation import Evaluation, evaluate
from ibtrain.training.invariants import broken_invariants
from ibtrain.training.loop import Trained, check, train
from ibtrain.training.progress import Epoch

__all__ = [
    "Epoch",
    "Evaluation",
    "Trained",
    "broken_invariants",
    "build_loss",
    "build_network",
    "check",
    "documents",
    "evaluate",
    "is_first_process",
    "load_data",
    "train",
    "wait_for_processes",
]
