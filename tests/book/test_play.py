"""The page "Play": its arithmetic against PyTorch, and its controls, in a real browser."""

import http.server
import re
import shutil
import threading
from functools import partial
from itertools import pairwise

import pytest
import torch
import xarray as xr
from test_browser import CHROMIUM, FLAGS, pytestmark  # noqa: F401

from lil import attacks
from lil.datasets import toy
from lil.isometry import pair_distances, within_class
from lil.models import LIL
from lil.paper import play
from lil.paper.intervals import over_seeds
from lil.paper.pages import ROOT
from lil.training import Batch, Settings, losses, train

SOURCES = sorted((ROOT / "book").glob("play*.md"))
SIZES = (3, 20, 20, 20, 20, 2)

close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-9)


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as chromium:
        yield chromium


# The arithmetic

TOOLS = """
const Page = playPage(), Toys = playToys(), Network = playNetwork(), Isometry = playIsometry();
const Training = playTraining(Network, Isometry), Attack = playAttack(Network, Isometry, Page);
const plain = ({ weights, biases }) => ({ weights: weights.map((w) => [...w]), biases: biases.map((b) => [...b]) });
const filled = ({ sizes, weights, biases }) => ({
  sizes, weights: weights.map((w) => Float64Array.from(w)), biases: biases.map((b) => Float64Array.from(b)) });
"""


@pytest.fixture(scope="module")
def tools(chromium):
    """A page that has the functions of the scripts and nothing else."""
    page = chromium.new_page()
    for name in ("page", "toys", "network", "isometry", "training", "attack", "networks"):
        page.add_script_tag(path=play.FOLDER / f"{name}.js")
    page.add_script_tag(content=TOOLS)
    return page


def plain(model: LIL) -> dict:
    """Return the only network of a model as lists, in the order of the page's arrays."""
    flat = {name: [part[0].flatten().tolist() for part in getattr(model, name)] for name in ("weights", "biases")}
    return {"sizes": list(model.sizes), **flat}


def values(network: dict) -> torch.Tensor:
    return torch.cat(
        [torch.tensor(part, dtype=torch.float64) for name in ("weights", "biases") for part in network[name]]
    )


def points(dimensions: int = 3):
    """Return points of two classes: linked rings, or crescents in the plane."""
    x, labels = toy.rings(15, seed=4, noise=0.05) if dimensions == 3 else toy.crescents(5, 3)
    return x.double(), labels


def trained(page, model: LIL, x, labels, beta: float, steps: int) -> dict:
    """Return the losses, the gradient and the network of the page after some steps from the weights of a model."""
    argument = {
        "network": plain(model),
        "x": x.flatten().tolist(),
        "labels": labels.tolist(),
        "beta": beta,
        "steps": steps,
    }
    return page.evaluate(
        """({ network, x, labels, beta, steps }) => {
            const data = { x: Float64Array.from(x), labels: Int32Array.from(labels) }, { sizes } = network;
            const training = Training.create({ sizes, ...data, beta, rate: 1e-3, network: filled(network) });
            for (let k = 0; k < steps; k++) training.step();
            return { ...training.losses(), gradient: plain(training.gradient()), network: plain(training.network),
                     accuracy: training.report().accuracy, correlation: training.report().correlation };
        }""",
        argument,
    )


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("beta", [0.0, 1.0, 10.0])
def test_losses_and_gradients_are_those_of_torch(tools, beta, dimensions):
    x, labels = points(dimensions)
    model = LIL((dimensions, *SIZES[1:]), seeds=[3]).double()
    found = trained(tools, model, x, labels, beta, steps=0)
    batch = Batch(x, labels[None], pair_distances(x), within_class(labels[None]))
    cross_entropy, isometry = losses(model, batch, Settings(epochs=1))
    close(found["crossEntropy"], cross_entropy.item())
    close(found["isometry"], isometry.item())
    (cross_entropy + beta * isometry).sum().backward()
    gradient = [part.grad.flatten() for parts in (model.weights, model.biases) for part in parts]
    close(values(found["gradient"]), torch.cat(gradient))


@pytest.mark.parametrize("beta", [0.0, 1.0])
@pytest.mark.parametrize("steps", [1, 30])
def test_steps_of_adam_are_those_of_torch(tools, beta, steps):
    x, labels = points()
    model = LIL(SIZES, seeds=[3]).double()
    before = values(plain(model))
    found = trained(tools, model, x, labels, beta, steps)
    train(model, x, labels, Settings(epochs=steps), betas=[beta], seeds=[3])
    # The weights' changes: the weights themselves hardly move.
    torch.testing.assert_close(values(found["network"]) - before, values(plain(model)) - before, rtol=1e-4, atol=1e-8)
    assert found["accuracy"] == pytest.approx(float((model(x)[0].argmax(-1) == labels).double().mean()))
    z_dist, x_dist = (
        pair_distances(points)[within_class(labels).triu(1)] for points in (model.represent(x)[0].detach(), x)
    )
    close(found["correlation"], torch.corrcoef(torch.stack((z_dist, x_dist)))[0, 1].item())


def test_the_rings_are_circles_that_are_linked(tools):
    found = tools.evaluate("() => Object.values(Toys.rings(100, Toys.generator(7))).map((values) => [...values])")
    x = torch.tensor(found[0], dtype=torch.float64).view(2, 100, 3)
    assert found[1] == [0] * 100 + [1] * 100
    close((x - torch.tensor([[[-0.5, 0, 0]], [[0.5, 0, 0]]])).norm(dim=-1), torch.ones(2, 100, dtype=torch.float64))
    assert x[0, :, 2].abs().max() == x[1, :, 1].abs().max() == 0
    assert abs(toy.linking_number(*x)) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["crescents", "torus"])
def test_crescents_and_torus_are_those_of_lil(tools, kind):
    expected = toy.crescents(20, 5) if kind == "crescents" else toy.torus(grid=16, noise=0.0, seed=0)[:2]
    calls = {"crescents": "Toys.crescents(20, 5)", "torus": "Toys.torus(16, Toys.generator(0), 0)"}
    found = tools.evaluate(f"() => Object.values({calls[kind]}).map((values) => [...values])")
    labels = expected[1] if kind == "crescents" else expected[1][0]
    torch.testing.assert_close(torch.tensor(found[0]).view(len(labels), -1), expected[0], rtol=0, atol=2e-6)
    assert found[1] == labels.tolist()


def test_the_noise_of_the_torus_is_normal(tools):
    with_noise, without = (
        torch.tensor(tools.evaluate(f"() => [...Toys.torus(40, Toys.generator(0), {noise}).x]"), dtype=torch.float64)
        for noise in (1e-3, 0)
    )
    moved = (2 * (with_noise - without) / 1e-3).sort().values  # the scaling divides by 2, and by a little more
    assert moved.std() == pytest.approx(1, abs=0.1) and moved.mean() == pytest.approx(0, abs=2)
    middle = (moved - moved.mean()).abs() < 0.6745
    assert middle.double().mean() == pytest.approx(0.5, abs=0.05)


def test_first_weights_are_uniform_and_depend_on_the_seed(tools):
    draws = tools.evaluate(
        f"() => [0, 0, 1].map((seed) => plain(Network.draw(Network.create({list(SIZES)}), Toys.generator(seed))))"
    )
    assert draws[0] == draws[1] != draws[2]
    weights = torch.tensor(draws[0]["weights"][1], dtype=torch.float64) * 20**0.5
    assert 0.95 < weights.max() <= 1 and -1 <= weights.min() < -0.95
    assert weights.std() == pytest.approx(3**-0.5, rel=0.1)


def test_the_view_shows_the_principal_components(tools):
    z = torch.randn(60, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [1, 4, 9, 2, 0.1]
    )
    view = tools.evaluate(
        """(z) => { const axes = new Float64Array(15); axes[0] = axes[6] = axes[12] = 1;
            return Array.from(Training.principalComponents(Float64Array.from(z), 5, axes, 200)) }""",
        z.flatten().tolist(),
    )
    left, scale, _ = torch.linalg.svd(z - z.mean(0), full_matrices=False)
    torch.testing.assert_close(
        torch.tensor(view, dtype=torch.float64).view(60, 3).abs(), (left * scale)[:, :3].abs(), rtol=1e-4, atol=1e-4
    )


# The attacks


def images_and_model(beta: float):
    """Return nine images of 3 × 4 pixels in four classes, some of their pixels at a bound, and a network."""
    x = (
        torch.rand(9, 1, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        .mul(1.4)
        .sub(0.2)
        .clamp(0, 1)
    )
    labels = torch.tensor([2, 0, 1, 2, 3, 0, 2, 1, 3])
    return x, labels, LIL((12, 8, 8, 8, 8, 4), seeds=[5]).double(), [beta]


@pytest.mark.parametrize("beta", [0.0, 0.1, 10.0])
def test_gradients_by_the_image_are_those_of_torch(tools, beta):
    x, labels, model, betas = images_and_model(beta)
    objective = attacks.total(model, labels, betas)
    (expected,) = attacks.gradients(objective, attacks.pixels, x, 1)
    found = tools.evaluate(
        "([network, x, labels, beta]) => [...Attack.gradient(filled(network), Float64Array.from(x), labels, beta)]",
        [plain(model), x.flatten().tolist(), labels.tolist(), beta],
    )
    close(torch.tensor(found, dtype=torch.float64), expected[0].flatten())


@pytest.mark.parametrize("kind", ["total", "classification", "pgd"])
def test_attacked_images_and_their_probabilities_are_those_of_torch(tools, kind):
    x, labels, model, betas = images_and_model(10.0)
    for weights in model.weights.requires_grad_(False):
        weights *= 4  # a gradient then turns between the steps of PGD
    batch = slice(None) if kind == "total" else slice(1)
    objective = attacks.total(model, labels, betas) if kind == "total" else attacks.classification(model, labels[:1])
    size = dict(step_size=2.5 * 0.3 / 7, steps=7) if kind == "pgd" else dict(step_size=0.3, steps=1)
    expected = attacks.attack(model, attacks.pixels, objective, x[batch], labels[batch], epsilon=0.3, **size).x[0, 0]
    found = tools.evaluate(
        """([kind, network, x, labels]) => {
            const image = Float64Array.from(x.slice(0, 12)), mates = { images: x.slice(12), labels: labels.slice(1) };
            const settings = { kind, network: filled(network), beta: 10, image, label: labels[0], mates };
            const attacked = Attack.attack({ ...settings, epsilon: 0.3, steps: 7 });
            return [[...attacked], [...Attack.probabilities(settings.network, attacked)]];
        }""",
        [kind, plain(model), x.flatten().tolist(), labels.tolist()],
    )
    close(torch.tensor(found[0], dtype=torch.float64), expected.flatten())
    close(torch.tensor(found[1], dtype=torch.float64), model(attacks.pixels(expected)[None])[0, 0].softmax(-1))


def test_random_signs_move_an_image_by_epsilon_within_its_bounds(tools):
    found = tools.evaluate(
        """() => { const image = Float64Array.from({ length: 400 }, (_, k) => [0, 0.5][k % 2]);
            return [...Attack.attack({ kind: "noise", image, epsilon: 0.1, random: Toys.generator(0) })] }"""
    )
    ends, middle = torch.tensor(found[::2]), torch.tensor(found[1::2])
    assert sorted(ends.unique().tolist()) == pytest.approx([0, 0.1])
    assert sorted(middle.unique().tolist()) == pytest.approx([0.4, 0.6])
    assert 60 < (middle > 0.5).sum() < 140


def test_the_attack_on_the_cross_entropy_is_that_of_the_record(tools):
    """The weights are rounded, so a gradient near 0 may turn: up to 1 % of the pixels, and no predicted class."""
    record = xr.load_dataset(ROOT / "results" / "fig3_mnist.nc").sel(objective="classification")
    attacked, taken_for = tools.evaluate(
        """(epsilons) => {
            const { labels, recorded, images } = playNetworks, attacked = [], answers = [];
            const pixels = Float64Array.from(Page.decoded(images, Uint8Array), (byte) => byte / 255);
            for (const network of Attack.networks(playNetworks)) for (const epsilon of epsilons) {
                for (let k = 0; k < recorded; k++) {
                    const image = pixels.slice(784 * k, 784 * (k + 1));
                    const found = Attack.attack({ kind: "classification", network, image, label: labels[k], epsilon });
                    const shares = Attack.probabilities(network, found);
                    attacked.push([...found.map((value) => Math.round(255 * value))]);
                    answers.push(shares.indexOf(Math.max(...shares)));
                }
            }
            return [attacked, answers];
        }""",
        record.pictured.values.tolist(),
    )
    differing = abs(torch.tensor(attacked) - torch.tensor(record.attacked.values).int().view(-1, 784)) > 1
    assert differing.double().mean(-1).max() < 0.01
    assert taken_for == record.taken_for.values.flatten().tolist()


# The page


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The raw HTML of the pages with their scripts, without the book around it."""
    folder = tmp_path_factory.mktemp("play")
    shutil.copytree(ROOT / "book" / "assets", folder / "_static")
    head = '<meta charset="utf-8"><link rel="stylesheet" href="_static/custom.css"><link rel="icon" href="data:,">'
    for source in SOURCES:
        blocks = re.findall(r"^````\{raw\} html\n(.*?)^````$", source.read_text("utf-8"), re.S | re.M)
        body = f"<body>{''.join(blocks)}</body>"
        text = f'<!doctype html><html lang="en" data-theme="light"><head>{head}</head>{body}</html>'
        (folder / f"{source.stem}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(params=["file", "http"])
def address(request, folder):
    """The first page's address, in its folder and on a server."""
    if request.param == "file":
        yield (folder / "play.html").as_uri()
        return

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/play.html"
        server.shutdown()


@pytest.fixture
def open_page(chromium):
    """Return a function that opens an address; in the end the page must have had no error."""
    contexts, errors = [], []

    def opened(address: str, **settings):
        contexts.append(chromium.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def trainer(page, name: str):
    return page.locator(f'#play-trainer [data-part="{name}"]')


def cross_entropies(page, step: str) -> list[float]:
    """Return the cross-entropies of both networks, once the text names a step that fits."""
    text = trainer(page, "status").filter(has_text=re.compile(rf"^Step {step}\b")).inner_text(timeout=60_000)
    return [float(number) for number in re.findall(r"cross-entropy ([0-9.e-]+)", text)]


def test_both_networks_train_by_keyboard(open_page, address):
    page = open_page(address)
    first = cross_entropies(page, "0")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Start"
    page.keyboard.press("Enter")
    later = cross_entropies(page, "[1-9]")
    assert first[0] == first[1] and later[0] != first[0] != later[1] != later[0]
    page.keyboard.press("Enter")
    trainer(page, "status").filter(has_text="paused").wait_for()
    paused = trainer(page, "status").inner_text()
    picture = "document.querySelector('[data-part=isometry]').toDataURL()"
    before = page.evaluate(picture)
    while page.evaluate("document.activeElement.dataset.part") != "isometry":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(picture) != before
    page.wait_for_timeout(1200)
    assert trainer(page, "status").inner_text() == paused


def test_the_page_works_by_touch_and_speaks_at_most_once_a_second(open_page, folder):
    page = open_page((folder / "play.html").as_uri(), has_touch=True, viewport={"width": 420, "height": 800})
    cross_entropies(page, "0")
    page.evaluate("""() => {
        window.spoken = [];
        const spoken = new MutationObserver(() => window.spoken.push(performance.now()));
        spoken.observe(document.querySelector("[role=status]"), { childList: true });
    }""")
    trainer(page, "start").tap()
    cross_entropies(page, "[1-9]")
    page.wait_for_function("window.spoken.length > 3", timeout=60_000)
    times = page.evaluate("window.spoken")
    assert min(later - earlier for earlier, later in pairwise(times)) > 990
    trainer(page, "reset").tap()
    cross_entropies(page, "0")


def test_the_trainer_tells_its_steps_a_second(open_page, folder):
    """Below the limit the number is the limit's, for the page has only to keep up with 10 steps a second."""
    page = open_page((folder / "play.html").as_uri())
    cross_entropies(page, "0")
    trainer(page, "speed").fill("0")
    trainer(page, "start").click()
    paces = []
    for step in ("[1-9]", "[1-9][0-9]"):
        text = trainer(page, "status").filter(has_text=re.compile(rf"^Step {step}.* steps a second")).inner_text()
        paces.append(int(re.search(r"(\d+) steps a second", text)[1]))
    assert all(0 < pace <= 11 for pace in paces)
    trainer(page, "speed").fill("4")
    trainer(page, "status").filter(has_text=re.compile(r"\d{2,} steps a second")).wait_for()
    trainer(page, "start").click()
    assert "steps a second" not in trainer(page, "status").filter(has_text="paused").inner_text()


def test_another_setting_starts_anew_and_beta_0_gives_equal_networks(open_page, folder):
    page = open_page((folder / "play.html").as_uri())
    start = cross_entropies(page, "0")
    trainer(page, "seed").fill("3")
    trainer(page, "status").filter(has_not_text=f"cross-entropy {start[0]}").wait_for()
    trainer(page, "beta").fill("0")
    trainer(page, "start").click()
    one, other = cross_entropies(page, r"[1-9]\d*")
    assert one == other


@pytest.mark.parametrize(("name", "least"), [("play", 30), ("play_torus", 7), ("play_curves", 6)])
def test_every_control_has_a_name_and_nothing_sticks_out(open_page, folder, name, least):
    page = open_page((folder / f"{name}.html").as_uri(), viewport={"width": 390, "height": 800})
    controls = page.locator(".play :is(button, input, select, canvas[tabindex]):visible").all()
    assert len(controls) >= least
    assert [
        found for found in (each.aria_snapshot() for each in controls) if not re.match(r"- '?[a-z]+ \"", found)
    ] == []
    assert page.locator("output").count() == 0  # each would be a live region, and take the label from its slider
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize(("name", "count"), [("play", 2), ("play_curves", 1), ("play_torus", 1)])
def test_without_javascript_a_picture_stands_for_each_part(open_page, html, name, count):
    page = open_page((html / f"{name}.html").as_uri(), java_script_enabled=False)
    pictures = page.locator("noscript img")
    assert pictures.count() == page.locator(".play").count() == count
    assert all(each.evaluate("image => image.naturalWidth") > 300 for each in pictures.all())
    assert page.locator("noscript p:visible").count() == count and not page.locator(".play:visible").count()


def drag(page, box, start, end):
    """Move a finger over an element, from one place to another: shares of its width and height."""
    session = page.context.new_cdp_session(page)
    for k in range(9):
        x, y = (
            corner + size * (a + (b - a) * k / 8)
            for corner, size, a, b in zip((box["x"], box["y"]), (box["width"], box["height"]), start, end, strict=True)
        )
        touch = {"type": "touchMove" if k else "touchStart", "touchPoints": [{"x": x, "y": y}]}
        session.send("Input.dispatchTouchEvent", touch)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


PHONE = dict(has_touch=True, viewport={"width": 420, "height": 800})
PICTURE = "canvas => canvas.toDataURL()"


def test_the_torus_is_turned_by_touch(open_page, folder):
    page = open_page((folder / "play_torus.html").as_uri(), **PHONE)
    text_of(page, "2 classes, seed 0")
    torus = page.locator("#play-torus [data-part=torus]")
    torus.scroll_into_view_if_needed()
    before = torus.evaluate(PICTURE)
    drag(page, torus.bounding_box(), (0.2, 0.5), (0.8, 0.5))
    page.wait_for_timeout(100)
    assert torus.evaluate(PICTURE) != before


def test_the_bench_works_by_touch(open_page, folder):
    page = open_page((folder / "play.html").as_uri(), **PHONE)
    bench(page, "gallery").get_by_role("button", name="MNIST's 2").tap()
    bench(page, "bench-status").filter(has_text="taken for 2").wait_for()
    bench(page, "clear").tap()
    image, bars = bench(page, "image"), bench(page, "bars")
    image.scroll_into_view_if_needed()
    drawn, shares = image.evaluate(PICTURE), bars.evaluate(PICTURE)
    drag(page, image.bounding_box(), (0.5, 0.2), (0.5, 0.8))
    page.wait_for_timeout(100)
    assert image.evaluate(PICTURE) != drawn and bars.evaluate(PICTURE) != shares


STARTED = re.compile("^Step [1-9]")


def text_of(page, fits: str | re.Pattern) -> str:
    """Return the text that a page says, once it holds some words."""
    return page.get_by_role("status").filter(has_text=fits).first.inner_text(timeout=20_000)


def test_points_are_drawn_by_keyboard_and_by_mouse_and_train(open_page, folder):
    page = open_page((folder / "play.html").as_uri())
    trainer(page, "set").select_option("points")
    text_of(page, "0 blue and 0 pink points")
    assert trainer(page, "start").is_disabled() and not trainer(page, "data").is_visible()
    plane = trainer(page, "plane")
    plane.focus()
    for key in (" ", *["ArrowRight"] * 4, "Enter", " ", "Backspace"):
        page.keyboard.press(key)
    text_of(page, "there are 2 blue and 0 pink points")
    page.get_by_role("radio", name="pink").check()
    box = plane.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.2 * box["height"], steps=20)
    page.mouse.up()
    text_of(page, "Step 0, paused, 2 blue")
    assert int(re.search(r"(\d+) pink", text_of(page, "Step 0"))[1]) > 3
    trainer(page, "start").click()
    isometry, plain = re.findall(r"isometry ([0-9.e-]+)", text_of(page, STARTED))
    assert float(isometry) < float(plain)
    trainer(page, "clear").click()
    text_of(page, "there are 0 blue and 0 pink points")


@pytest.mark.parametrize(("name", "count"), [("torus", 128), ("crescents", 100)])
def test_other_data_train(open_page, folder, name, count):
    page = open_page((folder / "play.html").as_uri())
    trainer(page, "set").select_option(name)
    text_of(page, f"Step 0, paused, {count} blue and {count} pink points")
    trainer(page, "start").click()
    isometry, plain = re.findall(r"isometry ([0-9.e-]+)", text_of(page, STARTED))
    assert float(isometry) < float(plain)


def bench(page, name: str):
    return page.locator(f'#play-bench [data-part="{name}"]')


def table(page) -> list[list[str]]:
    return [row.split("\t") for row in bench(page, "rows").inner_text().splitlines()]


def test_an_attack_is_chosen_by_keyboard(open_page, address):
    page = open_page(address)
    bench(page, "bench-status").filter(has_text="taken for 7").wait_for()
    assert [before for _, before, _ in table(page)] == ["7"] * 6
    weak = table(page)
    bench(page, "kind").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert bench(page, "kind").input_value() == "pgd"
    bench(page, "steps").and_(page.locator(":enabled")).wait_for()
    bench(page, "bench-status").filter(has_text="the attack succeeds").wait_for()
    assert table(page) != weak
    bench(page, "epsilon").fill("0")
    bench(page, "bench-status").filter(has_text="ε = 0.010").filter(has_text="the attack fails").wait_for()
    bench(page, "gallery").get_by_role("button", name="MNIST's 2").click()
    bench(page, "bench-status").filter(has_text="taken for 2").wait_for()
    assert bench(page, "label").input_value() == "2"


def test_a_digit_is_drawn_by_keyboard_and_by_mouse(open_page, folder):
    page = open_page((folder / "play.html").as_uri())
    bench(page, "clear").click()
    bench(page, "image").focus()
    page.keyboard.press("ArrowUp")
    shares = "() => document.querySelector('#play-bench [data-part=bars]').toDataURL()"
    empty = page.evaluate(shares)
    page.keyboard.press(" ")
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(100)
    one = page.evaluate(shares)
    assert one != empty
    box = bench(page, "image").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 1.4, box["y"] + box["height"] / 4, steps=12)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert page.evaluate(shares) != one


# The recorded curves and tori


def curves(page, name: str):
    return page.locator(f'#play-curves [data-part="{name}"]')


def interval(found) -> str:
    """Return an interval as the page writes that of a difference."""
    value, low, high = (f"{'+' if number > 0 else '−'}{abs(number):.3f}" for number in found[:3])
    return f"{value} ({low} to {high})"


def test_curves_are_compared_by_keyboard(open_page, folder):
    page, record = open_page((folder / "play_curves.html").as_uri()), xr.load_dataset(ROOT / "results/fig3_mnist.nc")
    total = record.accuracy.sel(objective="total").astype(float)
    epsilon = record.epsilon.values[5]
    text = text_of(page, f"ε = {epsilon:.3f}, 10 seeds")
    best, plain = (total.sel(beta=beta, epsilon=epsilon) for beta in (10, 0))
    assert f"A, β = 10 under the paper's attack: {over_seeds(best):.3f}" in text
    assert f"B, β = 0 under the paper's attack: {over_seeds(plain):.3f}" in text
    assert f"A − B: {interval(over_seeds(best - plain))}, the interval leaves out 0." in text
    for _ in range(2):
        curves(page, "epsilon").press("ArrowRight")
    curves(page, "beta-b").press("End")
    curves(page, "attack-b").select_option("1")
    text = text_of(page, f"ε = {record.epsilon.values[7]:.3f}")
    other = record.accuracy.sel(objective="classification", beta=10).astype(float)
    difference = (total.sel(beta=10) - other).sel(epsilon=record.epsilon[7])
    assert f"A − B: {interval(over_seeds(difference))}" in text
    curves(page, "attack-a").select_option("1")
    assert "A and B are the same" in text_of(page, "A − B: 0.000")
    curves(page, "attack-b").select_option("0")  # the same pair in the other order
    assert f"A − B: {interval(over_seeds(-difference))}" in text_of(page, "B, β = 10 under the paper's attack")
    curves(page, "networks").select_option("3")
    assert "one seed has no interval" in text_of(page, "one seed. A")
    curves(page, "epsilon").press("Home")
    clean = float(xr.load_dataset(ROOT / "results/fig3_cifar10_public.nc").clean.sel(beta=10).item())
    assert f"A, β = 10 under no attack: {clean:.3f}. " in text_of(page, "No attack, one seed")


def test_epsilon_is_dragged_by_mouse_and_by_touch(open_page, folder):
    page = open_page((folder / "play_curves.html").as_uri(), has_touch=True)
    text_of(page, "ε = 0.129")
    box = curves(page, "picture").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 12, middle, steps=8)
    page.mouse.up()
    text_of(page, "ε = 1.000")
    page.touchscreen.tap(box["x"] + 50, middle)
    text_of(page, "No attack")
    assert curves(page, "epsilon").input_value() == "0"


def test_a_torus_is_chosen_coloured_and_turned_by_keyboard(open_page, folder):
    page, record = open_page((folder / "play_torus.html").as_uri()), xr.load_dataset(ROOT / "results/fig4_torus.nc")
    hierarchy = xr.load_dataset(ROOT / "results/hierarchy.nc").distortion.sel(variant="text")
    part = lambda name: page.locator(f'#play-torus [data-part="{name}"]')  # noqa: E731
    text_of(page, "2 classes, seed 0")
    picture = "name => document.querySelector(`#play-torus [data-part=${name}]`).toDataURL()"
    looks = {page.evaluate(picture, "torus")}
    part("torus").press("ArrowLeft")
    looks.add(page.evaluate(picture, "torus"))
    part("level").select_option("2")
    part("seed").press("ArrowRight")
    one = record.sel(cut="ring", level=8, seed=1)
    text = text_of(page, "8 classes, seed 1")
    assert (
        f"accuracy {float(one.accuracy):.3f}, correlation of distances within a class {float(one.correlation):.3f}"
        in text
    )
    assert f"gradient at the cuts {float(one.contrast.sel(saliency='norm')):.1f} times" in text
    angle = 5  # of 40: half a step beyond a cut of eight classes
    norm = float(one.gradient.sel(saliency="norm")[angle * 40 : (angle + 1) * 40].median())
    across, along = (float(hierarchy.sel(level=8, seed=1, tangent=name, distance=0.5)) for name in ("across", "along"))
    norm, across, along = (f"{value:#.2g}".rstrip(".") for value in (norm, across, along))
    assert f"At 45°, in class 1, the gradient's median norm is {norm}." in text
    assert f"off 1 by {across} across the cuts and by {along} along them" in text
    for colour in ("saliency", "across", "along"):
        part("colour").select_option(colour)
        page.wait_for_timeout(100)
        looks.add(page.evaluate(picture, "torus"))
    assert len(looks) == 5
    part("cut").select_option("1")  # no distortion is recorded for this cut, and no layout
    tube = record.sel(cut="tube", level=8, seed=1)
    assert "stretch" not in text_of(page, f"accuracy {float(tube.accuracy):.3f}")
    assert part("colour").input_value() == "saliency" and not part("layout").is_visible()
