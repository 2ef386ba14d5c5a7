"""Migrations of the gateway; run by libs/runtime/migrations.py."""

from libs.runtime.migrations import run_env
from services.gateway import models

run_env(models.metadata)
