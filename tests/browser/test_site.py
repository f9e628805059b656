"""What holds for every page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import accessible, big_enough, reflows

PAGES = ("/guidelines/asco-cap-2018?format=html", "/browser/messages", "/browser/messages/paste", "/browser/webhooks")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_accessible(page: Page, path: str) -> None:
    page.goto(path)
    accessible(page)
    reflows(page)
    big_enough(page)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_strict_policy(page: Page, path: str) -> None:
    answer = page.request.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy and "http:" not in policy
