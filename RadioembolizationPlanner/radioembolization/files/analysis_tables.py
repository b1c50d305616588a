"""What a case file says about uncertainty, vials and further results: ``[uncertainty]``, ``[vials]``, ``[report]``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from radioembolization.dose import Uncertainty, published_spreads
from radioembolization.errors import CaseFileError
from radioembolization.files.toml_table import Table
from radioembolization.physics import Device
from radioembolization.planning import SharedVials, VialCalendar, WholeVials
from radioembolization.planning.vial_times import aware_time, zone_named
from radioembolization.treatment import AnalysisRequest, FrontRequest, MicrosphereRequest, VialRequest


def analysis_from_tables(
    uncertainty: Table,
    vials: Table,
    report: Table,
    device: Device,
    sites: Iterable[str],
    hours: Mapping[str, Any],
) -> AnalysisRequest:
    """Return what a case asks for beside the plan.

    Parameters
    ----------
    uncertainty, vials, report : Table
        Empty where the case file has none.
    device : Device
    sites : iterable of str
    hours : mapping of str to value
        ``inject_at`` of the sites that state it.

    Raises
    ------
    CaseFileError, UncertaintyError, VialError
        If an entry is unknown, missing or impossible.
    """
    nothing = uncertainty.empty
    robust = uncertainty.flag("robust", False)
    stated = None if nothing else Uncertainty.from_table(uncertainty.everything(), device.name)
    return AnalysisRequest(
        explanation=report.flag("explanation", True),
        front=_front(report),
        staircase=report.flag("staircase", False),
        uncertainty=stated,
        robust=robust,
        vials=_vials(vials, device, tuple(sites), hours),
        microspheres=_microspheres(report),
    )


def _front(report: Table) -> FrontRequest | None:
    limit, between = report.take("front", False), report.numbers("front_between", 2, ())
    if isinstance(limit, bool):
        if between and not limit:
            raise CaseFileError(f"{report.where}.front_between is a range of a front: state front, as true or a limit.")
        return FrontRequest(between=_range(between)) if limit else None
    if not isinstance(limit, str) or not limit.strip():
        raise CaseFileError(f"{report.where}.front must be true, false or a limit in quotes, not {limit!r}.")
    return FrontRequest(limit, _range(between))


def _microspheres(report: Table) -> MicrosphereRequest | None:
    draws, seed = report.take("microspheres", None), report.take("microspheres_seed", None)
    if draws is None and seed is not None:
        raise CaseFileError(
            f"{report.where}.microspheres_seed is that of the draws: state microspheres, the number of draws."
        )
    return None if draws is None else MicrosphereRequest(draws, 0 if seed is None else seed)


def _range(between: tuple[float, ...]) -> tuple[float, float] | None:
    return (between[0], between[1]) if between else None


def _vials(table: Table, device: Device, sites: tuple[str, ...], hours: Mapping[str, Any]) -> VialRequest | None:
    if table.empty:
        if hours:
            raise CaseFileError(f"inject_at of site '{next(iter(hours))}' needs [vials]: state which can be had.")
        return None
    for_all, entries = table.take("inject_at", None), table.everything()
    calendar = VialCalendar.from_table(entries, device)
    zone = zone_named(entries["time_zone"]) if "time_zone" in entries else None
    chosen = {name: hours.get(name, for_all) for name in sites if name in hours or for_all is not None}
    inject_at = {name: aware_time(at, zone, f"inject_at of site '{name}',") for name, at in chosen.items()}
    return VialRequest(calendar, inject_at)


def uncertainty_table(asked: AnalysisRequest) -> dict[str, Any]:
    """Return the table from which the uncertainty is read again; every published spread is said to be in or out."""
    given = asked.uncertainty
    if given is None:
        return {}
    chosen = {spread.name: dict(spread.numbers) if spread.changed else True for spread in given.spreads}
    return {
        "count": given.count,
        "seed": given.seed,
        "probability": given.probability,
        "worst_percent": given.worst_percent,
        "robust": asked.robust,
        "spreads": {name: chosen.get(name, False) for name in published_spreads()},
    }


def vials_table(asked: VialRequest) -> dict[str, Any]:
    """Return the table from which the calendar is read again, without the hours of injection."""
    calendar = asked.calendar
    table: dict[str, Any] = {} if not calendar.sizes_gbq else {"sizes_gbq": list(calendar.sizes_gbq)}
    table |= {
        "calibrations": [_time(at) for at in calendar.calibrations],
        "bq_per_sphere": calendar.bq_per_sphere,
        "residual": calendar.residual,
        "before_half_lives": calendar.sense.before_half_lives,
        "after_half_lives": calendar.sense.after_half_lives,
        "source": calendar.source,
    }
    if isinstance(calendar.supply, WholeVials):
        table["vials_per_site"] = calendar.supply.most_per_site
    if isinstance(calendar.supply, SharedVials) and calendar.supply.most_vials is not None:
        table["most_vials"] = calendar.supply.most_vials
    return table


def report_table(asked: AnalysisRequest) -> dict[str, Any]:
    """Return the entries of ``[report]`` that are not the default."""
    table: dict[str, Any] = {} if asked.explanation else {"explanation": False}
    if asked.front is not None:
        table["front"] = asked.front.limit or True
        table |= {"front_between": list(asked.front.between)} if asked.front.between else {}
    table |= {"staircase": True} if asked.staircase else {}
    if asked.microspheres is not None:
        table |= {"microspheres": asked.microspheres.draws, "microspheres_seed": asked.microspheres.seed}
    return table


def hour_of(asked: AnalysisRequest, site: str) -> str:
    """Return when a site is injected as in case files; empty if not stated."""
    at = None if asked.vials is None else asked.vials.inject_at.get(site)
    return "" if at is None else _time(at)


def _time(at: datetime) -> str:
    return at.isoformat(timespec="minutes" if at.second == at.microsecond == 0 else "auto")
