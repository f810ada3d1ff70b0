"""Inputs of the plan before any scenario: throughput of chips, cost and dates of programmes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from types import MappingProxyType

from fabless.case_numbers import ProgrammeNumbers, mapped, stated
from fabless.case_records import Case, CaseNumber, Programme, chips_of
from fabless.catalogue import Catalogue
from fabless.catalogue.facts.reference_class import cases
from fabless.catalogue.facts.takeovers import deals
from fabless.errors import DoesNotFit, Fault
from fabless.perf import Formats, ServiceTerms, Serving, serve, usable_precision
from fabless.programme import (
    Gate,
    OutcomeChain,
    PricePath,
    ProgrammeModel,
    ProgrammeSummary,
    PseudoCounts,
    Route,
    SecondGeneration,
    discretise,
    simulate,
    summary,
)
from fabless.programme.rates import NEVER
from fabless.programme.reference import end_rates
from fabless.programme.study import KIND_OF
from fabless.quote import calibration_of
from fabless.records import Chip, Grade, Range, Source
from fabless.sampling import stream
from fabless.scenario import roles
from fabless.silicon import CostInputs, Design, Die, UnitCost, unit_cost
from fabless.strategy import Throughput
from fabless.titles import chip_titles, titles
from fabless.units import QUARTER_S
from fabless.wording import heading, in_percent

DRAWS = 20_000
"""Draws of each programme: shares to about a third of a percentage point."""
STARTS = 3
"""Moments at which a programme may be started: the first day and the first branchings after it."""


GATE_OF = MappingProxyType(
    {
        "architecture": Gate.ARCHITECTURE, "tape-out": Gate.TAPE_OUT,
        "first-silicon": Gate.FIRST_SILICON, "qualification": Gate.QUALIFICATION,
        "deployment": Gate.DEPLOYMENT,
    }
)
"""Name of a gate in a case -> the gate."""


@dataclass(frozen=True)
class SimulatedOutcomes:
    """A programme before it is placed on the tree."""

    chains: tuple[OutcomeChain, ...]
    """By the number of branchings passed at its start, with news at the branchings."""
    on_paths: tuple[OutcomeChain, ...]
    """By the number of branchings passed at its start, with news in every quarter, as separate paths
    have it."""
    summary: ProgrammeSummary

    @property
    def chain(self) -> OutcomeChain:
        """The chain of a start on the first day."""
        return self.chains[0]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A case with everything worked out that does not depend on the scenario."""

    case: Case
    throughput: Mapping[str, Throughput]
    """By chip."""
    servings: Mapping[tuple[str, str], Serving]
    """By load and chip."""
    unit_costs: Mapping[str, UnitCost]
    """By programme, at the modes."""
    simulated: Mapping[str, SimulatedOutcomes]
    """By programme."""
    warnings: tuple[str, ...]


def prepare(case: Case, catalogue: Catalogue, pool: Executor | None = None) -> Prepared:
    """Work out throughput and unit cost, and simulate the programmes, in `pool` if there is one;
    raises `DoesNotFit` when a load runs on nothing that is offered."""
    calibration = calibration_of(catalogue)
    load_factor = case.numbers.demand.load_factor.spread.mode
    servings: dict[tuple[str, str], Serving] = {}
    throughput: dict[str, Throughput] = {}
    warnings: list[str] = []
    case, own_counts = counted(case, catalogue)
    costs = {item.name: _unit_cost(item.chip, catalogue, "mode") for item in case.programmes}
    case = replace(case, numbers=replace(case.numbers, unit_costs={
        item.name: _unit_cost_number(item, catalogue) for item in case.programmes}))
    simulating = None if pool is None else [
        pool.submit(simulated_outcomes_of, item, case) for item in case.programmes]
    known, chip_names = titles(case), chip_titles(chips_of(case))
    for chip in chips_of(case):
        per_second: dict[str, float] = {}
        powers: list[float] = []
        for load in case.loads:
            if load.model is None or load.request is None:
                per_second[load.name] = chip.peak_flops[usable_precision(chip, load.precision)[0]]
                continue
            try:
                terms = ServiceTerms(
                    Formats(load.precision, load.kv_precision), load.tpot_limit_s or float("inf"),
                    load.ttft_limit_s or float("inf"), load_factor)
                serving = serve(load.model, chip, load.request, terms, calibration)
            except DoesNotFit as error:
                per_second[load.name] = 0.0
                warnings.append(
                    f"{heading(known[f'loads.{load.name}'])}: not served on {chip_names[chip.name]}: "
                    f"{error.faults[0].found}")
                continue
            servings[load.name, chip.name] = serving
            per_second[load.name] = serving.queries_per_s_per_chip / load_factor
            powers.append(serving.power_w_per_chip)
        throughput[chip.name] = Throughput(per_second, max(powers, default=chip.tdp_w))
    _check_served(case, throughput)
    simulated = ([simulated_outcomes_of(item, case) for item in case.programmes]
                 if simulating is None else [item.result() for item in simulating])
    return Prepared(
        case=case, throughput=throughput, servings=servings, unit_costs=costs,
        simulated={item.name: outcomes for item, outcomes in zip(case.programmes, simulated, strict=True)},
        warnings=(*warnings, *own_counts))


def _check_served(case: Case, throughput: Mapping[str, Throughput]) -> None:
    faults = []
    for load in case.loads:
        if not any(chip_throughput.per_second[load.name] > 0 for chip_throughput in throughput.values()):
            model = load.model.name if load.model else load.name
            faults.append(
                Fault(
                    f"loads.{load.name}", f"{model} runs on no offered chip within its limits",
                    "a model that at least one offered chip serves",
                    "relax tpot or ttft, take a narrower precision, or offer a larger chip",
                )
            )
    if faults:
        raise DoesNotFit(*faults)


def _unit_cost(chip: Chip, catalogue: Catalogue, end: str) -> UnitCost:
    memory = catalogue.memory(chip.memory_type) if chip.memory_type else None
    stacks = chip.hbm_stacks or 0
    design = Design(
        dies=tuple(Die(area) for area in chip.die_area_m2),
        memory_bytes=chip.memory_bytes if memory else 0.0, memory_stacks=stacks,
        stack_area_m2=memory.stack_area_m2 if memory else 0.0,
    )
    inputs = CostInputs.of(
        catalogue.node(str(chip.node)), memory, catalogue.packaging(str(chip.packaging)),
        "cheap" if end == "cheap" else "dear" if end == "dear" else "mode",
    )
    return unit_cost(design, inputs)


def _unit_cost_number(programme: Programme, catalogue: Catalogue) -> CaseNumber:
    chip = programme.chip
    low, mode, high = (
        float(_unit_cost(chip, catalogue, end).total_usd) for end in ("cheap", "mode", "dear")
    )
    note = (f"rolled up from {chip.node}, {chip.memory_type} and {chip.packaging}; ends: all "
            "cheap, all dear")
    return CaseNumber(
        name=f"programmes.{programme.name}.unit_cost", spread=Range(low, mode, high), unit="USD",
        grade=Grade.DERIVED, source=Source("silicon", "silicon model of this program", "", ""),
        note=note,
    )


def counted(case: Case, catalogue: Catalogue) -> tuple[Case, tuple[str, ...]]:
    """The case with the reference class's counts for each programme that states none, and a note
    for each that does.

    Counts are those of `fabless programme` on the same day: programmes that ended before volume,
    where they ended, second generations that were ended, and bids that failed.
    """
    if not case.programmes:
        return case, ()
    known, deals_known = cases(catalogue), deals(catalogue)
    programmes, notes, called = [], [], titles(case)
    for programme in case.programmes:
        rates = end_rates(known, deals_known, KIND_OF[Route(programme.route)])
        bids = rates.bid_failed.counts if programme.route == "acquire" else NEVER
        programmes.append(
            replace(
                programme, ended=programme.ended or _pair(rates.ended.counts),
                end_shares=programme.end_shares or rates.where.shares,
                bid_failed=programme.bid_failed or _pair(bids),
                second_ended=programme.second_ended or _pair(rates.later_ended.counts),
            )
        )
        if programme.ended is not None and not programme.gates:
            notes.append(
                f"{heading(called[f'programmes.{programme.name}'])}: the case states its own counts of "
                "programmes that ended: "
                f"{in_percent(PseudoCounts(*programme.ended).mean)}, where those known on {case.as_of} give "
                f"{in_percent(rates.ended.counts.mean)}"
            )
    return replace(case, programmes=tuple(programmes)), tuple(notes)


def _pair(counts: PseudoCounts) -> tuple[float, float]:
    return counts.failed, counts.passed


def programme_model_of(
    programme: Programme, numbers: ProgrammeNumbers[CaseNumber]
) -> ProgrammeModel:
    """Parameters of a programme out of its numbers in the case, its counts filled in (`counted`).

    Support after volume is in the price of its chips.
    """
    terms = mapped(numbers, lambda number: number.spread)
    parameters = ProgrammeModel(
        name=programme.name, route=Route(programme.route), deal_s=terms.deal, design_s=terms.design,
        fab_s=terms.fab, qualification_s=terms.qualification, slip=terms.slip,
        first_silicon_good=terms.first_silicon_good, respin_good=terms.respin_good,
        metal_respin_share=terms.metal_respin_share, metal_respin_s=terms.metal_respin,
        full_respin_s=terms.full_respin, metal_respin_usd=terms.metal_respin_cost,
        full_respin_usd=terms.full_respin_cost, spin_limit=programme.spin_limit,
        ended=PseudoCounts(*stated(programme.ended)), end_shares=stated(programme.end_shares),
        bid_failed=PseudoCounts(*stated(programme.bid_failed)), performance=terms.performance,
        scope_cut=terms.scope_cut, team_usd_per_s=terms.team, support_share=Range.point(0.0),
        masks_usd=terms.masks, design_usd=terms.design_cost, software_usd=terms.software,
        purchase_usd=terms.purchase, software_s=terms.software_time, stands_at=programme.stands_at,
        gates={GATE_OF[gate]: PseudoCounts(*counts) for gate, counts in programme.gates.items()}
        or None,
        price_path=None
        if terms.price_path is None
        else PricePath(
            terms.price_path.distressed, terms.price_path.distressed_multiple,
            terms.price_path.contested_multiple,
        ),
        second=None
        if terms.second is None
        else SecondGeneration(
            overlap_s=terms.second.overlap, design_s=terms.second.design, gain=terms.successor_gain,
            ended=PseudoCounts(*stated(programme.second_ended)),
            design_usd=terms.second.design_cost,
            masks_usd=terms.second.masks,
        ),
    )
    if terms.design_shares is not None:
        shares = terms.design_shares
        parameters = replace(parameters, design_shares=(shares.architecture.mode, shares.rtl.mode, shares.physical.mode))
    if terms.bring_up_share is not None:
        parameters = replace(parameters, bring_up_share=terms.bring_up_share.mode)
    if terms.slip_correlation is not None:
        parameters = replace(parameters, slip_correlation=terms.slip_correlation.mode)
    if terms.ramp is not None:
        parameters = replace(parameters, ramp_s=terms.ramp)
    if terms.integration is not None:
        parameters = replace(parameters, integration_s=terms.integration)
    return parameters if terms.retention is None else replace(parameters, retention=terms.retention)


def simulated_outcomes_of(programme: Programme, case: Case) -> SimulatedOutcomes:
    """Simulate a programme of the case and group its draws by what each branching of the tree
    reveals."""
    numbers = case.numbers.programmes[programme.name]
    role = roles(case)[f"programmes.{programme.name}"]
    draws = simulate(
        programme_model_of(programme, numbers), DRAWS, stream(case.seed, role),
        quarters=case.quarters,
    )
    lead = numbers.fab.spread.mode + case.numbers.owning.installation.spread.mode
    starts = (0, *case.boundaries[:-1])[:STARTS]
    chains, on_paths = (
        tuple(discretise(draws, case.quarters, news, lead / QUARTER_S, start) for start in starts)
        for news in (case.boundaries, range(1, case.quarters)))
    return SimulatedOutcomes(chains, on_paths, summary(draws))
