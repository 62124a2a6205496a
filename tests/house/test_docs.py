"""What is said is executed: README commands exist, links lead somewhere, generated pages are current."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from etl_orchestrator.api.inventory import gates
from etl_orchestrator.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "examples" / "README.md"]


def _commands() -> list[str]:
    text = (ROOT / "README.md").read_text()
    return sorted(set(re.findall(r"^etl-orchestrator .+?(?=\s{2,}#|$)", text, re.MULTILINE)))


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_shows_commands() -> None:
    assert len(_commands()) >= 6


@pytest.mark.parametrize("line", _commands())
def test_every_command_of_the_readme_is_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    command = cli.commands[words[0]]
    # Parsed, not invoked: unknown options and missing arguments raise a UsageError here.
    command.make_context(words[0], words[1:], parent=click.Context(cli, help_option_names=["-h", "--help"]))


ORDERS = """fields:
- {name: order_id, type: STRING, mode: NULLABLE, description: Identifier of the order.}
- {name: order_date, type: DATE, mode: NULLABLE, description: Day of the order.}
- {name: country, type: STRING, mode: NULLABLE, description: Country of the customer.}
- {name: amount, type: NUMERIC, mode: NULLABLE, description: Amount of the order.}
"""
DAG = """bqetl_shop:
  schedule_interval: daily
  description: The shop.
  default_args: {owner: someone@example.com, start_date: '2025-01-01'}
  tags: [impact/tier_2]
"""


def test_every_command_of_the_readme_runs_on_its_own_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a new repository with the one table that the example of the README reads."""
    root = tmp_path / "shop"
    runner = CliRunner()
    assert runner.invoke(cli, ["init", str(root), "--project", "shop-data"]).exit_code == 0
    (root / "dags.yaml").write_text(DAG)
    (root / "sql/shop-data/shop_derived/orders_v1").mkdir(parents=True)
    (root / "sql/shop-data/shop_derived/orders_v1/schema.yaml").write_text(ORDERS)
    example = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example is not None
    (root / "requirements.yaml").write_text(example[1])
    files = re.findall(r"```sql\n-- (\S+)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(files) == 2
    for path, text in files:
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(text)
    monkeypatch.chdir(root)
    ran = re.findall(r"^etl-orchestrator (.+?)(?=\s{2,}#|$)", (ROOT / "README.md").read_text(), re.M)
    assert len(ran) >= 7
    printed: list[str] = []
    for line in ran:
        result = runner.invoke(cli, shlex.split(line))
        assert result.exit_code == 0, f"{line}\n{result.output}"
        printed.append(result.output)
    (condition,) = re.findall(r"^provided that .+$", (ROOT / "README.md").read_text(), re.M)
    assert any(condition in text for text in printed)
    (line,) = re.findall(r"^pytest (.+?)(?=\s{2,}#|$)", (ROOT / "README.md").read_text(), re.M)
    tests = subprocess.run([sys.executable, "-m", "pytest", *shlex.split(line)], capture_output=True, text=True)
    assert tests.returncode == 0, tests.stdout


@pytest.mark.parametrize("name", sorted(_generator().PAGES))
def test_generated_pages_are_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == _generator().PAGES[name](), "run python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_make_targets_of_the_readme_exist() -> None:
    targets = re.findall(r"^\$ make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text()
    assert targets == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


@pytest.mark.parametrize("code", sorted(gates()))
def test_every_gate_has_a_page_with_its_four_parts(code: str) -> None:
    page = gates()[code][1].page
    for part in ("What it checks", "Why", "Example", "Repair"):
        assert re.search(rf"^\s*{part}\b", page, re.MULTILINE), f"{code} lacks {part}"


def test_codes_and_names_are_unique_and_spelt_as_agreed() -> None:
    from etl_orchestrator.phases.order import PHASES

    known: dict[str, str] = {}
    for phase in PHASES:
        for gate in phase.gates:
            assert re.fullmatch(r"(REQ|PLN|QRY|MET|TST|MON|FIN)\d{3}", gate.code)
            assert known.setdefault(gate.code, gate.name) == gate.name
            assert gate.name == Path(sys.modules[gate.check.__module__].__file__ or "").stem
    assert len(set(known.values())) == len(known)


def test_owners_are_phases_or_the_person() -> None:
    from etl_orchestrator.phases.order import PHASES

    owners = {phase.name for phase in PHASES} | {"requirements"}
    assert {gate.owner for phase in PHASES for gate in phase.gates} <= owners


def test_skills_are_described_as_agent_skills_are() -> None:
    for page in sorted((ROOT / "src" / "etl_orchestrator" / "skills").glob("*/SKILL.md")):
        text = page.read_text()
        name = re.search(r"^name: (.+)$", text, re.MULTILINE)
        description = re.search(r"^description: (.+)$", text, re.MULTILINE)
        assert name is not None
        assert name.group(1) == page.parent.name.replace("_", "-")
        assert description is not None
        assert len(description.group(1)) <= 1024


def test_the_tree_names_no_workplace() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    word = re.compile(r"(?<![\w.])/(?:work|farm|root)/|TO" + "DO|FIX" + "ME")
    found = [
        name
        for name in tracked
        if (ROOT / name).is_file() and word.search((ROOT / name).read_bytes().decode(errors="replace"))
    ]
    assert found == []
