"""How hard to try: gap, time limit, progress; an exception raised by the progress function ends the work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Called with what is done, the steps done and the steps there are (0 if not known).
Progress = Callable[[str, int, int], None]
#: Status of plans whose search was ended, by the clock or after ``Effort.most_steps``.
TIME_LIMIT, SEARCH_LIMIT = "time limit", "search limit"


@dataclass(frozen=True)
class Effort:
    """How far a plan is to be improved and proved.

    Parameters
    ----------
    gap : float
        Relative gap between plan and bound at which the choice of sites ends.
    plan_gap : float
        Relative gap at which the activities on given sites are good enough.
    volume_gap : float
        The same where dose-volume limits make the problem nonconvex.
    time_limit_s : float
        After this time the best plan so far is returned with the gap that is proved; infinite for none.  With a
        time limit the plan may depend on the speed of the machine.
    most_steps : int
        After as many steps of one search over the sites the best plan so far is returned, too: linear programs solved,
        and 16 nodes without one count as one.  It does not depend on the speed of the machine.
    fewer_within : float or None
        Fewer injections are preferred as long as the goal is at most this share worse; None for the plan the solver
        found first, without any tie-break.
    progress : callable, optional
        An exception it raises cancels the work.
    """

    gap: float = 5e-6
    plan_gap: float = 1e-6
    volume_gap: float = 0.02
    time_limit_s: float = float("inf")
    most_steps: int = 30_000
    fewer_within: float | None = 0.02
    progress: Progress | None = None


@dataclass
class Watch:
    """One run: its clock and its progress."""

    effort: Effort
    started_s: float = field(default_factory=time.perf_counter)

    @property
    def left_s(self) -> float:
        """Time left [s]."""
        return self.effort.time_limit_s - (time.perf_counter() - self.started_s)

    @property
    def unfinished(self) -> str:
        """Status of what ended before its proof: by the clock, or by ``Effort.most_steps``."""
        return TIME_LIMIT if self.over else SEARCH_LIMIT

    @property
    def over(self) -> bool:
        """Whether the time limit has passed."""
        return self.left_s <= 0

    def report(self, what: str, step: int, steps: int = 0) -> None:
        """Tell the progress; lets an exception through, which ends the work."""
        if self.effort.progress is not None:
            self.effort.progress(what, step, steps)
