"""Lists, their filters, and expansions through Stripe's SDK."""

from email.utils import parsedate_to_datetime

import pytest
import requests
import stripe

from tests.simulator import openapi, shop


def test_lists_page_from_newest_to_oldest(api, control):
    made = [api.v1.checkout.sessions.create(params=shop.order()).id for _ in range(5)]
    newest_first = made[::-1]
    first = api.v1.checkout.sessions.list(params={"limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (newest_first[:2], True)
    rest = api.v1.checkout.sessions.list(params={"limit": 3, "starting_after": newest_first[1]})
    assert ([one.id for one in rest.data], rest.has_more) == (newest_first[2:], False)
    back = api.v1.checkout.sessions.list(params={"limit": 2, "ending_before": newest_first[3]})
    assert ([one.id for one in back.data], back.has_more) == (newest_first[1:3], True)
    assert [one.id for one in first.auto_paging_iter()] == newest_first
    intent_id = control.pay(made[0])["session"]["payment_intent"]
    by_intent = api.v1.checkout.sessions.list(params={"payment_intent": intent_id, "expand": ["data.payment_intent"]})
    assert [(one.id, one.payment_intent.status) for one in by_intent.data] == [(made[0], "succeeded")]
    assert [one.id for one in api.v1.checkout.sessions.list(params={"status": "complete"}).data] == [made[0]]


def test_lists_filter_by_time(api, control):
    start = control.freeze()
    old = api.v1.checkout.sessions.create(params=shop.order()).id
    control.advance(100)
    new = api.v1.checkout.sessions.create(params=shop.order()).id

    def listed(**created):
        return [one.id for one in api.v1.checkout.sessions.list(params={"created": created}).data]

    assert listed(gte=start) == [new, old]
    assert listed(gt=start) == [new]
    assert listed(lte=start) == [old]
    assert listed(gte=start, lt=start + 100) == [old]
    assert [one.id for one in api.v1.checkout.sessions.list(params={"created": start}).data] == [old]


@pytest.mark.parametrize(
    ("params", "param"),
    [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"starting_after": "cs_x"}, "starting_after")],
)
def test_lists_refuse_bad_paging(api, params, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.v1.checkout.sessions.list(params=params)
    assert caught.value.param == param


def test_line_items_and_expansions(api, session):
    items = api.v1.checkout.sessions.line_items.list(session.id)
    assert [(item.quantity, item.amount_total) for item in items.data] == [(1, 112_500)]
    openapi.check_object("item", items.data[0])
    whole = api.v1.checkout.sessions.retrieve(session.id, params={"expand": ["line_items", "payment_intent"]})
    openapi.check_object("checkout.session", whole)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        api.v1.checkout.sessions.retrieve(session.id, params={"expand": ["amount_total"]})


def test_an_answer_carries_the_moment_once_on_stripes_clock(control):
    control.freeze()
    control.advance(7 * 3600)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{control.url}/v1/account", auth=("sk_test_x", ""))
    assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == control.now()


def test_a_key_that_was_rolled_is_refused(api, control):
    control.accept_only("sk_test_new")
    with pytest.raises(stripe.AuthenticationError):
        api.v1.balance.retrieve()
    assert shop.client(control.url, "sk_test_new").v1.balance.retrieve().object == "balance"
    control.accept_only()
    assert api.v1.balance.retrieve().object == "balance"
