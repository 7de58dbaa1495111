"""What a report is made of, before it is known where it is shown: words, tables and plots.

Text and page are made from the same document, so that neither says what the other leaves out.
A plot shows figures of the table before it; where no plot can be shown, nothing is missing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph.

    Attributes:
        text: Whole sentences.
        is_warning: Whether a reader should not miss it.
        lead: The question that it answers, which stands before it; may be empty.
    """

    text: str
    is_warning: bool = False
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """A list of short statements.

    Attributes:
        items: Whole sentences.
    """

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. Its first column names the row; others are figures.

    Attributes:
        caption: What it shows.
        columns: Names of the columns.
        rows: Cells as they are shown, as many in each row as there are columns.
        note: How to read it; may be empty.
        words: Numbers of the columns, from 0, that hold words; the others are figures.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    words: frozenset[int] = frozenset({0})

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.caption}: a row has more or fewer cells than columns")


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a plot.

    Attributes:
        label: What it is about.
        value: The figure.
        low: Lower end of its interval; None if there is none.
        high: Upper end of its interval; None if there is none.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of figures with their intervals, one below the other.

    Attributes:
        title: What it shows.
        axis: Name of the figure, with its unit.
        form: How the axis writes numbers, in the language of d3-format: `~%`.
        marks: The figures, from the top.
        beside: Where a line stands for comparison, such as the figure of chance; None without.
        beside_is: What the line stands for; empty without.
    """

    title: str
    axis: str
    form: str
    marks: tuple[Mark, ...]
    beside: float | None = None
    beside_is: str = ""

    @property
    def alternative(self) -> str:
        """What a reader who does not see the plot needs of it."""
        return f"Plot: {self.title}. The figures are in the table before it."

    @property
    def about_line(self) -> str:
        """What the line stands for, as a sentence; empty without a line."""
        return f"The broken line stands for {self.beside_is}." if self.beside_is else ""


Block = Words | Points | Sheet | Plot


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report with a heading.

    Attributes:
        title: The heading.
        blocks: What is in it.
        level: 2 for a main part, 3 for a part of one.
        in_short: Whether it is shown where there is no room for all, as in a terminal.
    """

    title: str
    blocks: tuple[Block, ...]
    level: int = 2
    in_short: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A report.

    Attributes:
        title: Its name.
        subtitle: What was judged, in a line.
        sections: The parts, in order.
        footer: What a reader of any part has to know.
        rest: What is not in the report in short, and where it is.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    footer: tuple[str, ...]
    rest: str = ""
