"""What the gateway does: sign-in, registration of who may, limits, and calling the services behind it."""

from services.gateway.service.registration import register_client, register_officer

__all__ = ["register_client", "register_officer"]
