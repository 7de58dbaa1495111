"""Services, consent, referrals, links and mail.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "casework_services",
        sa.Column("service_id", sa.String(16), primary_key=True),
        sa.Column("directory_id", sa.String(100), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("contact_name", sa.String(200), nullable=False),
        sa.Column("contact_email", sa.String(254), nullable=False),
        sa.Column("contact_telephone", sa.String(50), nullable=False),
        sa.Column("capacity", sa.Integer),
        sa.Column("retired_at", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "casework_consents",
        sa.Column("consent_id", sa.String(16), primary_key=True),
        sa.Column("case_id", sa.String(16), nullable=False),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("service_id", sa.String(16), nullable=False),
        sa.Column("how", sa.String(20), nullable=False),
        sa.Column("given_by", sa.String(60), nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("given_on", sa.String(10), nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.String(254), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger),
        sa.Column("withdrawn_by", sa.String(254)),
    )
    op.create_table(
        "casework_referrals",
        sa.Column("referral_id", sa.String(16), primary_key=True),
        sa.Column("case_id", sa.String(16), nullable=False),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("service_id", sa.String(16), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("consent_id", sa.String(16)),
        sa.Column("override_id", sa.String(16)),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("urgency", sa.String(20), nullable=False),
        sa.Column("band", sa.String(100)),
        sa.Column("way", sa.String(10)),
        sa.Column("drafted_at", sa.BigInteger, nullable=False),
        sa.Column("drafted_by", sa.String(254), nullable=False),
        sa.Column("waiting_since", sa.BigInteger),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "casework_overrides",
        sa.Column("override_id", sa.String(16), primary_key=True),
        sa.Column("referral_id", sa.String(16), nullable=False),
        sa.Column("ground", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("asked_by", sa.String(254), nullable=False),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("decided_by", sa.String(254)),
        sa.Column("approved", sa.Boolean),
    )
    op.create_table(
        "casework_referral_events",
        sa.Column("event_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("referral_id", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(254), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "casework_links",
        sa.Column("link_id", sa.String(16), primary_key=True),
        sa.Column("referral_id", sa.String(16), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
    )
    op.create_table(
        "casework_link_visits",
        sa.Column("link_id", sa.String(16), primary_key=True),
        sa.Column("browser", sa.String(64), primary_key=True),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("sees_content", sa.Boolean, nullable=False),
    )
    op.create_table(
        "casework_mail",
        sa.Column("mail_id", sa.String(16), primary_key=True),
        sa.Column("referral_id", sa.String(16), nullable=False),
        sa.Column("link_id", sa.String(16)),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("fault", sa.Text, nullable=False),
    )
    op.create_index("ix_casework_consents_case_id", "casework_consents", ["case_id"])
    op.create_index("ix_casework_consents_household_id", "casework_consents", ["household_id"])
    op.create_index("ix_casework_referrals_case_id", "casework_referrals", ["case_id"])
    op.create_index("ix_casework_referrals_household_id", "casework_referrals", ["household_id"])
    op.create_index("ix_casework_referrals_service_id", "casework_referrals", ["service_id"])
    op.create_index("ix_casework_referrals_state", "casework_referrals", ["state"])
    op.create_index("ix_casework_referrals_consent_id", "casework_referrals", ["consent_id"])
    op.create_index("ix_casework_overrides_referral_id", "casework_overrides", ["referral_id"])
    op.create_index(
        "ix_casework_referral_events_referral_id", "casework_referral_events", ["referral_id"]
    )
    op.create_index("ix_casework_links_referral_id", "casework_links", ["referral_id"])
    op.create_index("ix_casework_mail_referral_id", "casework_mail", ["referral_id"])
    op.create_index("ix_casework_mail_state", "casework_mail", ["state"])
