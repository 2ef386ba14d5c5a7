"""What anybody may read at the gateway, without a token."""

from __future__ import annotations

import httpx
import pytest

from services.gateway.settings import GatewaySettings
from tests.services.gateway.conftest import Knock
from tests.services.gateway.people import CLERK, bearer

ZAOZHUANG = "/v1/regions/370400"
TRANSFER_IN = f"{ZAOZHUANG}/service-items/zaozhuang-transfer-in"


async def get(client: httpx.AsyncClient, path: str, **params: str) -> httpx.Response:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "public, max-age=300"
    return answer


async def test_regions_tell_the_editions_in_force_that_day(knock: Knock) -> None:
    async with knock() as client:
        now = (await get(client, "/v1/regions")).json()
        then = (await get(client, "/v1/regions", on="2021-01-01")).json()
    editions = {region["region_code"]: region["editions"] for region in now["regions"]}
    earlier = {region["region_code"]: region["editions"] for region in then["regions"]}
    assert editions["370400"] == ["zaozhuang", "shandong-2023"]
    assert earlier["370400"] == ["shandong-2020"]
    assert {region["full_name"] for region in now["regions"]} >= {"山东省枣庄市", "湖北省"}


async def test_offices_of_a_city_and_of_one_county(knock: Knock) -> None:
    async with knock() as client:
        city = (await get(client, f"{ZAOZHUANG}/offices")).json()["offices"]
        county = (await get(client, "/v1/regions/370402/offices")).json()["offices"]
        for_item = (await get(client, f"{ZAOZHUANG}/offices", item="zaozhuang-transfer-in")).json()["offices"]
        elsewhere = (await get(client, "/v1/regions/420100/offices")).json()["offices"]
    assert city[0]["name"] == "枣庄市医疗保险服务大厅"
    assert {office["region_code"] for office in county} == {"370402"}
    assert 0 < len(for_item) < len(city)
    assert all("zaozhuang-transfer-in" in office["items"] for office in for_item)
    numbers = {(phone["purpose"], phone["number"]) for phone in city[0]["telephones"]}
    assert ("progress", "3312027") in numbers
    assert elsewhere == []


async def test_items_of_a_region_and_one_item_in_full(knock: Knock) -> None:
    async with knock() as client:
        listed = (await get(client, f"{ZAOZHUANG}/service-items")).json()["items"]
        item = (await get(client, TRANSFER_IN)).json()
    assert "zaozhuang-transfer-in" in [entry["key"] for entry in listed]
    assert item["materials"]
    assert all(material["at"].startswith("L") for material in item["materials"])


async def test_the_guide_is_a_page_that_fetches_nothing(knock: Knock) -> None:
    async with knock() as client:
        page = await get(client, f"{TRANSFER_IN}/guide")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "转入" in page.text
    assert "<script" not in page.text
    assert "src=" not in page.text


async def test_what_has_not_changed_is_not_sent_again(knock: Knock) -> None:
    async with knock() as client:
        first = await get(client, TRANSFER_IN)
        etag = first.headers["etag"]
        again = await client.get(TRANSFER_IN, headers={"If-None-Match": f'"other", W/{etag}'})
        other = await client.get(TRANSFER_IN, headers={"If-None-Match": '"other"'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/regions/379900/offices", 404, "no_region"),
        ("/v1/regions/440100/service-items", 404, "no_catalogue"),
        (f"{ZAOZHUANG}/service-items/no-such-item", 404, "no_item"),
        (f"{ZAOZHUANG}/service-items/no-such-item/guide", 404, "no_item"),
        (f"{ZAOZHUANG}/service-items?on=2021-02-30", 422, "invalid_request"),
        ("/v1/regions/37/service-items", 422, "invalid_request"),
        ("/v1/regions/..%2F..%2Fetc/offices", 404, "http_404"),
        ("/v1/nothing", 404, "http_404"),
    ],
)
async def test_what_is_not_there_is_told_in_chinese(knock: Knock, path: str, status: int, code: str) -> None:
    async with knock() as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert not answer.json()["detail"].isascii()


async def test_a_visitor_is_limited_by_address_and_a_caller_by_name(knock: Knock) -> None:
    async with knock(anonymous_limit="2/hour", officer_limit="1/hour") as client:
        assert [(await client.get("/v1/regions")).status_code for _ in range(3)] == [200, 200, 429]
        signed_in = [await client.get("/v1/regions", headers=bearer(CLERK)) for _ in range(2)]
    assert [answer.status_code for answer in signed_in] == [200, 429]
    assert 0 < int(signed_in[1].headers["retry-after"]) <= 3600


async def test_health_is_told_without_limit(knock: Knock) -> None:
    async with knock(anonymous_limit="1/hour") as client:
        for path in ("/healthz", "/readyz", "/metrics", "/healthz"):
            assert (await client.get(path)).status_code == 200, path


def test_every_setting_is_described() -> None:
    own = GatewaySettings.model_fields
    assert [name for name, field in own.items() if not field.description] == []
