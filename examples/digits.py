"""Train a classifier of scikit-learn's digits without and with the isometry loss."""

import torch
import torch.nn.functional as F
from checks import measure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from lil.isometry import IsometryLoss

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


if __name__ == "__main__":
    print("    β  accuracy  under PGD  correlation of distances")
    for beta in (0, 0.1, 1, 10, 100):
        torch.manual_seed(0)
        row = measure(train(beta), x_test, y_test)
        print("{:5}  {:8.3f}  {:9.3f}  {:24.3f}".format(beta, *row))
