"""Run the checker: ``python -m deploy.checker --database-url URL --book PATH [--json]``."""

import argparse
import json
import sys
from pathlib import Path

from deploy.checker.comparison import check
from deploy.checker.verdict import Verdict, render


def as_json(verdict: Verdict) -> str:
    """Write the verdict for machines: one JSON object."""
    return json.dumps(
        {
            "clean": verdict.clean,
            "counts": verdict.counts,
            "pending": verdict.pending,
            "held": verdict.held,
            "documents": verdict.documents,
            "reasons": verdict.reasons,
            "notes": verdict.notes,
            "findings": [
                {"kind": finding.kind.value, "number": finding.number, "detail": finding.detail}
                for finding in verdict.findings
            ],
        }
    )


def main() -> int:
    """Check, print, and return 0 only if all is clean, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.checker", description="Judge what stands in the books."
    )
    parser.add_argument(
        "--database-url", required=True, help="the database with NS16's tables and schema aiaccount"
    )
    parser.add_argument("--book", required=True, type=Path, help="the sandbox's book (JSON Lines)")
    parser.add_argument("--canaries", type=Path, help="a file of API keys in clear, one a line, to look for")
    parser.add_argument(
        "--text", type=Path, action="append", default=[], help="a file or directory to search for keys"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    canaries = asked.canaries.read_text("utf-8").split() if asked.canaries else []
    verdict = check(asked.database_url, asked.book, canaries=canaries, texts=asked.text)
    sys.stdout.write(as_json(verdict) + "\n" if asked.json else render(verdict))
    return 0 if verdict.clean else 1


if __name__ == "__main__":
    sys.exit(main())
