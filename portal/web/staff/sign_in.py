"""Signing in and out."""

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from portal.web.staff import access
from portal.web.staff.blueprint import staff


@staff.get("/sign-in")
@access.needs(access.ANYONE)
def sign_in() -> str:
    return render_template("staff/sign_in.html")


@staff.post("/sign-out")
@access.needs(access.ANYONE)
def sign_out() -> Response:
    access.sign_out()
    return redirect(url_for("staff.sign_in"), 303)


@staff.get("/password")
@access.needs(access.RECEPTION)
def change_password() -> str:
    return render_template("staff/sign_in.html")


@staff.get("/account")
@access.needs(access.RECEPTION)
def account() -> str:
    return render_template("staff/sign_in.html")
