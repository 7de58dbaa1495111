"""The notice for residents: what UK GDPR articles 13 and 14 want to be said, in plain words."""

from __future__ import annotations

from folkmoot_node.scrutiny.documents import shared
from folkmoot_node.scrutiny.documents.saying import (
    everything,
    fact,
    program,
    sentence,
    table,
    unless_none,
)
from folkmoot_node.scrutiny.documents.standard import Section, Standard, ask

NOTICE = Standard(
    name="notice",
    title="How we use what we know about your home",
    source="UK GDPR articles 13 and 14",
    about="This page is for people who live in our area. It says how we use what we know to find "
    "homes that may need help.",
    is_for_residents=True,
    sections=(
        Section(
            "who",
            "Who we are",
            (
                ask(
                    "14(1)(a)",
                    "controller",
                    "Who answers for this",
                    sentence(
                        "We are {node.name}. {scrutiny.owner.name} ({scrutiny.owner.role}) "
                        "answers for this work."
                    ),
                    sentence("You can write to us at {scrutiny.contact.email}."),
                ),
                ask(
                    "14(1)(b)",
                    "data_protection_officer",
                    "Who looks after your data rights",
                    sentence(
                        "Our data protection officer checks that we keep to the law. You can "
                        "write to {scrutiny.contact.data_protection_officer}."
                    ),
                ),
            ),
        ),
        Section(
            "why",
            "What we do, and why",
            (
                ask(
                    "14(1)(c)-1",
                    "purpose",
                    "Why we do it",
                    program(
                        "Some people need help and do not ask for it. We look at what we know "
                        "about each home. Then we work out which homes may need help most."
                    ),
                    fact("scrutiny.rationale.summary"),
                ),
                ask(
                    "14(1)(c)-2",
                    "lawful_basis",
                    "The law that lets us do it",
                    fact("policy.risk.legal_basis"),
                ),
            ),
        ),
        Section(
            "what",
            "What we use",
            (
                ask(
                    "14(1)(d)",
                    "categories",
                    "What we use, and where it comes from",
                    program(
                        "We only use the facts that we need. The table shows where they come "
                        "from, and what for."
                    ),
                    shared.SOURCES_IN_SHORT,
                ),
                ask(
                    "14(2)(f)",
                    "origin",
                    "You do not have to do a thing",
                    program(
                        "We do not ask you for more. We use records that the council has, or "
                        "that others send us."
                    ),
                ),
            ),
        ),
        Section(
            "how",
            "How your score works",
            (
                ask(
                    "14(2)(g)-1",
                    "logic",
                    "How we work it out",
                    program(
                        "We give each home a score. Each thing in the table can add points. If "
                        "we do not know a fact, it adds no points."
                    ),
                    table(
                        "What adds points",
                        "policy.risk.factors",
                        "What we look at",
                        {"maximum": "Most points"},
                        name="title",
                    ),
                ),
                ask(
                    "14(2)(g)-2",
                    "consequences",
                    "What a score can mean for you",
                    program("We use a score to offer help. The table shows what we do."),
                    table(
                        "What we do",
                        "policy.risk.bands",
                        "Group of homes",
                        {"from": "From so many points", "action": "What we do"},
                        order="from",
                    ),
                ),
                ask(
                    "22",
                    "automated_decisions",
                    "A person decides",
                    program(
                        "The computer does not decide. A person looks at your case and decides "
                        "what to offer you."
                    ),
                    fact("scrutiny.use.human_review"),
                ),
                ask(
                    "9",
                    "protected_characteristics",
                    "Age, health and other such things",
                    unless_none(
                        "policy.risk.protected",
                        everything("What we look at, and why", "policy.risk.protected"),
                        "We do not score you by your age, sex, race, faith or any other such "
                        "thing that the law protects.",
                    ),
                ),
            ),
        ),
        Section(
            "who_sees",
            "Who sees it",
            (
                ask("14(1)(e)-1", "access", "Who can see your score", fact("scrutiny.use.access")),
                ask(
                    "14(1)(e)-2",
                    "recipients",
                    "What we share",
                    program(
                        "We share counts of homes with other councils in our region. We add "
                        "chance to each count, so that it does not give your home away. We do "
                        "not share your name, your home or your score with them."
                    ),
                    fact("scrutiny.use.sharing"),
                ),
                ask("14(1)(f)", "transfers", "Other countries", fact("scrutiny.dpia.transfers")),
            ),
        ),
        Section(
            "how_long",
            "How long we keep it",
            (
                ask(
                    "14(2)(a)",
                    "retention",
                    "How long we keep your score",
                    sentence(
                        "We keep your score for {policy.risk.retention.scores_days} days at "
                        "most, or until we work out a new one. After {policy.risk.sunset} we "
                        "stop, or the council must decide again."
                    ),
                ),
            ),
        ),
        Section(
            "rights",
            "What you can do",
            (
                ask(
                    "14(2)(c)",
                    "rights",
                    "Your rights",
                    program(
                        "You can ask to see what we hold about you. You can ask us to put it "
                        "right. You can say that you do not want to be scored. You can ask a "
                        "person to look at your score again."
                    ),
                    fact("scrutiny.contact.rights"),
                    fact("scrutiny.use.appeals"),
                ),
                ask(
                    "14(2)(e)",
                    "complaints",
                    "If you are not happy",
                    program(
                        "Please talk to us first. You can also go to the Information "
                        "Commissioner's Office. They are at ico.org.uk, or call 0303 123 1113."
                    ),
                ),
            ),
        ),
    ),
)
