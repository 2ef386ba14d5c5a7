"""Rosters: upload, progress that can be watched, rows, error file."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import Annotated
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from libs.refusals.faults import Fault, invalid
from libs.rosters.layouts import RosterKind
from libs.webapp.edge import CallerDep, Handler, IdempotencyKeyDoc, TransactionRoute
from libs.webapp.paging import Cursor, Page, PageSize, decode_cursor, encode_cursor
from services.enrollment.domain.rosters import Outcome
from services.enrollment.models import Roster
from services.enrollment.routes.edge import PREFIX, DeskDep, require_office, require_writer, set_version
from services.enrollment.schemas.rosters import RosterAnswer, RosterRowAnswer
from services.enrollment.schemas.values import Day, Line, RegionCode
from services.enrollment.service.rosters import looking, receiving
from services.enrollment.service.rosters.looking import Progress
from services.enrollment.service.rosters.receiving import NewRoster

LONGEST_WAIT_S = 25
"""Below the 30 s after which the gateway gives a silent service up."""
LOOK_EVERY_S = 0.5

_MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_BODIES = {
    media_type: {"schema": {"type": "string", "format": "binary"}}
    for media_type in (*_MEDIA_TYPES.values(), "application/octet-stream")
}
_FILE_NAME = re.compile(r"filename\*=utf-8''([^;\s]+)", re.IGNORECASE)
_ETAG = re.compile(r'"(\d{1,18})"', re.ASCII)


class WatchRoute(TransactionRoute):
    """With ``after_version`` it answers once there is something newer, or after ``wait_s``.

    A long poll and no event stream: it passes every proxy, is counted and authenticated like any
    other request, and holds neither a connection to the database nor a transaction while it waits:
    each look is a transaction of its own. One who watches asks at most twice a second.
    """

    def get_route_handler(self) -> Handler:
        look = super().get_route_handler()

        async def handle(request: Request) -> Response:
            seen, wait_s = _number(request, "after_version"), _number(request, "wait_s")
            looks = (
                min(wait_s, LONGEST_WAIT_S) / LOOK_EVERY_S if "after_version" in request.query_params else 0
            )
            answer = await look(request)
            while looks >= 1 and answer.status_code == 200 and _version_of(answer) <= seen:
                await asyncio.sleep(LOOK_EVERY_S)
                looks -= 1
                answer = await look(request)
            return answer

        return handle


router = APIRouter(prefix=f"{PREFIX}/rosters", tags=["花名册"], route_class=TransactionRoute)
watching = APIRouter(prefix=f"{PREFIX}/rosters", tags=["花名册"], route_class=WatchRoute)


@router.post(
    "",
    status_code=202,
    summary="上传花名册",
    dependencies=[IdempotencyKeyDoc],
    openapi_extra={"requestBody": {"required": True, "content": _BODIES}},
)
async def upload_roster(
    request: Request,
    desk: DeskDep,
    caller: CallerDep,
    response: Response,
    region_code: Annotated[RegionCode, Query(description="统筹区行政区划代码")],
    kind: Annotated[RosterKind, Query(description="student为学生花名册，employee为职工花名册（增加）")],
    started_on: Annotated[Day, Query(description="参保起始日期，全册相同")],
    school: Annotated[Line | None, Query(description="学校名称")] = None,
    employer_id: Annotated[UUID | None, Query(description="单位编号，职工花名册必填")] = None,
    release: Annotated[bool, Query(description="是否立即办理；否则待学生参保登记申请引用后办理")] = True,
    content_disposition: Annotated[
        str | None, Header(max_length=2000, description="文件名，例如attachment; filename*=UTF-8''a.csv")
    ] = None,
) -> RosterAnswer:
    """接收文件（请求内容即文件本身，xlsx或csv）并排队办理；表头、日期、单位有误的当场退回。"""
    require_writer(caller)
    caller.require_region(region_code)
    new = NewRoster(
        region_code=region_code,
        kind=kind,
        started_on=started_on,
        file_name=_file_name(content_disposition),
        # The bare file and no form: a form's boundary is new each time, so a repeat would not be
        # recognised by its body; and a form's parser spools files to the disk in clear text.
        content=await request.body(),
        school=school,
        employer_id=employer_id,
        release=release,
    )
    roster = await receiving.receive(desk, new)
    set_version(response, roster.version)
    response.headers["Location"] = f"{PREFIX}/rosters/{roster.id}"
    return RosterAnswer.of(roster, new.file_name)


@router.get("", summary="查询花名册")
async def list_rosters(
    desk: DeskDep,
    caller: CallerDep,
    region_code: Annotated[RegionCode, Query(description="统筹区行政区划代码")],
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> Page[RosterAnswer]:
    require_office(caller)
    caller.require_region(region_code)
    found = await looking.newest(desk, region_code, _moment_in(cursor) if cursor else None, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return Page(
        items=[_answer(one) for one in shown], next_cursor=_cursor(shown[-1].roster) if more else None
    )


@watching.get("/{roster_id}", summary="查询花名册办理进度")
async def watch_roster(
    roster_id: UUID,
    desk: DeskDep,
    caller: CallerDep,
    response: Response,
    after_version: Annotated[
        int | None, Query(ge=0, lt=10**18, description="上次看到的version；有更新或等候期满时答复")
    ] = None,
    wait_s: Annotated[int, Query(ge=0, le=LONGEST_WAIT_S, description="最多等候的秒数")] = 0,
) -> RosterAnswer:
    require_office(caller)
    seen = await looking.progress(desk, roster_id)
    set_version(response, seen.roster.version)
    return _answer(seen)


@router.get("/{roster_id}/rows", summary="查询花名册逐人结果")
async def list_roster_rows(
    roster_id: UUID,
    desk: DeskDep,
    caller: CallerDep,
    outcome: Annotated[Outcome | None, Query(description="只看一种结果")] = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> Page[RosterRowAnswer]:
    require_office(caller)
    after = _row_in(cursor) if cursor else 0
    found = await looking.outcomes(desk, roster_id, outcome, after, limit + 1)
    items = [RosterRowAnswer.of(one.row, one.faults) for one in found[:limit]]
    more = len(found) > limit
    return Page(items=items, next_cursor=encode_cursor(str(items[-1].row_no)) if more else None)


@router.get("/{roster_id}/errors", summary="下载花名册错误文件", response_class=Response)
async def download_roster_errors(roster_id: UUID, desk: DeskDep, caller: CallerDep) -> Response:
    """未办理的人员，版式与原文件相同，末尾加“行号”“错误原因”两列；更正后可直接再次上传。"""
    require_writer(caller)
    roster, content = await looking.errors(desk, roster_id)
    name = quote(f"错误文件-{roster.id}.{roster.format}")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=_MEDIA_TYPES[roster.format], headers=headers)


def _answer(seen: Progress) -> RosterAnswer:
    return RosterAnswer.of(seen.roster, seen.file_name, seen.rows_per_s, seen.expected_end, seen.fault_counts)


def _file_name(disposition: str | None) -> str:
    """The name told (RFC 6266), without a folder and what cannot be shown."""
    match = _FILE_NAME.search(disposition or "")
    name = re.split(r"[\\/]", unquote(match[1], errors="replace") if match else "")[-1]
    return "".join(char for char in name if char.isprintable())[:200] or "未命名"


def _number(request: Request, name: str) -> int:
    """A number of the query where it is one; what is none the endpoint refuses."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _version_of(answer: Response) -> int:
    match = _ETAG.fullmatch(answer.headers.get("ETag", ""))
    return int(match[1]) if match else 0


def _cursor(roster: Roster) -> str:
    return encode_cursor(roster.submitted_at.isoformat(), str(roster.id))


def _moment_in(cursor: str) -> tuple[dt.datetime, UUID]:
    moment, roster_id = decode_cursor(cursor, 2)
    try:
        at, key = dt.datetime.fromisoformat(moment), UUID(roster_id)
    except ValueError as error:
        raise _bad_cursor() from error
    if at.tzinfo is None:
        raise _bad_cursor()
    return at, key


def _row_in(cursor: str) -> int:
    (row,) = decode_cursor(cursor, 1)
    if not row.isascii() or not row.isdecimal() or len(row) > 18:
        raise _bad_cursor()
    return int(row)


def _bad_cursor() -> Exception:
    message = "cursor无效：请原样使用上一页答复中的next_cursor，或去掉它从头查询。"
    return invalid("cursor", message, [Fault("cursor", message, "/query/cursor")])
