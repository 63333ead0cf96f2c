"""What the portal is measured against: the least that a server, a page or a message can cost. gunicorn reads its
settings here, which are those that it serves the portal with."""

worker_class = "gthread"
workers = 2
threads = 8
preload_app = True
control_socket_disable = True
