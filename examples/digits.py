"""Train a classifier of scikit-learn's digits without and with the isometry loss."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from lil.isometry import IsometryLoss, flat_pairs, pair_distances, within_class

x, y = load_digits(return_X_y=True)  # an array (points, features), whole numbers
x = (x / 16).astype("float32")  # from 0 to 1
parts = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
x, x_test, y, y_test = map(torch.as_tensor, parts)


def train(beta, batch_size=100, epochs=60):
    hidden = [nn.Linear(x.shape[1], 100), nn.Tanh(), nn.Linear(100, 100), nn.Tanh()]
    features, classifier = nn.Sequential(*hidden), nn.Linear(100, int(y.max()) + 1)
    network, isometry = nn.Sequential(features, classifier), IsometryLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            z = features(x[batch])
            loss = F.cross_entropy(classifier(z), y[batch])
            loss = loss + beta * isometry(z, x[batch], y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def pgd(network, x, y, epsilon, steps=40):
    attacked = x + epsilon * (2 * torch.rand_like(x) - 1)
    for _ in range(steps):
        attacked.requires_grad_()
        loss = F.cross_entropy(network(attacked), y)
        (gradient,) = torch.autograd.grad(loss, attacked)
        attacked = attacked.detach() + epsilon / 10 * gradient.sign()
        attacked = attacked.clamp(x - epsilon, x + epsilon).clamp(0, 1)
    return attacked


def measure(network, epsilon=0.1):
    images = (x_test, pgd(network, x_test, y_test, epsilon))
    right = [network(each).argmax(1) == y_test for each in images]
    points, mask = (x_test, network[0](x_test).detach()), within_class(y_test)
    pairs = torch.stack([flat_pairs(pair_distances(each), mask) for each in points])
    shares = [float(each.float().mean()) for each in right]
    return *shares, float(torch.corrcoef(pairs)[0, 1])


if __name__ == "__main__":
    print("    β  accuracy  under PGD  correlation of distances")
    for beta in (0, 0.1, 1, 10, 100):
        torch.manual_seed(0)
        row = measure(train(beta))
        print("{:5}  {:8.3f}  {:9.3f}  {:24.3f}".format(beta, *row))
