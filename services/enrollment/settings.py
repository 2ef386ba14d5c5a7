"""Settings of the enrollment service: those every service has (libs/webapp/settings.py)."""

from __future__ import annotations

from libs.webapp.settings import ServiceSettings


class EnrollmentSettings(ServiceSettings):
    """Nothing of its own so far."""
