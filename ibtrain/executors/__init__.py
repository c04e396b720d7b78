"""Who trains the runs of a sweep: this process, worker processes, or a Ray cluster.

All call one function, `train_run`, which locks the run's folder, goes on from its checkpoint and stores its results. So
the numbers do not depend on who trains, and a run that another process is training is waited for, not trained twice.
"""

from ibtrain.executors.cluster import OnRay
from ibtrain.executors.local import InProcess, Together, Workers
from ibtrain.executors.run import Executor, Outcome, Place, train_run

__all__ = ["Executor", "InProcess", "OnRay", "Outcome", "Place", "Together", "Workers", "train_run"]
