"""What services need from outside, passed in: nothing else reads a clock, waits, knows Stripe or mail."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from portal.gateways.mail_gateway import MailGateway
from portal.gateways.stripe_gateway import Patience, StripeGateway
from portal.settings import Settings


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deps:
    """`now` gives the instant in UTC; `pause` waits that many seconds."""

    settings: Settings
    stripe: StripeGateway
    mail: MailGateway
    now: Callable[[], datetime] = utc_now
    pause: Callable[[float], None] = time.sleep

    @classmethod
    def build(cls, settings: Settings, patience: Patience, now: Callable[[], datetime] = utc_now) -> "Deps":
        """The real parts, for a web process or for a worker."""
        stripe = StripeGateway(settings.stripe_secret_key, settings.stripe_api_base, patience, now)
        return cls(settings, stripe, MailGateway(settings.smtp, settings.public_host), now)

    def for_one_request(self) -> "Deps":
        """All Stripe calls of one request share one allowance of time."""
        return replace(self, stripe=self.stripe.for_one_request())
