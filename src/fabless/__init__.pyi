"""What the names of the package are, for type checkers: `__init__.py` loads them on demand."""

from fabless.case_records import Case as Case
from fabless.catalogue import Catalogue as Catalogue
from fabless.catalogue import load as load
from fabless.catalogue import read_case
from fabless.catalogue import read_chip as read_chip
from fabless.catalogue import read_model as read_model
from fabless.catalogue import read_trace as read_trace
from fabless.claims import rebuild
from fabless.decide import Decision as Decision
from fabless.decide import decide as decide
from fabless.errors import BadFile as BadFile
from fabless.errors import BadValue as BadValue
from fabless.errors import DoesNotFit as DoesNotFit
from fabless.errors import FablessError as FablessError
from fabless.errors import Leak as Leak
from fabless.errors import UnknownName as UnknownName
from fabless.links import linked as linked
from fabless.perf import serve as serve
from fabless.plan import PlanProblem as PlanProblem
from fabless.plan import solve
from fabless.quote import Quote as Quote
from fabless.quote import quote as quote
from fabless.records import LLM as LLM
from fabless.records import Chip as Chip
from fabless.records import Range as Range
from fabless.records import Request as Request
from fabless.report import as_document as as_document
from fabless.report import write_report as write_report
from fabless.silicon import chip_sheet as chip_sheet
from fabless.silicon import unit_cost as unit_cost
from fabless.tco import chip_hour_cost as chip_hour_cost

case = read_case
claims = rebuild
solve_plan = solve
