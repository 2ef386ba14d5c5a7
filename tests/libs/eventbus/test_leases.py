from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from libs.eventbus.leases import OWNED, Leases, share_of
from tests.libs.eventbus.harness import Service, until

SLOTS = [str(n) for n in range(16)]


def settle(wanted: dict[UUID, set[str]], owners: dict[str, UUID]) -> dict[str, UUID]:
    """Let the members take their shares in turn until nothing changes any more."""
    for _ in range(3):
        for member in wanted:
            others = {slot: owner for slot, owner in owners.items() if owner != member}
            owners = others | dict.fromkeys(share_of(member, wanted, owners), member)
    return owners


members = st.integers(1, 12).map(lambda number: [uuid4() for _ in range(number)])


@given(members, st.integers(0, 40))
def test_slots_are_shared_out_completely_and_evenly(everyone: list[UUID], number: int) -> None:
    names = {f"s{n}" for n in range(number)}
    owners = settle(dict.fromkeys(everyone, names), dict.fromkeys(names, everyone[0]))
    assert set(owners) == names
    shares = [list(owners.values()).count(member) for member in everyone]
    assert max(shares) - min(shares) <= 1


@given(st.data(), members)
def test_no_slot_somebody_asks_for_stays_without_owner(data: st.DataObject, everyone: list[UUID]) -> None:
    wanted = {member: data.draw(st.sets(st.sampled_from(SLOTS))) for member in everyone}
    owners = settle(wanted, {})
    assert set(owners) == set().union(*wanted.values())
    assert all(slot in wanted[owner] for slot, owner in owners.items())


def test_a_slot_of_another_is_never_taken() -> None:
    newcomer, owner = uuid4(), uuid4()
    assert share_of(newcomer, dict.fromkeys((newcomer, owner), SLOTS), dict.fromkeys(SLOTS, owner)) == set()


async def test_two_members_end_with_disjoint_shares(service: Service) -> None:
    pool = await asyncpg.create_pool(service.database)
    async with pool, Leases(pool, "t", lease_s=1) as one, Leases(pool, "t", lease_s=1) as other:
        assert await one.share(SLOTS) == set(SLOTS)

        async def shared() -> bool:
            return len(await one.share(SLOTS)) == len(await other.share(SLOTS)) == 8

        await until(shared, what="the sharing")
        assert not one.owned & other.owned


async def test_the_slots_of_a_vanished_member_are_taken_over(service: Service) -> None:
    pool = await asyncpg.create_pool(service.database)
    async with pool:
        gone = Leases(pool, "t", lease_s=0.5)
        await gone.share(SLOTS)  # never entered: nobody keeps its leases alive
        async with Leases(pool, "t", lease_s=0.5) as heir:

            async def inherited() -> bool:
                return await heir.share(SLOTS) == set(SLOTS)

            await until(inherited, what="the take-over")


async def test_a_member_that_lives_keeps_its_slots_beyond_the_lease(service: Service) -> None:
    pool = await asyncpg.create_pool(service.database)
    async with pool, Leases(pool, "t", lease_s=0.4) as member:
        await member.share(SLOTS)
        first = await pool.fetchval("SELECT max(expires_at) FROM bus_lease")

        async def first_end_has_passed() -> bool:
            return bool(await pool.fetchval("SELECT clock_timestamp() > $1", first))

        await until(first_end_has_passed, what="the end of the first lease")
        assert len(await pool.fetch(OWNED, "t", member.member)) == len(SLOTS)


async def test_an_expired_lease_proves_nothing_even_if_nobody_has_taken_it(service: Service) -> None:
    pool = await asyncpg.create_pool(service.database)
    async with pool:
        member = Leases(pool, "t", lease_s=60)
        await member.share(SLOTS)
        assert len(await pool.fetch(OWNED, "t", member.member)) == len(SLOTS)
        await pool.execute("UPDATE bus_lease SET expires_at = clock_timestamp()")
        assert await pool.fetch(OWNED, "t", member.member) == []


async def test_leaving_frees_the_slots_at_once(service: Service) -> None:
    pool = await asyncpg.create_pool(service.database)
    async with pool:
        async with Leases(pool, "t", lease_s=3600) as first:
            await first.share(SLOTS)
        async with asyncio.timeout(10), Leases(pool, "t", lease_s=3600) as second:
            assert await second.share(SLOTS) == set(SLOTS)


async def test_the_keeper_survives_an_interruption_of_the_database(service: Service) -> None:
    pool = await asyncpg.create_pool(service.database, min_size=0)
    async with pool, Leases(pool, "t", lease_s=0.5) as member:
        await member.share(SLOTS)
        watcher = await asyncpg.connect(service.database)
        await watcher.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        before = await watcher.fetchval("SELECT max(expires_at) FROM bus_lease")

        async def extended() -> bool:
            return bool(await watcher.fetchval("SELECT max(expires_at) > $1 FROM bus_lease", before))

        await until(extended, what="the extension of the lease")
        await watcher.close()
