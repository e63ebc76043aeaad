"""Shows the steps of something that takes a while, and what could come next."""

from collections.abc import AsyncIterator

from daos_control.apps.lab.bringup import Step


async def show_steps(steps: AsyncIterator[Step]) -> None:
    """Print each step as it is done; while it is not, a spinner says what is going on, if somebody watches."""
    from rich.console import Console

    console = Console(highlight=False)
    with console.status("") as spinner:
        async for step in steps:
            if step.done:
                console.print(f"  [green]✔[/green] [bold]{step.title:<14}[/bold] {step.done}", soft_wrap=True)
            else:
                spinner.update(f"{step.title} ...")


def two_columns(*rows: tuple[str, str]) -> str:
    """Lay out commands and what each is for."""
    width = max(len(command) for command, _ in rows)
    return "\n".join(f"  {command.ljust(width)}   {purpose}" for command, purpose in rows)
