"""Configurations: everything that decides the numbers of one run, as strict, frozen data."""

from ibtrain.config.fields import (
    DATA_SETS,
    ZERO_ENTROPY_VARIANCE,
    BottleneckConfig,
    Config,
    DataConfig,
    NetworkConfig,
    ObjectiveConfig,
    PlaneConfig,
    ScalingConfig,
    TrainingConfig,
)
from ibtrain.config.sections import Section

__all__ = [
    "DATA_SETS",
    "ZERO_ENTROPY_VARIANCE",
    "BottleneckConfig",
    "Config",
    "DataConfig",
    "NetworkConfig",
    "ObjectiveConfig",
    "PlaneConfig",
    "ScalingConfig",
    "Section",
    "TrainingConfig",
]
