"""Which computable quantity may stand for which term of an objective, as data.

Every entry of `SURROGATES` says what it bounds and from which side, what it needs, how it is written and where it comes
from; its value is a pure function of `ibtrain.functional`. Which terms it may replace is proved, not listed. Source:
Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 6.
"""

from ibtrain.surrogates.entry import KINDS, Batch, Side, Surrogate
from ibtrain.surrogates.registry import SURROGATES, surrogate

__all__ = ["KINDS", "SURROGATES", "Batch", "Side", "Surrogate", "surrogate"]
