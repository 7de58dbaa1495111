"""A council that refers: services, a case, consent, drafts, as tests need them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.referrals.content import Item, chosen_items
from folkmoot_node.casework.referrals.directory import ServiceDocument
from folkmoot_node.casework.referrals.kinds import ConsentBy, ConsentHow, Urgency
from folkmoot_node.casework.referring.room import Room, open_room
from folkmoot_operator.moments import day
from folkmoot_web.visitors import Visitor
from tests.casework_council import CaseworkCouncil

NAME, TELEPHONE = "Zebedee Quillfeather", "01632 960123"
"""Of the resident in tests: nothing else in the project has them."""
TYPED = {"name": NAME, "telephone": TELEPHONE}
SERVICES = (
    {
        "id": "ac148810-d857-441c-9679-408f346de14b",
        "name": "Debt advice",
        "status": "active",
        "url": "https://debt.example.org",
        "description": "Free advice about debts.",
        "email": "referrals@debt.example.org",
        "eligibility_description": "Residents of Trafford",
        "minimum_age": 18,
        "organization": {"id": "d9d5e0f5", "name": "Advice Trafford", "description": "A charity"},
        "contacts": [{"name": "Ann Persona", "title": "Intake"}],
        "phones": [{"number": "01632 960001"}],
        "schedules": [{"byday": "MO,TU", "opens_at": "09:00:00", "closes_at": "17:00:00"}],
        "assured_date": "2026-10-01",
    },
    {
        "id": "0c1fd45a-2f0b-43c8-8f3b-4f7f3c25aa11",
        "name": "Befriending",
        "status": "active",
        "url": "https://friends.example.org",
        "email": "hello@friends.example.org",
        "organization": {"id": "77", "name": "Good Neighbours", "description": "A charity"},
    },
)
"""In the shape of Open Referral UK."""


@dataclass
class Referring:
    """A council's room of referrals, and who works in it.

    Attributes:
        council: The council.
        desk: Its casework.
        room: Its room of referrals.
        debt: Id of the service for debts.
        friends: Id of the other service.
    """

    council: CaseworkCouncil
    desk: Desk
    room: Room = field(init=False)
    debt: str = field(init=False)
    friends: str = field(init=False)

    def __post_init__(self) -> None:
        self.desk.state.database.prepare()
        self.room = open_room(self.desk)
        documents = [ServiceDocument.model_validate(one) for one in SERVICES]
        self.room.services.take(documents, "test")
        ids = {one.name: one.service_id for one in self.room.services.listed()}
        self.debt, self.friends = ids["Debt advice"], ids["Befriending"]

    def visitor(self, role: str, name: str = "") -> Visitor:
        """Somebody with a role."""
        permissions = self.desk.known.policy.permissions().of((role,))
        who = f"{name or role}@example.gov.uk"
        return Visitor(1, who, name or role, (role,), permissions, "session")

    def case(self, at: int = 0, band: str | None = "high") -> str:
        """Opens a case about a household; its id."""
        with self.desk.state.database.writing() as session:
            return self.desk.cases.open(
                session,
                self.council.uprn(at),
                purpose="winter_support",
                why="A decision",
                by=self.visitor("manager"),
                band=band,
            )

    def opened(self, case_id: str, by: Visitor) -> Opened:
        """The household of a case, opened."""
        if not self.desk.openings.is_open(by, case_id):
            self.desk.openings.open(by, case_id, "To refer the household")
        return self.desk.openings.look(by, case_id, "referral")

    def consent(self, case_id: str, service_id: str = "", **changes: Any) -> str:
        """Records consent to hand over name and telephone number; its id."""
        given: dict[str, Any] = {
            "how": ConsentHow.SPOKEN,
            "given_by": ConsentBy.RESIDENT,
            "fields": tuple(TYPED),
            "given_on": day(self.council.clock()),
            **changes,
        }
        by = self.visitor("caseworker")
        return self.room.consents.record(case_id, service_id or self.debt, by, **given)

    def draft(
        self,
        case_id: str,
        consent_id: str | None,
        *,
        by: Visitor | None = None,
        service_id: str = "",
        urgency: Urgency = Urgency.ROUTINE,
        items: list[Item] | None = None,
    ) -> str:
        """Writes a referral; its id."""
        by = by or self.visitor("caseworker")
        return self.room.referrals.draft(
            self.opened(case_id, by),
            by,
            service_id=service_id or self.debt,
            items=items or chosen_items([], list(TYPED), TYPED),
            urgency=urgency,
            consent_id=consent_id,
        )

    def take(self, capacity: int) -> None:
        """Lets the service for debts take a number of referrals a week."""
        version = self.room.services.get(self.debt).version
        given = {"contact_name": "", "contact_email": "", "contact_telephone": ""}
        self.room.services.change(self.debt, version, "test", **given, capacity=capacity)

    def actions(self) -> list[str]:
        """What the log has of referrals, as `action` and state."""
        return [
            " ".join(filter(None, (one.body["action"], one.body.get("state"))))
            for one in self.desk.state.audit.entries()
        ]
