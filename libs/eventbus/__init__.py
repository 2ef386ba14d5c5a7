"""Facts between services: said with the business change, heard with the effect.

A service says a fact with ``outbox.publish`` in its own transaction. A ``Relay`` beside it moves
the outbox to a ``Transport`` (Kafka, the Postgres log, memory). The others hear it through a
``Consumer`` with ``Handlers``; the inbox makes its effect happen once::

    handlers = Handlers()

    @handlers.on(CaseAccepted)
    async def show(session: AsyncSession, event: Event, fact: CaseAccepted) -> None: ...

    relay = Relay(database_url, transport)
    consumer = Consumer(group="tracking", topics=[topic_of(CaseAccepted.event_type)],
                        handlers=handlers, transport=transport, open_transaction=open_transaction)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run())
        tasks.create_task(consumer.run())

``dead_letters`` is for the people who look after what could not be handled, ``tables`` for the
migrations. Cancelling a task ends it in order; an exception out of ``run`` is a defect and should
end the process.
"""
