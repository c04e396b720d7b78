"""The error tree of both packages, for those who only train: see :mod:`imeasure.errors`."""

from imeasure.errors import ConfigError, DerivationError, InformationError, UnsoundLossError

__all__ = ["ConfigError", "DerivationError", "InformationError", "UnsoundLossError"]
