import errno
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from lil.datasets import images

FILES = [Path(path).name for path in images.SHA256["mnist"]]
needs_mnist = pytest.mark.skipif(not images.available("mnist"), reason="MNIST is not on this machine")
needs_cifar10 = pytest.mark.skipif(not images.available("cifar10"), reason="CIFAR10 is not on this machine")


def write_idx(path, values):
    """The format of MNIST's files: a magic number, the sizes, the bytes."""
    head = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(head + values.tobytes())


def write_mnist(folder):
    """A data set of 12 and 5 images that torchvision takes for MNIST."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, n in (("train", 12), ("t10k", 5)):
        write_idx(raw / f"{split}-images-idx3-ubyte", rng.integers(0, 256, (n, 28, 28), np.uint8))
        write_idx(raw / f"{split}-labels-idx1-ubyte", np.arange(n, dtype=np.uint8) % 10)
    return raw


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty $LIL_DATA and an empty cache, and no network."""
    monkeypatch.setenv("LIL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def no_network(self):
        raise RuntimeError("no network")

    monkeypatch.setattr(torchvision.datasets.MNIST, "download", no_network)
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "download", no_network)
    return tmp_path


@pytest.fixture
def small_mnist(place, monkeypatch):
    """The small data set in $LIL_DATA, its checksums in place of MNIST's."""
    raw = write_mnist(place / "data")
    sums = {f"MNIST/raw/{name}": hashlib.sha256((raw / name).read_bytes()).hexdigest() for name in FILES}
    monkeypatch.setitem(images.SHA256, "mnist", sums)
    return raw


def test_torchvision_reads_the_files(small_mnist):
    x, labels = images.load("mnist", "train")
    raw = (small_mnist / "train-images-idx3-ubyte").read_bytes()[16:]
    assert x.shape == (12, 1, 28, 28) and x.dtype == torch.float32
    assert torch.equal(x, torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(12, 1, 28, 28) / 255)
    assert labels.tolist() == [*range(10), 0, 1] and labels.dtype == torch.int64
    assert images.load("mnist", "test")[0].shape == (5, 1, 28, 28)
    assert [part.shape[0] for part in images.load("mnist", "train", 3)] == [3, 3]


def test_a_tilde_that_no_shell_expanded_is_the_home_folder(small_mnist, monkeypatch):
    monkeypatch.setenv("HOME", str(small_mnist.parents[1]))
    monkeypatch.setenv("USERPROFILE", str(small_mnist.parents[1]))  # Windows
    for named in ("~", "~/."):
        monkeypatch.setenv("LIL_DATA", named)
        assert images.available("mnist") and images.load("mnist", "test")[0].shape == (5, 1, 28, 28)
    monkeypatch.setenv("LIL_DATA", "elsewhere/~")
    assert not images.available("mnist")


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_refused(small_mnist, name):
    content = bytearray((small_mnist / name).read_bytes())
    content[-1] ^= 1
    (small_mnist / name).write_bytes(content)
    with pytest.raises(images.DatasetCorrupt, match=f"{name} is not the published file of MNIST .* delete it and run"):
        images.load("mnist", "test")


def test_an_unchecked_copy_in_another_format_is_not_read(small_mnist):
    """torchvision would prefer MNIST/processed, pickles that no checksum covers."""
    processed = small_mnist.parent / "processed"
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        (processed / name).write_bytes(b"not to be opened")
    assert len(images.load("mnist", "train")[0]) == 12


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_set_that_is_nowhere_says_where_it_was_looked_for_and_what_to_do(place, name):
    top = {"mnist": "MNIST", "cifar10": "cifar-10-batches-py"}[name]
    assert not images.available(name)
    with pytest.raises(images.DatasetNotFound) as caught:
        images.load(name, "train")
    message = str(caught.value)
    assert str(place / "data") in message and str(place / "cache" / "lil" / "data") in message
    assert all(way in message for way in ("set LIL_DATA", f"copy {top}", "`lil data fetch`"))
    assert list((place / "cache" / "lil" / "data").iterdir()) == []  # nothing half-written stays


def test_a_download_arrives_whole(place, monkeypatch):
    def download(self):
        write_mnist(Path(self.root))

    monkeypatch.setattr(torchvision.datasets.MNIST, "download", download)
    other = write_mnist(place / "other")
    sums = {f"MNIST/raw/{name}": hashlib.sha256((other / name).read_bytes()).hexdigest() for name in FILES}
    monkeypatch.setitem(images.SHA256, "mnist", sums)
    assert len(images.load("mnist", "test")[0]) == 5
    assert [path.name for path in images.cache_folder().joinpath("data").iterdir()] == ["MNIST"]
    monkeypatch.setattr(torchvision.datasets.MNIST, "download", lambda self: pytest.fail("downloaded again"))
    assert len(images.load("mnist", "test")[0]) == 5


def test_a_download_of_something_else_does_not_reach_the_cache(place, monkeypatch):
    monkeypatch.setattr(torchvision.datasets.MNIST, "download", lambda self: write_mnist(Path(self.root)))
    with pytest.raises(images.DatasetCorrupt, match="is not the published file of MNIST"):
        images.load("mnist", "test")
    assert list(images.cache_folder().joinpath("data").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "No space left on device"),
        (errno.EROFS, "Read-only file system"),
        (errno.EACCES, "Permission denied"),
    ],
)
def test_a_cache_without_room_says_so(place, monkeypatch, number, words):
    def download(self):
        (Path(self.root) / "half").write_bytes(b"a part of it")
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(torchvision.datasets.MNIST, "download", download)
    with pytest.raises(images.CacheUnwritable, match=f"MNIST cannot be put into .*{words}.*make room there"):
        images.load("mnist", "train")
    assert list(images.cache_folder().joinpath("data").iterdir()) == []


def test_the_folder_of_lil_data_comes_before_the_cache(small_mnist, place):
    write_mnist(images.cache_folder() / "data")
    (images.cache_folder() / "data" / "MNIST" / "raw" / FILES[0]).write_bytes(b"damaged")
    assert len(images.load("mnist", "train")[0]) == 12
    (small_mnist / FILES[0]).unlink()  # now the folder is incomplete, and the cache is asked
    with pytest.raises(images.DatasetCorrupt):
        images.load("mnist", "train")


def test_the_digits_stand_in_with_the_shape_of_mnist(place):
    x, labels = images.load("digits", "train")
    assert x.shape == (1500, 1, 28, 28) and x.dtype == torch.float32 and x.min() >= 0 and 0.9 < x.max() <= 1
    assert images.load("digits", "test")[0].shape == (297, 1, 28, 28)
    assert torch.equal(images.load("digits", "train", 20)[0], x[:20])
    assert x[:, :, :4].sum() == x[:, :, -4:].sum() == x[..., :4].sum() == 0
    assert torch.bincount(labels, minlength=10).min() > 100
    assert images.available("digits") and images.fetch("digits") is None


def test_digits_of_another_release_are_refused(monkeypatch):
    monkeypatch.setitem(images.SHA256, "digits", {"images and labels": "0" * 64})
    with pytest.raises(images.DatasetCorrupt, match="the installed scikit-learn has other digits"):
        images.load("digits", "train")


def test_unknown_names_and_numbers_are_refused():
    with pytest.raises(ValueError, match=r"the image set must be one of \('mnist', 'cifar10', 'digits'\), not 'svhn'"):
        images.load("svhn", "train")
    with pytest.raises(ValueError, match=r"split must be one of \('train', 'test'\), not 'validation'"):
        images.load("digits", "validation")
    with pytest.raises(ValueError, match=r"n_examples must be 1 to 297 for digits \(test\), not 298"):
        images.load("digits", "test", 298)


def test_fingerprints_tell_the_sets_apart(monkeypatch):
    before = {name: images.fingerprint(name) for name in images.SHA256}
    assert len(set(before.values())) == 3
    monkeypatch.setitem(images.SHA256, "mnist", images.SHA256["mnist"] | {"MNIST/raw/train-labels-idx1-ubyte": "0"})
    assert images.fingerprint("mnist") != before["mnist"]


@needs_mnist
def test_mnist_is_mnist():
    x, labels = images.load("mnist", "test")
    assert x.shape == (10_000, 1, 28, 28)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert torch.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@needs_cifar10
def test_cifar10_is_cifar10():
    x, labels = images.load("cifar10", "test")
    assert x.shape == (10_000, 3, 32, 32) and torch.bincount(labels).tolist() == [1000] * 10
    assert labels[:5].tolist() == [3, 8, 8, 0, 6]
    plain = torchvision.datasets.CIFAR10(images.fetch("cifar10"), train=False)
    assert np.array_equal(np.asarray(plain[7][0]), (255 * x[7].permute(1, 2, 0)).round().byte().numpy())
