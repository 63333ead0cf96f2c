"""Stripe's secrets as they hold at this moment: they may be changed while the portal runs, in their files or in SSM.

Whoever needs one asks each time it is needed. What was changed is looked at when somebody asks, not by a clock of its
own; what cannot be read or used is logged, and the last good secrets go on being used."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from portal.gateways import secrets_gateway
from portal.gateways.secrets_gateway import SecretsUnavailable
from portal.settings import Settings, split_list, stripe_key_problems, webhook_secret_problems

log = structlog.get_logger()

FILES_EVERY = 2.0
"""Seconds between two looks at the files: at their time and size, and only then at what is inside."""

SSM_EVERY = 300.0
SSM_AGAIN = 60.0
"""Seconds until SSM is asked again: after an answer, and after a failure."""


@dataclass(frozen=True)
class Held:
    secret_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)


class StripeSecrets:
    """For one process; threads may share it. `ticks` gives seconds that only ever grow."""

    def __init__(self, settings: Settings, ticks: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._ticks = settings, ticks
        self._held = Held(settings.stripe_secret_key, settings.stripe_webhook_secrets)
        self._files = {name: _File(path) for name, path in settings.watched_files}
        self._due = ticks() + self._pause
        self._looking = threading.Lock()

    @staticmethod
    def may_change(settings: Settings) -> bool:
        """Whether the secrets come from where they can change; those in the environment cannot."""
        return bool(settings.ssm_prefix or settings.watched_files)

    def secret_key(self) -> str:
        """The key that calls to Stripe are made with."""
        self._look_if_due()
        return self._held.secret_key

    def webhook_secrets(self) -> tuple[str, ...]:
        """Every one that an event may be signed with."""
        self._look_if_due()
        return self._held.webhook_secrets

    @property
    def _pause(self) -> float:
        return SSM_EVERY if self._settings.ssm_prefix else FILES_EVERY

    def _look_if_due(self) -> None:
        if self._ticks() < self._due or not self._looking.acquire(blocking=False):
            return
        if not self._settings.ssm_prefix:
            self._look()
            return
        try:  # AWS may take seconds, and a guest or Stripe waits for us
            threading.Thread(target=self._look, name="secrets", daemon=True).start()
        except RuntimeError:  # no thread to be had: the next caller tries
            self._looking.release()

    def _look(self) -> None:
        try:
            self._due = self._ticks() + self._pause
            self._look_at_ssm() if self._settings.ssm_prefix else self._look_at_files()
        finally:
            self._looking.release()

    def _look_at_ssm(self) -> None:
        try:
            found = secrets_gateway.read_parameters(self._settings.ssm_prefix)
        except SecretsUnavailable as error:
            self._due = self._ticks() + SSM_AGAIN
            log.warning("secrets not renewed", source="SSM_PREFIX", why=str(error))
            return
        self._take("STRIPE_SECRET_KEY", found.get("secret_key", ""))
        if self._held.webhook_secrets or "webhook_secret" in found:
            self._take("STRIPE_WEBHOOK_SECRET", found.get("webhook_secret", ""))

    def _look_at_files(self) -> None:
        for name, file in self._files.items():
            try:
                text = file.changed()
            except (OSError, UnicodeDecodeError) as error:
                log.warning("secrets not renewed", source=f"{name}_FILE", why=type(error).__name__)
            else:
                if text is not None:
                    self._take(name, text)

    def _take(self, name: str, text: str) -> None:
        new, problems = _TAKE[name](self._settings, self._held, text.strip())
        if problems:
            log.warning("secrets not renewed", source=name, why=" ".join(problems))
        elif new != self._held:
            self._held = new
            log.info("secrets renewed", source=name)


def _take_key(settings: Settings, held: Held, text: str) -> tuple[Held, list[str]]:
    problems = stripe_key_problems(text, settings.stripe_api_base)
    if not problems and ("_live_" in text) != settings.livemode:
        problems = ["The new key is of the other mode (live or test); that takes another database and a restart."]
    return replace(held, secret_key=text), problems


def _take_webhook_secrets(_: Settings, held: Held, text: str) -> tuple[Held, list[str]]:
    secrets = split_list(text)
    problems = webhook_secret_problems(secrets) or ([] if secrets else ["There is no secret any more."])
    return replace(held, webhook_secrets=secrets), problems


_TAKE = {"STRIPE_SECRET_KEY": _take_key, "STRIPE_WEBHOOK_SECRET": _take_webhook_secrets}


class _File:
    """A file that may be written anew, or replaced by another one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, ...] | None = None

    def changed(self) -> str | None:
        """What it holds, if it may have changed since the last call; OSError once each time it cannot be read."""
        stamp = self._look()
        if stamp == self._stamp:
            return None
        self._stamp = stamp  # taken before reading: what is written meanwhile is seen at the next look
        return self._path.read_text(encoding="utf-8")

    def _look(self) -> tuple[int, ...] | None:
        try:
            now = self._path.stat()
        except OSError:
            return (0,)
        return now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns
