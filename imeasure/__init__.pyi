from .catalogue import CatalogueEntry as CatalogueEntry, objectives as objectives
from .conditions import Conditions as Conditions
from .derivation import Derivation as Derivation, Step as Step
from .distribution import Distribution as Distribution
from .errors import (
    ConfigError as ConfigError,
)
from .errors import (
    DegenerateObjectiveError as DegenerateObjectiveError,
)
from .errors import (
    DerivationError as DerivationError,
)
from .errors import (
    InformationError as InformationError,
)
from .errors import (
    ModelError as ModelError,
)
from .errors import (
    NonlinearError as NonlinearError,
)
from .errors import (
    ParseError as ParseError,
)
from .errors import (
    UndefinedQuantityError as UndefinedQuantityError,
)
from .errors import (
    UnknownVariableError as UnknownVariableError,
)
from .measure import Measure as Measure
from .model import Model as Model
from .model import supervised as supervised
from .parser import parse as parse
from .quantities import (
    Functional as Functional,
)
from .quantities import (
    H as H,
)
from .quantities import (
    I as I,
)
from .quantities import (
    Information as Information,
)
from .quantities import (
    RandomVariable as RandomVariable,
)
from .quantities import (
    param as param,
)
from .quantities import (
    rvs as rvs,
)
from .simplify import CanonicalForm as CanonicalForm, simplify as simplify
from .statements import Constraint as Constraint
from .simplify import CanonicalForm as CanonicalForm, simplify as simplify
from .statements import Objective as Objective
from .simplify import CanonicalForm as CanonicalForm, simplify as simplify
from .statements import Relation as Relation
from .certificate import Certificate as Certificate
from .prove import Verdict as Verdict, check as check
