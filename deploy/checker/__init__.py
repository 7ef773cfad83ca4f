"""Judge a run from outside: what the source rows call for against what stands in the books.

The checker shares no code with what it judges. From the rows it computes by SQL of its own what should
stand in AiAccount, reads what does stand there from the sandbox's book, and what was promised from the
ledger; what does not fit together it names and counts.
"""

from deploy.checker.comparison import check
from deploy.checker.verdict import Finding, Kind, Verdict, render

__all__ = ["Finding", "Kind", "Verdict", "check", "render"]
