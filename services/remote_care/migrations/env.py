"""Migrations of the remote-care filing service; run by libs/runtime/migrations.py."""

from libs.casebook import tables as casebook
from libs.eventbus import tables as eventbus
from libs.runtime.migrations import run_env
from libs.webapp import idempotency

run_env([casebook.metadata, eventbus.metadata, idempotency.metadata])
