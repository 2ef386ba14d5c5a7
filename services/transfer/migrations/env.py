"""Migrations of the transfer service; run by libs/runtime/migrations.py."""

from libs.casebook import tables as casebook
from libs.eventbus import tables as eventbus
from libs.exchange import tables as exchange
from libs.runtime.migrations import run_env
from libs.webapp import idempotency
from services.transfer.models import Base

# One MetaData for all: moves point at cases, and a foreign key cannot leave its MetaData.
run_env([casebook.metadata, eventbus.metadata, exchange.metadata, idempotency.metadata, Base.metadata])
