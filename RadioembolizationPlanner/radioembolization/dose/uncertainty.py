"""The choice of what is uncertain for one plan: which spreads, how many scenarios, which seed, how safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from radioembolization.dose.spreads import ActsOn, Spread, published_spreads, spread
from radioembolization.errors import UncertaintyError

#: So many scenarios are drawn where nothing is said, and at most.
DEFAULT_COUNT, MOST_SCENARIOS = 200, 20_000
_ENTRIES = ("count", "seed", "probability", "worst_percent", "spreads")


@dataclass(frozen=True)
class Uncertainty:
    """What is uncertain, and what a robust plan has to withstand.

    Parameters
    ----------
    spreads : tuple of Spread
    count : int
        Number of scenarios.
    seed : int
        Of the random numbers.
    probability : float
        With which limits are to be met, above 0.5 and at most 1 (in every scenario).
    worst_percent : float
        The goal is its mean over this share of the scenarios, the worst ones; 0 for the worst scenario alone.

    Raises
    ------
    UncertaintyError
        If nothing is uncertain, two spreads act on the same, there is no scenario, or a number is impossible.
    """

    spreads: tuple[Spread, ...]
    count: int = DEFAULT_COUNT
    seed: int = 0
    probability: float = 0.95
    worst_percent: float = 10.0

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_SCENARIOS:
            raise UncertaintyError(f"The number of scenarios must be 1 to {MOST_SCENARIOS}, not {self.count}.")
        if self.seed < 0:
            raise UncertaintyError(f"The seed must be zero or a positive whole number, not {self.seed}.")
        if not 0.5 < self.probability <= 1.0:
            raise UncertaintyError(
                f"Limits can be required with a probability above 0.5 and at most 1, not {self.probability:g}."
            )
        if not 0.0 <= self.worst_percent <= 100.0:
            raise UncertaintyError(
                f"The worst share of the scenarios must be 0 to 100 %, not {self.worst_percent:g} %."
            )
        if not self.spreads:
            raise UncertaintyError("Nothing is uncertain: choose at least one spread, or plan without scenarios.")
        for what in ActsOn:
            same = [s.name for s in self.spreads if s.acts_on is what]
            if len(same) > 1:
                raise UncertaintyError(
                    f"The uncertainties {' and '.join(same)} act on the same ({what}): choose one of them."
                )

    @staticmethod
    def default(device: str, **changes: Any) -> Uncertainty:
        """Return the spreads that are chosen for a device where nothing is said; ``changes`` are other fields."""
        chosen = (s for s in published_spreads().values() if s.default and (not s.devices or device in s.devices))
        return Uncertainty(tuple(chosen), **changes)

    @staticmethod
    def from_table(table: Mapping[str, Any], device: str) -> Uncertainty:
        """Return the choice that a table states, as of a case file.

        ``spreads`` maps names to true (chosen), false (left out) or a table of numbers (chosen, with these numbers);
        spreads not named are chosen as by ``default``, unless one named acts on the same.  The other entries are
        ``count``, ``seed``, ``probability`` and ``worst_percent``::

            [uncertainty]
            count = 200
            seed = 1
            probability = 0.95
            worst_percent = 10
            [uncertainty.spreads]
            lung_shunt_planar = true
            registration_shift = { sd = 2.0 }
            vial = false

        Raises
        ------
        UncertaintyError
            If a name is unknown, a spread was published for another device, or a value is impossible.
        """
        unknown = sorted(set(table) - set(_ENTRIES))
        if unknown:
            raise UncertaintyError(f"Unknown entries of the uncertainty, {unknown}: use {', '.join(_ENTRIES)}.")
        named = table.get("spreads", {})
        if not isinstance(named, Mapping):
            raise UncertaintyError(f"The spreads are a table of names, not {named!r:.60}.")
        chosen = {name: _stated(name, value) for name, value in named.items()}
        taken = {s.acts_on for s in chosen.values() if s is not None}
        spreads = [s for s in Uncertainty.default(device).spreads if s.name not in chosen and s.acts_on not in taken]
        spreads += [s for s in chosen.values() if s is not None]
        for one in spreads:
            one.check_device(device)
        order = list(published_spreads())
        spreads.sort(key=lambda s: order.index(s.name))
        numbers = {
            name: _number(name, table[name], name in ("count", "seed")) for name in _ENTRIES[:4] if name in table
        }
        return Uncertainty(tuple(spreads), **numbers)

    def on(self, what: ActsOn) -> Spread | None:
        """Return the spread that acts on something; None if that is certain."""
        return next((s for s in self.spreads if s.acts_on is what), None)

    @property
    def worst_share(self) -> float:
        """Share of the scenarios in which a limit may be exceeded."""
        return 1.0 - self.probability

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers and texts: everything needed to draw the same scenarios, with sources."""
        return {
            "count": self.count,
            "seed": self.seed,
            "probability": self.probability,
            "worst_percent": self.worst_percent,
            "spreads": [_plain(s) for s in self.spreads],
        }


def only(*names: str, **changes: Any) -> Uncertainty:
    """Return an uncertainty of some published spreads; ``changes`` are other fields."""
    return Uncertainty(_spreads(names), **changes)


def _spreads(names: Sequence[str]) -> tuple[Spread, ...]:
    return tuple(spread(name) for name in names)


def _plain(one: Spread) -> dict[str, Any]:
    kept = ("name", "title", "model", "numbers", "unit", "correlation", "status", "source", "note", "changed")
    table = {name: value for name, value in asdict(one).items() if name in kept}
    return {**table, "status": str(one.status), "numbers": dict(one.numbers)}


def _stated(name: str, value: Any) -> Spread | None:
    found = spread(name)
    if isinstance(value, bool):
        return found if value else None
    if isinstance(value, Mapping):
        return found.with_numbers(value)
    raise UncertaintyError(f"Uncertainty '{name}' is true, false or a table of numbers, not {value!r:.60}.")


def _number(name: str, value: Any, whole: bool) -> Any:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise UncertaintyError(f"The {name} of the uncertainty must be a {'whole ' if whole else ''}number.")
    return value if whole else float(value)
