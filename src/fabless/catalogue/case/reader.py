"""A checked case file becomes a case: numbers as ranges in SI, names looked up, nothing leaking
from the future."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from fabless.case_records import Case, CaseNumber, Line, Load, Programme
from fabless.catalogue.case import schema
from fabless.catalogue.case.contracts import case_contract, contract_money
from fabless.catalogue.case.fields import Number, Unit
from fabless.catalogue.case.leaks import hindsight_faults
from fabless.catalogue.case.market import correlation_numbers, market_errors, market_records
from fabless.catalogue.case.numbers import NumberReader, case_numbers
from fabless.catalogue.case.programmes import programme_faults, programme_spec
from fabless.catalogue.case.schema_programme import ProgrammeSection
from fabless.catalogue.case.ways import own_way, way_errors
from fabless.catalogue.facts.store import Catalogue
from fabless.catalogue.files.own import Trace, chip_from_mapping, embedded_trace, read_model, read_trace
from fabless.catalogue.files.yaml import Document
from fabless.errors import BadValue, FablessError, Fault, Leak, UnknownName, unknown
from fabless.records import LLM, Chip, Request
from fabless.titles import IN_PLACE
from fabless.units import QUARTER_S, Quarter, quantity

MOST_SCENARIOS = 1000
"""Leaves of the tree up to which the plans fit an ordinary machine."""
ROUNDING = 1e-12
"""What shares that add up to 1 may come to above it."""
PRICE_UNIT = {"buy": Unit("USD"), "rent": Unit("USD/h")}
_LINE_TEXT = ("vendor", "chip", "how", "first_quarter")
_LINE_TERMS = ("price", "price_decline", "allotment", "allotment_growth", "lead_normal", "lead_scarce")
_SUCCESSOR_TERMS = ("successor_first", "successor_gap", "successor_gain", "successor_price", "successor_power")

S = TypeVar("S")
T = TypeVar("T")


class CaseReader:
    """Builds the case record, gathering the faults of every part on the way."""

    def __init__(self, file: schema.CaseFile, document: Document, folder: Path, catalogue: Catalogue) -> None:
        self.file, self.document, self.folder, self.catalogue = file, document, folder, catalogue
        self.numbers = NumberReader(catalogue, file.as_of, file.price_year, file.ranges.beyond)
        self.errors: list[FablessError] = []

    def case(self) -> Case:
        """The record, or one error with every fault found: of their kind where they are of one,
        else `BadValue`."""
        file = self.file
        numbers = dict(self._numbers()) | dict(correlation_numbers(file, self.numbers.read))
        for name in file.chips:
            self._try(f"chips.{name}", lambda name=name: self._own_chip(name))  # type: ignore[misc]
        loads = self._each("loads", file.loads, self._load)
        lines = self._each("lines", file.lines, self._line)
        programmes = self._each("programmes", file.programmes, lambda name, item: self._programme(name, item, numbers))
        existing = self._try("existing.chip", lambda: self._chip(file.existing.chip))
        contracts = self._each("contracts", file.contracts, lambda name, item: case_contract(
            file, name, item, self._chip, self.document.at))
        learning_s = self._time("news.learning", file.news.learning, is_open=False)
        self._check_shape()
        self._check_news()
        self._check_names()
        self._check_loads(numbers)
        self.errors += market_errors(file, numbers, self.document.at)
        self.errors += way_errors(file, self._line_or_own, self.document.at)
        if self.errors or existing is None:
            kinds = {type(error) for error in self.errors}
            faults = dict.fromkeys(fault for error in self.errors for fault in error.faults)
            raise (kinds.pop() if len(kinds) == 1 else BadValue)(*faults)
        case = Case(
            name=file.name, title=file.title, as_of=file.as_of, quarters=file.quarters,
            price_year=file.price_year, first_quarter=Quarter.parse(file.first_quarter),
            seed=file.seed, dominant_vendor=file.dominant_vendor, boundaries=file.tree.boundaries,
            branching=file.tree.branching, learning_s=learning_s or 0.0,
            persistence=file.news.persistence,
            risk_weight=file.risk.weight, risk_level=file.risk.level,
            tolerated_shortage=file.risk.tolerated_shortage, loads=loads, lines=lines,
            programmes=programmes, existing_chip=existing, existing_vendor=file.existing.vendor,
            contracts=contracts, **market_records(file),
            ways=tuple(own_way(name, file, self._whole_line) for name in file.ways),
            numbers=case_numbers(file, numbers, {name: self._terms(name) for name in file.lines}),
            hindsight=file.hindsight,
        )
        refusals = hindsight_faults(case, self.catalogue, self.document)
        if refusals:
            raise Leak(*refusals)
        return case

    def _try(self, path: str, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None with its faults kept under the place of `path`."""
        try:
            return read()
        except FablessError as error:
            place = self.document.at(path)
            self.errors.append(type(error)(*(self._under(place, fault) for fault in error.faults)))
            return None

    def _under(self, place: str, fault: Fault) -> Fault:
        """The fault with its place in the case before the place in the file or table that the case
        names."""
        if self.document.is_placed(fault.place):
            return fault
        is_placeless = not fault.place or f"unknown {fault.place} " in fault.found
        return replace(fault, place=place if is_placeless else f"{place}: {fault.place}")

    def _each(self, section: str, items: Mapping[str, S], read: Callable[[str, S], T | None]) -> tuple[T, ...]:
        built = [
            self._try(f"{section}.{name}", lambda name=name, item=item: read(name, item))  # type: ignore[misc]
            for name, item in items.items()
        ]
        return tuple(record for record in built if record is not None)

    def _bad(self, path: str, found: str, allowed: str, remedy: str) -> None:
        self.errors.append(BadValue(Fault(self.document.at(path), found, allowed, remedy)))

    def _check_shape(self) -> None:
        file, tree = self.file, self.file.tree
        rising = all(a < b for a, b in zip((0, *tree.boundaries), (*tree.boundaries, file.quarters), strict=False))
        if not rising or len(tree.boundaries) != len(tree.branching) or min((1, *tree.branching)) < 1:
            self._bad(
                "tree", f"boundaries {list(tree.boundaries)}, branching {list(tree.branching)}",
                f"as many branchings of 1 or more as boundaries, which rise between 0 and {file.quarters}",
                "for example boundaries [1, 3, 7, 14] and branching [8, 2, 2, 2]",
            )
        elif math.prod(tree.branching) > MOST_SCENARIOS:
            self._bad(
                "tree.branching", f"{math.prod(tree.branching):,} scenarios",
                f"{MOST_SCENARIOS:,} or fewer", "take fewer branches",
            )
        if Quarter.parse(file.first_quarter) < Quarter.of(file.as_of):
            self._bad(
                "first_quarter", f"{file.first_quarter} is over on {file.as_of}",
                f"{Quarter.of(file.as_of)} or later",
                "plan forward from the as-of date, or take an earlier one",
            )

    def _check_news(self) -> None:
        """A coming generation is an event of its own: how its news comes is no choice."""
        for name, line in self.file.lines.items():
            for key in ("successor_slip", "successor_gain_spread"):
                number = getattr(line, key)
                if number is not None and number.news is not None:
                    self._bad(
                        f"lines.{name}.{key}", f"news: {number.news}",
                        "no news of its own: it is drawn for each coming generation", "take news out",
                    )

    def _check_names(self) -> None:
        file = self.file
        vendors = sorted({file.existing.vendor, *(line.vendor for line in file.lines.values() if line.vendor)})
        if file.dominant_vendor not in vendors:
            self.errors.append(unknown("vendor", file.dominant_vendor, vendors, self.document.at("dominant_vendor")))
        whole = [self._line_or_own(name) for name in file.lines]
        if file.supply.scarce_again is not None and not any(
            line.vendor == file.dominant_vendor and line.how == "buy" and line.successors
            for line in whole
        ):
            self._bad(
                "supply.scarce_again", f"no line of {file.dominant_vendor} that is bought has successors",
                "a bought line of the dominant vendor with coming generations",
                "give such a line its successors, or take scarce_again out",
            )
        for name in file.programmes:
            if name in file.lines:
                self._bad(f"programmes.{name}", "a line has this name too", "a name of its own", "rename one of the two")
        for name in file.contracts:
            if name in file.lines or name in file.programmes:
                self._bad(
                    f"contracts.{name}", "a line or a programme has this name too",
                    "a name of its own", "rename one of the two",
                )
        for path in (f"{section}.{IN_PLACE}" for section in ("lines", "programmes", "contracts")
                     if IN_PLACE in getattr(file, section)):
            self._bad(path, "the fleet in place has this name", "a name of its own", "rename it")

    def _check_loads(self, numbers: Mapping[str, CaseNumber]) -> None:
        queries = {name: load.share for name, load in self.file.loads.items() if isinstance(load, schema.InferenceLoad)}
        open_ones = [name for name, share in queries.items() if share is None]
        most = _most_together(queries, numbers, self.file.quarters)
        self._check_later_shares()
        if not queries:
            self._bad("loads", "no load of kind inference", "one or more", "add a load that answers queries")
        elif len(open_ones) != 1:
            self._bad(
                "loads", f"{len(open_ones)} inference loads without a share",
                "exactly one, which takes the rest of the queries",
                "take out one share"
                if not open_ones
                else f"give {' and '.join(open_ones[1:])} a share",
            )
        elif most > 1.0 + ROUNDING:
            self._bad("loads", f"shares of queries that can reach {most:g} together",
                      "shares whose high ends sum to 1 or less in every quarter", "lower a share")

    def _check_later_shares(self) -> None:
        """A share that moves says where to and how fast."""
        for name, load in self.file.loads.items():
            if not isinstance(load, schema.InferenceLoad):
                continue
            stated = [key for key in ("share", "share_later", "share_time") if getattr(load, key) is not None]
            if stated not in ([], ["share"], ["share", "share_later", "share_time"]):
                self._bad(
                    f"loads.{name}", f"a share by {', '.join(stated)}",
                    "share alone, or share, share_later and share_time together",
                    "add what is missing, or take share_later and share_time out",
                )

    def _numbers(self) -> Iterator[tuple[str, CaseNumber]]:
        named = [*schema.numbers_of(self.file)]
        for name, line in self.file.lines.items():
            whole = self._try(f"lines.{name}", lambda name=name: self._whole_line(name))  # type: ignore[misc]
            if line.price is not None and whole is not None:
                named.append((f"lines.{name}.price", line.price, PRICE_UNIT[whole.how or "buy"]))
        named += contract_money(self.file)
        for path, number, unit in named:
            case_number = self._try(path, lambda item=(path, number, unit): self.numbers.read(*item))  # type: ignore[misc]
            if case_number is not None:
                yield path, case_number

    def _time(self, path: str, text: str, *, is_open: bool = True) -> float | None:
        def read() -> float:
            time_s = quantity(text, "s", "")
            if time_s == 0.0 and not is_open:
                return time_s
            if not 0.0 < time_s < math.inf:
                raise BadValue(Fault("", repr(text), "a time above 0", "write for example '50 ms' or '1 year'"))
            return time_s

        return self._try(path, read)

    def _load(self, name: str, load: schema.InferenceLoad | schema.TrainingLoad) -> Load:
        if isinstance(load, schema.TrainingLoad):
            return Load(
                name=name, title=load.title, kind="training", model=None, request=None, precision=load.precision,
                kv_precision=load.precision, tpot_limit_s=None, ttft_limit_s=None)
        where = f"loads.{name}"
        model = self._try(f"{where}.model", lambda: self._model(load.model))
        request, traced = self._request(where, load)
        if model and request and 0 < model.max_context < request.input_tokens + request.output_tokens:
            self._bad(where, f"{request.input_tokens + request.output_tokens:g} tokens a query",
                      f"at most {model.max_context}, the context of {model.name}",
                      "shorten the request or choose a model with a longer context")
        return Load(
            name=name, title=load.title, kind="inference", model=model, request=request, precision=load.precision,
            kv_precision=load.kv_precision, traced=traced, tpot_limit_s=self._time(f"{where}.tpot", load.tpot),
            ttft_limit_s=self._time(f"{where}.ttft", load.ttft))

    def _model(self, name: str) -> LLM:
        return read_model(self.folder / name) if name.endswith(".json") else self.catalogue.model(name)

    def _request(
        self, where: str, load: schema.InferenceLoad
    ) -> tuple[Request | None, dt.date | None]:
        """The request of a load, and the last day of the trace that gave it."""
        stated = [key for key in ("trace", "input_tokens", "output_tokens") if getattr(load, key) is not None]
        if load.trace is not None and stated == ["trace"]:
            trace = self._try(f"{where}.trace", lambda: self._trace(str(load.trace)))
            return (None, None) if trace is None else (trace.request, trace.last_day)
        if load.input_tokens is not None and load.output_tokens is not None and load.trace is None:
            return Request(load.input_tokens, load.output_tokens, "case"), None
        self._bad(
            where, f"a query by {', '.join(stated) or 'nothing'}",
            "either a trace, or input_tokens and output_tokens", "give one of the two",
        )
        return None, None

    def _trace(self, name: str) -> Trace:
        trace = read_trace(self.folder / name) if name.endswith(".csv") else embedded_trace(name)
        request = trace.request
        if min(request.input_tokens, request.output_tokens) < 1.0:
            raise BadValue(
                Fault(
                    "",
                    f"a mean request of {request.input_tokens:g} tokens in, {request.output_tokens:g} out",
                    "1 or more each",
                    "give a trace of real requests",
                )
            )
        return trace

    def _chip(self, name: str) -> Chip:
        if name in self.file.chips:
            return self._own_chip(name)
        try:
            return self.catalogue.chip(name)
        except UnknownName as error:
            raise unknown("chip", name, [*self.file.chips, *self.catalogue.chips()]) from error

    def _own_chip(self, name: str) -> Chip:
        section, where = self.file.chips[name], self.document.at(f"chips.{name}")
        if "name" in section:
            raise BadValue(Fault(where, f"name {section['name']!r}", "no name: the key above is the name", "take it out"))
        return chip_from_mapping({"name": name, **section}, where)

    def _line(self, name: str, _: schema.LineSection) -> Line | None:
        where, line = f"lines.{name}", self._whole_line(name)
        missing = [key for key in (*_LINE_TEXT, *_LINE_TERMS) if getattr(line, key) is None]
        if line.successors:
            missing += [key for key in _SUCCESSOR_TERMS if getattr(line, key) is None]
        for key in missing:
            self._bad(f"{where}.{key}", "missing", "a value, here or in the line it is like",
                      "add it; `fabless init` shows an example")
        if line.prepaid and line.how == "rent":
            self._bad(f"{where}.prepaid", "true, for rented chips", "prepaid for bought chips alone",
                      "state prepaid: false, or put what paying ahead saves into `discount`")
        chip = None if line.chip is None else self._try(f"{where}.chip", lambda: self._chip(str(line.chip)))
        term = None if line.how == "buy" else self._time(f"{where}.term", line.term or "1 year")
        if missing or chip is None:
            return None
        return Line(
            name=name, vendor=str(line.vendor), chip=chip,
            how="buy" if line.how == "buy" else "rent", ways=line.ways,
            first_quarter=Quarter.parse(str(line.first_quarter)), term_s=term, prepaid=line.prepaid,
            successors=line.successors or 0, seller=line.seller or "",
            title=self.file.lines[name].title,
        )

    def _terms(self, name: str) -> dict[str, str]:
        """Dotted name of each term of a line: its own, or that of the line it is like."""
        line = self.file.lines[name]
        inherited = self._terms(line.like) if line.like else {}
        own_keys = [key for key in type(line).model_fields if isinstance(getattr(line, key), Number)]
        return inherited | {key: f"lines.{name}.{key}" for key in own_keys}

    def _whole_line(self, name: str) -> schema.LineSection:
        line = self.file.lines[name]
        if line.like is None:
            return line
        plain = [other for other, section in self.file.lines.items() if section.like is None]
        if line.like not in plain:
            raise unknown("line", line.like, plain or ["a line without `like`"], self.document.at(f"lines.{name}.like"))
        stated = {key: getattr(line, key) for key in line.model_fields_set}
        return self.file.lines[line.like].model_copy(update=stated)

    def _line_or_own(self, name: str) -> schema.LineSection:
        """The whole line, or what it states itself where the line it is like is not there."""
        like = self.file.lines[name].like
        return self._whole_line(name) if like in self.file.lines else self.file.lines[name]

    def _programme(
        self, name: str, section: ProgrammeSection, numbers: Mapping[str, CaseNumber]
    ) -> Programme | None:
        where = f"programmes.{name}"
        for fault in programme_faults(name, section, numbers):
            self._bad(fault.place, fault.found, fault.allowed, fault.remedy)
        chip = self._try(f"{where}.chip", lambda: self._chip(section.chip))
        if chip is None:
            return None
        self._check_makeable(chip, f"{where}.chip")
        return programme_spec(name, section, chip)

    def _check_makeable(self, chip: Chip, where: str) -> None:
        """What the cost of a die needs: its area, and a process, a memory and a packaging that the
        catalogue has."""
        for field, value in (("node", chip.node), ("packaging", chip.packaging), ("die_area", chip.die_area_m2)):
            if not value:
                self._bad(
                    where, f"{chip.name} has no {field}",
                    "a chip with node, packaging and die_area",
                    "add the field to the chip, or name another chip",
                )
        home = f"chips.{chip.name}" if chip.name in self.file.chips else where
        for field, value, look_up in (
            ("node", chip.node, self.catalogue.node),
            ("memory_type", chip.memory_type, self.catalogue.memory),
            ("packaging", chip.packaging, self.catalogue.packaging),
        ):
            if value:
                self._try(f"{home}.{field}", lambda look_up=look_up, value=value: look_up(value))  # type: ignore[misc]


def _most_together(loads: Iterable[str], numbers: Mapping[str, CaseNumber], quarters: int) -> float:
    """Most that the stated shares of all queries can come to together in a quarter of the case."""
    return max(
        sum(_most_share(f"loads.{name}", numbers, quarter * QUARTER_S) for name in loads)
        for quarter in range(quarters)
    )


def _most_share(load: str, numbers: Mapping[str, CaseNumber], time_s: float) -> float:
    """Highest share of a load after a time: its high ends, moved at the pace that leaves it
    highest; 0 where none is stated."""
    now, later, pace = (
        numbers[path].spread if (path := f"{load}.{key}") in numbers else None
        for key in ("share", "share_later", "share_time")
    )
    if now is None:
        return 0.0
    if later is None or pace is None:
        return now.high
    return max(later.high + (now.high - later.high) * math.exp(-time_s / time)
               for time in (pace.low, pace.high))
