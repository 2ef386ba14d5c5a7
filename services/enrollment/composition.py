"""What the web app and the worker of this service are built from."""

from __future__ import annotations

from libs.casebook.cases import Casebook
from libs.caseflow.desk import Caseflow
from libs.caseflow.stages import STAGE_NAMES
from libs.catalogue.lookup import Catalogues
from libs.contracts.enrollment import EnrollmentCaseMoved, EnrollmentMessageSent
from libs.regions.agencies import Agencies
from libs.webapp.edge import Resources
from services.enrollment.domain.rules import rules
from services.enrollment.schemas.applications import ApplicationBody
from services.enrollment.service.businesses import BUSINESSES
from services.enrollment.service.businesses.certificate import CertificateOfParticipation
from services.enrollment.service.press import press_of
from services.enrollment.settings import EnrollmentSettings


def caseflow_of(resources: Resources) -> Caseflow:
    """Build the caseflow from settings. Raises TypeError where these are not this service's."""
    settings = enrollment_settings(resources)
    certificate = CertificateOfParticipation(press_of(settings))
    stage_names = {stage.value: name for stage, name in STAGE_NAMES.items()}
    return Caseflow(
        casebook=Casebook(EnrollmentCaseMoved, stage_names, resources.protector),
        catalogues=Catalogues(settings.edition_pins),
        agencies=Agencies.from_file(settings.agencies_file),
        protector=resources.protector,
        message_sent=EnrollmentMessageSent,
        application_type=ApplicationBody,
        businesses={business.kind: business for business in (*BUSINESSES, certificate)},
        unstated_risks=rules().risks,
    )


def enrollment_settings(resources: Resources) -> EnrollmentSettings:
    """The resources' settings as this service's."""
    if not isinstance(resources.settings, EnrollmentSettings):
        raise TypeError(f"EnrollmentSettings needed, got {type(resources.settings).__name__}")
    return resources.settings
