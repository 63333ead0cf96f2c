"""A mailbox for trying things out: a real mail server on this machine that keeps everything in memory and shows it on a
page. It is no part of the portal and knows nothing of it: any program may send to it."""

from demo_mailbox.mailbox import Mail, Mailbox
from demo_mailbox.server import Server, start

__all__ = ["Mail", "Mailbox", "Server", "start"]
