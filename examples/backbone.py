"""Train a head with the isometry loss on the frozen features of a pretrained network."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import resnet18

from lil.isometry import IsometryLoss


def train(backbone, batches, classes, beta):
    backbone.fc = nn.Identity()  # 512 features in place of ImageNet's classes
    backbone.eval().requires_grad_(False)
    head, classifier = nn.Sequential(nn.Linear(512, 200), nn.Tanh()), nn.Linear(200, classes)
    network, isometry = nn.Sequential(backbone, head, classifier), IsometryLoss()
    trained = [*head.parameters(), *classifier.parameters()]
    optimizer = torch.optim.Adam(trained, lr=1e-3)
    for images, y in batches:
        features = backbone(images)
        z = head(features)
        loss = F.cross_entropy(classifier(z), y) + beta * isometry(z, features, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


if __name__ == "__main__":
    # Your own images in their place, normalised as the backbone expects them.
    images, y = torch.rand(64, 3, 64, 64), torch.arange(64) % 4
    train(resnet18(weights="DEFAULT"), [(images, y)], classes=4, beta=1.0)
