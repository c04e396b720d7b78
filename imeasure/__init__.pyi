from .bottleneck import InformationCurve as InformationCurve, blahut_arimoto as blahut_arimoto
from .catalogue import CatalogueEntry as CatalogueEntry, objectives as objectives
from .certificate import Certificate as Certificate
from .derivation import Derivation as Derivation, Step as Step
from .diagrams import diagram as diagram
from .distribution import Distribution as Distribution, Samples as Samples
from .errors import (
    ConfigError as ConfigError,
    DegenerateObjectiveError as DegenerateObjectiveError,
    DerivationError as DerivationError,
    InformationError as InformationError,
    ModelError as ModelError,
    NonlinearError as NonlinearError,
    ParseError as ParseError,
    UndefinedQuantityError as UndefinedQuantityError,
    UnknownVariableError as UnknownVariableError,
    UnsoundLossError as UnsoundLossError,
)
from .inquiry import (
    Bound as Bound,
    Bounds as Bounds,
    LedgerEntry as LedgerEntry,
    bounds as bounds,
    conditions as conditions,
    hints as hints,
    ledger as ledger,
)
from .learning import supervised as supervised
from .measure import Measure as Measure
from .model import Model as Model
from .parser import parse as parse
from .printing import to_latex as to_latex, to_text as to_text, to_unicode as to_unicode
from .prove import Verdict as Verdict, check as check, prove_range as prove_range, valid_range as valid_range
from .quantities import (
    Functional as Functional,
    H as H,
    I as I,
    Information as Information,
    RandomVariable as RandomVariable,
    param as param,
    rvs as rvs,
)
from .rewriting import (
    CanonicalForm as CanonicalForm,
    Equivalence as Equivalence,
    Shortest as Shortest,
    equivalent as equivalent,
    shortest as shortest,
    simplify as simplify,
)
from .signs import Conditions as Conditions
from .statements import Constraint as Constraint, Objective as Objective, Relation as Relation
from .words import Glossary as Glossary, glossary as glossary
