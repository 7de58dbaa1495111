"""The data sources: one for each record system, each with a profile of its extract."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from folkmoot_plugin_council_records.profile import ProfileOptions, adapted
from folkmoot_plugin_extracts.mapped_files import MappedFiles
from folkmoot_sdk import DataSource


class ProfileSource(MappedFiles):
    """Extracts of one record system, read by the profile that is named like the kind."""

    kind: ClassVar[str]
    Options = ProfileOptions

    @classmethod
    def draft(cls, file: Path) -> str:
        """The options that read an extract by this profile, with questions as comments."""
        # Only one command drafts; all others need not load what guesses.
        from folkmoot_plugin_council_records.drafting import draft

        return draft(cls.kind, file)

    def __init__(self, options: ProfileOptions) -> None:
        super().__init__(options, adapted(self.kind, options), options.base / options.folder)


class CouncilTax(ProfileSource):
    """Accounts of council tax: liability, arrears, recovery, discounts, support."""

    kind = "council_tax"


class HousingBenefit(ProfileSource):
    """Claims, in the manner of the single housing benefit extract."""

    kind = "housing_benefit"


class Rents(ProfileSource):
    """Rent accounts of the council's own homes."""

    kind = "rents"


class AdultSocialCare(ProfileSource):
    """People who receive adult social care, and carers known to it."""

    kind = "adult_social_care"


class ChildrensServices(ProfileSource):
    """Children known to children's services."""

    kind = "childrens_services"


class Homelessness(ProfileSource):
    """Homelessness cases, in the manner of H-CLIC."""

    kind = "homelessness"


class HousingRegister(ProfileSource):
    """Applications to the housing register."""

    kind = "housing_register"


class Deaths(ProfileSource):
    """Notices of deaths, in the manner of Tell Us Once."""

    kind = "deaths"


SOURCES: tuple[type[DataSource], ...] = (
    CouncilTax,
    HousingBenefit,
    Rents,
    AdultSocialCare,
    ChildrensServices,
    Homelessness,
    HousingRegister,
    Deaths,
)
