"""AWS SSM: where Stripe's secrets lie when SSM_PREFIX says so. The only file that imports boto3, and only then."""

import re
from collections.abc import Iterator
from typing import Any

NAMES = ("secret_key", "publishable_key", "webhook_secret")
"""What is looked for under SSM_PREFIX/stripe; anything else there is left alone."""

_SECRET = ("secret_key", "webhook_secret")
_PATIENCE = {"connect_timeout": 2, "read_timeout": 3, "retries": {"total_max_attempts": 2, "mode": "standard"}}
_MOST_PAGES = 5
"""AWS may answer with few or no parameters and a token for more."""


class SecretsUnavailable(Exception):
    """The parameters cannot be had; the text is one sentence without any value of theirs."""


def is_prefix(text: str) -> bool:
    """Whether this can be the beginning of a parameter's name: /booking/prod."""
    return bool(re.fullmatch(r"(/[A-Za-z0-9_.-]+){1,13}", text))


def read_parameters(prefix: str) -> dict[str, str]:
    """The parameters PREFIX/stripe/… by their last name, decrypted; those that AWS does not have are missing.

    Takes some ten seconds at most. SecretsUnavailable when AWS cannot be asked, refuses, or holds a secret in the
    clear. Region and credentials are boto3's own business (AWS_… in the environment, or the machine's role)."""
    path = f"{prefix}/stripe"
    found = {str(one["Name"]).removeprefix(f"{path}/"): one for one in _ask(path)}
    for name in _SECRET:
        if name in found and found[name]["Type"] != "SecureString":
            raise SecretsUnavailable(
                f"The parameter {path}/{name} must be a SecureString; at AWS it lies in the clear."
            )
    return {name: str(found[name]["Value"]).strip() for name in NAMES if name in found}


def _ask(path: str) -> Iterator[Any]:
    try:
        import boto3  # noqa: PLC0415  # installed only where it is used
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    except ImportError:
        raise SecretsUnavailable(
            "SSM_PREFIX needs boto3: pip install --require-hashes -r requirements-ssm.txt"
        ) from None
    try:
        client = boto3.session.Session().client("ssm", config=Config(**_PATIENCE))
        token: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = client.get_parameters_by_path(Path=path, WithDecryption=True, MaxResults=10, **token)
            yield from page["Parameters"]
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "an error"))
        raise SecretsUnavailable(f"SSM_PREFIX: AWS refuses to show {path} ({code}).") from None
    except (BotoCoreError, ValueError) as error:
        raise SecretsUnavailable(
            f"SSM_PREFIX: AWS cannot be asked for {path} ({type(error).__name__}); "
            "look at its region, credentials and network."
        ) from None
