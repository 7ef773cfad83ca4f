"""Every reason that a mapper gives is explained to who asks for a preview."""

import re
from pathlib import Path

import mappers
from console.reasons import MEANINGS

CODE = re.compile(r'"([A-Z]+(?:_[A-Z]+)+)"')


def test_every_reason_of_the_mappers_has_a_meaning_and_no_other_has() -> None:
    sources = Path(mappers.__file__).parent.glob("*.py")
    given = {code for source in sources for code in CODE.findall(source.read_text("utf-8"))}
    assert given == set(MEANINGS)
