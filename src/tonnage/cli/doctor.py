"""``tonnage doctor``."""

import platform
import sys
from pathlib import Path

import click

from tonnage import __version__
from tonnage.domain import TonnageError

from ._needs import NEEDS, Finding, machine_findings, needs_of
from ._options import emit_json, json_option, settings_options, with_settings

__all__ = ["command"]

_MISSING = 1


@click.command(
    "doctor",
    # click keeps the first way of asking for help: also when this is run without the group.
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Examples: tonnage doctor deploy || exit 1; or all verbs: tonnage doctor",
)
@click.argument("verbs", nargs=-1, type=click.Choice(list(NEEDS)), metavar="[VERB]...")
@settings_options
@json_option
def command(
    *, verbs: tuple[str, ...], config: Path | None, overrides: tuple[str, ...], as_json: bool
) -> int:
    """
    Say what is installed, and what each verb would need.

    With VERBs, only theirs; the exit code is then 1 if something is missing.
    """
    needs = {verb: needs_of(verb) for verb in verbs or NEEDS}
    machine = [_python(), *machine_findings(), _settings(config, overrides)]
    missing = any(finding.found is None for findings in needs.values() for finding in findings)
    if as_json:
        emit_json(
            {
                "version": __version__,
                "machine": [_plain(finding) for finding in machine],
                "verbs": {
                    verb: {
                        "ready": all(finding.found is not None for finding in findings),
                        "needs": [_plain(finding) for finding in findings],
                    }
                    for verb, findings in needs.items()
                },
            }
        )
    else:
        click.echo("\n".join(_told(machine, needs)))
    return _MISSING if verbs and missing else 0


def _python() -> Finding:
    return Finding(
        name="tonnage",
        found=f"{__version__} on {platform.python_implementation()} {platform.python_version()},"
        f" {sys.platform} {platform.machine()}",
    )


def _settings(config: Path | None, overrides: tuple[str, ...]) -> Finding:
    file = config or Path("tonnage.toml")
    if config is None and not file.exists():
        step = "tonnage init --model MODEL --data ROWS.csv writes one"
        return Finding(name="settings", found="no tonnage.toml here", next_step=step)
    try:
        settings = with_settings(config, overrides)
    except TonnageError as error:
        return Finding(name="settings", found=f"{file}: {error.message}", next_step=error.hint)
    return Finding(name="settings", found=f"{file}, service {settings.service.name}")


def _told(machine: list[Finding], needs: dict[str, list[Finding]]) -> list[str]:
    lines = [_line(finding, width=12) for finding in machine]
    steps: dict[str, str] = {}
    lines += ["", "Verbs"]
    for verb, findings in needs.items():
        lacking = [finding for finding in findings if finding.found is None]
        steps |= {finding.name: finding.next_step or "" for finding in lacking}
        there = ", ".join(
            f"{finding.name} {finding.found}"
            for finding in findings
            if finding.found is not None and not finding.found.startswith("/")
        )
        names = ", ".join(finding.name for finding in lacking)
        mark = (
            click.style("ready  ", fg="green") if not lacking else click.style("missing", fg="red")
        )
        lines.append(f"  {verb:<15} {mark} {names or there}".rstrip())
    if steps:
        lines += ["", "To do"]
        lines += [f"  {name:<17} {step}" for name, step in steps.items()]
    return lines


def _line(finding: Finding, *, width: int) -> str:
    step = f"  ({finding.next_step})" if finding.next_step else ""
    return f"{finding.name:<{width}} {finding.found or 'missing'}{step}"


def _plain(finding: Finding) -> dict[str, str | None]:
    return {"name": finding.name, "found": finding.found, "next_step": finding.next_step}
