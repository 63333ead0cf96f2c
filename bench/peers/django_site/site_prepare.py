"""Makes the tables and the webhook endpoint; run with the endpoint's id and its signing secret."""

import sys

import django

django.setup()

from django.core.management import call_command
from djstripe.models import Account, WebhookEndpoint


def prepare(endpoint: str, secret: str) -> None:
    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
    account = Account.get_default_account()  # as its own command makes it: once, from Stripe
    WebhookEndpoint.objects.create(
        id="we_of_the_bench",
        djstripe_uuid=endpoint,
        djstripe_owner_account=account,
        secret=secret,
        livemode=False,
        enabled_events=["*"],
        status="enabled",
        url="http://127.0.0.1/stripe/webhook/",
        stripe_data={"id": "we_of_the_bench", "object": "webhook_endpoint"},
    )


if __name__ == "__main__":
    prepare(*sys.argv[1:])
