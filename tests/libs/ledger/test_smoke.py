import time
from sqlalchemy import text
from libs.ledger.accounts import *
from libs.ledger.posting import *
from libs.ledger import holds
from libs.ledger.verification import verify
from tests.libs.ledger.conftest import *

async def test_smoke(ledger):
    p = await ledger.person(funded_fen=1000)
    q = await ledger.pooled()
    async with ledger.session() as s:
        print(await balance(s, p), await statement(s, p))
        h = await holds.place(s, account_id=p, amount_fen=300, source_id="h1")
        print(h, await balance(s, p))
    async with ledger.session() as s:
        t = await holds.capture(s, "h1", credit("out1", p, q, 300))
        print(t)
        print(await verify(s))
    async with ledger.session() as s:
        assert (await holds.capture(s, "h1", credit("out1", p, q, 300))).replayed
        r = await reverse(s, "out1", new_source_id="r1", purpose="reversal", occurred_on=TODAY)
    async with ledger.session() as s:
        print(await verify(s), await balance(s, p))
        print((await s.execute(text("select * from ledger_chain"))).all())
    # bulk
    people = []
    async with ledger.session() as s:
        m = await open_account(s, region_code=YANTAI, fund=EMPLOYEE, kind="bank_mirror")
        for i in range(1000):
            people.append(await open_account(s, region_code=YANTAI, fund=EMPLOYEE, kind="personal_account", owner=f"p{i}"))
    for n in (1000, 5000, 10000):
        t0 = time.perf_counter()
        async with ledger.session() as s:
            await post_many(s, [credit(f"{n}b{i}", m, people[i % 1000], 100) for i in range(n)])
            t1 = time.perf_counter()
        t2 = time.perf_counter()
        print(n, t1 - t0, t2 - t1, n / (t2 - t0))
    for rep in range(3):
        t0 = time.perf_counter()
        for i in range(200):
            async with ledger.session() as s:
                await post(s, credit(f"s{rep}{i}", m, people[i % 1000], 100))
        print(200/(time.perf_counter()-t0), "posts/s sequential")
    t0 = time.perf_counter()
    async with ledger.session() as s:
        print(await verify(s), time.perf_counter() - t0)
