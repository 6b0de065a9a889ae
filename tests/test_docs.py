"""The documents lead to where they say: every link to a file, and every test that is named as proof."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("addons/*/README.md")})
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)#]*)(?:#[^)]*)?\)((?:,? *`test_\w+`)*)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_proofs_are_there(page):
    missing = []
    for target, proofs in LINK.findall(page.read_text()):
        file = (page.parent / target).resolve() if target else page
        if not file.exists():
            missing.append(target)
            continue
        for proof in re.findall(r"test_\w+", proofs):
            if not file.is_file() or f"def {proof}(" not in file.read_text():
                missing.append(f"{target} {proof}")
    assert not missing
