"""Money in, money back, disputes, cancellations, and what Stripe has told us."""

from typing import Any

from portal.migrations import drop_tables, run_sql

UP = """
CREATE TABLE payment (
    id {pk},
    public_id TEXT NOT NULL,
    reservation_id INTEGER NOT NULL,
    provider TEXT NOT NULL,
    amount {bigint} NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    disposition TEXT,
    session_number INTEGER NOT NULL,
    attempt_number INTEGER NOT NULL,
    idempotency_key TEXT,
    params TEXT,
    session_id TEXT,
    payment_intent_id TEXT,
    charge_id TEXT,
    card_brand TEXT,
    card_last4 TEXT,
    declines TEXT NOT NULL,
    declined_at TIMESTAMPTZ,
    decline_code TEXT,
    error_code TEXT,
    expires_at TIMESTAMPTZ,
    received_amount {bigint},
    received_currency TEXT,
    completed_at TIMESTAMPTZ,
    receipt_number TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    first_sent_at TIMESTAMPTZ,
    asked_at TIMESTAMPTZ,
    tries INTEGER NOT NULL,
    being_asked_until TIMESTAMPTZ,
    FOREIGN KEY (reservation_id) REFERENCES reservation (id),
    CONSTRAINT payment_status CHECK (status IN ('creating', 'open', 'processing', 'failed', 'expired', 'succeeded')),
    CONSTRAINT payment_provider CHECK (provider IN ('stripe', 'offline')),
    CONSTRAINT payment_disposition CHECK (disposition IS NULL OR disposition IN ('kept', 'returned')),
    CONSTRAINT payment_money_has_disposition CHECK ((status = 'succeeded') = (disposition IS NOT NULL)),
    CONSTRAINT payment_amount_positive CHECK (amount > 0)
);
CREATE UNIQUE INDEX payment_public_id ON payment (public_id);
CREATE UNIQUE INDEX payment_idempotency_key ON payment (idempotency_key);
CREATE UNIQUE INDEX payment_session_id ON payment (session_id);
CREATE UNIQUE INDEX payment_payment_intent_id ON payment (payment_intent_id);
CREATE UNIQUE INDEX payment_receipt_number ON payment (receipt_number);
CREATE UNIQUE INDEX payment_session_number ON payment (reservation_id, session_number);
CREATE UNIQUE INDEX payment_one_live ON payment (reservation_id) WHERE (status IN ('creating', 'open', 'processing'));
CREATE INDEX payment_status_created_at ON payment (status, created_at);

CREATE TABLE refund (
    id {pk},
    public_id TEXT NOT NULL,
    payment_id INTEGER NOT NULL,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount {bigint} NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    stripe_id TEXT,
    retry_of_id INTEGER,
    reason TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    failure_reason TEXT,
    first_sent_at TIMESTAMPTZ,
    tries INTEGER NOT NULL,
    next_try_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (payment_id) REFERENCES payment (id),
    FOREIGN KEY (retry_of_id) REFERENCES refund (id),
    CONSTRAINT refund_status CHECK (status IN ('todo', 'sent', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
    CONSTRAINT refund_kind CHECK (kind IN ('policy', 'returned', 'staff', 'external')),
    CONSTRAINT refund_provider CHECK (provider IN ('stripe', 'offline')),
    CONSTRAINT refund_amount_positive CHECK (amount > 0)
);
CREATE UNIQUE INDEX refund_public_id ON refund (public_id);
CREATE INDEX refund_payment_id ON refund (payment_id);
CREATE UNIQUE INDEX refund_idempotency_key ON refund (idempotency_key);
CREATE UNIQUE INDEX refund_stripe_id ON refund (stripe_id);
CREATE UNIQUE INDEX refund_retry_of_id ON refund (retry_of_id);
CREATE UNIQUE INDEX refund_one_automatic ON refund (payment_id) WHERE ((kind IN ('policy', 'returned')) AND (status NOT IN ('failed', 'canceled')));
CREATE INDEX refund_status_next_try_at ON refund (status, next_try_at);

CREATE TABLE dispute (
    id {pk},
    payment_id INTEGER NOT NULL,
    stripe_id TEXT NOT NULL,
    amount {bigint} NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    due_by TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (payment_id) REFERENCES payment (id)
);
CREATE INDEX dispute_payment_id ON dispute (payment_id);
CREATE UNIQUE INDEX dispute_stripe_id ON dispute (stripe_id);

CREATE TABLE cancellation (
    id {pk},
    reservation_id INTEGER NOT NULL,
    actor TEXT NOT NULL,
    local_date DATE NOT NULL,
    zone TEXT NOT NULL,
    tier_days INTEGER,
    percent INTEGER,
    refund_target {bigint} NOT NULL,
    refund_due {bigint} NOT NULL,
    reason TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (reservation_id) REFERENCES reservation (id),
    CONSTRAINT cancellation_refund_due CHECK (refund_due >= 0)
);
CREATE UNIQUE INDEX cancellation_reservation_id ON cancellation (reservation_id);

CREATE TABLE webhook_event (
    event_id TEXT NOT NULL PRIMARY KEY,
    type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    livemode {boolean} NOT NULL,
    payload_hash TEXT NOT NULL,
    payload TEXT,
    received_at TIMESTAMPTZ NOT NULL,
    processed_at TIMESTAMPTZ,
    result TEXT NOT NULL,
    error_message TEXT,
    reservation_id INTEGER,
    payment_id INTEGER,
    tries INTEGER NOT NULL,
    next_try_at TIMESTAMPTZ,
    FOREIGN KEY (reservation_id) REFERENCES reservation (id),
    FOREIGN KEY (payment_id) REFERENCES payment (id),
    CONSTRAINT webhook_event_result CHECK (result IN ('success', 'skipped', 'pending', 'error')),
    CONSTRAINT webhook_event_payload_until_processed CHECK (processed_at IS NULL OR payload IS NULL)
);
CREATE INDEX webhook_event_reservation_id ON webhook_event (reservation_id);
CREATE INDEX webhook_event_payment_id ON webhook_event (payment_id);
CREATE INDEX webhook_event_type_received_at ON webhook_event (type, received_at);
CREATE INDEX webhook_event_waiting ON webhook_event (next_try_at) WHERE (processed_at IS NULL);
"""


def up(migrator: Any, db: Any) -> None:
    run_sql(db, UP)


def down(migrator: Any, db: Any) -> None:
    drop_tables(db, "webhook_event", "cancellation", "dispute", "refund", "payment")
