"""What EXPLAIN's formats make of a report."""

import json

from proxy.session import explain_formats

STATEMENT = {
    "Node Type": "SQLite Statement",
    "Statement": "SELECT\n  1",
    "Plans": [{"Node Type": "CO-ROUTINE x", "Plans": [{"Node Type": "SCAN t"}]}, {"Node Type": 'SCAN "x"'}],
}
REPORT = {"Plan": STATEMENT, "Actual Rows": 3, "Execution Time": 0.25}


def test_text():
    lines = ["CO-ROUTINE x", "  ->  SCAN t", '->  SCAN "x"', "  SQLite: SELECT 1"]
    assert explain_formats.text_lines({"Plan": STATEMENT}, timing=True) == lines
    analyzed = explain_formats.text_lines(REPORT, timing=True)
    assert analyzed == [*lines, "Actual Rows: 3", "Execution Time: 0.250 ms"]
    assert explain_formats.text_lines(REPORT, timing=False) == analyzed[:-1]


def test_text_of_several_statements():
    bare = {"Node Type": "SQLite Statement", "Statement": "DELETE"}
    report = {"Plan": {"Node Type": "SQLite Program", "Plans": [bare, bare]}}
    assert explain_formats.text_lines(report, timing=True) == ["Result", "  SQLite: DELETE"] * 2


def test_json():
    assert json.loads(explain_formats.json_text(REPORT)) == [REPORT]


def test_yaml():
    assert explain_formats.yaml_text(REPORT).splitlines() == [
        "- Plan: ",
        '    Node Type: "SQLite Statement"',
        '    Statement: "SELECT\\n  1"',
        "    Plans: ",
        '      - Node Type: "CO-ROUTINE x"',
        "        Plans: ",
        '          - Node Type: "SCAN t"',
        '      - Node Type: "SCAN \\"x\\""',
        "  Actual Rows: 3",
        "  Execution Time: 0.25",
    ]
