"""One suite for all three transports: what a service may rely on, whichever is configured."""

from __future__ import annotations

import pytest

from libs.eventbus.relay import Relay
from libs.eventbus.transport import (
    MAX_BODY_BYTES,
    GroupRunning,
    OwnershipLost,
    Record,
    RecordRefused,
    Subscription,
    Transport,
)
from tests.libs.eventbus.harness import (
    TOPIC,
    CountingCommits,
    Service,
    collect,
    everything,
    note,
    recording_handlers,
    running,
    until,
)

KEYS = [f"case-{n}" for n in range(20)]


def messages(rounds: int) -> list[tuple[str, bytes]]:
    """Every key once a round; the body says which round."""
    return [(key, str(n).encode()) for n in range(rounds) for key in KEYS]


def slots(records: list[Record]) -> set[int]:
    return {record.partition for record in records}


async def test_records_of_a_key_arrive_in_the_order_of_publishing(transport: Transport) -> None:
    await transport.publish(TOPIC, messages(3))
    await transport.publish(TOPIC, [(key, b"3") for key in KEYS])
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, 4 * len(KEYS))
    for key in KEYS:
        assert [record.body for record in records if record.key == key] == [b"0", b"1", b"2", b"3"]


async def test_a_key_keeps_its_partition_and_keys_are_spread(transport: Transport) -> None:
    await transport.publish(TOPIC, messages(2))
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, 2 * len(KEYS))
    for key in KEYS:
        assert len({record.partition for record in records if record.key == key}) == 1
    assert len(slots(records)) > 1


async def test_offsets_count_from_zero_without_gaps(transport: Transport) -> None:
    await transport.publish(TOPIC, messages(2))
    await transport.publish(TOPIC, messages(1))
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, 3 * len(KEYS))
    for partition in slots(records):
        offsets = [record.offset for record in records if record.partition == partition]
        assert offsets == list(range(len(offsets)))


@pytest.mark.parametrize("key", ["烟台/案件 7", "x" * 200])
async def test_keys_and_bodies_come_through_unchanged(transport: Transport, key: str) -> None:
    bodies = [b"\x00\xff\xfe", b"{}", "枣庄".encode(), b"x" * 300_000]
    await transport.publish(TOPIC, [(key, body) for body in bodies])
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, len(bodies))
    assert [(record.key, record.body) for record in records] == [(key, body) for body in bodies]


async def test_a_body_beyond_the_limit_is_refused_by_its_index(transport: Transport) -> None:
    with pytest.raises(RecordRefused) as refusal:
        await transport.publish(TOPIC, [("a", b"1"), ("b", b"x" * (MAX_BODY_BYTES + 1))])
    assert refusal.value.index == 1


async def test_a_body_at_the_limit_is_accepted(transport: Transport) -> None:
    await transport.publish(TOPIC, [("a", b"x" * MAX_BODY_BYTES), ("a", b"next")])
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, 2)
    assert [len(record.body) for record in records] == [MAX_BODY_BYTES, 4]


async def test_every_group_gets_every_record(transport: Transport) -> None:
    await transport.publish(TOPIC, messages(1))
    for group in ("one", "another"):
        async with transport.subscribe(group, [TOPIC]) as subscription:
            assert len(await collect(subscription, len(KEYS))) == len(KEYS)


async def test_what_was_not_committed_is_delivered_again(transport: Transport) -> None:
    await transport.publish(TOPIC, messages(1))
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        first = await collect(subscription, len(KEYS))
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        again = await collect(subscription, len(KEYS))
    assert sorted(record.key for record in again) == sorted(record.key for record in first)


async def test_what_was_committed_is_not_delivered_again(transport: Transport) -> None:
    await transport.publish(TOPIC, messages(1))
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        await subscription.commit(await collect(subscription, len(KEYS)))
    await transport.publish(TOPIC, [(key, b"new") for key in KEYS])
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, len(KEYS))
    assert {record.body for record in records} == {b"new"}


async def test_a_commit_moves_only_the_partitions_it_names(transport: Transport) -> None:
    await transport.publish(TOPIC, messages(1))
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, len(KEYS))
        done = min(slots(records))
        await subscription.commit([record for record in records if record.partition == done])
    rest = [record for record in records if record.partition != done]
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        again = await collect(subscription, len(rest))
    assert slots(again) == slots(rest)


async def test_rewinding_delivers_everything_again(
    transport: Transport, takes_commits_from_outside: None
) -> None:
    await transport.publish(TOPIC, messages(1))
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        await subscription.commit(await collect(subscription, len(KEYS)))
    await transport.rewind("readers", [TOPIC])
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        assert len(await collect(subscription, len(KEYS))) == len(KEYS)


async def test_a_running_group_is_not_rewound(transport: Transport) -> None:
    await transport.publish(TOPIC, messages(1))
    async with transport.subscribe("readers", [TOPIC]) as subscription:
        await collect(subscription, len(KEYS))
        with pytest.raises(GroupRunning):
            await transport.rewind("readers", [TOPIC])


async def hand_out_until_shared(transport: Transport, members: list[Subscription]) -> list[list[Record]]:
    """Publish until each member has fetched something that the other has not."""
    got: list[list[Record]] = [[] for _ in members]

    async def shared() -> bool:
        await transport.publish(TOPIC, messages(1))
        latest = []
        for member, records in zip(members, got, strict=True):
            fetched = list(await member.fetch(1000))
            records.extend(fetched)
            latest.append(slots(fetched))
        return all(latest) and not set.intersection(*latest)

    await until(shared, what="the sharing of the partitions")
    return got


async def test_members_share_the_partitions_and_nothing_is_lost(transport: Transport) -> None:
    async with (
        transport.subscribe("readers", [TOPIC]) as one,
        transport.subscribe("readers", [TOPIC]) as other,
    ):
        got = await hand_out_until_shared(transport, [one, other])
    highest: dict[int, int] = {}
    seen = {(record.partition, record.offset) for records in got for record in records}
    for partition, offset in seen:
        highest[partition] = max(highest.get(partition, 0), offset)
    expected = {(partition, offset) for partition, end in highest.items() for offset in range(end + 1)}
    assert seen == expected


async def test_the_partitions_of_a_member_that_leaves_go_to_the_other(transport: Transport) -> None:
    async with transport.subscribe("readers", [TOPIC]) as stays:
        async with transport.subscribe("readers", [TOPIC]) as leaves:
            await hand_out_until_shared(transport, [stays, leaves])

        async def has_all() -> bool:
            await transport.publish(TOPIC, messages(1))
            return len(slots(list(await stays.fetch(1000)))) == 4

        await until(has_all, what="the take-over")


async def test_a_commit_for_a_partition_that_went_elsewhere_is_refused(transport: Transport) -> None:
    await transport.publish(TOPIC, messages(1))
    async with transport.subscribe("readers", [TOPIC]) as old:
        records = await collect(old, len(KEYS))
        async with transport.subscribe("readers", [TOPIC]) as new:
            await hand_out_until_shared(transport, [old, new])
            with pytest.raises(OwnershipLost):
                await old.commit(records)


async def test_a_fact_goes_from_outbox_to_effect_once_and_in_order(
    transport: Transport, service: Service
) -> None:
    consumer = service.consumer(transport, recording_handlers())
    async with running(Relay(service.database, transport).run(), consumer.run()):
        for n in range(10):
            for key in KEYS[:5]:
                await service.note(key, n)

        async def all_there() -> bool:
            return await service.count("effect") >= 50

        await until(all_there, what="all effects")
    assert await service.effects() == {key: list(range(10)) for key in KEYS[:5]}
    assert await service.count("outbox") == 0


async def test_b19_a_topic_replayed_from_its_beginning_changes_nothing(
    transport: Transport, service: Service, takes_commits_from_outside: None
) -> None:
    async with running(Relay(service.database, transport).run()):
        published = [event for key in KEYS for event in await service.note(key, 1, 2, 3)]
        await everything(transport, len(published))

    async def read_all() -> None:
        counting = CountingCommits(transport)
        async with running(service.consumer(counting, recording_handlers()).run()):
            await until(counting.reached(len(published)), what="the end of the topic")

    await read_all()
    before = await service.effects()
    assert sum(map(len, before.values())) == len(published)
    await transport.rewind("reader", [TOPIC])
    await read_all()
    assert await service.effects() == before


async def test_b6_an_older_transaction_that_commits_after_a_newer_one_is_delivered(
    transport: Transport, service: Service
) -> None:
    async with running(Relay(service.database, transport).run()):
        async with service.sessions.begin() as older:
            first = await note(older, "case-old", 1)
            (second,) = await service.note("case-new", 2)
            await everything(transport, 1)
        wire = await everything(transport, 2, group="another-tap")
    assert wire.lost([first, second]) == 0
