"""An endpoint under test, as the conformance kit talks to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import httpx
from uuid_utils.compat import uuid7

from libs.casework.clock import Clock
from libs.exchange.bodies import Body, ContactLetter, Inquiry, write_body
from libs.exchange.canonical import parse
from libs.exchange.courier import PATH
from libs.exchange.envelope import Kind, Message, Receipt, Refusal, draft, read_answer
from libs.exchange.faults import Code, ExchangeFault
from libs.exchange.forms import Agency, BankAccount, InsuranceKind, Person, document_number
from libs.exchange.inspection import answer_faults
from libs.exchange.seals import Signer, Verifier, sealed

LIFETIME = dt.timedelta(days=1)


class NotConforming(Exception):
    """An answer was not what the protocol says."""


@dataclass
class Endpoint:
    """The endpoint under test. ``signer`` is the test region's, ``verifier`` knows the endpoint's key."""

    base_url: str
    region_code: str
    signer: Signer
    verifier: Verifier
    clock: Clock
    client: httpx.AsyncClient

    async def post(self, raw: bytes) -> Receipt | Refusal:
        """Send bytes; the answer, its seal unchecked."""
        url = self.base_url.rstrip("/") + PATH
        response = await self.client.post(url, content=raw, headers={"content-type": "application/json"})
        try:
            return read_answer(parse(response.content))
        except ExchangeFault as fault:
            raise NotConforming(f"HTTP {response.status_code}，答复既不是回执也不是拒收：{fault}") from fault

    async def receipt(self, message: Message, stored: str = "delivered") -> Receipt:
        """Send a message that must be receipted as ``stored``."""
        answer = await self._verified(message)
        if isinstance(answer, Refusal):
            raise NotConforming("应给回执，却拒收：" + "；".join(f.message for f in answer.faults))
        if answer.stored != stored:
            raise NotConforming(f"回执应为 {stored}，实际是 {answer.stored}")
        return answer

    async def refusal(self, message: Message, code: Code, *, final: bool) -> Refusal:
        """Send a message that must be refused with ``code``."""
        answer = await self._verified(message)
        if isinstance(answer, Receipt):
            raise NotConforming(f"应以 {code} 拒收，却给了回执")
        codes = [fault.code for fault in answer.faults]
        if code not in codes or answer.final is not final:
            raise NotConforming(
                f"应以 {code}（final={final}）拒收，实际是 {'、'.join(codes)}（final={answer.final}）"
            )
        return answer

    async def _verified(self, message: Message) -> Receipt | Refusal:
        answer = await self.post(message.raw())
        if faults := answer_faults(message, answer, self.verifier, self.clock.now()):
            raise NotConforming("；".join(fault.message for fault in faults))
        return answer

    def message(
        self,
        kind: str,
        body: Body,
        *,
        sequence: int = 1,
        conversation: str | None = None,
        version: int = 1,
        created_at: dt.datetime | None = None,
        lifetime: dt.timedelta = LIFETIME,
        signer: Signer | None = None,
    ) -> Message:
        """A sealed message from the test region."""
        created = created_at or self.clock.now()
        unsealed = draft(
            id=uuid7(),
            kind=kind,
            kind_version=version,
            conversation=conversation or str(uuid7()),
            sequence=sequence,
            from_region=self.signer.region_code,
            to_region=self.region_code,
            created_at=created,
            expires_at=created + lifetime,
            body=write_body(body),
        )
        return sealed(unsealed, signer or self.signer)

    def letter(self, **more: object) -> Message:
        """A contact letter that opens a conversation."""
        return self.message(Kind.CONTACT_LETTER, letter_body(self), **more)  # type: ignore[arg-type]

    def inquiry(self, conversation: str, sequence: int) -> Message:
        """A harmless second message."""
        body = Inquiry(waiting_since=self.clock.now().date(), overdue_working_days=0)
        return self.message(Kind.INQUIRY, body, conversation=conversation, sequence=sequence)


def letter_body(endpoint: Endpoint) -> ContactLetter:
    """A letter about a made-up person, between the test region and the endpoint's."""
    ours, theirs = endpoint.signer.region_code, endpoint.region_code
    return ContactLetter(
        number=document_number("测试省", "测试市", endpoint.clock.now().year, 1),
        person=Person(name="测试人", credential_type="01", credential_no="000000199001010010"),
        insurance=InsuranceKind.EMPLOYEE,
        transferring_out=Agency(name="被测机构", region_code=theirs),
        transferring_in=Agency(name="测试机构", region_code=ours),
        receiving_account=BankAccount(account_name="测试机构", bank_name="测试银行", account_no="000000"),
        accepted_case_no="CONFORMANCE",
        handler="测试经办",
        telephone="00000000",
        issued_on=endpoint.clock.now().date(),
    )
