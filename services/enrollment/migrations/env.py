"""Alembic's entry: this service's tables and those of the libraries it uses."""

from __future__ import annotations

from libs.casebook import tables as casebook
from libs.eventbus import tables as eventbus
from libs.ledger import tables as ledger
from libs.runtime.migrations import run_env
from libs.webapp import idempotency
from services.enrollment.models import Base

run_env([Base.metadata, casebook.metadata, ledger.metadata, eventbus.metadata, idempotency.metadata])
