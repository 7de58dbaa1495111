"""The fields that the source declares."""

from __future__ import annotations

from folkmoot_sdk import (
    Category,
    Combine,
    Field,
    FieldType,
    Identifier,
    ProtectedCharacteristic,
    RecordLevel,
    Schema,
)

DISEASE_GROUPS = (
    "transplant",
    "cancer",
    "respiratory",
    "rare_disease",
    "immunosuppression",
    "pregnancy_heart_disease",
    "other",
)
"""Groups after those in which NHS Digital published counts of the list (2020), in its order."""


def schema(
    supplier: str, *, dated: bool, grouped: bool, identifiers: tuple[Identifier, ...]
) -> Schema:
    """The schema of a list.

    Args:
        supplier: Who supplies it.
        dated: True if it says since when somebody is on it.
        grouped: True if it names disease groups.
        identifiers: What it says of people and addresses.
    """
    fields = [
        Field(
            name="shielded",
            type=FieldType.BOOLEAN,
            combine=Combine.ANY,
            category=Category.HEALTH,
            description="Somebody is on the list on the date of the run",
            protected=ProtectedCharacteristic.DISABILITY,
            savvi_term="Clinically extremely vulnerable",
            absent=False,
        ),
        Field(
            name="shielded_people",
            type=FieldType.INTEGER,
            combine=Combine.SUM,
            category=Category.HEALTH,
            description="Rows of people on the list on the date of the run",
            protected=ProtectedCharacteristic.DISABILITY,
            minimum=0,
            absent=0,
        ),
    ]
    if dated:
        fields.append(
            Field(
                name="shielded_since",
                type=FieldType.DATE,
                combine=Combine.MINIMUM,
                category=Category.HEALTH,
                description="Since when somebody has been on the list",
                protected=ProtectedCharacteristic.DISABILITY,
            )
        )
    if grouped:
        fields.append(
            Field(
                name="shielding_group",
                type=FieldType.CATEGORY,
                combine=Combine.FIRST,
                category=Category.HEALTH,
                description="Disease group of the first person on the list",
                protected=ProtectedCharacteristic.DISABILITY,
                codes=DISEASE_GROUPS,
            )
        )
    return Schema(
        name="shielded_list",
        level=RecordLevel.PERSON,
        fields=tuple(fields),
        supplier=supplier,
        identifiers=identifiers,
    )
