"""Train a classifier of scikit-learn's digits without and with the isometry loss, in plain PyTorch."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from lil.isometry import IsometryLoss, flat_pairs, pair_distances, within_class

x, y = load_digits(return_X_y=True)  # an array (points, features), and the class of each point as a whole number
x = (x / 16).astype("float32")  # from 0 to 1
x, x_test, y, y_test = map(torch.as_tensor, train_test_split(x, y, test_size=0.3, random_state=0, stratify=y))


def train(beta, batch_size=100, epochs=60):
    isometry = IsometryLoss()
    features = nn.Sequential(nn.Linear(x.shape[1], 100), nn.Tanh(), nn.Linear(100, 100), nn.Tanh())
    network = nn.Sequential(features, nn.Linear(100, int(y.max()) + 1))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            z = features(x[batch])
            loss = F.cross_entropy(network[1](z), y[batch]) + beta * isometry(z, x[batch], y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def pgd(network, x, y, epsilon, steps=40):
    attacked = x + epsilon * (2 * torch.rand_like(x) - 1)
    for _ in range(steps):
        attacked.requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(network(attacked), y), attacked)
        attacked = attacked.detach() + epsilon / 10 * gradient.sign()
        attacked = attacked.clamp(x - epsilon, x + epsilon).clamp(0, 1)
    return attacked


def measure(network, epsilon=0.1):
    clean, attacked = (network(x).argmax(1) == y_test for x in (x_test, pgd(network, x_test, y_test, epsilon)))
    pairs = [flat_pairs(pair_distances(each), within_class(y_test)) for each in (x_test, network[0](x_test).detach())]
    return float(clean.float().mean()), float(attacked.float().mean()), float(torch.corrcoef(torch.stack(pairs))[0, 1])


if __name__ == "__main__":
    print("    β  accuracy  under PGD  correlation of distances")
    for beta in (0, 0.1, 1, 10, 100):
        torch.manual_seed(0)
        print("{:5}  {:8.3f}  {:9.3f}  {:24.3f}".format(beta, *measure(train(beta))))
