"""The style sheet of the documentation in a real browser: equations at their signs, wide pictures on a telephone."""

import shutil
from pathlib import Path

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
STYLE = Path(__file__).parents[2] / "docs" / "_static" / "site.css"
ROW = (
    '<mtr><mtd columnalign="right"><mi>{}</mi></mtd><mtd columnalign="left"><mi></mi><mo>=</mo><mi>{}</mi></mtd></mtr>'
)
PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='900' height='400'/%3E"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (BROWSER and DRIVER), reason="needs chromium and chromedriver: apt-get install chromium chromium-driver"
    ),
]


@pytest.fixture
def browser(tmp_path):
    rows = ROW.format("long", "c") + ROW.format("a", "longer")
    (tmp_path / "page.html").write_text(
        f"<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><style>{STYLE.read_text()}"
        f"</style><article><math display=block><mtable>{rows}</mtable></math>"
        f'<div class=cell_output><img class=wide src="{PICTURE}"></div></article>'
    )
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("--headless", "--no-sandbox", "--disable-gpu"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    driver.get((tmp_path / "page.html").as_uri())
    yield driver
    driver.quit()


def test_equations_meet_at_their_signs_and_wide_pictures_scroll(browser):
    ends = browser.execute_script(
        "return [...document.querySelectorAll('mtd[columnalign=right] mi')].map(e => e.getBoundingClientRect().right)"
    )
    signs = browser.execute_script(
        "return [...document.querySelectorAll('mo')].map(e => e.getBoundingClientRect().left)"
    )
    assert ends[0] == pytest.approx(ends[1], abs=0.5)
    assert signs[0] == pytest.approx(signs[1], abs=0.5)
    picture, shown, page = browser.execute_script(
        "const i = document.querySelector('img'); "
        "return [i.clientWidth, i.parentElement.clientWidth, document.documentElement.scrollWidth]"
    )
    assert picture >= 700
    assert shown <= page == 400
