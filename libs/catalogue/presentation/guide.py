"""The 办事指南 of one item as a page to print: A4, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from libs.catalogue.editions import load_edition
from libs.catalogue.lookup import ItemInForce
from libs.catalogue.presentation.views import forms_of
from libs.catalogue.schema import Channel, Form, Material, Note, ServiceItem
from libs.catalogue.vocabulary import vocabulary
from libs.regions.names import find, name_of
from libs.regions.offices import Office

_USES = {  # by accepts and responds; None: the document leaves it to the place
    (True, True): "申请、查询反馈",
    (True, False): "申请",
    (True, None): "申请",
    (False, True): "查询反馈",
    (None, True): "查询反馈",
    (None, None): "由各地确定",
    (None, False): "由各地确定",
    (False, None): "暂未开通",
    (False, False): "暂未开通",
}


@dataclass(frozen=True)
class MaterialRow:
    """A line of the table of materials, in words."""

    name: str
    text: str
    condition: str
    demands: str
    at: str


@dataclass(frozen=True)
class LimitRow:
    """A line of the table of time limits, in words."""

    stage: str
    condition: str
    text: str
    at: str


@dataclass(frozen=True)
class ChannelRow:
    """All channels of one kind and use."""

    kind: str
    use: str
    entries: list[Channel]


@dataclass(frozen=True)
class OfficeRow:
    """Where to go and whom to call about this item."""

    name: str
    address: str
    takes_applications: bool
    progress: str
    supervision: str


@dataclass(frozen=True)
class Chapter:
    """An item or guide chapter with its tables."""

    item: ServiceItem
    materials: list[MaterialRow]
    limits: list[LimitRow]
    channels: list[ChannelRow]
    audience: str


def guide_page(
    region_code: str, in_force: ItemInForce, guides: Sequence[ServiceItem], offices: Sequence[Office]
) -> str:
    """The page as HTML. ``offices`` are the region's; those that serve the item are printed."""
    item = in_force.item
    return _template().render(
        region_name=region.full_name if (region := find(region_code)) else name_of(region_code),
        edition=in_force.edition,
        code_source=load_edition(item.national_code_from).edition.title if item.national_code_from else "",
        chapter=_chapter(item, forms_of(in_force)),
        guides=[_chapter(guide, []) for guide in guides],
        offices=list(_office_rows(item.key, offices)),
        forms=forms_of(in_force),
        names=vocabulary().names,
        levels=vocabulary().when["level"],
        oddities=_oddities(item.notes),
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("guide.html")


def _chapter(item: ServiceItem, forms: Sequence[Form]) -> Chapter:
    return Chapter(
        item=item,
        materials=[_material_row(material, item, forms) for material in item.materials],
        limits=[
            LimitRow(
                stage=vocabulary().stages[limit.stage],
                condition=vocabulary().condition_in_chinese(limit.when) or "各种情形",
                text=limit.text,
                at=limit.at,
            )
            for limit in item.time_limits
        ],
        channels=_channel_rows(item.channels),
        audience=_audience(item),
    )


def _audience(item: ServiceItem) -> str:
    if item.audience_text:
        return item.audience_text.text
    return "、".join(vocabulary().names["audience"][kind] for kind in item.audience)


def _material_row(material: Material, item: ServiceItem, forms: Sequence[Form]) -> MaterialRow:
    condition = material.when_text or vocabulary().condition_in_chinese(material.when)
    return MaterialRow(
        name=material.name,
        text=material.text,
        condition=condition or ("均需" if material.required else "要求时"),
        demands="；".join(_demands(material, item, forms)),
        at=material.at,
    )


def _demands(material: Material, item: ServiceItem, forms: Sequence[Form]) -> Iterator[str]:
    if material.one_of:
        others = [m for m in item.materials if m.one_of == material.one_of]
        if len(others) > 1:
            yield f"与同组{len(others)}项任选其一（{vocabulary().alternatives[material.one_of]}）"
    if not material.required:
        yield "不是必交材料"
    if material.copies:
        yield f"{material.copies}份"
    if material.seal:
        yield "加盖单位公章"
    if material.commitment_allowed:
        yield "可用个人承诺书代替"
    if material.data_sharing:
        yield "可通过数据共享获取"
    yield from (f"用表{form.number}" for form in forms if form.key == material.form)


def _channel_rows(channels: Sequence[Channel]) -> list[ChannelRow]:
    """Channels grouped by kind and use, in the order in which each group first stands."""
    groups: dict[tuple[str, str], list[Channel]] = {}
    for channel in channels:
        use = _USES[channel.accepts, channel.responds]
        groups.setdefault((vocabulary().when["channel"][channel.kind], use), []).append(channel)
    return [ChannelRow(kind, use, entries) for (kind, use), entries in groups.items()]


def _office_rows(item_key: str, offices: Sequence[Office]) -> Iterator[OfficeRow]:
    for office in offices:
        telephones = office.telephones_about(item_key)
        if not office.serves(item_key) and not telephones:
            continue
        yield OfficeRow(
            name=office.name,
            address=_address_for(item_key, office),
            takes_applications=office.serves(item_key),
            progress="、".join(t.number for t in telephones if t.purpose == "progress"),
            supervision="、".join(t.number for t in telephones if t.purpose == "supervision"),
        )


def _address_for(item_key: str, office: Office) -> str:
    """The reading of the address that the document prints for this item, else the usual one."""
    for address in office.addresses:
        if any(printed.item in (None, item_key) for printed in address.printed):
            return address.text
    return office.address


def _oddities(notes: Sequence[Note]) -> list[Note]:
    return [note for note in notes if note.at]
