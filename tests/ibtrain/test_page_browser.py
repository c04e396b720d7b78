"""The page of real runs in a real browser: what it shows under the pointer, by the keyboard, over epochs, at two widths."""

import json
import shutil
import time

import pytest

from ibtrain import Config, page, sweep
from ibtrain.claims import judge
from ibtrain.records import collect
from ibtrain.sweeps import grid

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402 - after the check that it is there
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (BROWSER and DRIVER), reason="needs chromium and chromedriver: apt-get install chromium chromium-driver"
    ),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    base = Config().with_options(
        ["training.epochs=3", "network.hidden=[16]", "network.latent=3", "plane.samples=100", "plane.every=1"]
    )
    base = base.with_options(['plane.estimators=["mixture", "knn"]'])
    varied = {"objective.surrogate": ["LogVar[Z]", "SquaredNorm[Z]"], "objective.gamma": [0.0, 0.1], "seed": [0, 1]}
    sweep(grid(base, varied), folder, accelerator="cpu")
    return collect([folder])


@pytest.fixture(scope="module")
def document(runs, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page.report_page(runs, judge(runs), title="Runs in a browser"))
    return path


@pytest.fixture(scope="module", params=[1280, 400])
def browser(request, document, tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    size = {"width": request.param, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(document.as_uri())
    yield driver
    driver.quit()


@pytest.fixture(autouse=True)
def afresh(browser):
    browser.refresh()
    # The plane is drawn once more when its width is first observed, which would leave marks that were found before stale.
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def marks(browser):
    return browser.find_elements(By.CSS_SELECTOR, "#plane-svg .mark")


def tip(browser):
    return browser.find_element(By.ID, "plane-tip")


def press(browser, name):
    """Move a control into view and press it."""
    control = browser.find_element(By.XPATH, name)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", control)
    control.click()


def numbers(runs, digest, method="mixture"):
    (record,) = [record for record in runs if record.digest == digest]
    return {row.quantity: row for row in record.rows if row.estimator.startswith(method)}


def shown(row):
    """How the page writes a value, to the digits that its standard error leaves."""
    return f"{row.value:.9f}"[: f"{row.value:.9f}".index(".") + 3]


def test_nothing_goes_wrong_and_nothing_is_asked_of_a_network(browser):
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [one["params"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    assert browser.current_url in {one["documentURL"] for one in sent}
    asked = [one["request"]["url"] for one in sent if one["documentURL"] == browser.current_url]
    assert all(address.startswith(("data:", browser.current_url)) for address in asked)


def test_the_page_fits_its_width(browser):
    wide, inner = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= inner
    for element in browser.find_elements(By.CSS_SELECTOR, "#plane-svg, img, fieldset label"):
        assert element.rect["width"] <= inner


def test_a_mark_shows_its_numbers_under_the_pointer(browser, runs):
    browser.execute_script(
        "document.getElementById('plane-svg').scrollIntoView({block: 'center', behavior: 'instant'})"
    )
    under = """
        const box = arguments[0].getBoundingClientRect();
        return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
    """
    mark = browser.execute_script(under, marks(browser)[0])
    assert not tip(browser).is_displayed()
    ActionChains(browser).move_to_element(mark).perform()
    text = tip(browser).text
    found = numbers(runs, mark.get_attribute("data-run"))
    row = found["I[X;Z]"]
    for part in (
        f"γ = {row.gamma:g},",
        f"seed {row.seed}, epoch 3",
        f"I[X;Z] = {shown(row)}",
        "±",
        "mixture estimator",
    ):
        assert part in text
    assert f"I[X;Y|Z] = {shown(found['I[X;Y|Z]'])}" in text
    ActionChains(browser).move_to_element(browser.find_element(By.TAG_NAME, "h2")).perform()
    assert not tip(browser).is_displayed()


def test_marks_are_read_by_the_keyboard(browser):
    browser.execute_script("document.querySelector('#plane-svg [tabindex=\"0\"]').focus()")
    first = tip(browser).text
    assert "seed 0" in first
    ActionChains(browser).send_keys(Keys.ARROW_RIGHT).perform()
    second = tip(browser).text
    assert "seed 1" in second
    focused = browser.switch_to.active_element
    assert focused.get_attribute("aria-label").startswith("γ = 0")
    ActionChains(browser).send_keys(Keys.ARROW_LEFT).perform()
    assert tip(browser).text == first
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    assert not tip(browser).is_displayed()


def test_a_mark_that_is_read_stays_so_when_the_page_changes_its_width(browser):
    browser.execute_script("document.querySelector('#plane-svg [tabindex=\"0\"]').focus()")
    ActionChains(browser).send_keys(Keys.ARROW_RIGHT).perform()
    text = tip(browser).text
    run = browser.switch_to.active_element.get_attribute("data-run")
    browser.execute_script("document.getElementById('plane-frame').style.width = '300px'")
    plane = browser.find_element(By.ID, "plane-svg")
    WebDriverWait(browser, 30).until(lambda _: plane.get_dom_attribute("viewBox").startswith("0 0 300 "))
    assert browser.switch_to.active_element.get_attribute("data-run") == run
    assert tip(browser).text == text


def test_the_slider_shows_an_earlier_epoch(browser):
    slider = browser.find_element(By.ID, "plane-epoch")
    assert {mark.get_attribute("data-epoch") for mark in marks(browser)} == {"3"}
    places = {mark.get_attribute("data-run"): mark.get_attribute("transform") for mark in marks(browser)}
    slider.send_keys(Keys.HOME)
    assert {mark.get_attribute("data-epoch") for mark in marks(browser)} == {"1"}
    assert browser.find_element(By.ID, "plane-number").text == "1"
    moved = {mark.get_attribute("data-run"): mark.get_attribute("transform") for mark in marks(browser)}
    assert all(moved[run] != place for run, place in places.items())
    slider.send_keys(Keys.ARROW_RIGHT)
    assert slider.get_attribute("aria-valuetext") == "epoch 2"


def test_play_walks_to_the_last_epoch_and_stops(browser):
    press(browser, "//button[@id='plane-play']")
    button = browser.find_element(By.ID, "plane-play")
    assert button.text == "Pause"
    limit = time.monotonic() + 10
    while button.text == "Pause" and time.monotonic() < limit:
        time.sleep(0.05)
    assert button.text == "Play"
    assert browser.find_element(By.ID, "plane-number").text == "3"


def test_regularizers_estimators_ways_and_medians_are_chosen(browser, runs):
    assert len(marks(browser)) == 8
    press(browser, "//fieldset[@id='plane-groups']/label[contains(., 'log Var[Z]')]/input")
    assert len(marks(browser)) == 4
    press(browser, "//fieldset[@id='plane-groups']/label[contains(., 'log Var[Z]')]/input")
    press(browser, "//input[@id='plane-medians']")
    assert len(marks(browser)) == 4
    assert "median of 2 seeds" in marks(browser)[0].get_attribute("aria-label")
    press(browser, "//input[@id='plane-medians']")
    assert browser.find_elements(By.CSS_SELECTOR, "#plane-svg .way")
    press(browser, "//input[@id='plane-ways']")
    assert not browser.find_elements(By.CSS_SELECTOR, "#plane-svg .way")
    press(browser, "//fieldset[@id='plane-estimators']/label[contains(., 'knn')]/input")
    mark = marks(browser)[0]
    row = numbers(runs, mark.get_attribute("data-run"), "knn")["I[X;Z]"]
    assert f"I[X;Z] = {shown(row)}" in mark.get_attribute("aria-label")
    assert "knn estimator" in mark.get_attribute("aria-label")


def test_the_page_is_dark_where_the_reader_wants_it_dark(browser):
    def background():
        return browser.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = background()
    wish = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wish})
    assert background() != light
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_page_shows_mathematics_and_pictures(browser):
    for formula in browser.find_elements(By.CSS_SELECTOR, "math"):
        assert formula.rect["height"] >= 0
    assert browser.find_element(By.CSS_SELECTOR, ".formula math").rect["width"] > 50
    loaded = "return [...document.images].every((image) => { image.loading = 'eager'; return image.naturalWidth > 0; })"
    limit = time.monotonic() + 10
    while not browser.execute_script(loaded) and time.monotonic() < limit:
        time.sleep(0.1)
    assert browser.execute_script(loaded)
