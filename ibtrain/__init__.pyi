from . import (
    claims as claims,
    datasets as datasets,
    drawing as drawing,
    estimators as estimators,
    executors as executors,
    experiments as experiments,
    functional as functional,
    networks as networks,
    page as page,
    plane as plane,
    records as records,
    report as report,
    reproduce as reproduce,
    runs as runs,
    surrogates as surrogates,
    sweeps as sweeps,
    training as training,
    variables as variables,
)
from .bottlenecks import (
    AdditiveNoise as AdditiveNoise,
    Bottleneck as Bottleneck,
    CategoricalBottleneck as CategoricalBottleneck,
    DropoutBottleneck as DropoutBottleneck,
    GaussianBottleneck as GaussianBottleneck,
    Latent as Latent,
)
from .compiler import compile as compile  # noqa: A004 - the public name says what it does
from .config import Config as Config
from .errors import (
    ConfigError as ConfigError,
    InformationError as InformationError,
    UnsoundLossError as UnsoundLossError,
)
from .loss import Loss as Loss, LossValue as LossValue
from .networks import BottleneckNetwork as BottleneckNetwork
from .sweeps import sweep as sweep
from .training import Trained as Trained, train as train
