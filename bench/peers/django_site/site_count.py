"""What dj-stripe has kept: prints, as JSON, how many messages came, were processed, are stored as events, and how many
sessions it knows as paid."""

import json
import sys

import django

django.setup()

from djstripe.models import Event, Session, WebhookEventTrigger


def count() -> dict[str, int]:
    triggers = WebhookEventTrigger.objects
    paid = sum(session.stripe_data.get("payment_status") == "paid" for session in Session.objects.all())
    return {
        "received": triggers.count(),
        "processed": triggers.filter(processed=True, valid=True, exception="").count(),
        "events": Event.objects.count(),
        "paid": paid,
    }


if __name__ == "__main__":
    json.dump(count(), sys.stdout)
