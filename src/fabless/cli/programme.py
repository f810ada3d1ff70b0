"""`fabless programme`: chip programmes by three routes, simulated from a reference class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from fabless.asked import attempt, refuse
from fabless.catalogue import Catalogue, load, shipped_cases
from fabless.catalogue.facts.takeovers import Candidate, candidate, candidates
from fabless.cli.facts import seen_from
from fabless.cli.options import (
    AsOf,
    Json,
)
from fabless.errors import BadFile, BadValue, Fault, unknown
from fabless.report import as_json
from fabless.report.files import check_writable, write_whole
from fabless.units import Quarter

if TYPE_CHECKING:
    from fabless.programme import ProgrammeModel

ROUTES = ("build", "co-design", "acquire")
LIST = "candidates"
FEWEST_DRAWS, MOST_DRAWS = 100, 2_000_000


def programme(
    route: Annotated[str, typer.Argument(
        help="Route: build, co-design or acquire; or `candidates`, to list companies that could be "
             "bought.")],
    candidate_name: Annotated[str | None, typer.Option(
        "--candidate", help="Company to acquire.", metavar="NAME")] = None,
    as_of: AsOf = None,
    start: Annotated[str | None, typer.Option(
        help="First quarter of the programme.", show_default="quarter of --as-of or of the case",
        metavar="YYYYQn")] = None,
    case: Annotated[str | None, typer.Option(
        help=f"Case that gives the programme's own numbers: {', '.join(shipped_cases())}, or the "
             "path of a file.",
        metavar="CASE")] = None,
    second: Annotated[bool, typer.Option(
        "--second", help="Add a second chip generation after the first.")] = False,
    draws: Annotated[int, typer.Option(help="Number of simulated programmes.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0)] = 2023,
    svg: Annotated[Path | None, typer.Option(
        help="SVG file to draw the timeline, the outcomes and the spend to.")] = None,
    json: Json = False,
) -> None:
    """Say when an own chip would come, how likely it is and what it costs, from known programmes.

    Rates and times are counted from the chip programmes known on a day (the reference class); the
    fewer programmes there are behind a rate, the wider its band.
    """
    faults: list[Fault] = []
    if route not in (*ROUTES, LIST):
        faults.extend(unknown("route", route, (*ROUTES, LIST), "ROUTE").faults)
    _check(route, candidate_name, case, second=second, draws=draws, svg=svg, faults=faults)
    first = attempt(faults, Quarter.parse, start, "--start") if start is not None else None
    catalogue = attempt(faults, _seen, as_of, None if faults else case)
    target = None
    if catalogue is not None and candidate_name is not None and route == "acquire":
        target = attempt(faults, candidate, catalogue, candidate_name)
    refuse(faults)
    assert catalogue is not None
    if svg is not None:
        check_writable(svg)
    if route == LIST:
        _list(catalogue, json)
        return
    _answer(
        catalogue, route, target, first=first, case=case, second=second, draws=draws, seed=seed,
        svg=svg, json=json,
    )


def _answer(
    catalogue: Catalogue, route: str, target: Candidate | None, first: Quarter | None,
    case: str | None, second: bool, draws: int, seed: int, svg: Path | None, json: bool,
) -> None:
    from fabless.cli.programme_screen import print_study, programme_document
    from fabless.programme.parameters import Route
    from fabless.programme.study import study

    own_programme, case_start = (None, None) if case is None else _own(case, route)
    result = study(
        catalogue, Route(route), candidate=target, start=first or case_start, draws=draws,
        seed=seed, own=own_programme, second=second,
    )
    if svg is not None:
        from fabless.report.canvas import WIDE, as_svg
        from fabless.report.programme_charts import label, picture

        write_whole(svg, as_svg(picture(result, WIDE), label(result)))
    if json:
        typer.echo(as_json(programme_document(result)), nl=False)
        return
    names = (
        tuple(company.name for company in candidates(catalogue))
        if route == "acquire" and target is None
        else ()
    )
    print_study(result, Console(), names)
    if svg is not None:
        typer.echo(f"Picture: {svg}")


def _list(catalogue: Catalogue, json: bool) -> None:
    from fabless.cli.programme_screen import print_candidates

    companies = candidates(catalogue)
    if json:
        typer.echo(as_json({"as_of": catalogue.as_of, "candidates": companies}), nl=False)
    else:
        print_candidates(companies, catalogue.as_of, Console())


def _seen(as_of: str | None, case: str | None) -> Catalogue:
    """The catalogue as known on a day, or on the case's day if only a case is given.

    Raises `BadValue` if the text is no date, or the day is before the first known programme.
    """
    if as_of is None and case is not None:
        from fabless.catalogue import read_case

        return load(read_case(case).as_of)
    catalogue = seen_from(as_of)
    known = [
        fact.known
        for name in catalogue.topics["programmes"]
        for fact in catalogue.rows[name]
        if fact.field == "kind"
    ]
    if catalogue.as_of is not None and catalogue.as_of < min(known):
        raise BadValue(
            Fault(
                "--as-of", f"{catalogue.as_of}: no chip programme was known yet",
                f"{min(known)} or later", "choose a later day",
            )
        )
    return catalogue


def _own(case: str, route: str) -> tuple[tuple[str, ProgrammeModel], Quarter]:
    """Parameters of a case's first programme by a route, and the case's first quarter."""
    from fabless.catalogue import read_case
    from fabless.decide.ways.prepare import counted, programme_model_of

    question, _ = counted(read_case(case), load(read_case(case).as_of))
    of_route = [item for item in question.programmes if item.route == route]
    if not of_route:
        routes = sorted({item.route for item in question.programmes} & set(ROUTES))
        raise BadValue(
            Fault(
                "--case", f"{question.name} has no programme by the route {route}",
                ", ".join(routes) or "none", "choose one of these routes, or leave --case out",
            )
        )
    name = f"{question.name}, {of_route[0].name}"
    return (
        name, programme_model_of(of_route[0], question.numbers.programmes[of_route[0].name]),
    ), question.first_quarter


def _check(
    route: str, named: str | None, case: str | None, second: bool, draws: int, svg: Path | None,
    faults: list[Fault],
) -> None:
    if named is not None and case is not None:
        faults.append(Fault("--candidate", f"{named!r} beside --case {case}", "one of the two",
                            "a case states the numbers of its own target: leave one of the two "
                            "out"))
    if second and case is not None:
        faults.append(Fault("--second", f"beside --case {case}", "one of the two",
                            "a case states its own second generation: leave one of the two out"))
    if named is not None and route in ROUTES and route != "acquire":
        faults.append(
            Fault(
                "--candidate", f"{named!r} with {route}", "only with acquire",
                "leave --candidate out",
            )
        )
    if not FEWEST_DRAWS <= draws <= MOST_DRAWS:
        faults.append(Fault("--draws", f"{draws}", f"{FEWEST_DRAWS} to {MOST_DRAWS:,}",
                            "20,000 give shares to a third of a percent"))
    if svg is not None and svg.suffix.lower() != ".svg":
        faults.extend(
            BadFile(
                Fault("--svg", str(svg), "a path that ends in .svg", f"write for example {svg}.svg")
            ).faults
        )
