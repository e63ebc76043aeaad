"""Figures, and how they are printed: as soon as they are known, each beside what it is compared with and its goal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing measured."""

    name: str
    value: float
    unit: str
    reference: float | None = None
    """The same of something else; what it is, the section says."""
    genuine: float | None = None
    """The same of genuine DAOS programs, measured just now."""
    at_most: float | None = None
    """Goal for the value."""
    ratio_at_most: float | None = None
    """Goal for the ratio to the reference, or to the genuine figure if there is one."""

    @property
    def ratio(self) -> float | None:
        """The value compared: below 1 is less."""
        other = self.genuine or self.reference
        return self.value / other if other else None

    @property
    def goal(self) -> str:
        """The goal, and whether it is met."""
        if self.at_most is not None:
            return _verdict(f"at most {self.at_most:g} {self.unit}", met=self.value <= self.at_most)
        if self.ratio_at_most is not None and self.ratio is not None:
            return _verdict(f"at most x{self.ratio_at_most:g}", met=self.ratio <= self.ratio_at_most)
        return ""


class Report:
    """Prints what it is told."""

    def section(self, title: str, reference: str = "") -> None:
        """Begin a table; ``reference`` says what its figures are compared with."""
        print(f"\n{title}\n{'-' * len(title)}")
        print(f"{'':<50}{'':>18}{reference or '-':>14}{'genuine':>12}{'ratio':>8}  goal", flush=True)

    def add(self, figure: Figure) -> None:
        """Print a figure."""
        ratio = "" if figure.ratio is None else f"x{figure.ratio:.2f}"
        print(
            f"{figure.name:<50}{_number(figure.value):>10} {figure.unit:<7}{_number(figure.reference):>14}"
            f"{_number(figure.genuine):>12}{ratio:>8}  {figure.goal}",
            flush=True,
        )

    def note(self, text: str) -> None:
        """Print something to know about the figures."""
        print(f"  {text}", flush=True)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _verdict(goal: str, *, met: bool) -> str:
    return f"{goal}: {'met' if met else 'MISSED'}"
