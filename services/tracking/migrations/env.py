"""Migrations of the tracking service; run by libs/runtime/migrations.py."""

from libs.eventbus import tables as eventbus
from libs.runtime.migrations import run_env
from libs.webapp import idempotency
from services.tracking import models

run_env([models.metadata, eventbus.metadata, idempotency.metadata])
