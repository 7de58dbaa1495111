"""Who works at the council: names for pages, and who can be given cases."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import Desk
from folkmoot_web.sign_in.accounts import Account


@dataclass(frozen=True, slots=True)
class People:
    """The accounts of the site.

    Attributes:
        accounts: All, by the name with which they sign in.
        workers: Those who may be given cases, by their names for people.
    """

    accounts: dict[str, Account]
    workers: list[Account]

    @classmethod
    def of(cls, desk: Desk) -> People:
        """The people of a council."""
        accounts = desk.state.accounts.list()
        permissions = desk.known.policy.permissions()
        workers = [
            one
            for one in accounts
            if not one.is_disabled and str(Right.WORK) in permissions.of(one.roles)
        ]
        return cls(
            {one.name: one for one in accounts},
            sorted(workers, key=lambda one: (one.display_name.casefold(), one.name)),
        )

    def shown(self, name: str | None) -> str:
        """The name for people of an account; the name itself if there is no such account."""
        if name is None:
            return "nobody"
        found = self.accounts.get(name)
        return name if found is None else found.display_name

    def numbered(self, number: str) -> Account | None:
        """Who has the account of a number, as addresses and forms have it; None for nobody."""
        for one in self.accounts.values():
            if str(one.id) == number:
                return one
        return None

    def worker_items(self, nobody: str) -> list[dict[str, str]]:
        """What a select of workers takes.

        Args:
            nobody: What its first entry, which stands for nobody, says.
        """
        listed = [{"value": str(one.id), "text": one.display_name} for one in self.workers]
        return [{"value": "", "text": nobody}, *listed]


def team_items(desk: Desk, none: str) -> list[dict[str, str]]:
    """What a select of the policy's teams takes; its first entry stands for none."""
    teams = [{"value": one, "text": one} for one in desk.known.policy.teams]
    return [{"value": "", "text": none}, *teams]
