"""The error tree of both packages, for those who only train: see :mod:`imeasure.errors`."""

from imeasure.errors import ConfigError, InformationError

__all__ = ["ConfigError", "InformationError"]
