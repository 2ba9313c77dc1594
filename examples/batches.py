"""Train on the digits at β = 100 in batches of several sizes, in as many steps of each."""

import torch
from digits import measure, train, x, x_test, y_test

BETA, STEPS, CLASSES = 100, 780, 10

if __name__ == "__main__":
    print("points  same-class pairs  accuracy  under PGD  correlation of distances")
    for size in (5, 10, 30, 100, 300):
        torch.manual_seed(0)
        pairs = size * (size - 1) / 2 / CLASSES
        network = train(BETA, size, epochs=round(STEPS * size / len(x)))
        row = measure(network, x_test, y_test)
        print("{:6}  {:16.1f}  {:8.3f}  {:9.3f}  {:24.3f}".format(size, pairs, *row))
