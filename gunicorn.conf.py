"""How gunicorn serves the portal: threads, because a click on Pay waits for Stripe while others read."""

import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
worker_class = "gthread"
timeout = 60  # all Stripe calls of one request share 20 seconds
graceful_timeout = 30
preload_app = True  # connections are opened after the fork, by each thread
control_socket_disable = True
accesslog = None  # the portal logs requests itself, without paths: they may hold a guest's token
