"""Images with classes: MNIST, CIFAR10, and scikit-learn's digits, which need no download.

torchvision's own classes read the first two. A set is looked for in the folder ``$LIL_DATA``, then in the
user's cache folder, and downloaded into the cache by torchvision where it stands in neither. Every byte is
checked against the SHA-256 sums below each time a set is opened, before anything parses it: the batches of
CIFAR10 are pickles, and a changed pickle can run code.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from lil.cache import cache_folder

Name = Literal["mnist", "cifar10", "digits"]
Split = Literal["train", "test"]

TITLES = {"mnist": "MNIST", "cifar10": "CIFAR10", "digits": "scikit-learn's digits"}

# Of the files as torchvision lays them out. It publishes MD5 sums itself, but for MNIST only those of the .gz files.
SHA256 = {
    "mnist": {
        "MNIST/raw/train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "MNIST/raw/train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "MNIST/raw/t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "MNIST/raw/t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "cifar10": {
        "cifar-10-batches-py/data_batch_1": "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
        "cifar-10-batches-py/data_batch_2": "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
        "cifar-10-batches-py/data_batch_3": "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
        "cifar-10-batches-py/data_batch_4": "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
        "cifar-10-batches-py/data_batch_5": "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
        "cifar-10-batches-py/test_batch": "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
        "cifar-10-batches-py/batches.meta": "f962466ef690d46b226450fb9aadc74ba4bc64a76aa526b5827fe4bc5c7125cb",
    },
    "digits": {"images and labels": "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"},
}

# The errors of a full or forbidden disk; every other OSError of a download comes from the network.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}


class DatasetNotFound(FileNotFoundError):
    """The set is in neither folder and could not be downloaded."""


class DatasetCorrupt(ValueError):
    """A file of the set is not, byte for byte, the published one."""


class CacheUnwritable(OSError):
    """The cache folder has no room for the set or cannot be written to."""


def fingerprint(name: str) -> str:
    """Return the SHA-256 over the published checksums of a set, on which results depend. Reads no data."""
    sums = SHA256[_known(name)]
    return hashlib.sha256("".join(f"{path} {digest}\n" for path, digest in sums.items()).encode()).hexdigest()


def available(name: str) -> bool:
    """Return True if every file of the set is on this machine. Neither reads them nor asks the network."""
    return _known(name) == "digits" or _find(name) is not None


def fetch(name: str) -> Path | None:
    """Return the folder with the verified set, downloaded into the cache if it is nowhere; None for the digits.

    Raises DatasetNotFound, DatasetCorrupt or CacheUnwritable, with what to do about it.
    """
    if _known(name) == "digits":
        return None
    folder = _find(name) or _download(name)
    _verify(name, folder)
    return folder


def load(
    name: str, split: str, n_examples: int | None = None
) -> tuple[Float[Tensor, "n channels height width"], Int[Tensor, "n"]]:
    """Return a whole set, or its first ``n_examples``: images, float32 in [0, 1], and labels 0 to 9, int64.

    "mnist" has images (1, 28, 28), 60 000 in the split "train" and 10 000 in "test"; "cifar10" has (3, 32, 32), 50 000
    and 10 000; "digits" has (1, 28, 28), 1500 and 297: 8 × 8 pixels in 17 greys, enlarged bilinearly to MNIST's
    20 × 20 box and framed by 4 black pixels like there, split by one fixed permutation.

    Raises DatasetNotFound, DatasetCorrupt or CacheUnwritable, with what to do about it.
    """
    if _known(name) and split not in get_args(Split):
        raise ValueError(f"split must be one of {get_args(Split)}, not {split!r}.")
    folder = fetch(name)
    pixels, labels = _digits(split) if folder is None else _read(name, folder, split == "train")
    if n_examples is not None and not 1 <= n_examples <= len(pixels):
        raise ValueError(f"n_examples must be 1 to {len(pixels)} for {name} ({split}), not {n_examples}.")
    return _unit(name, pixels[:n_examples]), labels[:n_examples].clone()


def _known(name: str) -> str:
    if name not in SHA256:
        raise ValueError(f"the image set must be one of {get_args(Name)}, not {name!r}.")
    return name


def _folders() -> list[Path]:
    named = os.environ.get("LIL_DATA")
    own = [Path(os.path.expanduser(named))] if named else []  # noqa: PTH111, Path's raises without a home
    return [*own, cache_folder() / "data"]


def _find(name: str) -> Path | None:
    """Return the first folder that holds all files of the set."""
    complete = (folder for folder in _folders() if all((folder / path).is_file() for path in SHA256[name]))
    return next(complete, None)


def _verify(name: str, folder: Path) -> None:
    for path, digest in SHA256[name].items():
        with (folder / path).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise DatasetCorrupt(
                f"{folder / path} is not the published file of {TITLES[name]} (its SHA-256 is {found[:12]}…, not "
                f"{digest[:12]}…): delete it and run `lil data fetch`, or set LIL_DATA to a folder with the original."
            )


def _read(name: str, folder: Path, train: bool) -> tuple[Tensor, Tensor]:
    """Return pixels, uint8 (n, channels, height, width), and labels, read by torchvision."""
    from torchvision import datasets

    if name == "cifar10":
        cifar10 = datasets.CIFAR10(folder, train=train)
        return torch.from_numpy(cifar10.data).permute(0, 3, 1, 2), torch.tensor(cifar10.targets)

    class MNIST(datasets.MNIST):  # named like its parent, whose name is that of the folder
        def _check_legacy_exist(self) -> bool:
            return False  # the parent prefers MNIST/processed, which has no checksums, to the raw files

    mnist = MNIST(folder, train=train)
    return mnist.data[:, None], mnist.targets


def _digits(split: str) -> tuple[Tensor, Tensor]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    (digest,) = SHA256["digits"].values()
    if hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest() != digest:
        raise DatasetCorrupt("the installed scikit-learn has other digits: install the version of requirements.lock.")
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    chosen = order[:1500] if split == "train" else order[1500:]
    return torch.from_numpy(pixels)[chosen, None], torch.from_numpy(labels)[chosen].long()


def _unit(name: str, pixels: Tensor) -> Tensor:
    """Return pixels as float32 in [0, 1] and in their set's shape; a copy."""
    if name != "digits":
        return pixels.contiguous().float().div_(255)
    return F.pad(F.interpolate(pixels.float().div_(16), size=20, mode="bilinear", antialias=False), (4, 4, 4, 4))


def _download(name: str) -> Path:
    """Download a set into the cache folder and return the folder, with all of the set, verified, or unchanged."""
    from torchvision import datasets

    folder = cache_folder() / "data"
    kind = datasets.MNIST if name == "mnist" else datasets.CIFAR10
    top = next(iter(SHA256[name])).split("/")[0]
    staging = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # On the cache's own disk, so that the finished set appears there by one rename.
        staging = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
        kind(staging, download=True)
        _verify(name, staging)
        shutil.rmtree(folder / top, ignore_errors=True)  # an incomplete set that somebody left
        (staging / top).rename(folder / top)
    except (OSError, RuntimeError, EOFError) as reason:
        if isinstance(reason, OSError) and reason.errno in _UNWRITABLE:
            raise CacheUnwritable(
                f"{TITLES[name]} cannot be put into {folder} ({reason.strerror}): make room there, or set "
                "XDG_CACHE_HOME to a folder with room, or LIL_DATA to one that has the set."
            ) from reason
        raise DatasetNotFound(
            f"{TITLES[name]} is not on this machine (looked for {top} in {', '.join(map(str, _folders()))}) and its "
            f"download failed: set LIL_DATA to a folder that has {top} as torchvision lays it out, copy {top} into "
            f"{folder}, or run `lil data fetch` where there is a network."
        ) from reason
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
    return folder
