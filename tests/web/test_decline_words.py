"""What a guest reads about a declined card."""

import pytest

from portal.web.decline_words import words_for

NO_REASON = "Your bank did not tell us why."


def test_a_known_code_has_its_own_words() -> None:
    words = words_for("expired_card")
    assert words.title == "Your bank declined the payment"
    assert words.reason == "The card has expired."
    assert words.next_step == "Use a different card."


def test_the_card_and_the_sum_are_named_when_they_are_known() -> None:
    words = words_for("insufficient_funds", "0341", "€657.00")
    assert words.reason == "There was not enough money available on the card ending 0341 for €657.00."
    assert words_for("expired_card", "0341", "€657.00").reason == "The card ending 0341 has expired."


@pytest.mark.parametrize(("last4", "amount"), [(None, "€657.00"), ("0341", None), (None, None), ("", "")])
def test_without_them_the_sentence_is_still_whole(last4: str | None, amount: str | None) -> None:
    words = words_for("insufficient_funds", last4, amount)
    assert words.reason == "There was not enough money available on the card."


@pytest.mark.parametrize("code", ["fraudulent", "lost_card", "stolen_card", "pickup_card", "merchant_blacklist"])
def test_nothing_tips_off_a_thief(code: str) -> None:
    assert words_for(code) == words_for("generic_decline")


@pytest.mark.parametrize("code", [None, "", "do_not_honor", "a_code_of_tomorrow"])
def test_every_other_code_falls_through(code: str | None) -> None:
    assert words_for(code, "4242", "€1.00").reason == NO_REASON


def test_an_unreachable_bank_is_not_called_a_decline() -> None:
    assert words_for("processing_error").title == "The payment could not go through"


def test_a_percent_sign_in_the_sum_does_no_harm() -> None:
    assert "100%s" in words_for("insufficient_funds", "4242", "100%s").reason
