"""When to try again.

The delay is written to the message's row, so that a killed sender resumes where it was; a retry library keeps
that in the process, hence these few lines.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential back-off from ``first_delay_s`` to ``delay_max_s``, each spread by ± ``spread``.

    There is no limit on the number of attempts: a message's hard end is its ``expires_at``.
    """

    first_delay_s: float = 2.0
    factor: float = 2.0
    delay_max_s: float = 1800.0
    spread: float = 0.2
    randomness: random.Random = field(default_factory=random.Random)

    def delay(self, attempts: int) -> dt.timedelta:
        """How long to wait after the ``attempts``-th attempt (from 1) has failed."""
        exponent = min(attempts - 1, 64)  # beyond, the cap holds anyway and floats overflow
        wait_s = min(self.first_delay_s * self.factor**exponent, self.delay_max_s)
        return dt.timedelta(seconds=wait_s * self.randomness.uniform(1 - self.spread, 1 + self.spread))
