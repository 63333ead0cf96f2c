"""Commands about the people who sign in to the staff pages, and about tokens for programs."""

import argparse
import json

from portal import db
from portal.deps import Deps
from portal.models import Staff
from portal.services import api_tokens, passwords, staff_accounts

ACTOR = "command line"


def add(arguments: argparse.Namespace, deps: Deps) -> None:
    password = passwords.new_password()
    with db.connection():
        person = staff_accounts.add_staff(
            deps, arguments.email, role=arguments.role, name=arguments.name, password=password, actor=ACTOR
        )
    _print_first_password(deps, person, password)


def disable(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        person = staff_accounts.get_by_email(arguments.email)
        done = staff_accounts.disable(deps, person.id, actor=ACTOR)
    print(f"{person.email}: " + ("cannot sign in any more" if done else "could not sign in before either"))


def enable(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        person = staff_accounts.get_by_email(arguments.email)
        done = staff_accounts.enable(deps, person.id, actor=ACTOR)
    print(f"{person.email}: " + ("may sign in again" if done else "may sign in already"))


def reset_password(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        person = staff_accounts.get_by_email(arguments.email)
        password = staff_accounts.reset_password(deps, person.id, actor=ACTOR)
    _print_first_password(deps, person, password)


def reset_totp(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        person = staff_accounts.get_by_email(arguments.email)
        staff_accounts.reset_second_factor(deps, person.id, actor=ACTOR)
    print(f"{person.email}: sets up the app for codes anew at the next sign-in")


def list_staff(arguments: argparse.Namespace, _: Deps) -> None:
    with db.connection():
        people = [_summary(person) for person in staff_accounts.list_staff()]
    if arguments.json:
        print(json.dumps(people))
        return
    for person in people:
        marks = [] if person["can_sign_in"] else ["cannot sign in"]
        marks += [] if person["second_factor"] else ["no second factor yet"]
        print(", ".join(filter(None, [str(person["email"]), str(person["name"]), str(person["role"]), *marks])))
    if not people:
        print("Nobody. Add a manager: python -m portal staff add EMAIL --role manager")


def add_token(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        print(api_tokens.add_token(deps, arguments.name, arguments.scope or api_tokens.SCOPES, actor=ACTOR))


def _summary(person: Staff) -> dict[str, object]:
    return {
        "email": person.email,
        "name": person.name,
        "role": person.role,
        "can_sign_in": person.disabled_at is None,
        "second_factor": person.totp_secret is not None,
    }


def _print_first_password(deps: Deps, person: Staff, password: str) -> None:
    print(f"{person.email}: {person.role}")
    print(f"first password: {password}")
    print(f"sign in at: {deps.settings.public_base_url}/staff/")
