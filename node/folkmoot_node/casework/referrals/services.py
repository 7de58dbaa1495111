"""The council's directory of services: what it imports, and what it knows itself of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.referrals.directory import ServiceDocument
from folkmoot_node.casework.referrals.models import ServiceRow
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State

IMPORTED = "services imported"
CHANGED = "service changed"
RETIRED = "service retired"
RESTORED = "service restored"
"""Actions of the log."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service to which the council refers.

    Attributes:
        service_id: What addresses and logs call it.
        document: As the directory describes it.
        contact_name: Who takes referrals there.
        contact_email: Where links go; empty for nowhere.
        contact_telephone: Where PINs are told; empty for nowhere.
        capacity: Referrals that it takes in a week; None for no limit.
        retired_at: Since when nobody is referred to it; None while it takes referrals.
        version: Goes up with each change.
    """

    service_id: str
    document: ServiceDocument
    contact_name: str
    contact_email: str
    contact_telephone: str
    capacity: int | None
    retired_at: int | None
    version: int

    @property
    def name(self) -> str:
        """Its public name."""
        return self.document.name

    @property
    def takes_referrals(self) -> bool:
        """Whether somebody may be referred to it now."""
        return self.retired_at is None and self.document.status == "active"


@dataclass(frozen=True, slots=True)
class Imported:
    """How many services an import has added, changed and left as they were."""

    added: int
    changed: int
    same: int


class Services:
    """The directory of services."""

    def __init__(self, state: State) -> None:
        self._state = state

    def take(self, documents: Sequence[ServiceDocument], by: str) -> Imported:
        """Adds services of a directory, or changes those it has: all of them, or none.

        What the council has entered itself (contact, capacity) stays.

        Args:
            documents: The services.
            by: Who imports them.
        """
        added = changed = 0
        with self._state.database.writing() as session:
            for one in documents:
                query = select(ServiceRow).where(ServiceRow.directory_id == one.id)
                row = session.scalar(query)
                text = one.model_dump_json()
                if row is None:
                    session.add(_new(one, text))
                    added += 1
                elif row.document != text:
                    row.document, row.name, row.version = text, one.name, row.version + 1
                    changed += 1
            session.flush()
            same = len(documents) - added - changed
            self._state.audit.record(
                session, IMPORTED, by, {"added": added, "changed": changed, "same": same}
            )
        return Imported(added, changed, same)

    def listed(self, *, retired: bool = False) -> list[Service]:
        """Services by name.

        Args:
            retired: Those that are retired too.
        """
        query = select(ServiceRow).order_by(ServiceRow.name, ServiceRow.service_id)
        if not retired:
            query = query.where(ServiceRow.retired_at.is_(None))
        with self._state.database.reading() as session:
            return [service_of(row) for row in session.scalars(query)]

    def get(self, service_id: str) -> Service:
        """A service.

        Raises:
            WebProblem: Status 404, if there is none.
        """
        with self._state.database.reading() as session:
            return service_of(find_service(session, service_id))

    def change(
        self,
        service_id: str,
        version: int,
        by: str,
        *,
        contact_name: str,
        contact_email: str,
        contact_telephone: str,
        capacity: int | None,
    ) -> None:
        """Changes what the council knows of a service itself.

        Raises:
            WebProblem: Status 404 if there is no such service; 409 if somebody else has changed it.
        """
        with self._state.database.writing() as session:
            row = find_service(session, service_id)
            if row.version != version:
                raise WebProblem(
                    409,
                    "Somebody else has changed this service",
                    "Their change is kept, and yours is not stored yet.",
                    "Open the service again, see what has changed, and enter yours once more.",
                )
            row.contact_name, row.contact_email = contact_name, contact_email
            row.contact_telephone, row.capacity = contact_telephone, capacity
            row.version += 1
            session.flush()
            detail = {"service": service_id, "capacity": capacity}
            self._state.audit.record(session, CHANGED, by, detail)

    def retire(self, service_id: str, by: str, *, undo: bool = False) -> None:
        """Refers nobody to a service any more; referrals that it has go on.

        Args:
            service_id: The service.
            by: Who decides that.
            undo: True if it takes referrals again.

        Raises:
            WebProblem: Status 404, if there is no such service.
        """
        with self._state.database.writing() as session:
            row = find_service(session, service_id)
            if (row.retired_at is None) == undo:
                return
            row.retired_at = None if undo else self._state.clock()
            row.version += 1
            session.flush()
            action = RESTORED if undo else RETIRED
            self._state.audit.record(session, action, by, {"service": service_id})


def find_service(session: Session, service_id: str, *, lock: bool = False) -> ServiceRow:
    """The row of a service, locked if asked; WebProblem with status 404 if there is none."""
    row = session.get(ServiceRow, service_id, with_for_update=lock or None)
    if row is None:
        raise problem_of_status(404)
    return row


def service_of(row: ServiceRow) -> Service:
    """A service from its row."""
    return Service(
        row.service_id,
        ServiceDocument.model_validate_json(row.document),
        row.contact_name,
        row.contact_email,
        row.contact_telephone,
        row.capacity,
        row.retired_at,
        row.version,
    )


def _new(document: ServiceDocument, text: str) -> ServiceRow:
    contact = next((one for one in document.contacts if one.name or one.email), None)
    return ServiceRow(
        service_id=new_id(),
        directory_id=document.id,
        name=document.name,
        document=text,
        contact_name=contact.name if contact else "",
        contact_email=document.first_email,
        contact_telephone=document.first_telephone[:50],
        version=1,
    )
