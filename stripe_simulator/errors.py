"""Refusals in the shape and the words of Stripe's API."""

from typing import Any

Doc = dict[str, Any]


class ApiError(Exception):
    """An answer that is not 200; `kept` says that execution had begun, so an idempotency key remembers it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        kept: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.code, self.param, self.kept = (
            status,
            message,
            kind,
            code,
            param,
            kept,
        )

    def body(self) -> Doc:
        """The JSON answer; absent facts are left out, as Stripe does."""
        error: Doc = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = "https://stripe.com/docs/error-codes/" + self.code.replace("_", "-")
        if self.param:
            error["param"] = self.param
        return {"error": error}


def invalid(message: str, *, code: str | None = None, param: str | None = None) -> ApiError:
    """A parameter that fails validation: nothing was executed."""
    return ApiError(400, message, code=code, param=param)


def refused(message: str, *, code: str | None = None, param: str | None = None) -> ApiError:
    """A well-formed request that the state of the object does not allow."""
    return ApiError(400, message, code=code, param=param, kept=True)


def unknown_parameter(param: str) -> ApiError:
    """A name that the call does not have."""
    return invalid(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def missing_parameter(param: str) -> ApiError:
    """A name that the call needs."""
    return invalid(f"Missing required param: {param}.", code="parameter_missing", param=param)


def no_such(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> ApiError:
    """An id that is not in the account."""
    return ApiError(status, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)


def unauthorized(key: str) -> ApiError:
    """A missing key, or one that is not for test mode."""
    if not key:
        return ApiError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer"
            " auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    hidden = key[:8] + "*" * max(0, len(key) - 12) + key[-4:]
    return ApiError(401, f"Invalid API Key provided: {hidden}")
