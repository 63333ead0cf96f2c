"""What services need from outside, passed in: nothing else reads a clock, waits, knows Stripe or mail."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from portal.gateways.mail_gateway import MailGateway
from portal.gateways.stripe_gateway import Patience, StripeGateway
from portal.gateways.stripe_secrets import StripeSecrets
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
    secrets: StripeSecrets | None = None
    """None: Stripe's secrets stay as the settings have them."""

    @classmethod
    def build(cls, settings: Settings, patience: Patience, now: Callable[[], datetime] = utc_now) -> "Deps":
        """The real parts, for a web process or for a worker."""
        secrets = StripeSecrets(settings) if StripeSecrets.may_change(settings) else None
        key = secrets.secret_key if secrets else lambda: settings.stripe_secret_key
        stripe = StripeGateway(key, settings.stripe_api_base, patience, now)
        return cls(settings, stripe, MailGateway(settings.smtp, settings.public_host), now, secrets=secrets)

    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that an event of Stripe's may be signed with at this moment; none: every event is refused."""
        return self.secrets.webhook_secrets() if self.secrets else self.settings.stripe_webhook_secrets

    def for_one_request(self) -> "Deps":
        """All Stripe calls of one request share one allowance of time."""
        return replace(self, stripe=self.stripe.for_one_request())
