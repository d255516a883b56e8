"""The formats of EXPLAIN: a report of groups (dictionaries), lists of groups and values, written as explain_format.c writes it.

Left out is XML, whose type there is not.
"""

from __future__ import annotations

import json
from typing import Any

Report = dict[str, Any]


def text_lines(report: Report, *, timing: bool) -> list[str]:
    """The lines of FORMAT TEXT: of each SQLite statement its plan, then the statement."""
    plan = report["Plan"]
    lines: list[str] = []
    for statement in plan["Plans"] if "Statement" not in plan else [plan]:
        first = len(lines)
        for node in statement.get("Plans", ()):
            _add_lines(lines, node, 0, first)
        if len(lines) == first:
            lines.append("Result")
        lines.append(f"  SQLite: {' '.join(statement['Statement'].split())}")
    if "Actual Rows" in report:
        lines.append(f"Actual Rows: {report['Actual Rows']}")
        if timing:
            lines.append(f"Execution Time: {report['Execution Time']:.3f} ms")
    return lines


def _add_lines(lines: list[str], node: Report, depth: int, first: int) -> None:
    lines.append(f"{'  ' * depth}{'' if len(lines) == first else '->  '}{node['Node Type']}")
    for below in node.get("Plans", ()):
        _add_lines(lines, below, depth + 1, first)


def json_text(report: Report) -> str:
    return json.dumps([report], indent=2, ensure_ascii=False)


def yaml_text(report: Report) -> str:
    return "\n".join(_yaml_group(report, "- ", "  "))


def _yaml_group(group: Report, start: str, indent: str) -> list[str]:
    """`start` stands before the first line, `indent` before the others."""
    lines: list[str] = []
    for name, value in group.items():
        prefix = indent if lines else start
        match value:
            case dict():
                lines += [f"{prefix}{name}: ", *_yaml_group(value, f"{indent}  ", f"{indent}  ")]
            case list():
                lines.append(f"{prefix}{name}: ")
                for each in value:
                    lines += _yaml_group(each, f"{indent}  - ", f"{indent}    ")
            case _:
                lines.append(f"{prefix}{name}: {json.dumps(value, ensure_ascii=False)}")
    return lines
