"""HTTP surface of the transfer service."""

from services.transfer.routes import actions, applications, transfers

ROUTERS = [applications.router, actions.router, transfers.router]
