"""What anybody may read: regions, offices, service items and their guides."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from libs.catalogue.presentation import ItemView, ServiceItems, guide_page, service_item, service_items
from libs.regions.offices import offices_of
from services.gateway.routes.runtime import GatewayDep, count_visitor
from services.gateway.schemas.regions import Offices, Regions
from services.gateway.service import places

router = APIRouter(prefix="/v1/regions", tags=["服务事项目录"], dependencies=[Depends(count_visitor)])

# The data change with a release or, by the date in force, at midnight.
_CACHED = {"Cache-Control": "public, max-age=300"}

RegionCode = Annotated[str, Path(pattern=r"^[1-9]\d{5}$", description="行政区划代码（GB/T 2260，六位）")]
ItemKey = Annotated[str, Path(max_length=100, pattern=r"^[a-z0-9_-]+$", description="服务事项编码")]
On = Annotated[dt.date | None, Query(description="按此日有效的目录，默认为今天")]


@router.get("", response_model=Regions, summary="有服务事项目录的地区")
async def list_regions(request: Request, gateway: GatewayDep, on: On = None) -> Response:
    """各地区现行的服务事项目录版本，本地的在前。"""
    return _json(request, places.regions(gateway.catalogues, on or _today(gateway)))


@router.get("/{region_code}/offices", response_model=Offices, summary="经办窗口和电话")
async def list_offices(
    request: Request,
    region_code: RegionCode,
    item: Annotated[str | None, Query(max_length=100, description="只列受理此服务事项的")] = None,
) -> Response:
    """办事指南印发的窗口地址、查询电话、监督电话。"""
    region = places.required_region(region_code)
    found = places.offices(region, item)
    return _json(request, Offices(region_code=region.code, region_name=region.full_name, offices=found))


@router.get("/{region_code}/service-items", response_model=ServiceItems, summary="服务事项清单")
async def list_service_items(
    request: Request, gateway: GatewayDep, region_code: RegionCode, on: On = None
) -> Response:
    """在该地区该日有效的全部服务事项。"""
    return _json(request, service_items(gateway.catalogues, region_code, on or _today(gateway)))


@router.get("/{region_code}/service-items/{item_key}", response_model=ItemView, summary="服务事项")
async def show_service_item(
    request: Request, gateway: GatewayDep, region_code: RegionCode, item_key: ItemKey, on: On = None
) -> Response:
    """材料、条件、时限、流程、渠道、依据，每一条注明出处。"""
    return _json(request, service_item(gateway.catalogues, region_code, item_key, on or _today(gateway)))


@router.get(
    "/{region_code}/service-items/{item_key}/guide",
    response_class=HTMLResponse,
    summary="办事指南（可打印）",
)
async def print_guide(
    request: Request, gateway: GatewayDep, region_code: RegionCode, item_key: ItemKey, on: On = None
) -> Response:
    """A4打印页。"""
    day = on or _today(gateway)
    in_force = gateway.catalogues.item(region_code, item_key, day)
    guides = gateway.catalogues.guides(region_code, item_key, day)
    page = guide_page(region_code, in_force, guides, offices_of(region_code))
    return _cached(request, page.encode(), "text/html; charset=utf-8")


def _today(gateway: GatewayDep) -> dt.date:
    return gateway.resources.clock.now().date()


def _json(request: Request, content: BaseModel) -> Response:
    return _cached(request, content.model_dump_json().encode(), "application/json")


def _cached(request: Request, body: bytes, media_type: str) -> Response:
    """The body with its ETag, or 304 where the caller has it already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, **_CACHED}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    if known & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
