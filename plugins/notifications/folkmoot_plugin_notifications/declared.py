"""The fields that the source declares."""

from __future__ import annotations

from folkmoot_sdk import Category, Combine, Field, FieldType, Identifier, RecordLevel, Schema

NOTIFIED = "notified"
NOTIFICATIONS = "notifications"
FIRST_NOTIFIED = "first_notified"
EVENT = "notified_event"
AREA = "notification_area"
BY_PERIOD = (NOTIFIED, NOTIFICATIONS, FIRST_NOTIFIED, EVENT)
"""The fields that depend on when somebody was notified."""


def schema(
    supplier: str,
    level: RecordLevel,
    *,
    days: int,
    events: tuple[str, ...],
    area_type: str | None,
    identifiers: tuple[Identifier, ...],
) -> Schema:
    """The schema of a list of notifications.

    Args:
        supplier: Who supplies it.
        level: Whether a notification is about a person or about a property.
        days: Length of the period that ends with the date of the run.
        events: Codes of what is notified; empty if the list does not say.
        area_type: What the areas are; None if the list has none.
        identifiers: What it says of people and addresses.
    """
    period = f"in the {days} days up to the date of the run"
    fields = [
        Field(
            name=NOTIFIED,
            type=FieldType.BOOLEAN,
            combine=Combine.ANY,
            category=Category.HEALTH,
            description=f"There is a notification {period}",
            absent=False,
        ),
        Field(
            name=NOTIFICATIONS,
            type=FieldType.INTEGER,
            combine=Combine.SUM,
            category=Category.HEALTH,
            description=f"Notifications {period}",
            minimum=0,
            absent=0,
        ),
        Field(
            name=FIRST_NOTIFIED,
            type=FieldType.DATE,
            combine=Combine.MINIMUM,
            category=Category.HEALTH,
            description=f"Date of the first notification {period}",
        ),
    ]
    if events:
        fields.append(
            Field(
                name=EVENT,
                type=FieldType.CATEGORY,
                combine=Combine.LATEST,
                category=Category.HEALTH,
                description=f"What the latest notification {period} says",
                codes=events,
            )
        )
    if area_type is not None:
        fields.append(
            Field(
                name=AREA,
                type=FieldType.AREA,
                combine=Combine.LATEST,
                category=Category.GEOGRAPHY,
                description="Area that the latest notification names",
                area_type=area_type,
            )
        )
    return Schema(
        name="notifications",
        level=level,
        fields=tuple(fields),
        supplier=supplier,
        has_date=True,
        identifiers=identifiers,
    )
