"""The forms about people: signing in, new passwords, and who may sign in."""

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.models import Staff
from portal.services import passwords

_WORDS = {
    "too_short": lazy_gettext("Use at least %(num)s letters. A few words in a row are good.", num=passwords.SHORTEST),
    "too_long": lazy_gettext("Use at most %(num)s letters.", num=passwords.LONGEST),
    "too_easy": lazy_gettext("This is too easy to guess. A few words in a row are good."),
    "same": lazy_gettext("This is the password that you have now. Choose another."),
}


def one_line(text: str | None) -> str:
    """As it was typed, without what no field of ours can hold: control characters and line breaks."""
    return "".join(letter for letter in text or "" if letter.isprintable()).strip()


class AccountForm(FlaskForm):  # type: ignore[misc]
    class Meta:
        csrf = False  # every POST is checked before its view


class ForgotForm(AccountForm):
    email = EmailField(
        lazy_gettext("E-mail"),
        [InputRequired(lazy_gettext("Enter your e-mail address.")), Length(max=254)],
        filters=[one_line],
    )


class SignInForm(ForgotForm):
    password = PasswordField(
        lazy_gettext("Password"),
        [InputRequired(lazy_gettext("Enter your password.")), Length(max=passwords.LONGEST)],
    )


class CodeForm(AccountForm):
    code = StringField(
        lazy_gettext("Code"), [InputRequired(lazy_gettext("Enter the code.")), Length(max=60)], filters=[one_line]
    )


class PersonForm(AccountForm):
    name = StringField(lazy_gettext("Name"), filters=[one_line])
    role = SelectField(
        lazy_gettext("Role"),
        choices=[
            SelectChoice("reception", lazy_gettext("Reception")),
            SelectChoice("manager", lazy_gettext("Manager")),
        ],
        validate_choice=False,
        description=lazy_gettext("Managers also change settings and people."),
    )


class NewPersonForm(PersonForm):
    email = EmailField(lazy_gettext("E-mail"), filters=[one_line])


class NewPasswordForm(AccountForm):
    new = PasswordField(
        lazy_gettext("New password"),
        [InputRequired(lazy_gettext("Enter a new password."))],
        description=lazy_gettext("At least %(num)s letters. Spaces are welcome.", num=passwords.SHORTEST),
    )
    again = PasswordField(
        lazy_gettext("New password, once more"), [InputRequired(lazy_gettext("Enter the new password once more."))]
    )

    def is_good(self, person: Staff) -> bool:
        """Whether both are the same, and good enough for this person; otherwise the fields say what is wrong."""
        if not self.validate():
            return False
        problem = passwords.problem(self.new.data, email=person.email)
        if problem is None and passwords.is_right(person.password_hash, self.new.data):
            problem = "same"
        if problem:
            self.new.errors = [_WORDS[problem]]
        elif self.new.data != self.again.data:
            self.again.errors = [lazy_gettext("The two are not the same.")]
        return not self.errors


class ChangePasswordForm(NewPasswordForm):
    current = PasswordField(lazy_gettext("Present password"))
