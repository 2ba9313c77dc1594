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
from lil.paper.pages import ROOT
from lil.training import Batch, Settings, losses, train

SCRIPTS = ROOT / "book" / "assets" / "play"
SOURCE = (ROOT / "book" / "play.md").read_text()
SIZES = (3, 20, 20, 20, 20, 2)

close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-9)


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as chromium:
        yield chromium


# The arithmetic

TOOLS = """
const Rings = playRings(), Network = playNetwork(), Isometry = playIsometry();
const Training = playTraining(Network, Isometry), Attack = playAttack(Network, Isometry);
const plain = ({ weights, biases }) => ({ weights: weights.map((w) => [...w]), biases: biases.map((b) => [...b]) });
const filled = ({ sizes, weights, biases }) => ({
  sizes, weights: weights.map((w) => Float64Array.from(w)), biases: biases.map((b) => Float64Array.from(b)) });
"""


@pytest.fixture(scope="module")
def tools(chromium):
    """A page that has the functions of the scripts and nothing else."""
    page = chromium.new_page()
    for name in ("rings", "network", "isometry", "training", "attack", "networks"):
        page.add_script_tag(path=SCRIPTS / f"{name}.js")
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


def rings():
    x, labels = toy.rings(15, seed=4, noise=0.05)
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


@pytest.mark.parametrize("beta", [0.0, 1.0, 10.0])
def test_losses_and_gradients_are_those_of_torch(tools, beta):
    x, labels = rings()
    model = LIL(SIZES, seeds=[3]).double()
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
    x, labels = rings()
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
    found = tools.evaluate("() => Object.values(Rings.rings(100, Rings.generator(7))).map((values) => [...values])")
    x = torch.tensor(found[0], dtype=torch.float64).view(2, 100, 3)
    assert found[1] == [0] * 100 + [1] * 100
    close((x - torch.tensor([[[-0.5, 0, 0]], [[0.5, 0, 0]]])).norm(dim=-1), torch.ones(2, 100, dtype=torch.float64))
    assert x[0, :, 2].abs().max() == x[1, :, 1].abs().max() == 0
    assert abs(toy.linking_number(*x)) == pytest.approx(1)


def test_first_weights_are_uniform_and_depend_on_the_seed(tools):
    draws = tools.evaluate(
        f"() => [0, 0, 1].map((seed) => plain(Network.draw(Network.create({list(SIZES)}), Rings.generator(seed))))"
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
            return [...Attack.attack({ kind: "noise", image, epsilon: 0.1, random: Rings.generator(0) })] }"""
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
            const pixels = Float64Array.from(Attack.decoded(images, Uint8Array), (byte) => byte / 255);
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
    """The raw HTML of the page with its scripts, without the book around it."""
    folder = tmp_path_factory.mktemp("play")
    shutil.copytree(ROOT / "book" / "assets", folder / "_static")
    blocks = re.findall(r"^````\{raw\} html\n(.*?)^````$", SOURCE, re.S | re.M)
    head = '<meta charset="utf-8"><link rel="stylesheet" href="_static/custom.css"><link rel="icon" href="data:,">'
    text = f'<!doctype html><html lang="en" data-theme="light"><head>{head}</head><body>{"".join(blocks)}</body></html>'
    (folder / "play.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(params=["file", "http"])
def address(request, folder):
    """The page's address, in its folder and on a server."""
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
    text = trainer(page, "status").filter(has_text=re.compile(rf"^Step {step}\b")).inner_text(timeout=20_000)
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
    page.wait_for_timeout(3000)
    times = page.evaluate("window.spoken")
    assert len(times) > 2 and min(later - earlier for earlier, later in pairwise(times)) > 990
    trainer(page, "reset").tap()
    cross_entropies(page, "0")


def test_another_setting_starts_anew_and_beta_0_gives_equal_networks(open_page, folder):
    page = open_page((folder / "play.html").as_uri())
    start = cross_entropies(page, "0")
    trainer(page, "seed").fill("3")
    trainer(page, "status").filter(has_not_text=f"cross-entropy {start[0]}").wait_for()
    trainer(page, "beta").fill("0")
    trainer(page, "start").click()
    one, other = cross_entropies(page, "[1-9]")
    assert one == other


def test_every_control_has_a_name_and_nothing_sticks_out(open_page, folder):
    page = open_page((folder / "play.html").as_uri(), viewport={"width": 420, "height": 800})
    controls = page.locator(".play :is(button, input, select, canvas[tabindex])").all()
    assert len(controls) > 30
    assert [
        found for found in (each.aria_snapshot() for each in controls) if not re.match(r"- '?[a-z]+ \"", found)
    ] == []
    assert page.locator("output").count() == 0  # each would be a live region, and take the label from its slider
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_without_javascript_a_picture_stands_there(open_page, folder):
    page = open_page((folder / "play.html").as_uri(), java_script_enabled=False)
    picture = page.get_by_role("img", name="Two linked rings, and beside them")
    assert picture.is_visible() and picture.bounding_box()["height"] > 50
    assert not page.locator("#play-trainer").is_visible()


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
