"""The bound that multipliers prove, in numpy: no solver, no tolerance of a solver.

Over activities ``l <= x <= u`` and levels t (free), the linear program is

    maximize   sum_i w_i t_i
    subject to G x + t_i(row) <= r        for every row,

each row with the level of one term of the goal, or none.  For any multipliers ``y >= 0`` that sum to w_i over the rows
of each term, its value is at most

    y r + sum_j max(-(G'y)_j u_j, -(G'y)_j l_j),

so that the accuracy of whoever found y cannot falsify the bound.  Multipliers of rows of limits may be scaled by any
factor; a good one is searched, which makes bounds insensitive to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: No term.
NONE = -1
#: What sites that a cut leaves out may add to its threshold, relative.
NEGLIGIBLE = 1e-8


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of the linear program.

    Parameters
    ----------
    matrix : ndarray (rows, sites)
    right : ndarray (rows,)
    term : ndarray (rows,) of int
        Which level each row holds; -1 for none.
    weights : ndarray (terms,)
    """

    matrix: np.ndarray
    right: np.ndarray
    term: np.ndarray
    weights: np.ndarray

    def only(self, chosen: np.ndarray) -> Rows:
        """Return some of the rows."""
        return Rows(self.matrix[chosen], self.right[chosen], self.term[chosen], self.weights)

    def admissible(self, multipliers: np.ndarray) -> np.ndarray:
        """Return multipliers (rows,) changed so that they prove a bound; infinite where a term has none."""
        y = np.maximum(np.asarray(multipliers, dtype=float), 0.0)
        for term, weight in enumerate(self.weights):
            of_term = self.term == term
            total = y[of_term].sum()
            y[of_term] = y[of_term] * (weight / total) if total > 0 else np.inf
        return y


@dataclass(frozen=True, eq=False)
class Argument:
    """What multipliers say about every plan: ``value <= fixed + f scaled + sum_j max(0, gain_j - f price_j) cap_j``.

    The factor f >= 0 is free.

    Parameters
    ----------
    fixed, scaled : float
    gain, price : ndarray (sites,)
    """

    fixed: float
    scaled: float
    gain: np.ndarray
    price: np.ndarray

    @staticmethod
    def of(rows: Rows, multipliers: np.ndarray) -> Argument:
        """Return the argument of multipliers (rows,); rows of limits that forbid nothing are scaled."""
        y = rows.admissible(multipliers)
        proves = np.all(np.isfinite(y)) and set(range(len(rows.weights))) <= set(rows.term[y > 0])
        if not proves:
            sites = rows.matrix.shape[1]
            return Argument(np.inf, 0.0, np.zeros(sites), np.zeros(sites))
        scaled = (rows.term == NONE) & (rows.right >= 0)
        fixed, free = y * ~scaled, y * scaled
        return Argument(float(fixed @ rows.right), float(free @ rows.right), -(fixed @ rows.matrix), free @ rows.matrix)

    def bound(self, lower: np.ndarray, upper: np.ndarray) -> float:
        """Return the bound for activities between lower and upper (sites,)."""
        return self._at(self.best_factor(lower, upper), lower, upper)

    def best_factor(self, lower: np.ndarray, upper: np.ndarray) -> float:
        """Return the factor f of the best bound for activities between lower and upper (sites,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = self.gain / self.price
        ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
        factors = np.concatenate([[1.0], np.unique(ratios[ratios > 0.5])])
        reduced = self.gain - np.outer(factors, self.price)
        heights = factors * self.scaled + np.sum(np.maximum(reduced * upper, reduced * lower), axis=1)
        return float(factors[np.argmin(heights)])

    def _at(self, factor: float, lower: np.ndarray, upper: np.ndarray) -> float:
        reduced = self.gain - factor * self.price
        return self.fixed + factor * self.scaled + float(np.sum(np.maximum(reduced * upper, reduced * lower)))

    def needed(self, threshold: float, cap: np.ndarray) -> np.ndarray | None:
        """Return the sites (sites,) of bool of which any plan above a threshold must use one; None if nothing follows.

        Without them the bound is at most the threshold: the factor is chosen so that the constant part reaches
        it, and of the sites only those with gain beyond it matter.  All others together may exceed the threshold
        by ``NEGLIGIBLE`` of it.
        """
        if self.fixed > threshold or not np.isfinite(self.fixed):
            return None
        small = NEGLIGIBLE * max(1e-3, abs(threshold)) / len(cap)
        if self.scaled <= 0:
            return np.asarray(self.gain * cap > small)
        factor = (threshold - self.fixed) / self.scaled
        return np.asarray((self.gain - factor * self.price) * cap > small)
