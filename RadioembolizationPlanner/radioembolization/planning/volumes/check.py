"""The check of a record of boxes, in float64 over all voxels, without a solver.

It believes nothing of the record but its numbers.  Cells are made anew and compared with the dose rows voxel by voxel;
planes are computed anew; every box follows from the one above it by what is checked before; its bound is computed from
the step functions as they are, without the places that the search moves steps to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radioembolization.dose import DosePerGBq, single_threaded_products
from radioembolization.errors import CertificateRejected, InputError
from radioembolization.planning.certificate import Verdict, check_plan
from radioembolization.planning.cutting_planes import LOOSER
from radioembolization.planning.goals import Goal
from radioembolization.planning.lagrangian import NONE, Rows
from radioembolization.planning.limits import Limit, activity_caps_gbq
from radioembolization.planning.proof_check import ROUNDING, computed_planes
from radioembolization.planning.volumes.argument import Frame, normalized
from radioembolization.planning.volumes.boxes import Box, propagated
from radioembolization.planning.volumes.cell_steps import Steps, check_cells
from radioembolization.planning.volumes.counted import ROUNDING as OF_DOSES
from radioembolization.planning.volumes.counted import counted, volume_bounds_of
from radioembolization.planning.volumes.goal_at_volume import planes_goal
from radioembolization.planning.volumes.model import cells_of
from radioembolization.planning.volumes.record import BoxNode, Multipliers, VolumeCertificate

#: Bounds computed anew may be above the one stated by this, relative.
_WEAKER = 1e-5
#: A plan that meets its limits to their tolerance may be better than the bound by this, relative.
_BEYOND = 1e-4


def verify_volumes(
    certificate: VolumeCertificate,
    goal: Goal,
    limits: Sequence[Limit],
    dose: DosePerGBq,
    activities_gbq: np.ndarray,
    value: float,
) -> Verdict:
    """Check a plan and the certificate of its bound.

    Parameters
    ----------
    certificate : VolumeCertificate
    goal, limits
        Of the prescription.
    dose : DosePerGBq
    activities_gbq : ndarray (sites,)
        Of the plan.
    value : float
        Goal value that the plan states.

    Raises
    ------
    CertificateRejected
        The message says what is wrong.
    """
    if certificate.fingerprint != dose.fingerprint:
        raise CertificateRejected("The dose rows are not those of the certificate: their SHA256 differs.")
    try:
        _ = dose.usable
        found = check_plan(goal, limits, dose, activities_gbq, value)
        bound = proved_bound(certificate, goal, limits, dose)
    except InputError as error:
        raise CertificateRejected(f"Goal and limits do not fit the dose rows: {error}") from error
    score = found if goal.maximized else -found
    if not score <= bound + _BEYOND * max(1e-3, abs(bound)):
        raise CertificateRejected(f"The plan has {found:.8g} {goal.unit}, beyond its own bound of {abs(bound):.8g}.")
    boxes = sum(1 for _ in certificate.root.walk())
    return Verdict(
        found,
        bound if goal.maximized else -bound,
        abs(bound - score) / max(1e-3, abs(bound)),
        (
            f"dose rows: SHA256 as stated, {dose.rows.shape[0]} sites and {dose.rows.shape[1]} voxels",
            f"plan: {len(limits)} limits met and the goal as stated, in float64",
            f"cells: each compared with the dose rows of its voxels, for {len(certificate.forms)} dose-volume limits",
            f"bound: proved for all activities over {boxes} boxes of doses, without a solver",
        ),
    )


def proved_bound(certificate: VolumeCertificate, goal: Goal, limits: Sequence[Limit], dose: DosePerGBq) -> float:
    """Return the score that no plan surpasses, as far as a record proves it (``CertificateRejected`` if nothing)."""
    stated = certificate.bound if certificate.level is None else certificate.level
    if not np.isfinite(stated):
        raise CertificateRejected("The certificate states no bound.")
    with single_threaded_products():
        found = _Check(certificate, goal, limits, dose).bound()
    if certificate.level is not None:
        if not found < 0.0:
            raise CertificateRejected(f"Boxes are left in which a plan may reach {certificate.level:.8g}.")
        return certificate.level
    if not found <= stated + _WEAKER * max(1e-3, abs(stated)):
        raise CertificateRejected(f"The boxes prove a bound of {found:.8g} only, not {stated:.8g} as stated.")
    return max(found, stated)


class _Check:
    """The walk over all boxes."""

    def __init__(self, certificate: VolumeCertificate, goal: Goal, limits: Sequence[Limit], dose: DosePerGBq) -> None:
        matrix = self.matrix = np.asarray(certificate.matrix, dtype=float)
        sites = len(dose.site_names)
        if matrix.ndim != 2 or matrix.shape[1] != sites or not np.all(np.isfinite(matrix) & (matrix >= 0)):
            raise CertificateRejected("The coordinates of the certificate do not fit the sites.")
        self.root, self.level = certificate.root, certificate.level
        touched = planes_goal(goal, dose)
        if (touched is not goal) != (self.level is not None):
            raise CertificateRejected("The certificate is not one of this goal.")
        self.cap_gbq = activity_caps_gbq(limits, dose) * LOOSER
        self.frame = Frame(matrix, self.cap_gbq)
        self.planes = _rows(certificate, touched, limits, dose)
        bounds = volume_bounds_of(limits)
        if self.level is not None:
            bounds += goal.volume_bounds(dose, self.level)
        if len(certificate.forms) != len(bounds):
            raise CertificateRejected("The certificate is not one of these dose-volume limits.")
        for form in certificate.forms:
            if form.ndim != 2 or form.shape[1] != len(matrix) or not np.all(np.isfinite(form) & (form >= 0)):
                raise CertificateRejected("The forms of the certificate do not fit its coordinates.")
        self.levels = cells_of(bounds, dose, self.cap_gbq, matrix, certificate.widths, certificate.forms)
        for level in self.levels:
            for cells, limit in zip(level, counted(bounds, dose), strict=True):
                lacks = float(np.maximum(-limit.rows.rows.min(axis=1).astype(float), 0.0) @ self.cap_gbq)
                threshold = limit.counts_from_gy + (lacks if limit.bound.above else 0.0)
                if cells.threshold_gy * cells.sign < threshold * cells.sign or cells.share < limit.bound.share:
                    raise CertificateRejected("The cells have another dose or share than the limit.")
                check_cells(cells, limit.rows, matrix, self.cap_gbq > 0)

    def bound(self) -> float:
        """Return the score that no plan surpasses; for a level: below zero if none reaches it."""
        largest = self.matrix @ self.cap_gbq
        box = Box.of(np.zeros(len(largest)), largest * (1.0 + OF_DOSES))
        known = [(np.arange(len(cells.weights)), 0.0) for cells in self.levels[0]]
        highest = -np.inf
        left = [(self.root, box, known, 0)]
        while left:
            node, box, known, level = left.pop()
            if not 0 <= node.level < len(self.levels):
                raise CertificateRejected("A box has no such width of cells.")
            cells = self.levels[node.level]
            if node.level != level:
                known = [(np.arange(len(each.weights)), 0.0) for each in cells]
            if box.empty:
                continue
            steps = [Steps.of(each, *k, box) for each, k in zip(cells, known, strict=True)]
            if node.bound is not None:
                zero = np.zeros(len(self.cap_gbq))
                scored = self.level is None
                highest = max(highest, self._proved(zero, scored, node.bound, -np.inf, box, steps))
                continue
            narrowed = self._narrowed(node, box, steps)
            if node.steps and self.level is None:
                highest = max(highest, node.floor)
            if narrowed.empty:
                continue
            below = [(s.open, s.certain) for s in steps]
            left += [(part, inner, below, node.level) for part, inner in self._parts(node, narrowed)]
        return highest

    def _parts(self, node: BoxNode, box: Box) -> list[tuple[BoxNode, Box]]:
        """Return the parts of a box, which cover it."""
        if node.split is None:
            if len(node.parts) != 1:
                raise CertificateRejected("A box is neither bounded nor split.")
            return [(node.parts[0], box)]
        coordinate, at = node.split
        if len(node.parts) != 2 or not 0 <= coordinate < len(self.matrix) or not np.isfinite(at):
            raise CertificateRejected("A split box has not two parts.")
        found = []
        for part, above in zip(node.parts, (False, True), strict=True):
            lower, upper = box.lower.copy(), box.upper.copy()
            if above:
                lower[coordinate] = max(lower[coordinate], at)
            else:
                upper[coordinate] = min(upper[coordinate], at)
            found.append((part, propagated(self.matrix, lower, upper)))
        return found

    def _narrowed(self, node: BoxNode, box: Box, steps: Sequence[Steps]) -> Box:
        """Return the box without what no plan of at least the floor reaches."""
        floor = node.floor
        if self.level is not None and floor > self.level:
            raise CertificateRejected("A step presumes more than the level.")
        lower, upper = box.lower.copy(), box.upper.copy()
        for coordinate, above, y in node.steps:
            if not 0 <= coordinate < len(self.matrix):
                raise CertificateRejected("A step is about no coordinate.")
            row = self.matrix[coordinate] * (1.0 if above else -1.0)
            found = self._proved(row, False, y, floor, box, steps)
            if above:
                upper[coordinate] = min(upper[coordinate], found)
            else:
                lower[coordinate] = max(lower[coordinate], -found)
        return propagated(self.matrix, lower, upper)

    def _proved(
        self, row: np.ndarray, scored: bool, y: Multipliers, floor: float, box: Box, steps: Sequence[Steps]
    ) -> float:
        """Return what multipliers prove of ``row @ x``, or of the score, in a box; with rounding counted in."""
        planes, limits, sides = self._dense(y, len(self.planes.right))
        weights, e = normalized(self.planes, planes, y.floor, scored)
        if e > 0 and not np.isfinite(floor):
            floor, level = 0.0, self.level
            if level is None:
                raise CertificateRejected("Multipliers of a floor that there is not.")
            floor = level
        if not np.all(np.isfinite(weights)):
            return np.inf
        constants = [float(weights @ self.planes.right), -(e * floor) if e > 0 else 0.0]
        sizes = [float(weights @ np.abs(self.planes.right))]
        left, size = row - weights @ self.planes.matrix, np.abs(row) + weights @ np.abs(self.planes.matrix)
        for each, times, (places, values) in zip(steps, limits, y.slopes, strict=True):
            slopes = np.zeros(len(each.cells.forms))
            slopes[_within(places, len(slopes))] = values
            constants += [times * each.cells.share, -times * each.certain, -each.intercept(slopes, times)]
            of_sites = (slopes @ each.cells.forms) @ self.matrix
            left, size = left - each.cells.sign * of_sites, size + np.abs(of_sites)
            sizes.append(float(np.abs(slopes) @ np.abs(each.last)) + times)
        upper_side, lower_side = np.maximum(sides, 0.0), np.maximum(-sides, 0.0)
        constants += [float(upper_side @ box.upper), -float(lower_side @ box.lower)]
        left, size = left - sides @ self.matrix, size + np.abs(sides) @ self.matrix
        lower, upper = self.frame.activities(box)
        lower = np.minimum(lower, upper)
        each_site = np.maximum(left * lower, left * upper) + ROUNDING * size * upper
        total = sum(constants) + ROUNDING * (sum(abs(c) for c in constants) + sum(sizes)) + float(each_site.sum())
        return total if np.isfinite(total) else np.inf

    def _dense(self, y: Multipliers, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        planes, sides = np.zeros(count), np.zeros(len(self.matrix))
        planes[_within(y.planes[0], count)] = y.planes[1]
        sides[_within(y.sides[0], len(sides))] = y.sides[1]
        limits = np.asarray(y.limits, dtype=float)
        numbers = np.concatenate([planes, sides, limits, [y.floor], *(values for _, values in y.slopes)])
        if not np.all(np.isfinite(numbers)) or np.any(limits < 0) or len(y.slopes) != len(limits):
            raise CertificateRejected("Multipliers are no numbers, or negative.")
        return planes, limits, sides


def _within(places: np.ndarray, count: int) -> np.ndarray:
    places = np.asarray(places, dtype=int)
    if np.any((places < 0) | (places >= count)) or len(np.unique(places)) != len(places):
        raise CertificateRejected("Multipliers belong to nothing.")
    return places


def _rows(certificate: VolumeCertificate, goal: Goal, limits: Sequence[Limit], dose: DosePerGBq) -> Rows:
    """Return the planes, computed anew in float64, as rows."""
    if any(origin.kind == "site" for origin in certificate.planes):
        raise CertificateRejected("Rules of sites have no part in a search over doses.")
    try:
        choices = computed_planes(list(certificate.planes), goal, limits, dose)
    except NotImplementedError as error:
        raise CertificateRejected("A plane of the certificate is of a limit that none touches.") from error
    matrix, right, term = [], [], []
    for origin, touching in zip(certificate.planes, choices, strict=True):
        plane, of_goal = touching[origin.plane], origin.kind == "goal"
        matrix.append(-plane.row if of_goal else plane.row)
        right.append(plane.constant if of_goal else -plane.constant)
        term.append(origin.index if of_goal else NONE)
    weights = np.array([weight for weight, _ in goal.terms])
    shape = (len(matrix), len(dose.site_names))
    return Rows(np.array(matrix).reshape(shape), np.array(right), np.array(term, dtype=int), weights)
