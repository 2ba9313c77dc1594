// Attacks on classifiers of images (lil.attacks in JavaScript): FGSM and PGD along the gradient of either objective.

function playAttack(Network, Isometry, Page) {
  "use strict";

  /** Return the networks of lil.paper.play: each row of whole numbers times its factor. */
  function networks({ betas, sizes, weights, floats }) {
    const whole = Page.decoded(weights, Int8Array), real = Page.decoded(floats, Float32Array);
    let atWhole = 0, atReal = 0;
    return betas.map(() => {
      const network = Network.create(sizes);
      network.weights.forEach((values, l) => {
        const inputs = sizes[l], outputs = sizes[l + 1];
        for (let k = 0; k < values.length; k++) values[k] = whole[atWhole + k] * real[atReal + Math.floor(k / inputs)];
        network.biases[l].set(real.subarray(atReal + outputs, atReal + 2 * outputs));
        atWhole += values.length, atReal += 2 * outputs;
      });
      return network;
    });
  }

  /** Return the probability that a network gives to each class of one image. */
  function probabilities(network, image) {
    const work = Network.workspace(network.sizes, 1);
    work.values[0].set(image);
    Network.forward(network, work);
    const logits = work.values.at(-1), most = Math.max(...logits), shares = logits.map((value) => Math.exp(value - most));
    return shares.map((share) => share / shares.reduce((a, b) => a + b));
  }

  /**
   * Return the gradient by the first of some images, given as rows of one array, of cross-entropy + beta · isometry.
   * Both distances of the isometry term depend on the images (Eq. 6 of the paper).
   */
  function gradient(network, images, labels, beta) {
    const { sizes } = network, width = sizes.at(-2), work = Network.workspace(sizes, labels.length);
    work.values[0].set(images);
    Network.forward(network, work);
    Network.crossEntropy(work, labels);
    Network.backwardClassifier(network, work);
    const pairs = Isometry.withinClass(labels), distances = (z, size) => Isometry.distances(z, size, pairs, new Float64Array(pairs.first.length));
    const z = work.values.at(-2), xDist = distances(images, sizes[0]), zDist = distances(z, width);
    if (beta > 0) Isometry.addGradient(z, width, zDist, xDist, pairs, beta, work.slopes.at(-2));
    Network.backward(network, work, { toInputs: true });
    if (beta > 0) Isometry.addGradient(images, sizes[0], xDist, zDist, pairs, beta, work.slopes[0]);
    return work.slopes[0].subarray(0, sizes[0]);
  }

  /** Move each pixel by size along a sign, and stay within epsilon of the image and within [0, 1]. */
  function move(attacked, along, size, image, epsilon) {
    return attacked.map((pixel, k) => {
      const moved = pixel + size * Math.sign(along[k]);
      return Math.min(Math.min(1, image[k] + epsilon), Math.max(Math.max(0, image[k] - epsilon), moved));
    });
  }

  /**
   * Return the attacked image. The kind is "total", one step along the whole loss of a batch: the image and its mates;
   * "classification", one step along the cross-entropy; "pgd", some of these; or "noise", random signs.
   */
  function attack({ kind, network, beta, image, label, mates, epsilon, steps, random }) {
    if (kind === "noise") return move(image, image.map(() => random() - 0.5), epsilon, image, epsilon);
    if (kind === "total") {
      const batch = Float64Array.of(...image, ...mates.images);
      return move(image, gradient(network, batch, [label, ...mates.labels], beta), epsilon, image, epsilon);
    }
    const count = kind === "pgd" ? steps : 1, size = kind === "pgd" ? (2.5 * epsilon) / steps : epsilon;
    let attacked = image;
    for (let k = 0; k < count; k++) attacked = move(attacked, gradient(network, attacked, [label], 0), size, image, epsilon);
    return attacked;
  }

  return { networks, probabilities, gradient, attack };
}
