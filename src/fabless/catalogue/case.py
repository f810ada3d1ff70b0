"""Read a case file: structure checked by the schema, numbers resolved to ranges in SI, nothing leaking from the future."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from fabless.catalogue import schema
from fabless.catalogue.files import chip_from_mapping, embedded_trace, read_model, read_text, read_trace
from fabless.catalogue.store import DATA, Catalogue, load
from fabless.errors import BadFile, BadValue, FablessError, Fault, Leak, UnknownName, nearest, unknown
from fabless.records import LLM, Case, CaseNumber, Chip, Line, Load, ProgrammeSpec, Range, Request, Source
from fabless.units import Quarter, dimension, quantity, to_si

REFERENCE = "openai-2023"
WAYS = ("buy", "diversify", "partner", "build", "acquire")
PRICE_UNIT = {"buy": schema.Unit("USD"), "rent": schema.Unit("USD/h")}
_LINE_TEXT = ("vendor", "chip", "how", "first_quarter")
_LINE_TERMS = ("price", "price_decline", "allotment", "allotment_growth", "lead_normal", "lead_scarce")
_SUCCESSOR_TERMS = ("successor_first", "successor_gap", "successor_gain", "successor_price", "successor_power")
_CASE_SOURCE = Source("case", "the case file itself", "", "")


def reference_text(name: str = REFERENCE) -> str:
    """Return the text of a shipped case; `UnknownName` when there is none of that name."""
    shipped = sorted(path.stem for path in (DATA / "cases").glob("*.yaml"))
    if name not in shipped:
        raise unknown("case", name, shipped, remedy="name a shipped case or give the path of a case file (.yaml)")
    return (DATA / "cases" / f"{name}.yaml").read_text(encoding="utf-8")


def read_case(path_or_name: str | Path = REFERENCE) -> Case:
    """Read a shipped case by name, or a case file by path.

    Raises `BadFile` for a file that is missing or no YAML, `UnknownName` for unknown keys, chips, models, units, ways,
    `BadValue` for numbers that cannot be, `Leak` for facts that became known later; faults of one kind all at once.
    """
    text = str(path_or_name)
    if text.endswith((".yaml", ".yml")) or "/" in text:
        return parse_case(read_text(Path(text)), text, Path(text).parent)
    return parse_case(reference_text(text), text, DATA)


def parse_case(text: str, place: str, folder: Path) -> Case:
    """Read a case from YAML text; `folder` is where the paths it names start."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadFile(Fault(place, f"not YAML: {error}", "a YAML mapping", "see `fabless init`")) from error
    if not isinstance(data, dict):
        raise BadFile(Fault(place, f"holds {type(data).__name__}", "a YAML mapping", "see `fabless init`"))
    try:
        file = schema.CaseFile.model_validate(data)
    except ValidationError as error:
        raise _faults(error, place) from error
    return _Reader(file, place, folder, load(file.as_of)).case()


def _faults(error: ValidationError, place: str) -> FablessError:
    """Turn pydantic's findings into the house's faults, all at once."""
    faults: list[Fault] = []
    only_unknown = True
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"] if part not in ("inference", "training"))
        where = f"{place}: {path}"
        if item["type"] == "extra_forbidden":
            known = _known_keys(item["loc"])
            close = nearest(str(item["loc"][-1]), known)
            faults.append(Fault(where, f"unknown key {item['loc'][-1]!r}", ", ".join(known),
                                f"did you mean {close[0]}?" if close else "take the key out"))
        elif item["type"] == "missing":
            only_unknown = False
            faults.append(Fault(where, "missing", "this key with a value", "add it; `fabless init` shows an example"))
        else:
            only_unknown = False
            faults.append(Fault(where, f"{item['input']!r}", item["msg"], "correct the value; see `fabless init`"))
    return (UnknownName if only_unknown else BadValue)(*faults)


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Keys of the section that a location lies in."""
    section: type[BaseModel] = schema.CaseFile
    for part in location[:-1]:
        section = schema.section_of(section, str(part)) or section
    return list(section.model_fields)


class _Reader:
    """Builds the case record out of a checked file, gathering faults on the way."""

    def __init__(self, file: schema.CaseFile, place: str, folder: Path, catalogue: Catalogue) -> None:
        self.file, self.place, self.folder, self.catalogue = file, place, folder, catalogue
        self.faults: list[Fault] = []

    def case(self) -> Case:
        """The record, or one error with every fault found."""
        file = self.file
        numbers = dict(self._numbers())
        chips = {name: chip_from_mapping({"name": name, **section}, f"{self.place}: chips.{name}")
                 for name, section in file.chips.items()}
        self._check_shape()
        case = Case(
            name=file.name, title=file.title, as_of=file.as_of, quarters=file.quarters, price_year=file.price_year,
            first_quarter=Quarter.parse(file.first_quarter, f"{self.place}: first_quarter"),
            seed=file.seed, dominant_vendor=file.dominant_vendor,
            boundaries=file.tree.boundaries, branching=file.tree.branching, persistence=file.tree.persistence,
            risk_weight=file.risk.weight, risk_level=file.risk.level, tolerated_shortage=file.risk.tolerated_shortage,
            loads=tuple(self._load(name, load) for name, load in file.loads.items()),
            lines=tuple(self._line(name, chips) for name in file.lines),
            programmes=tuple(self._programme(name, item, chips) for name, item in file.programmes.items()),
            existing_chip=self._chip(file.existing.chip, chips, "existing.chip"),
            existing_vendor=file.existing.vendor,
            numbers=numbers,
        )
        self._check_loads(numbers)
        if self.faults:
            raise BadValue(*self.faults)
        return case

    def _check_shape(self) -> None:
        tree = self.file.tree
        rising = all(a < b for a, b in zip((0, *tree.boundaries), (*tree.boundaries, self.file.quarters), strict=False))
        if not rising or len(tree.boundaries) != len(tree.branching) or min((1, *tree.branching)) < 1:
            self.faults.append(Fault(
                f"{self.place}: tree", f"boundaries {list(tree.boundaries)}, branching {list(tree.branching)}",
                f"as many branchings of 1 or more as boundaries, which rise between 0 and {self.file.quarters}",
                "for example boundaries [2, 7, 12, 17] and branching [8, 2, 2, 2]"))

    def _check_loads(self, numbers: Mapping[str, CaseNumber]) -> None:
        queries = [name for name, load in self.file.loads.items() if load.kind == "inference"]
        open_ones = [name for name in queries if f"loads.{name}.share" not in numbers]
        if not queries:
            self.faults.append(Fault(f"{self.place}: loads", "no load of kind inference", "one or more",
                                     "add a load that answers queries"))
        elif len(open_ones) != 1:
            self.faults.append(Fault(f"{self.place}: loads", f"{len(open_ones)} inference loads without a share",
                                     "exactly one, which takes the rest of the queries", "leave out one share"))
        elif sum(numbers[f"loads.{name}.share"].spread.high for name in queries if name not in open_ones) > 1.0:
            self.faults.append(Fault(f"{self.place}: loads", "shares of queries that can exceed 1 together",
                                     "shares whose high ends sum to 1 or less", "lower a share"))

    def _numbers(self) -> Iterator[tuple[str, CaseNumber]]:
        for name, number, unit in schema.numbers_of(self.file):
            try:
                yield name, self._number(name, number, unit)
            except FablessError as error:
                if isinstance(error, Leak | UnknownName):
                    raise
                self.faults += error.faults
        for name, line in self.file.lines.items():
            if line.price is not None:
                path = f"lines.{name}.price"
                yield path, self._number(path, line.price, PRICE_UNIT[self._whole_line(name).how or "buy"])

    def _number(self, name: str, number: schema.Number, unit: schema.Unit) -> CaseNumber:
        where = f"{self.place}: {name}"
        if number.fact is not None:
            return self._from_fact(name, where, number, unit)
        given = number.unit or unit.name
        if dimension(given, where) != dimension(unit.name):
            raise BadValue(Fault(where, f"unit {given!r} is of {dimension(given)}", f"a unit of {dimension(unit.name)}",
                                 f"give it in {unit.name}"))
        ends = (number.value,) * 3 if number.value is not None else (number.low, number.mode, number.high)
        if any(end is None for end in ends):
            raise BadValue(Fault(where, "low, mode and high or value are needed", "{low, mode, high} or {value} or {fact}",
                                 "give all three, or one value"))
        low, mode, high = (to_si(float(end), given) for end in ends if end is not None)
        if not low <= mode <= high:
            raise BadValue(Fault(where, f"low {ends[0]:g}, mode {ends[1]:g}, high {ends[2]:g}", "low <= mode <= high",
                                 "put the three numbers in rising order"))
        bottom, top = to_si(unit.low, unit.name), to_si(unit.high, unit.name)
        if low < bottom or high > top:
            raise BadValue(Fault(where, f"{ends[0]:g} to {ends[2]:g} {given}", f"{unit.low:g} to {unit.high:g} {unit.name}",
                                 "correct the sign or the unit"))
        if number.scale == "log" and low <= 0:
            raise BadValue(Fault(where, f"low {ends[0]:g} on a log scale", "low > 0", "use scale: linear"))
        return CaseNumber(name, Range(low, mode, high, number.scale), given, number.grade, self._source(number.source),
                          number.note, self.file.as_of)

    def _from_fact(self, name: str, where: str, number: schema.Number, unit: schema.Unit) -> CaseNumber:
        entity, _, field = str(number.fact).partition(".")
        fact = self.catalogue.fact(entity, field, number.period)
        if dimension(fact.unit) != dimension(unit.name):
            raise BadValue(Fault(where, f"{number.fact} is of {dimension(fact.unit)}", f"a fact of {dimension(unit.name)}",
                                 "name another fact"))
        spread = self.catalogue.range(entity, field, number.period)
        note = f"{number.fact}: {fact.note}" if fact.note else str(number.fact)
        return CaseNumber(name, spread, fact.unit, fact.grade, fact.source, note, fact.known)

    def _source(self, text: str) -> Source:
        if text == "case":
            return _CASE_SOURCE
        known = self.catalogue.sources
        return known[text] if text in known else Source("case", text, "", "")

    def _load(self, name: str, load: schema.InferenceLoad | schema.TrainingLoad) -> Load:
        if isinstance(load, schema.TrainingLoad):
            return Load(name, "training", None, None, load.precision, load.precision, None, None)
        where = f"{self.place}: loads.{name}"
        return Load(name, "inference", self._model(load.model), self._request(load, where), load.precision,
                    load.kv_precision, quantity(load.tpot, "s", f"{where}.tpot"), quantity(load.ttft, "s", f"{where}.ttft"))

    def _model(self, name: str) -> LLM:
        return read_model(self.folder / name) if name.endswith(".json") else self.catalogue.model(name)

    def _request(self, load: schema.InferenceLoad, where: str) -> Request:
        if load.trace is not None:
            trace = read_trace(self.folder / load.trace) if load.trace.endswith(".csv") else embedded_trace(load.trace)
            return trace.request
        if load.input_tokens is None or load.output_tokens is None:
            raise BadValue(Fault(where, "no request shape", "a trace, or input_tokens and output_tokens", "give one"))
        return Request(load.input_tokens, load.output_tokens, "case")

    def _ways(self, ways: tuple[str, ...], where: str) -> tuple[str, ...]:
        for way in ways:
            if way not in WAYS:
                raise unknown("strategy", way, WAYS, f"{self.place}: {where}.ways")
        return ways

    def _chip(self, name: str, own: Mapping[str, Chip], where: str) -> Chip:
        if name in own:
            return own[name]
        try:
            return self.catalogue.chip(name)
        except UnknownName as error:
            raise unknown("chip", name, [*own, *self.catalogue.chips()], f"{self.place}: {where}") from error

    def _line(self, name: str, own: Mapping[str, Chip]) -> Line:
        where = f"lines.{name}"
        line = self._whole_line(name)
        missing = [key for key in (*_LINE_TEXT, *_LINE_TERMS) if getattr(line, key) is None]
        if line.successors:
            missing += [key for key in _SUCCESSOR_TERMS if getattr(line, key) is None]
        if missing:
            raise BadValue(*(Fault(f"{self.place}: {where}.{key}", "missing", "a value, here or in the line it is like",
                                   "add it; `fabless init` shows an example") for key in missing))
        term = None if line.how == "buy" else quantity(line.term or "1 year", "year", f"{self.place}: {where}.term")
        return Line(
            name=name, vendor=str(line.vendor), chip=self._chip(str(line.chip), own, f"{where}.chip"),
            how="buy" if line.how == "buy" else "rent", ways=self._ways(line.ways, where),
            first_quarter=Quarter.parse(str(line.first_quarter), f"{self.place}: {where}.first_quarter"),
            term_s=term, prepaid=line.prepaid, successors=line.successors or 0, terms=self._terms(name),
        )

    def _terms(self, name: str) -> dict[str, str]:
        """Where each term of a line stands: with the line, or with the one it is like."""
        line = self.file.lines[name]
        inherited = self._terms(line.like) if line.like else {}
        own = {key for key in type(line).model_fields if isinstance(getattr(line, key), schema.Number)}
        return inherited | {key: f"lines.{name}.{key}" for key in own}

    def _whole_line(self, name: str) -> schema.LineSection:
        line = self.file.lines[name]
        if line.like is None:
            return line
        if line.like not in self.file.lines or self.file.lines[line.like].like is not None:
            plain = [other for other, section in self.file.lines.items() if section.like is None]
            raise unknown("line", line.like, plain, f"{self.place}: lines.{name}.like")
        given = {key: getattr(line, key) for key in line.model_fields_set}
        return self.file.lines[line.like].model_copy(update=given)

    def _programme(self, name: str, item: schema.ProgrammeSection, own: Mapping[str, Chip]) -> ProgrammeSpec:
        where = f"programmes.{name}"
        return ProgrammeSpec(
            name=name, route=item.route, ways=self._ways(item.ways, where), chip=self._chip(item.chip, own, f"{where}.chip"),
            trains=item.trains, spin_limit=item.spin_limit, ended=(item.ended.failed, item.ended.passed),
            end_shares=item.end_shares, bid_failed=(item.bid_failed.failed, item.bid_failed.passed))
