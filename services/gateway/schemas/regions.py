"""Regions and offices on the wire."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field


class RegionView(BaseModel):
    """A region that has a catalogue, and the editions that apply there, most local first."""

    region_code: str
    name: str
    full_name: str
    level: Literal["province", "city", "county"]
    editions: list[str]


class Regions(BaseModel):
    """Regions with a catalogue of their own; their counties use theirs."""

    on: dt.date
    regions: list[RegionView]


class TelephoneView(BaseModel):
    """As printed, without dialling code; ``items`` are the service items it is given for."""

    purpose: Literal["progress", "supervision"]
    number: str
    items: list[str] = Field(description="服务事项编码；空即全部事项")


class OfficeView(BaseModel):
    """An office (经办窗口)."""

    key: str
    region_code: str = Field(description="所服务的区县；市直窗口为市")
    region_name: str
    name: str
    address: str
    items: list[str] = Field(description="在此受理的服务事项编码")
    telephones: list[TelephoneView]
    notes: list[str] = Field(description="办事指南原文中的矛盾，照录")


class Offices(BaseModel):
    """Offices that serve a region; empty where no guide prints any."""

    region_code: str
    region_name: str
    offices: list[OfficeView]
