"""Who is compared: runner, environment, and how each is given the loss."""

from __future__ import annotations

from dataclasses import dataclass

from peers.losses import Losses, gaussian_error, laplace_error

FLOOR = "bare OpenDP, Gaussian"
OURS = "Folkmoot"


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the table.

    Attributes:
        name: For people.
        runner: Module in `peers.runners`.
        distribution: The peer's distribution, whose version is reported.
        environment: Name of its lock file in `requirements/`; None for this project's own.
        accounting: What it is given: `rho`, `approximate` or `pure`.
        needs_java: True if it runs on Spark.
    """

    name: str
    runner: str
    distribution: str
    environment: str | None
    accounting: str
    needs_java: bool = False

    def loss(self, losses: Losses) -> str:
        """What it is given, for people."""
        return {
            "rho": f"rho {losses.rho:g}",
            "approximate": f"({losses.epsilon:.2f}, {losses.delta:g})-DP",
            "pure": f"{losses.pure_epsilon:.3f}-DP",
        }[self.accounting]

    def expected_error(self, losses: Losses) -> float | None:
        """Mean absolute error of discrete noise at that loss, households, by formula.

        Returns:
            None for `approximate`: each such peer finds its scale in its own way.
        """
        if self.accounting == "approximate":
            return None
        if self.accounting == "pure":
            return laplace_error(losses.pure_epsilon)
        return gaussian_error(losses.rho)


CONTENDERS = (
    Contender(FLOOR, "bare_opendp", "opendp", None, "rho"),
    Contender("bare OpenDP, Laplace", "bare_opendp_laplace", "opendp", None, "pure"),
    Contender(OURS, "ours", "folkmoot-node", None, "rho"),
    Contender("OpenDP Context, Polars", "opendp_context", "opendp", "opendp", "rho"),
    Contender("Tumult Analytics", "tumult", "tmlt.analytics", "tumult", "rho", needs_java=True),
    Contender("SmartNoise SQL", "smartnoise", "smartnoise-sql", "smartnoise", "approximate"),
    Contender("PipelineDP", "pipelinedp", "pipeline-dp", "pipelinedp", "approximate"),
    Contender("diffprivlib", "diffprivlib", "diffprivlib", "diffprivlib", "pure"),
)
