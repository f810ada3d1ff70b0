"""Joint draws of demand, market and programmes, laid out on a scenario tree."""

from fabless.scenario.draws import Scenarios, fresh_paths, sample
from fabless.scenario.expected import expected, scarce_chance
from fabless.scenario.knowledge import knowledge
from fabless.scenario.programmes import OutcomeOnTree, outcome_on_tree
from fabless.scenario.representatives import compute_needed, representatives
from fabless.scenario.roles import roles
from fabless.scenario.trees import balanced_tree, chain_tree, fitted

__all__ = [
    "OutcomeOnTree", "Scenarios", "balanced_tree", "chain_tree", "compute_needed", "expected",
    "fitted", "fresh_paths", "knowledge", "outcome_on_tree", "representatives", "roles", "sample",
    "scarce_chance",
]
