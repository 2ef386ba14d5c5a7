"""The press: sheets become sealed PDF here, and sealed PDF is verified. Nothing is kept."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from libs.documents.layout import lay_out
from libs.documents.sealing import FileSealer, Sealer, seal
from libs.documents.sheets import Sheet
from libs.documents.typefaces import REGULAR, MissingCharacters, typeface
from libs.documents.verification import SealReport, trusted_roots, verify
from libs.refusals.faults import Fault, Refusal, RefusalKind, invalid
from libs.regions.agencies import Agencies
from libs.webapp.settings import ServiceSettings
from services.enrollment.settings import EnrollmentSettings

TRUSTED_FILE = "trusted.pem"


class Press:
    """Seals and typefaces of one installation. Files are opened when first needed, off the event loop."""

    def __init__(self, seals_folder: Path, agencies: Agencies, fonts: tuple[Path, ...] = ()) -> None:
        self._folder = seals_folder
        self._fonts = fonts
        self._sealers: dict[str, Sealer] = {}
        self.agencies = agencies

    async def sealed(self, sheet: Sheet, region_code: str, at: dt.datetime) -> bytes:
        """The sheet as PDF under the seal of the region's agency.

        Raises Refusal: unavailable where the seal is not here, invalid with every character no font has.
        """
        return await asyncio.to_thread(self._sealed, sheet, region_code, at)

    async def unprintable(self, texts: dict[str, str | None]) -> list[Fault]:
        """A fault for each text (by its pointer) with characters that no font has."""
        return await asyncio.to_thread(self._unprintable, texts)

    async def verified(self, pdf: bytes, now: dt.datetime) -> SealReport:
        """What is to be said of a paper somebody brings."""
        return await asyncio.to_thread(lambda: verify(pdf, self._roots, now))

    def _sealed(self, sheet: Sheet, region_code: str, at: dt.datetime) -> bytes:
        sealer = self._sealer(region_code)
        try:
            return seal(lay_out(sheet, at, self._fonts), sealer, at, self._fonts)
        except MissingCharacters as error:
            raise invalid("unprintable", _told(error.characters)) from error

    def _unprintable(self, texts: dict[str, str | None]) -> list[Fault]:
        face = typeface(REGULAR, self._fonts)
        missing = {pointer: face.missing(text or "") for pointer, text in texts.items()}
        return [Fault("unprintable", _told(those), at) for at, those in missing.items() if those]

    def _sealer(self, region_code: str) -> Sealer:
        if region_code not in self._sealers:
            agency, path = self.agencies.find(region_code), self._folder / f"{region_code}.pem"
            if agency is None or not path.is_file():
                message = f"行政区划{region_code}的经办机构尚未启用电子签章，暂不能出具，请到窗口办理。"
                raise Refusal(RefusalKind.UNAVAILABLE, "no_seal", message)
            self._sealers[region_code] = FileSealer.from_file(agency.name, path)
        return self._sealers[region_code]

    @cached_property
    def _roots(self) -> list[Any]:
        path = self._folder / TRUSTED_FILE
        if not path.is_file():
            raise Refusal(RefusalKind.UNAVAILABLE, "no_roots", "尚未配置受信任的签章根证书，暂不能核验。")
        return list(trusted_roots(path.read_bytes()))


def press_of(settings: ServiceSettings) -> Press:
    """The installation's press. Raises TypeError where the settings are not this service's."""
    if not isinstance(settings, EnrollmentSettings):
        raise TypeError(f"EnrollmentSettings needed, got {type(settings).__name__}")
    return _press_at(settings.paper_seals_folder, settings.agencies_file, settings.paper_fonts)


@cache
def _press_at(seals_folder: Path, agencies_file: Path, fonts: tuple[Path, ...]) -> Press:
    """One press a process for all that share it: routes, businesses."""
    return Press(seals_folder, Agencies.from_file(agencies_file), fonts)


def _told(characters: list[str] | tuple[str, ...]) -> str:
    listed = "、".join(f"“{character}”（U+{ord(character):04X}）" for character in characters)
    return f"字库中没有{listed}，不能打印在凭证上；请联系经办机构加装字库后重新办理。"
