"""What is asked of the portal's speed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """One goal beside its figure: `number` ("P1"), what is compared, how much is asked for, what was measured, whether
    that is enough, and the command that measures it. `why`: what stands in the way, for a goal that is not met."""

    number: str
    text: str
    goal: str
    figure: str
    met: bool
    command: str
    why: str = ""
