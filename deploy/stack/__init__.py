"""An installation of AiAccount Sync run as processes, for the demo, the fault tests and the benchmarks."""

from deploy.stack.installation import Installation
from deploy.stack.logins import make_logins
from deploy.stack.service import Service

__all__ = ["Installation", "Service", "make_logins"]
