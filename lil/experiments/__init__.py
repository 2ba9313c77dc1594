"""What each figure and table shows, as labelled arrays. One module a figure or table, of one stem with its notebook."""

# Axes along which what is measured of one network does not depend on the others (see lil.results). How work may be divided
# is no part of what is computed, so it stands here, where no key reads it.
SEPARATE = {
    "fig3_mnist": ("beta", "seed"),
    "fig3_mnist_public": ("beta", "seed"),
    "fig3_cifar10": ("beta", "seed"),
    "fig3_cifar10_public": ("beta", "seed"),
}
