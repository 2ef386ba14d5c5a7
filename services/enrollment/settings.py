"""Settings of the enrollment service besides those every service has."""

from __future__ import annotations

from pathlib import Path

from libs.regions.agencies import DEFAULT_FILE
from libs.webapp.settings import ServiceSettings


class EnrollmentSettings(ServiceSettings):
    """Where agencies and the seals of papers are found, and how often the timers look."""

    agencies_file: Path = DEFAULT_FILE
    """Directory of agencies (shape: libs/regions/data/agencies.yaml)."""

    paper_seals_folder: Path = Path("var/paper-seals")
    """Folder with ``<region>.pem`` (key and certificate of a paper seal) and ``trusted.pem`` (roots)."""

    paper_fonts: tuple[Path, ...] = ()
    """Font files for rare characters of names that Noto Sans lacks, asked in this order (JSON list)."""

    reminder_poll_s: float = 60.0
    """Seconds between two looks for cases that are nearly due or overdue."""
